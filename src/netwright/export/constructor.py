"""The constructor call that makes a module again."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass
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


_FOUND: dict[type[nn.Module], Callable[[Any], dict[str, Any]]] = {
    layers.Affine: lambda m: {"channels": len(m.weight)},
    layers.AdditiveAttention: lambda m: {
        "features": m.query.in_features,
        "memory_features": m.key.in_features,
        "width": m.query.out_features,
    },
    layers.ConvLSTM: lambda m: {
        "channels": m.input.in_channels,
        "kernel": m.input.kernel_size,
        "size": None if m.peepholes is None else tuple(m.peepholes.shape[2:]),
        "bias": m.input.bias is not None,
        "peepholes": m.peepholes is not None,
    },
    layers.GeM: lambda m: {"p": float(m.p), "learned": isinstance(m.p, nn.Parameter)},
    layers.LayerScale: lambda m: {"channels": len(m.weight)},
    layers.LocalAttention: lambda m: {
        "features": m.out.in_features,
        "bias": m.out.bias is not None,
    },
    layers.MultiHeadAttention: lambda m: {
        "features": m.embed_dim,
        "heads": m.num_heads,
        "bias": m.in_proj_bias is not None,
        "memory_features": None if m.kdim == m.embed_dim else m.kdim,
    },
    layers.RadialBasis: lambda m: {
        "in_features": m.codes.shape[1],
        "out_features": m.codes.shape[0],
    },
    layers.Spectrogram: lambda m: {"n_fft": len(m.window)},
    layers.WeightedSum: lambda m: {"inputs": len(m.weight)},
    layers.WeightStandardisation: lambda m: {"gain": m.gain is not None},
}
"""What a constructor was given, where the module has no attribute of the parameter's name."""
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
        if starred or name in ("device", "dtype") or (kind, name) in _STARTS:
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
