"""Block diagrams as SVG: rectangles and lines with CSS classes, so that light and dark work."""

from __future__ import annotations

from itertools import pairwise

from netwright.core.shape import show
from netwright.core.text import markup
from netwright.drawing.blocks import block_scene, cell_scene
from netwright.drawing.boxes import KINDS, Box
from netwright.drawing.labels import label
from netwright.drawing.scene import Corners, Mark, Scene, Wire
from netwright.drawing.svg import THEME
from netwright.report.layers import field_text
from netwright.report.numbers import human
from netwright.report.outline import Part

__all__ = ["SCRIPT", "STYLE", "block_diagram", "block_file", "cell_diagram"]

MARGIN, TOP, LEGEND = 10.0, 18.0, 18.0
NARROW = 340.0
"""Width, as of a telephone, that a legend takes before it goes on in another line."""
SMALLEST = 0.7
"""To so much of its size a diagram is shrunk to fit a page; a wider one is scrolled."""
BEND, TIP = 5.0, 4.0
"""Radius of a line's corner, and size of an arrow's tip."""

LETTER = 6.4

REPEATED = "xN: so many, drawn is the first"

STYLE = """
svg.blocks { display: block; font: 12px system-ui, sans-serif; fill: var(--ink); }
div.blocks svg { max-width: 100%; height: auto; }
div.blocks { overflow-x: auto; margin: .75rem 0; }
.blocks rect { stroke-width: 1; }
.blocks .box rect { fill-opacity: .16; }
.blocks .convolution rect { fill: var(--c0); stroke: var(--c0); }
.blocks .pool rect { fill: var(--c1); stroke: var(--c1); }
.blocks .dense rect { fill: var(--c3); stroke: var(--c3); }
.blocks .values rect { fill: var(--c5); stroke: var(--c5); }
.blocks .block rect { fill: var(--c2); stroke: var(--c2); }
.blocks .join rect { fill: var(--paper); fill-opacity: 1; stroke: var(--ink); }
.blocks .frame > rect { fill: var(--tint); fill-opacity: .6; stroke: var(--line);
  stroke-dasharray: 4 3; }
.blocks .badge rect { fill: var(--ink); stroke: none; fill-opacity: 1; }
.blocks .badge text { fill: var(--paper); font-size: 11px; font-weight: 600; }
.blocks .strong { font-weight: 600; }
.blocks .soft { fill: var(--soft); font-size: 11px; }
.blocks .wire { fill: none; stroke: var(--soft); }
.blocks .g:hover > rect { stroke-width: 2; }
"""

SCRIPT = """
for (const svg of document.querySelectorAll("div.blocks svg")) {
  const box = svg.parentElement;
  box.scrollLeft = svg.dataset.start * svg.clientWidth - box.clientWidth / 2;
}
"""
"""A diagram wider than the page is scrolled to where the input comes in."""


def block_diagram(part: Part) -> str:
    """The block diagram of a net's tree, for a page that has `STYLE` and a theme."""
    return _scrolled(_svg(part, block_scene(part)))


def cell_diagram(part: Part) -> str:
    """The graph of a cell of a search space, for such a page."""
    return _scrolled(_svg(part, cell_scene(part)))


def block_file(part: Part) -> str:
    """The block diagram as a file of its own."""
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{_svg(part, block_scene(part), alone=True)}\n'


def _scrolled(svg: str) -> str:
    return f'<div class="blocks" tabindex="0">{svg}</div>'


def _svg(part: Part, scene: Scene, *, alone: bool = False) -> str:
    kinds = [name for name in KINDS if any(mark.what.kind == name for mark in scene.marks)]
    repeated = any(mark.what.part.count > 1 for mark in scene.marks if mark.what.kind == "frame")
    pieces, wide, rows = _legend(kinds, max(scene.width, NARROW), repeated=repeated)
    top = TOP + LEGEND * rows
    frames = [mark for mark in scene.marks if mark.what.kind == "frame"]
    boxes = [mark for mark in scene.marks if mark.what.kind != "frame"]
    width, height = max(scene.width, wide) + 2 * MARGIN, scene.height + top + MARGIN
    title = f"{part.name}: {_numbers(part)}"
    inside = "\n".join(
        [
            *map(_mark, frames),
            *map(_wire, scene.wires),
            *map(_mark, boxes),
            *[_words(wire) for wire in scene.wires if wire.words],
        ]
    )
    left = MARGIN + max(0.0, wide - scene.width) / 2
    first = min((wire.corners[0] for wire in scene.wires), key=lambda at: at[1], default=(0.0, 0.0))
    start = (left + first[0]) / width
    head = f'<svg class="blocks" role="img" viewBox="0 0 {width:.0f} {height:.0f}" '
    head += f'width="{width:.0f}" height="{height:.0f}"'
    head += ' xmlns="http://www.w3.org/2000/svg"' if alone else (
        f' style="min-width:{SMALLEST * width:.0f}px" data-start="{start:.3f}"')  # fmt: skip
    style = f"<style>{THEME}{STYLE}svg {{ background: var(--paper); }}</style>\n" if alone else ""
    return (
        f"{head}>\n<title>{markup(title)}</title>\n{style}{''.join(pieces)}\n"
        f'<g transform="translate({left:.0f} {top:.0f})">\n{inside}\n</g>\n</svg>'
    )


