"""A net as a diagram in text: top to bottom, branches side by side, a block of each kind opened."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from itertools import groupby
from typing import Any, cast

from netwright.core.graph import Shared, Tap, TimeDistributed
from netwright.core.shape import Shape, show
from netwright.core.spec import Block, Spec, Unit
from netwright.core.wiring import Concat, Fork, Gate, Parallel, Sequential, Sum
from netwright.report.layers import Group, field_text, sliding
from netwright.report.numbers import human
from netwright.report.outline import Part
from netwright.report.table import text_table

__all__ = ["diagram", "kinds", "label"]

BRANCHES: dict[type[Spec], str] = {
    Sum: "sum",
    Concat: "side by side",
    Gate: "product",
    Fork: "each by itself",
    Parallel: "each its stream",
}
"""Wiring whose parts do not follow each other, and how it is introduced."""

ROOM = 48
"""Columns for what a part is; longer lists of parts get a line each."""

LINES = 30
WIDTH = 100
"""A diagram with more lines, or longer ones, opens fewer levels."""

NOTE = "n x: its line counts all n, what stands below it is the first of them"


def diagram(part: Part) -> str:
    """A line a part: its shape behind it, parameters, MACs and the receptive field.

    Of every kind of block the first is opened.
    """
    text = list[str]()
    for depth in (9, 5, 4, 3, 2, 1):
        text = _text(part, depth)
        if len(text) <= LINES + 2 and max(map(len, text)) <= WIDTH:
            break
    return "\n".join(text)


def _text(part: Part, depth: int) -> list[str]:
    drawing = _Drawing(depth)
    drawing.chain(part, "")
    names = max([len(name) for name, _, _ in drawing.lines], default=0)
    rows = [
        [f"{name.ljust(names)}  {text}", _shape(inner), human(inner.group.params),
         human(inner.group.macs), field_text(inner.group.field)]
        for name, text, inner in drawing.lines
    ]  # fmt: skip
    start = ["input", show(part.inputs[0]), "", "", ""]
    table = text_table([part.name, "shape", "params", "MACs", "field"], [start, *rows], (0, 1))
    repeated = any(" x" in text for _, text, _ in drawing.lines)
    return [*[line.rstrip() for line in table], *[NOTE] * repeated]


def _shape(part: Part) -> str:
    several = len(part.outputs)
    return show(part.outputs[0]) if several == 1 else f"{several} streams"


@dataclass
class _Drawing:
    """The lines drawn so far: what stands at the left, what it is, the part."""

    depth: int
    lines: list[tuple[str, str, Part]] = field(default_factory=list[tuple[str, str, Part]])
    seen: set[type[Spec]] = field(default_factory=set[type[Spec]])
    level: int = 0

    def chain(self, part: Part, left: str) -> None:
        """The parts of `part`, one under another."""
        for inner in _trimmed(part.parts):
            self.part(inner, left, left + "  ")

    def branches(self, part: Part, left: str) -> None:
        """The parts of `part`, beside a rule."""
        inside = [inner for inner in part.parts if inner.name != "join"]
        for inner in inside:
            last = inner is inside[-1]
            self.part(inner, left + ("╰ " if last else "├ "), left + ("  " if last else "│ "))

    def part(self, part: Part, left: str, below: str) -> None:
        """The line of a part, and of what is in it where it is opened."""
        part = _only(part)
        text = self.inline(part)
        opened = not text and not self.closed(part) and self.level + 1 < self.depth
        text = text or label(part) or ("" if opened else kinds(part))
        if part.reads:
            text += f" of {', '.join(part.reads)}"
        if len(text) > ROOM:
            text = text[: ROOM - 1] + "…"
        self.lines.append((left + part.name, text, part))
        if opened:
            self.open(part, below)

    def open(self, part: Part, left: str) -> None:
        """What is in a part."""
        if isinstance(part.spec, Block):
            self.seen.add(type(part.spec))
        self.level += 1
        if type(part.body) in BRANCHES:
            self.branches(part, left)
        else:
            self.chain(part, left)
        self.level -= 1

    def closed(self, part: Part) -> bool:
        """Whether one line says it all, or a block of this kind has been opened before."""
        return _plain(part) or type(part.spec) in self.seen

    def inline(self, part: Part) -> str:
        """The parts of a chain in one line, empty where they do not find room."""
        if type(part.body) is not Sequential or _plain(part):
            return ""
        inside = [_only(inner) for inner in _trimmed(part.parts)]
        if not all(map(self.closed, inside)):
            return ""
        text = " → ".join(self.inline(inner) or label(inner) for inner in inside)
        return _times(part) + text if len(text) <= ROOM else ""


def _trimmed(parts: tuple[Part, ...]) -> Iterator[Part]:
    """The parts, units that only change values drawn to the convolution before them."""
    before: Part | None = None
    for part in parts:
        if before and _plain(before) and _trims(part):
            inside = before.parts if isinstance(before.body, Sequential) else (before,)
            rows = before.group.rows + part.group.rows
            body = Sequential(*[p.spec for p in (*inside, part)])
            before = replace(before, spec=body, body=body, parts=(*inside, part), count=1,
                             group=Group(before.group.path, rows))  # fmt: skip
            continue
        if before:
            yield before
        before = part
    if before:
        yield before


def _trims(part: Part) -> bool:
    """Whether it is a unit that changes values one by one, such as an activation."""
    group = part.group
    if not isinstance(part.body, Unit) or part.reads or group.macs != 0:
        return False
    return group.inputs == (group.output,) and not sliding(part.body, group.output)


def _only(part: Part) -> Part:
    """The one part of a chain of one, under the name of the chain."""
    while part.count == 1 and type(part.body) is Sequential and len(part.parts) == 1:
        inner = part.parts[0]
        if isinstance(part.spec, Block) and not isinstance(inner.spec, Block):
            break
        part = replace(inner, name=part.name, reads=part.reads)
    return part


def _plain(part: Part) -> bool:
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
    elif _plain(part):
        text = ", ".join(label(inner) for inner in part.parts)
    elif isinstance(part.spec, Block):
        wraps = _wraps(part.spec) and type(body) is Sequential
        text = kinds(part) if wraps else _called(part.spec)
    elif isinstance(body, Tap):
        text = "only training runs"
    elif isinstance(body, Shared):
        text = f"shared as {body.key!r}"
    elif isinstance(body, TimeDistributed):
        text = "every step"
    else:
        text = BRANCHES.get(type(body), "")
    return (_times(part) + text).rstrip()


def kinds(part: Part) -> str:
    """The kinds of the parts of a chain, how many of each in a row."""
    runs = groupby([type(i.spec).__name__ for inner in part.parts for i in [inner] * inner.count])
    counted = [(kind, len(list(run))) for kind, run in runs]
    return ", ".join(kind if n == 1 else f"{n} x {kind}" for kind, n in counted)


def _times(part: Part) -> str:
    return f"{part.count} x " if part.count > 1 else ""


def _unit(unit: Unit, x: Shape) -> str:
    window = sliding(unit, x)
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
        if _told(value)
    ]
    return type(spec).__name__ + (f"({', '.join(words)})" if words else "")


def _wraps(spec: Spec) -> bool:
    """Whether it must be given another spec, as a stage is given its block."""
    return any(key is None and isinstance(value, Spec) for key, value in spec.arguments())


def _told(value: Any) -> bool:
    if isinstance(value, tuple):
        return all(map(_told, cast("tuple[Any, ...]", value)))
    return not isinstance(value, Spec | float)
