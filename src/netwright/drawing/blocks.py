"""The block diagram of a net as rectangles and lines: one block of a kind opened, repeats as xN."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

from netwright.core.join import Join
from netwright.core.shape import show
from netwright.core.spec import Block, Spec
from netwright.core.wiring import Sequential, Wiring, bundled, streams
from netwright.drawing.boxes import boxed, framed, joined, simple, title
from netwright.drawing.labels import label
from netwright.drawing.layered import Link, layered
from netwright.drawing.scene import Scene
from netwright.drawing.tidy import gathered, only, trimmed
from netwright.report.outline import Part

__all__ = ["MOST", "WIDE", "block_scene", "cell_scene"]

MOST = 40
"""A drawing with more boxes, or a wider one, opens fewer levels."""

WIDE = 1000


def block_scene(part: Part) -> Scene:
    """The drawing of a net's tree, with as much opened as finds room."""
    for depth, gather in ((9, False), (9, True), (5, True), (4, True), (3, True), (2, True)):
        try:
            scene = _Drawing(depth, gather=gather).net(part)
        except _TooManyError:
            continue
        if scene.width <= WIDE:
            return scene
    return _Drawing(1, most=len(part.group.rows)).net(part)


def cell_scene(part: Part) -> Scene:
    """The drawing of a cell of a search space: its operations by their names, whatever they are
    made of; as that of a net where there are too many.
    """
    try:
        return _Cell(9).net(part)
    except _TooManyError:
        return block_scene(part)


class _TooManyError(Exception):
    """There are more boxes than wanted."""


@dataclass
class _Drawing:
    """Which kinds of blocks have been opened, and how deep the next part stands."""

    depth: int
    gather: bool = True
    most: int = MOST
    level: int = 0
    boxes: int = 0
    seen: set[type[Spec]] = field(default_factory=set[type[Spec]])

    def net(self, part: Part) -> Scene:
        """The net between its input and its output."""
        many = len(part.inputs)
        given = Scene(inlets=(), outlets=(0.0,) * many, says=tuple(map(show, part.inputs)))
        taken = Scene(inlets=(0.0,) * len(part.outputs), outlets=(), says=(), closed=True)
        body = self.inside(part) if part.parts else boxed(part, named=False)
        links = [Link((0, i), (1, i)) for i in range(many)]
        links += [Link((1, i), (2, i)) for i in range(len(part.outputs))]
        return layered([given, body, taken], links, 0, [])

    def part(self, part: Part) -> Scene:
        """A part as a box, or what is in it, in a frame where there is something to say of it."""
        part = only(part)
        if self.closed(part):
            self.boxes += 1
            if self.boxes > self.most:
                raise _TooManyError
            return (
                joined(part) if isinstance(part.body, Join) else boxed(part, named=not self.level)
            )
        if isinstance(part.spec, Block):
            self.seen.add(type(part.spec))
        self.level += 1
        scene = self.inside(part)
        self.level -= 1
        words = self.title(part)
        return framed(part, scene, words) if words or part.count > 1 else scene

    def closed(self, part: Part) -> bool:
        """Whether a box says it all, or a block of this kind has been opened, or it is too deep."""
        if part.aside:
            return False
        if part.count < len(part.names):
            return True
        return simple(part) or type(part.spec) in self.seen or self.level + 1 >= self.depth

    def title(self, part: Part) -> str:
        """What stands on its frame."""
        return title(part, named=self.level == 0)

    def passes(self, part: Part) -> bool:
        """Whether it does nothing, and a line says that best."""
        return label(replace(part, count=1)) == "Identity"

    def inside(self, part: Part) -> Scene:
        """The parts of `part`, wired as they are."""
        flow = _Flow(self, part)
        ends = streams(flow.body.flow(*[(i, 0) for i in range(len(part.inputs))], run=flow))
        scene = layered(flow.items, dict.fromkeys(flow.links), len(part.inputs), ends)
        return replace(scene, says=tuple(map(show, part.outputs)))


class _Cell(_Drawing):
    """A part that says which `operation` it is has that name, and is drawn even where it does
    nothing: that is what was chosen.
    """

    def part(self, part: Part) -> Scene:
        self.seen.clear()  # of cells in cells each is another
        if not (operation := _operation(part)):
            return super().part(part)
        self.boxes += 1
        if self.boxes > self.most:
            raise _TooManyError
        return boxed(part, named=not self.level, called=operation)

    def title(self, part: Part) -> str:
        return "" if self.level or part.name.isdigit() else part.name

    def passes(self, part: Part) -> bool:
        return not _operation(part) and super().passes(part)


def _operation(part: Part) -> str:
    return str(getattr(part.spec, "operation", ""))


class _Flow:
    """Follows wiring and notes which outlet leads where; a value is an item and an outlet."""

    def __init__(self, drawing: _Drawing, part: Part) -> None:
        assert isinstance(part.body, Wiring)
        self.drawing, self.body = drawing, part.body
        parts = part.parts
        if type(part.body) is Sequential:
            parts = list(trimmed(parts))
            parts = gathered(parts) if drawing.gather else parts
        self.parts = {inner.names[0]: inner for inner in parts}
        self.first = {name: inner.names[0] for inner in parts for name in inner.names}
        self.item_of = dict[str, int]()
        self.items = [Scene() for _ in part.inputs]
        self.links = list[Link]()

    def __call__(self, name: str, *values: tuple[int, int]) -> Any:
        """What the part of that name makes of these; what has no box is passed by."""
        first = self.first.get(name, name)
        repeats = first != name
        if first not in self.parts or self.drawing.passes(self.parts[first]):
            return bundled(values)
        if repeats and type(self.body) is Sequential:
            return bundled(values)
        if not repeats:
            self.item_of[name] = len(self.items)
            self.items.append(_taking(self.drawing.part(self.parts[name]), values))
        item = self.item_of[first]
        most = len(self.items[item].inlets) - 1
        self.links += [Link(value, (item, min(i, most))) for i, value in enumerate(values)]
        return [] if repeats else bundled([(item, i) for i in range(len(self.items[item].outlets))])


def _taking(scene: Scene, values: tuple[tuple[int, int], ...]) -> Scene:
    """The scene; a box takes what was drawn last in its middle, lines from afar beside it."""
    items = [item for item, _ in values]
    if not len(scene.inlets) == len(set(items)) > 1 == len(scene.marks):
        return scene
    later = sorted(items, reverse=True)
    middle, step = scene.width / 2, scene.width / 2 / len(items)
    return replace(scene, inlets=tuple([middle + step * later.index(item) for item in items]))
