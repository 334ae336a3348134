"""The constructor call that makes a module again."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from math import prod
from typing import Any

from torch import nn

from netwright import layers
from netwright.errors import NetwrightError

__all__ = ["REQUIRED", "Call", "Form", "call_of"]

REQUIRED = inspect.Parameter.empty
"""The default of a parameter that has none."""


@dataclass(frozen=True)
class Form:
    """A constructor: the name it is called by, its parameters with their defaults, the class if
    it is not one that is written, and which parameters are told by name though required.
    """

    name: str
    params: tuple[tuple[str, Any], ...]
    origin: type[nn.Module] | None = None
    keywords: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Call:
    """A constructor, and a value for each of its parameters."""

    form: Form
    args: tuple[Any, ...]
    outputs: int = 1

    @property
    def free(self) -> bool:
        """Whether the module passes on what it gets."""
        return self.form.origin is nn.Identity


def _local(m: Any) -> dict[str, Any]:
    return {"out_channels": m.weight.shape[1]}


def _volterra(m: Any) -> dict[str, Any]:
    return {"in_channels": m.inputs // prod(m.kernel_size), "out_channels": len(m.weight)}


def _diagonal_volterra(m: Any) -> dict[str, Any]:
    names = ("out_channels", "kernel_size", "stride", "pads", "dilation")
    known = {name: getattr(m.conv, name) for name in names}
    return {"in_channels": m.conv.in_channels // 2, "bias": m.conv.bias is not None, **known}


def _conv_lstm(m: Any) -> dict[str, Any]:
    size = m.input.kernel_size if m.peepholes is None else m.peepholes.shape[2:]
    return {
        "channels": m.input.in_channels,
        "kernel": m.input.kernel_size,
        "size": tuple(size),
        "bias": m.input.bias is not None,
        "peepholes": m.peepholes is not None,
    }


def _attention(m: Any) -> dict[str, Any]:
    return {
        "features": m.embed_dim,
        "heads": m.num_heads,
        "bias": m.in_proj_bias is not None,
        "memory_features": None if m.kdim == m.embed_dim else m.kdim,
    }


def _additive(m: Any) -> dict[str, Any]:
    query, key = m.query, m.key
    features = {"features": query.in_features, "memory_features": key.in_features}
    return {**features, "width": query.out_features}


def _pca(m: Any) -> dict[str, Any]:
    width, channels, *kernel = m.weight.shape
    pads = tuple(zip(m.pads[-2::-2], m.pads[::-2], strict=True))  # kept last axis first
    return {"channels": channels, "width": width, "kernel_size": tuple(kernel), "pads": pads}


def _gem(m: Any) -> dict[str, Any]:
    learned = isinstance(m.p, nn.Parameter)
    return {"p": 3.0 if learned else m.p, "learned": learned}


_FOUND: dict[type[nn.Module], Callable[[Any], dict[str, Any]]] = {
    layers.Affine: lambda m: {"channels": len(m.weight)},
    layers.AdditiveAttention: _additive,
    layers.BlurPool: lambda m: {"axes": m.kernel.dim()},
    layers.CompactBilinearPool: lambda m: {"channels": m.place.shape[1]},
    layers.ConvLSTM: _conv_lstm,
    layers.DiagonalVolterraConv: _diagonal_volterra,
    layers.GeM: _gem,
    layers.LayerScale: lambda m: {"channels": len(m.weight)},
    layers.LeapPool: lambda m: {"leads": len(m.weight), "kernel_size": m.weight.shape[2]},
    layers.LocalAttention: lambda m: {
        "features": m.out.in_features,
        "bias": m.out.bias is not None,
    },
    layers.LocallyConnected: _local,
    layers.LpPool: lambda m: {"learned": m.rho is not None},
    layers.MultiHeadAttention: _attention,
    layers.OrderlessPool: lambda m: {"channels": m.centres.shape[2], "centres": m.centres.shape[1]},
    layers.OrdinalPool: lambda m: {"channels": len(m.scores)},
    layers.PCAPool: _pca,
    layers.RadialBasis: lambda m: dict(
        zip(("out_features", "in_features"), m.codes.shape, strict=True)
    ),
    layers.Spectrogram: lambda m: {"n_fft": len(m.window)},
    layers.SwitchableNorm: lambda m: {
        "channels": len(m.running_mean),
        "affine": m.weight is not None,
    },
    layers.TiledConv: _local,
    layers.VolterraConv: _volterra,
    layers.WeightedSum: lambda m: {"inputs": len(m.weight)},
    layers.WeightStandardisation: lambda m: {"gain": m.gain is not None},
}
"""What a constructor was given, where the module has no attribute of the parameter's name. The
modules are on no device: shapes are known, numbers are not."""
_STARTS = {(layers.LayerScale, "factor"), (nn.PReLU, "init")}
"""Parameters that only say where a weight starts."""
_AN_AXIS = {"dilation", "kernel_size", "output_padding", "output_size", "padding",
            "scale_factor", "stride"}  # fmt: skip
"""Parameters of PyTorch's layers that take one number for all axes."""