def _legend(kinds: list[str], room: float, *, repeated: bool) -> tuple[list[str], float, int]:
    """What the colours and a number on a frame mean, how wide that is, and in how many lines."""
    entries = [(kind, KINDS[kind]) for kind in kinds if kind not in ("frame", "join")]
    entries += [("", REPEATED)] * repeated
    pieces, left, widest, row = list[str](), MARGIN, 0.0, 0
    for kind, words in entries:
        wide = LETTER * len(words) + (17 if kind else 0)
        if left > MARGIN and left + wide > room:
            left, row = MARGIN, row + 1
        y = 6 + LEGEND * row
        if kind:
            place = f'x="{left:.0f}" y="{y:.0f}" width="12" height="12"'
            pieces.append(f'<g class="box {kind}"><rect {place} rx="3"/></g>')
        pieces.append(_text(left + 17 * bool(kind), y + 10, words, "soft"))
        widest = max(widest, left + wide)
        left += wide + 17
    return pieces, widest, row + 1


def _mark(mark: Mark) -> str:
    box: Box = mark.what
    x, y, wide, high = mark[:4]
    round_ = high / 2 if box.kind == "join" else 6
    middle = x + wide / 2
    kind = "g frame" if box.kind == "frame" else f"g box {box.kind}"
    pieces = [
        f'<g class="{kind}"><title>{markup(_hint(box.part))}</title>',
        f'<rect x="{x:.1f}" y="{y:.1f}" width="{wide:.1f}" height="{high:.1f}" rx="{round_:g}"/>',
    ]
    if box.kind == "frame":
        pieces += [_text(x + 8, y + 14, text, "soft") for text, _ in box.lines]
    else:
        first = y + high / 2 - 7.5 * len(box.lines) + 11.5
        pieces += [
            _text(middle, first + 15 * i, text, "strong" if strong else "soft", "middle")
            for i, (text, strong) in enumerate(box.lines)
        ]
    if box.part.count > 1:
        pieces.append(_badge(x + wide, y, f"x{box.part.count}"))
    return "".join([*pieces, "</g>"])


def _badge(right: float, top: float, words: str) -> str:
    """How many there are of it, on its upper right corner."""
    wide = 8 + 7 * len(words)
    return (
        f'<g class="badge"><rect x="{right - wide / 2:.1f}" y="{top - 8:.1f}" width="{wide}" '
        f'height="15" rx="7.5"/>{_text(right, top + 3.5, words, "", "middle")}</g>'
    )


def _hint(part: Part) -> str:
    """What is shown when a box is pointed at."""
    place = part.group.path or part.name
    what = label(part)
    shapes = " to ".join(", ".join(map(show, side)) for side in (part.inputs, part.outputs))
    return "\n".join([f"{place}: {what}" if what else place, shapes, _numbers(part)])


def _numbers(part: Part) -> str:
    group = part.group
    return (
        f"{human(group.params)} parameters, {human(group.macs)} MACs, "
        f"field {field_text(group.field)}"
    )


def _text(x: float, y: float, words: str, kind: str, anchor: str = "") -> str:
    given = f' class="{kind}"' if kind else ""
    given += f' text-anchor="{anchor}"' if anchor else ""
    return f'<text x="{x:.1f}" y="{y:.1f}"{given}>{markup(words)}</text>'


def _words(wire: Wire) -> str:
    x, y = wire.corners[0]
    return _text(x + 6, y + 12, wire.words, "soft")


def _wire(wire: Wire) -> str:
    path = _rounded(wire.corners)
    path += f"m{-TIP:g} {-TIP - 1:g}l{TIP:g} {TIP + 1:g}l{TIP:g} {-TIP - 1:g}" if wire.arrow else ""
    return f'<path class="wire" d="{path}"/>'


def _rounded(corners: Corners) -> str:
    """A path through corners, each of them rounded; every second step goes across."""
    points = [a for a, b in pairwise(corners) if a != b] + [corners[-1]]
    path = "M{:.1f} {:.1f}".format(*points[0])
    for (ax, ay), (x, y), (bx, by) in zip(points, points[1:], points[2:], strict=False):
        into, off = abs(x - ax) + abs(y - ay), abs(bx - x) + abs(by - y)
        r = min(BEND, into / 2, off / 2)
        path += (
            f"L{x - r * _sign(x - ax):.1f} {y - r * _sign(y - ay):.1f}"
            f"Q{x:.1f} {y:.1f} {x + r * _sign(bx - x):.1f} {y + r * _sign(by - y):.1f}"
        )
    return path + "L{:.1f} {:.1f}".format(*points[-1])


def _sign(value: float) -> int:
    return (value > 0) - (value < 0)
