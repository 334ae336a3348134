"""What stands in a block diagram: boxes of parts, frames around opened ones, joins."""

from __future__ import annotations

from dataclasses import replace
from math import prod
from textwrap import wrap
from typing import NamedTuple

from netwright.core.join import Add, Cat, Mul
from netwright.core.operation import Kind
from netwright.core.shape import show
from netwright.core.spec import Block, Spec
from netwright.drawing.labels import BRANCHES, kinds, label, plain
from netwright.drawing.scene import Mark, Scene
from netwright.report.outline import Part

__all__ = ["KINDS", "Box", "boxed", "framed", "joined", "simple", "title"]

KINDS = {
    "convolution": "convolution",
    "pool": "pooling, resizing",
    "dense": "dense, attention",
    "values": "activation, other",
    "block": "block, not opened",
    "join": "join",
    "frame": "",
}
"""Kinds of boxes, and what a legend calls them."""

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


def simple(part: Part) -> bool:
    """Whether it is a unit, or little more, or several such alike."""
    return plain(replace(part, count=1))


def title(part: Part, *, named: bool) -> str:
    """What stands on the frame of an opened part; nothing for wiring without a name of its own."""
    silent = part.aside or (type(part.body) in BRANCHES and not isinstance(part.spec, Block))
    name = part.name if named and not part.name.isdigit() else ""
    about = "" if silent else label(replace(part, count=1))
    return ": ".join(filter(None, [name, about]))


def framed(part: Part, scene: Scene, words: str) -> Scene:
    """A frame with these words around what is in a part."""
    room = len(words) * LETTER + 2 * PAD + (BADGE if part.count > 1 else 0)
    width = max(scene.width + 2 * PAD, min(room, 240.0))
    most = int((width - 2 * PAD - BADGE) / LETTER)
    words = words if room <= width else words[:most] + "…"
    left = float(round((width - scene.width) / 2))
    marks, wires = scene.drawn(left, TITLE)
    box = Mark(0, 0, width, scene.height + TITLE, Box(part, "frame", ((words, False),)))
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


def boxed(part: Part, *, named: bool, called: str = "") -> Scene:
    """A box that says what a part is, or what it is `called`."""
    lines = [(part.name, False)] if named and not part.name.isdigit() else []
    for text, strong in [(called, True)] if called else _words(part):
        lines += [(line, strong) for line in wrap(text, ROOM, break_on_hyphens=False,
                                                max_lines=3, placeholder=" …")]  # fmt: skip
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
    if not part.parts or not simple(part):
        return [(label(part) or kinds(part), True)]
    macs = [inner.group.macs for inner in part.parts]
    main = macs.index(max(macs))
    labels = [label(inner) for inner in part.parts]
    words = [
        (", ".join(labels[:main]), False),
        (labels[main], True),
        (", ".join(labels[main + 1 :]), False),
    ]
    return [(text, strong) for text, strong in words if text]


def joined(part: Part) -> Scene:
    """A unit that joins, as its sign; all lines arrive at one place."""
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
    if not simple(part):
        return "block"
    row = max(part.group.rows, key=lambda row: row.macs)
    if row.unit.kind in (Kind.AVERAGING, Kind.POOLING):
        return "pool"
    window = row.unit.sliding(row.input)
    if row.macs and window:
        return "convolution"
    if row.macs:
        return "dense"
    resized = row.input[1:] != row.output[1:] and prod(row.input) != prod(row.output)
    return "pool" if window or resized else "values"