def call_of(module: nn.Module) -> Call:
    """The call that makes a module like this one, weights aside.

    >>> dict(zip("in out kernel".split(), call_of(nn.Conv2d(3, 8, 5, padding=2)).args))
    {'in': 3, 'out': 8, 'kernel': 5}
    """
    kind = type(module)
    if kind is nn.Sequential:
        inner = tuple([call_of(child) for child in module.children()])
        params = tuple([(f"*{i}", REQUIRED) for i in range(len(inner))])
        return Call(Form("nn.Sequential", params, kind), inner)
    if isinstance(module, layers.RNN | layers.LSTM | layers.GRU):
        return _recurrent(module)
    plain = kind.__module__.startswith("torch.")
    known = _FOUND[kind](module) if kind in _FOUND else {}
    params, args = list[tuple[str, Any]](), list[Any]()
    for name, parameter in inspect.signature(kind).parameters.items():
        starred = parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD)
        if starred or name in ("device", "dtype", "generator") or (kind, name) in _STARTS:
            continue
        value = known[name] if name in known else _attribute(module, name)
        params.append((name, parameter.default))
        args.append(_simple(module, name, value))
    _drop_plain_stride(params, args)
    return Call(Form(f"nn.{kind.__name__}" if plain else kind.__name__, tuple(params), kind),
                tuple(args))  # fmt: skip


def _recurrent(module: Any) -> Call:
    params = [
        ("width_in", REQUIRED), ("width", REQUIRED), ("num_layers", 1), ("bias", True),
        ("dropout", 0.0), ("bidirectional", False), ("last", False),
    ]  # fmt: skip
    names = ["input_size", "hidden_size", *[name for name, _ in params[2:]]]
    if isinstance(module, layers.RNN):
        params, names = [*params, ("nonlinearity", "tanh")], [*names, "nonlinearity"]
    form = Form(type(module).__name__, tuple(params), type(module))
    return Call(form, tuple([getattr(module, name) for name in names]))


def _attribute(module: nn.Module, name: str) -> Any:
    if not hasattr(module, name):
        raise NetwrightError(
            f"{type(module).__name__} cannot be written as source: it does not tell its {name!r}"
        )
    value = getattr(module, name)
    if name in ("bias", "affine", "elementwise_affine") and not isinstance(value, bool):
        return value is not None
    return value


def _simple(module: nn.Module, name: str, value: Any) -> Any:
    """A value as one writes it: modules as calls, one number for all axes alike."""
    if isinstance(value, nn.Module):
        return call_of(value)
    if isinstance(value, list):
        value = tuple(value)
    if name in _AN_AXIS and _slides(module) and isinstance(value, tuple) and len(set(value)) == 1:
        value = value[0]
    if name == "normalized_shape" and len(value) == 1:
        value = value[0]
    if name == "scale_factor" and isinstance(value, float) and value.is_integer():
        return int(value)
    if value is None or isinstance(value, bool | int | float | str | tuple):
        return value
    raise NetwrightError(
        f"{type(module).__name__} cannot be written as source: its {name} is a "
        f"{type(value).__name__}"
    )


def _slides(module: nn.Module) -> bool:
    homes = [kind.__module__.removeprefix("torch.nn.modules.") for kind in type(module).__mro__]
    return any(home in ("conv", "pooling", "upsampling") for home in homes)


def _drop_plain_stride(params: list[tuple[str, Any]], args: list[Any]) -> None:
    """A pool's stride is its kernel unless it is told."""
    names = [name for name, _ in params]
    if ("stride", None) in params and "kernel_size" in names:
        at = names.index("stride")
        if args[at] == args[names.index("kernel_size")]:
            args[at] = None
