"""Rules for PyTorch's own layers: which unit each of them is."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from torch import nn

from netwright.core.shape import show
from netwright.core.spec import Unit
from netwright.errors import ShapeError
from netwright.foreign.layout import on_axes
from netwright.foreign.state import own_tensors
from netwright.foreign.trace import MODULES, Tracer
from netwright.foreign.traced import Traced
from netwright.foreign.units import adaptive_unit, conv_unit, one, pool_unit, transposed_unit
from netwright.units import (
    ELU,
    GELU,
    SELU,
    BatchNorm,
    Dropout,
    Flatten,
    GroupNorm,
    HardSigmoid,
    HardSwish,
    Identity,
    InstanceNorm,
    LeakyReLU,
    Linear,
    LocalResponseNorm,
    PReLU,
    ReLU,
    ReLU6,
    Sigmoid,
    SiLU,
    SpatialDropout,
    Tanh,
)

__all__ = ["layer"]

Rule = Callable[[Any, Traced], Unit | None]


def layer(*kinds: type[nn.Module]) -> Callable[[Rule], Rule]:
    """Makes the decorated function, (module, input) -> unit or None, the rule of these layers;
    where it returns None, the module's forward pass is followed.
    """

    def register(rule: Rule) -> Rule:
        def answer(t: Tracer, module: Any, *inputs: Any) -> Any:
            if len(inputs) != 1 or type(inputs[0]) is not Traced:
                return NotImplemented
            x = inputs[0]
            unit = rule(module, x)
            return NotImplemented if unit is None else t.unit(unit, x, own_tensors(module))

        for kind in kinds:
            MODULES[kind] = answer
        return rule

    return register


def _need(module: Any, x: Traced, channels: int, dim: int = 1) -> None:
    if x.full[dim] != channels:
        raise ShapeError(
            f"{type(module).__name__} takes {channels} channels, got {show(x.full[1:])}"
        )


def _ranked(module: nn.Module, x: Traced) -> bool:
    """Whether the input has a batch, channels, and as many axes as the class's name says."""
    return len(x.full) == int(type(module).__name__[-2]) + 2


def _has_bias(module: nn.Module) -> bool:
    return getattr(module._parameters, "real", module._parameters)["bias"] is not None


@layer(nn.Conv1d, nn.Conv2d, nn.Conv3d)
def _conv(m: Any, x: Traced) -> Unit | None:
    if not _ranked(m, x):
        return None
    _need(m, x, m.in_channels)
    return conv_unit(m.out_channels, m.kernel_size, m.stride, m.padding, m.dilation, m.groups,
                     _has_bias(m), m.padding_mode)  # fmt: skip


@layer(nn.ConvTranspose1d, nn.ConvTranspose2d, nn.ConvTranspose3d)
def _transposed(m: Any, x: Traced) -> Unit | None:
    if not _ranked(m, x):
        return None
    _need(m, x, m.in_channels)
    return transposed_unit(m.out_channels, m.kernel_size, m.stride, m.padding, m.output_padding,
                           m.groups, _has_bias(m), m.dilation)  # fmt: skip


@layer(nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d, nn.SyncBatchNorm)
def _batch(m: Any, x: Traced) -> Unit | None:
    _need(m, x, m.num_features)
    return None if m.momentum is None else one(BatchNorm, m.affine, m.eps, m.momentum)


@layer(nn.GroupNorm)
def _group(m: Any, x: Traced) -> Unit:
    _need(m, x, m.num_channels)
    return one(GroupNorm, m.affine, m.eps, m.num_groups)


@layer(nn.InstanceNorm1d, nn.InstanceNorm2d, nn.InstanceNorm3d)
def _instance(m: Any, x: Traced) -> Unit | None:
    return one(InstanceNorm, m.affine, m.eps) if _ranked(m, x) else None


@layer(nn.Linear)
def _linear(m: Any, x: Traced) -> Unit | None:
    mixes = 2 in on_axes(x.origin) and x.origin.source >= 0
    if len(x.full) not in (2, 3) or mixes or (len(x.full) == 2 and 0 in on_axes(x.origin)):
        return None
    _need(m, x, m.in_features, -1)
    return one(Linear, m.out_features, _has_bias(m))


def _window(m: Any) -> list[Any]:
    fields = (m.kernel_size, m.stride, m.padding)
    return [tuple(f) if isinstance(f, list) else f for f in fields]


@layer(nn.MaxPool1d, nn.MaxPool2d, nn.MaxPool3d)
def _max_pool(m: Any, x: Traced) -> Unit | None:
    if not _ranked(m, x) or m.dilation != 1 or m.return_indices:
        return None
    return pool_unit("max", *_window(m), m.ceil_mode)


@layer(nn.AvgPool1d, nn.AvgPool2d, nn.AvgPool3d)
def _avg_pool(m: Any, x: Traced) -> Unit | None:
    if not _ranked(m, x) or getattr(m, "divisor_override", None):
        return None
    return pool_unit("avg", *_window(m), m.ceil_mode, m.count_include_pad)


@layer(nn.AdaptiveAvgPool1d, nn.AdaptiveAvgPool2d, nn.AdaptiveAvgPool3d)
def _adaptive(m: Any, x: Traced) -> Unit | None:
    if not _ranked(m, x):
        return None
    rank = len(x.full) - 2
    size = m.output_size if isinstance(m.output_size, tuple) else (m.output_size,) * rank
    return adaptive_unit(tuple([x.full[i + 2] if n is None else n for i, n in enumerate(size)]))


@layer(nn.Flatten)
def _flatten(m: Any, x: Traced) -> Unit | None:
    whole = m.start_dim == 1 and m.end_dim in (-1, len(x.full) - 1)
    return one(Flatten) if whole else None


@layer(nn.PReLU)
def _prelu(m: Any, x: Traced) -> Unit | None:
    return one(PReLU) if m.num_parameters == x.full[1] else None


_PLAIN: dict[type[nn.Module], tuple[type[Unit], str]] = {
    nn.Dropout: (Dropout, "p"),
    nn.Dropout1d: (SpatialDropout, "p"),
    nn.Dropout2d: (SpatialDropout, "p"),
    nn.Dropout3d: (SpatialDropout, "p"),
    nn.ELU: (ELU, "alpha"),
    nn.GELU: (GELU, ""),
    nn.Hardsigmoid: (HardSigmoid, ""),
    nn.Hardswish: (HardSwish, ""),
    nn.Identity: (Identity, ""),
    nn.LeakyReLU: (LeakyReLU, "negative_slope"),
    nn.LocalResponseNorm: (LocalResponseNorm, "size alpha beta k"),
    nn.ReLU: (ReLU, ""),
    nn.ReLU6: (ReLU6, ""),
    nn.SELU: (SELU, ""),
    nn.SiLU: (SiLU, ""),
    nn.Sigmoid: (Sigmoid, ""),
    nn.Tanh: (Tanh, ""),
}
"""Layers whose units take the same numbers: the unit, and the layer's names of its fields."""


def _plain(unit: type[Unit], names: str) -> Rule:
    fields = names.split()
    return lambda m, x: one(unit, *[getattr(m, name) for name in fields])


for _kind, (_unit, _names) in _PLAIN.items():
    layer(_kind)(_plain(_unit, _names))
