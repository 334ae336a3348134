"""What a part of a net is, in a few words."""

from __future__ import annotations

from itertools import groupby
from typing import Any, cast

from netwright.core.shape import Shape, show
from netwright.core.spec import Block, Spec, Unit
from netwright.core.wiring import Concat, Fork, Gate, Parallel, Sequential, Sum, Wiring
from netwright.report.outline import Part

__all__ = ["BRANCHES", "kinds", "label", "plain", "times"]

BRANCHES: dict[type[Spec], str] = {
    Sum: "sum",
    Concat: "side by side",
    Gate: "product",
    Fork: "each by itself",
    Parallel: "each its stream",
}
"""Wiring whose parts do not follow each other, and how it is introduced."""


def plain(part: Part) -> bool:
    """Whether it is a unit, or a chain of units of which one at most multiplies."""
    if not part.parts:
        return True
    units = all(not inner.parts for inner in part.parts)
    multiply = sum(inner.group.macs != 0 for inner in part.parts)
    return units and multiply <= 1 and type(part.body) is Sequential and part.count == 1


def label(part: Part) -> str:
    """What a part is, in a few words.

    >>> import netwright as nw
    >>> from netwright.report.outline import outline
    >>> stem, stage, *_ = outline(nw.net("resnet18")).parts
    >>> label(stem.parts[0]), label(stage.parts[0])
    ('Conv 7x7/2 64, BatchNorm, ReLU', '2 x BasicBlock(64)')
    """
    body = part.body
    if isinstance(body, Unit):
        text = _unit(body, part.group.inputs[0])
    elif plain(part):
        text = ", ".join(label(inner) for inner in part.parts)
    elif isinstance(part.spec, Block):
        wraps = _wraps(part.spec) and type(body) is Sequential
        text = kinds(part) if wraps else _called(part.spec)
    else:
        text = cast("Wiring", body).accept(_Words())
    return (times(part) + text).rstrip()


class _Words:
    """What is said of wiring, by its kind."""

    def flow(self, wiring: Wiring) -> str:
        return BRANCHES.get(type(wiring), "")

    def tap(self, tap: Any) -> str:
        return "only training runs"

    def shared(self, shared: Any) -> str:
        return f"shared as {shared.key!r}"

    def time_distributed(self, wiring: Any) -> str:
        return "every step"

    def frozen(self, frozen: Any) -> str:
        return "frozen"


def kinds(part: Part) -> str:
    """The kinds of the parts of a chain, how many of each in a row."""
    runs = groupby([type(i.spec).__name__ for inner in part.parts for i in [inner] * inner.count])
    counted = [(kind, len(list(run))) for kind, run in runs]
    return ", ".join(kind if n == 1 else f"{n} x {kind}" for kind, n in counted)


def times(part: Part) -> str:
    """How many there are of it, if more than one."""
    return f"{part.count} x " if part.count > 1 else ""


def _unit(unit: Unit, x: Shape) -> str:
    inner = getattr(unit, "of", None)
    if isinstance(inner, Unit):
        return f"{type(unit).__name__} {_unit(inner, x)}"
    window = unit.sliding(x)
    if window is None:
        return _called(unit)
    stride = max(window.stride)
    words = [type(unit).__name__, show(window.kernel) + (f"/{stride}" if stride > 1 else "")]
    width: Any = getattr(unit, "width", None)
    words += [str(width)] if width else []
    if max(window.dilation) > 1:
        words.append(f"dilated {max(window.dilation)}")
    if window.groups > 1:
        words.append("depthwise" if window.groups == x[0] else f"in {window.groups} groups")
    return " ".join(words)


def _called(spec: Spec) -> str:
    """The spec as it is written, without the parts it is given and its small numbers."""
    words = [
        f"{key}={value!r}" if key else repr(value)
        for key, value in spec.arguments()
        if _shows(value)
    ]
    return type(spec).__name__ + (f"({', '.join(words)})" if words else "")


def _wraps(spec: Spec) -> bool:
    """Whether it must be given another spec, as a stage is given its block."""
    return any(key is None and isinstance(value, Spec) for key, value in spec.arguments())


def _shows(value: Any) -> bool:
    if isinstance(value, tuple):
        return all(map(_shows, cast("tuple[Any, ...]", value)))
    return not isinstance(value, Spec | float)
