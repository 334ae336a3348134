"""A net as a diagram in text: top to bottom, branches side by side, a block of each kind opened."""

from __future__ import annotations

from dataclasses import dataclass, field

from netwright.core.shape import show
from netwright.core.spec import Block, Spec
from netwright.core.wiring import Sequential
from netwright.drawing.labels import BRANCHES, kinds, label, plain, times
from netwright.drawing.tidy import only, trimmed
from netwright.report.layers import field_text
from netwright.report.numbers import human
from netwright.report.outline import Part
from netwright.report.table import text_table, wrapped

__all__ = ["diagram"]

ROOM = 48
"""Columns for what a part is; longer lists of parts get a line each."""

LINES = 30
WIDTH = 100
"""A diagram with more lines, or longer ones, opens fewer levels."""

NOTE = "n x: its line counts all n, what stands below it is the first of them"


def diagram(part: Part, width: int | None = None) -> str:
    """A line a part: its shape behind it, parameters, MACs and the receptive field, of which
    some are left out for want of `width`.

    Of every kind of block the first is opened.
    """
    text = list[str]()
    for depth in (9, 5, 4, 3, 2, 1):
        text = _text(part, depth)
        if len(text) <= LINES + 2 and max(map(len, text)) <= WIDTH:
            break
    if width and max(map(len, text)) > width:
        text = _text(part, depth, width)
    return "\n".join(text)


def _text(part: Part, depth: int, width: int | None = None) -> list[str]:
    drawing = _Drawing(depth)
    drawing.chain(part, "")
    names = max([len(name) for name, _, _ in drawing.lines], default=0)
    rows = [
        [f"{name.ljust(names)}  {text}", _shape(inner), human(inner.group.params, even=True),
         human(inner.group.macs, even=True), field_text(inner.group.field)]
        for name, text, inner in drawing.lines
    ]  # fmt: skip
    start = ["input", show(part.inputs[0]), "", "", ""]
    head = [part.name, "shape", "params", "MACs", "field"]
    table = text_table(head, [start, *rows], (0, 1), width=width, spare=(4, 1, 3))
    repeated = any(" x" in text for _, text, _ in drawing.lines)
    return [*table, *(wrapped(NOTE, width) if repeated else [])]


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
        for inner in trimmed(part.parts):
            self.part(inner, left, left + "  ")

    def branches(self, part: Part, left: str) -> None:
        """The parts of `part`, beside a rule."""
        inside = [inner for inner in part.parts if inner.name != "join"]
        for inner in inside:
            last = inner is inside[-1]
            self.part(inner, left + ("╰ " if last else "├ "), left + ("  " if last else "│ "))

    def part(self, part: Part, left: str, below: str) -> None:
        """The line of a part, and of what is in it where it is opened."""
        part = only(part)
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
        return plain(part) or type(part.spec) in self.seen

    def inline(self, part: Part) -> str:
        """The parts of a chain in one line, empty where they do not find room."""
        if type(part.body) is not Sequential or plain(part):
            return ""
        inside = [only(inner) for inner in trimmed(part.parts)]
        if not all(map(self.closed, inside)):
            return ""
        text = " → ".join(self.inline(inner) or label(inner) for inner in inside)
        text = f"{times(part)}({text})" if part.count > 1 else text
        return text if len(text) <= ROOM else ""
