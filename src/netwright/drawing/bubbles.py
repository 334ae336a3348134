"""Two charts of nets as one sees them from afar: bubbles, and a timeline."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import sqrt
from typing import NamedTuple

from netwright.core.text import markup
from netwright.drawing.svg import (
    WIDTH,
    Frame,
    Room,
    beside,
    colour,
    drawing,
    legend,
    shorten,
    text,
)

__all__ = ["Bubble", "bubbles", "timeline"]

LARGEST, SMALLEST = 24.0, 2.0
"""Radii of bubbles; between them areas are in proportion."""


class Bubble(NamedTuple):
    """A bubble at (x, y), what its area stands for, its kind, and what is shown when pointed at."""

    x: float
    y: float
    size: float
    name: str
    kind: str
    hint: str


def bubbles(
    points: Sequence[Bubble],
    kinds: Sequence[str],
    *,
    title: str,
    x: str = "",
    y: str = "",
    named: Sequence[str] = (),
) -> str:
    """A bubble each, coloured by kind; equal steps to the right are equal factors.

    Names that are `named`, the first ones first, are printed where they meet no other.
    """
    pieces, top = legend(kinds)
    frame = Frame([point[:2] for point in points], top, x, y, high=500, powers=True)
    pieces += frame.pieces
    most = max((point.size for point in points), default=1)
    radius = {
        point.name: max(SMALLEST, LARGEST * sqrt(point.size / most)) for point in points
    }  # fmt: skip
    places = {point.name: frame.at(point.x, point.y) for point in points}
    for point in sorted(points, key=lambda point: -point.size):
        cx, cy = places[point.name]
        kind = kinds.index(point.kind)
        paint = f"{colour(kind)} {colour(kind, 's')}"
        pieces.append(
            f'<circle class="{paint}" cx="{cx:.1f}" cy="{cy:.1f}" '
            f'r="{radius[point.name]:.1f}" fill-opacity="0.4">'
            f"<title>{markup(point.hint)}</title></circle>"
        )
    taken: list[Room] = [(cx - 3, cy - 3, cx + 3, cy + 3) for cx, cy in places.values()]
    for name in named:
        place = places[name]
        room = beside(place, radius[name], name, taken, frame.left)
        if room and room[1] > frame.top - 14:
            taken.append(room)
            pieces.append(text(room[0], room[1] + 10, name, kind="name"))
    return drawing(title, f"Bubbles of {y or 'y'} over {x or 'x'}.", pieces, frame.end, "wide")


def timeline(
    cells: Mapping[tuple[int, str], Sequence[tuple[str, str]]],
    kinds: Sequence[str],
    *,
    title: str,
) -> str:
    """A row a year, a column a kind; in each cell names, and what is shown when pointed at."""
    left, line = 42.0, 15.0
    wide = (WIDTH - left) / len(kinds)
    pieces, top = list[str](), 34.0
    for i, kind in enumerate(kinds):
        pieces += [
            text(left + i * wide, top + 13 * j, word, kind="soft")
            for j, word in enumerate(kind.split())
        ]
    top += 13 * max(len(kind.split()) for kind in kinds)
    for year in sorted({year for year, _ in cells}):
        pieces.append(f'<path class="grid" d="M0 {top:.1f}H{WIDTH}"/>')
        pieces.append(text(0, top + 15, str(year), kind="title"))
        for i, kind in enumerate(kinds):
            for j, (name, hint) in enumerate(cells.get((year, kind), ())):
                x, y = left + i * wide, top + 15 + line * j
                place = f'cx="{x + 4:.1f}" cy="{y - 4:.1f}"'
                pieces.append(f'<circle class="{colour(i)}" {place} r="3.5"/>')
                pieces.append(text(x + 11, y, shorten(name, 1.06 * wide), kind="name", full=hint))
        high = max(len(names) for (own, _), names in cells.items() if own == year)
        top += line * high + 10
    return drawing(title, f"Years, and in each: {', '.join(kinds)}.", pieces, top, "wide broad")
