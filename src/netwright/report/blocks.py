"""The block diagram of a net as rectangles and lines: one block of a kind opened, repeats as xN."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from textwrap import wrap
from typing import Any, NamedTuple

from netwright.core.graph import Tap
from netwright.core.join import Add, Cat, Join, Mul
from netwright.core.shape import show
from netwright.core.spec import Block, Spec
from netwright.core.wiring import Sequential, Wiring, bundled, streams
from netwright.report.labels import BRANCHES, kinds, label, plain
from netwright.report.layered import Link, layered
from netwright.report.layers import sliding
from netwright.report.outline import Part
from netwright.report.scene import Mark, Scene
from netwright.report.tidy import gathered, only, trimmed

__all__ = ["KINDS", "MOST", "Box", "block_scene"]

KINDS = {
    "convolution": "convolution",
    "pool": "pooling, resizing",
    "dense": "dense, attention",
    "values": "normalisation, activation, other",
    "block": "a block, not opened",
    "join": "join",
    "frame": "",
}
"""Kinds of boxes, and what a legend calls them."""

MOST = 40
"""A drawing with more boxes, or a wider one, opens fewer levels."""

WIDE = 1000

LETTER, LINE = 7.2, 15.0
"""Width of a letter in a box, and height of a line."""

ROOM = 26
"""Letters of a line in a box."""

PAD, TITLE, BADGE = 12.0, 20.0, 34.0
"""Around text and what a frame holds, for its title, and for how many there are of it."""

LEAST, ROUND = 64.0, 24.0
"""Width of the smallest box, and of a join."""

SIGNS: dict[type[Spec], str] = {Add: "+", Mul: "×", Cat: "||"}  # noqa: RUF001


class Box(NamedTuple):
    """What a rectangle stands for: a part, its kind, and lines of text, strong or not."""

    part: Part
    kind: str
    lines: tuple[tuple[str, bool], ...] = ()


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
        body = self.inside(part) if part.parts else _box(part, named=False)
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
            return _join(part) if isinstance(part.body, Join) else _box(part, named=not self.level)
        if isinstance(part.spec, Block):
            self.seen.add(type(part.spec))
        self.level += 1
        scene = self.inside(part)
        self.level -= 1
        title = _title(part, named=self.level == 0)
        return _frame(part, scene, title) if title or part.count > 1 else scene

    def closed(self, part: Part) -> bool:
        """Whether a box says it all, or a block of this kind has been opened, or it is too deep."""
        if isinstance(part.body, Tap):
            return False
        if part.count < len(part.names):
            return True
        return _simple(part) or type(part.spec) in self.seen or self.level + 1 >= self.depth

    def inside(self, part: Part) -> Scene:
        """The parts of `part`, wired as they are."""
        flow = _Flow(self, part)
        ends = streams(flow.body.flow(*[(i, 0) for i in range(len(part.inputs))], run=flow))
        scene = layered(flow.items, dict.fromkeys(flow.links), len(part.inputs), ends)
        return replace(scene, says=tuple(map(show, part.outputs)))


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
        self.made = dict[str, int]()
        self.items = [Scene() for _ in part.inputs]
        self.links = list[Link]()

    def __call__(self, name: str, *values: tuple[int, int]) -> Any:
        first = self.first.get(name, name)
        repeats = first != name
        if first not in self.parts or _passes(self.parts[first]):
            return bundled(values)
        if repeats and type(self.body) is Sequential:
            return bundled(values)
        if not repeats:
            self.made[name] = len(self.items)
            self.items.append(_taking(self.drawing.part(self.parts[name]), values))
        item = self.made[first]
        most = len(self.items[item].inlets) - 1
        self.links += [Link(value, (item, min(i, most))) for i, value in enumerate(values)]
        return [] if repeats else bundled([(item, i) for i in range(len(self.items[item].outlets))])


def _taking(scene: Scene, values: tuple[tuple[int, int], ...]) -> Scene:
    """The scene; a box takes what was made last in its middle, lines from afar beside it."""
    made = [item for item, _ in values]
    if not len(scene.inlets) == len(set(made)) > 1 == len(scene.marks):
        return scene
    later = sorted(made, reverse=True)
    middle, step = scene.width / 2, scene.width / 2 / len(made)
    return replace(scene, inlets=tuple([middle + step * later.index(item) for item in made]))


def _simple(part: Part) -> bool:
    """Whether it is a unit, or little more, or several such in a row."""
    return plain(replace(part, count=1))


def _passes(part: Part) -> bool:
    """Whether it does nothing, and a line says that best."""
    return label(part) == "Identity"


def _title(part: Part, *, named: bool) -> str:
    """What stands on the frame of an opened part; nothing for wiring without a name of its own."""
    silent = isinstance(part.body, Tap) or (
        type(part.body) in BRANCHES and not isinstance(part.spec, Block)
    )
    name = part.name if named and not part.name.isdigit() else ""
    about = "" if silent else label(replace(part, count=1))
    return ": ".join(filter(None, [name, about]))


def _frame(part: Part, scene: Scene, title: str) -> Scene:
    room = len(title) * LETTER + 2 * PAD + (BADGE if part.count > 1 else 0)
    width = max(scene.width + 2 * PAD, min(room, 240.0))
    left = float(round((width - scene.width) / 2))
    marks, wires = scene.drawn(left, TITLE)
    box = Mark(0, 0, width, scene.height + TITLE, Box(part, "frame", ((title, False),)))
    return replace(
        scene,
        width=width,
        height=box.height,
        inlets=tuple([x + left for x in scene.inlets]),
        outlets=tuple([x + left for x in scene.outlets]),
        marks=(box, *marks),
        wires=wires,
        closed=True,
    )


def _box(part: Part, *, named: bool) -> Scene:
    lines = [(part.name, False)] if named and not part.name.isdigit() else []
    for text, strong in _words(part):
        lines += [(line, strong) for line in wrap(text, ROOM, break_on_hyphens=False)[:3]]
    if part.group.auxiliary:
        lines.append(("only training runs it", False))
    says = tuple(map(show, part.outputs))
    least = LEAST if len(says) == 1 else sum(len(words) + 3 for words in says) * LETTER
    width = max(least, max(len(text) for text, _ in lines) * LETTER + 2 * PAD)
    height = len(lines) * LINE + PAD
    mark = Mark(0, 0, width, height, Box(part, _kind(part), tuple(lines)))
    return Scene(
        width,
        height,
        _spread(width, len(part.inputs)),
        _spread(width, len(part.outputs)),
        says,
        (mark,),
        closed=True,
    )


def _words(part: Part) -> list[tuple[str, bool]]:
    """What a box says: the unit that multiplies in bold, those before and after it plain."""
    part = replace(part, count=1)
    if not part.parts or not _simple(part):
        return [(label(part) or kinds(part), True)]
    macs = [inner.group.macs for inner in part.parts]
    main = macs.index(max(macs))
    said = [label(inner) for inner in part.parts]
    words = [
        (", ".join(said[:main]), False),
        (said[main], True),
        (", ".join(said[main + 1 :]), False),
    ]
    return [(text, strong) for text, strong in words if text]


def _join(part: Part) -> Scene:
    sign = SIGNS.get(type(part.body), label(part))
    width = max(ROUND, len(sign) * LETTER + 2 * PAD if len(sign) > 2 else 0)
    mark = Mark(0, 0, width, ROUND, Box(part, "join", ((sign, True),)))
    middle = (width / 2,)
    return Scene(width, ROUND, middle, middle, tuple(map(show, part.outputs)), (mark,), closed=True)


def _spread(width: float, many: int) -> tuple[float, ...]:
    """Places along a side."""
    return tuple([float(round(width * (i + 1) / (many + 1))) for i in range(many)])


def _kind(part: Part) -> str:
    """What its work is, told by its rows."""
    if not _simple(part):
        return "block"
    row = max(part.group.rows, key=lambda row: row.macs)
    window = sliding(row.unit, row.input)
    if row.macs and window:
        return "convolution"
    if row.macs:
        return "dense"
    return "pool" if window or row.input[1:] != row.output[1:] else "values"
