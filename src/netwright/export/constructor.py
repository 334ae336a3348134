"""The constructor call that makes a module again."""

from __future__ import annotations

import inspect
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
    plain = kind.__module__.startswith("torch.")
    params, args = list[tuple[str, Any]](), list[Any]()
    for name, parameter in inspect.signature(kind).parameters.items():
        starred = parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD)
        if starred or name in ("device", "dtype", "generator") or (kind, name) in _STARTS:
            continue
        params.append((name, parameter.default))
        args.append(_simple(module, name, _attribute(module, name, parameter.default)))
    _drop_plain_stride(params, args)
    return Call(Form(f"nn.{kind.__name__}" if plain else kind.__name__, tuple(params), kind),
                tuple(args))  # fmt: skip


def _attribute(module: nn.Module, name: str, default: Any) -> Any:
    """What the parameter of that name was given. Weights that take its name say it too: of a
    flag whether they are there; a number they only started from is left at its default.
    """
    if not hasattr(module, name):
        raise NetwrightError(
            f"{type(module).__name__} cannot be written as source: it does not tell its {name!r}"
        )
    value = getattr(module, name)
    if isinstance(default, bool) and not isinstance(value, bool):
        return value is not None
    return default if isinstance(value, nn.Parameter) else value


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
