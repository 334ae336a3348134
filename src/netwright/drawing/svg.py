"""The pieces charts are made of: a drawing, text, ticks, a frame with axes, a legend."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from math import floor, log10

from netwright.core.text import markup
from netwright.report.numbers import human

__all__ = [
    "LETTER",
    "STYLE",
    "THEME",
    "WIDTH",
    "Frame",
    "Room",
    "beside",
    "colour",
    "drawing",
    "legend",
    "power_ticks",
    "shorten",
    "text",
    "tick_labels",
    "ticks",
]

THEME = """
:root { color-scheme: light dark; --paper: #fff; --ink: #1c2330; --soft: #5b6472;
  --line: #d9dee6; --tint: #f4f6f9; --c0: #2563a8; --c1: #d2691e; --c2: #2e8555; --c3: #b0327a;
  --c4: #6d4bb5; --c5: #7d6a2c; --c6: #4a5568; }
@media (prefers-color-scheme: dark) { :root { --paper: #14181f; --ink: #e6e9ef;
  --soft: #9aa4b2; --line: #333b47; --tint: #1d232c; --c0: #6fb1f0; --c1: #f2a15f;
  --c2: #6cc795; --c3: #f08bc0; --c4: #b49cf0; --c5: #d3bd72; --c6: #a9b4c6; } }
"""
"""The colours of pages and drawings, by day and by night."""

COLOURS = 7
"""Series in colours of their own; see `colour`."""

STYLE = """
svg.chart { display: block; width: 100%; margin: .75rem 0; font: 12px system-ui, sans-serif;
  fill: currentColor; }
div.chart { display: inline-block; vertical-align: top; width: 100%; max-width: 38rem;
  overflow-x: auto; }
div.chart.wide { max-width: 48rem; }
.chart.broad svg { min-width: 44rem; }
@media (max-width: 34rem) { svg.chart { font-size: 15px; } }
.chart .title { font-size: 1.08em; font-weight: 600; }
.chart .soft { fill: var(--soft); }
.chart .grid { stroke: var(--line); fill: none; }
.chart .on { fill: var(--paper); }
.chart .name { font-size: .92em; paint-order: stroke; stroke: var(--paper); stroke-width: 3px; }
.chart .line { fill: none; stroke-width: 2; stroke-linejoin: round; }
.chart .again { fill-opacity: .4; stroke-dasharray: 5 4; }
""" + "".join(
    f".chart .f{i} {{ fill: var(--c{i}); }} .chart .s{i} {{ stroke: var(--c{i}); }}\n"
    for i in range(COLOURS)
)

WIDTH = 600
LETTER = 8.0
"""Width of a letter, generously: the browser's font is not known here, and on narrow screens it
is larger beside the chart.
"""


def colour(i: int, paint: str = "f") -> str:
    """The classes of series i, to fill (`f`) or to draw (`s`) it; after the last colour they come
    again, pale or dashed.

    >>> colour(2), colour(9, "s")
    ('f2', 's2 again')
    """
    return f"{paint}{i % COLOURS}" + (" again" if i >= COLOURS else "")


def ticks(low: float, high: float, most: int = 6) -> list[float]:
    """At most `most` + 1 round numbers, from just below `low` to just above `high`.

    >>> ticks(0, 97)
    [0.0, 20.0, 40.0, 60.0, 80.0, 100.0]
    """
    least = max(1e-9 * max(abs(low), abs(high)), 1e-300)
    if high - low <= least:
        low, high = (low - abs(low) / 2, low + abs(low) / 2) if abs(low) > least else (0.0, 1.0)
    rough = (high - low) / (most - 1)
    power = 10.0 ** floor(log10(rough))
    step = next(power * m for m in (1, 2, 2.5, 5, 10) if power * m >= rough * (1 - 1e-9))
    first, last = floor(low / step + 1e-9), -floor(-high / step + 1e-9)
    return [float(f"{i * step:.12g}") for i in range(first, last + 1)]


def power_ticks(low: float, high: float) -> list[float]:
    """1, 2 and 5 times powers of ten, from just below `low` to just above `high`, both above 0.

    >>> power_ticks(30, 700)
    [20.0, 50.0, 100.0, 200.0, 500.0, 1000.0]
    """
    first, last = floor(log10(low)), floor(log10(high)) + 1
    ticks = [float(f"{m}e{power}") for power in range(first, last + 1) for m in (1, 2, 5)]
    below, above = [tick for tick in ticks if tick <= low], [tick for tick in ticks if tick > high]
    return [tick for tick in ticks if below[-1] <= tick <= above[0]]


def tick_labels(values: Sequence[float]) -> list[str]:
    """The values as text, with as many digits as it takes to tell them apart.

    >>> tick_labels([1000, 1000.5, 1001])
    ['1K', '1.0005K', '1.001K']
    """
    for digits in range(3, 13):
        labels = [human(value, digits) for value in values]
        if len(set(labels)) == len(labels):
            return labels
    return [str(value) for value in values]


class Frame:
    """Axes, grid and labels around points, and where a point goes inside them.

    With `powers` equal steps to the right are equal factors, of positive numbers.
    """

    def __init__(
        self,
        points: Sequence[tuple[float, float]],
        top: float,
        x: str,
        y: str,
        *,
        high: float = 250,
        powers: bool = False,
    ) -> None:
        xs, ys = [px for px, _ in points] or [1.0], [py for _, py in points] or [0.0]
        self.scale = log10 if powers else float
        self.xs = power_ticks(min(xs), max(xs)) if powers else ticks(min(xs), max(xs), 8)
        self.ys = ticks(min(ys), max(ys))
        labels = tick_labels(self.ys)
        self.left = 30 + LETTER * max(map(len, labels))
        self.top, self.bottom, self.right = top + 6, top + high, WIDTH - 24
        self.end = self.bottom + 44
        self.pieces = [
            text((self.left + self.right) / 2, self.end - 6, x, "middle", kind="soft"),
            text(12, (self.top + self.bottom) / 2, y, "middle", kind="soft", turn=-90),
        ]
        for value, label in zip(self.ys, labels, strict=True):
            at = self.at(self.xs[0], value)[1]
            self.pieces.append(
                f'<path class="grid" d="M{self.left:.1f} {at:.1f}H{self.right:.1f}"/>'
            )
            self.pieces.append(text(self.left - 6, at + 4, label, "end", kind="soft"))
        for value, label in zip(self.xs, tick_labels(self.xs), strict=True):
            at = self.at(value, self.ys[0])[0]
            self.pieces.append(f'<path class="grid" d="M{at:.1f} {self.bottom:.1f}v4"/>')
            self.pieces.append(text(at, self.bottom + 18, label, "middle", kind="soft"))

    def at(self, x: float, y: float) -> tuple[float, float]:
        """Where the point (x, y) stands on the paper."""
        low, high = self.scale(self.xs[0]), self.scale(self.xs[-1])
        across = (self.scale(x) - low) / (high - low)
        up = (y - self.ys[0]) / (self.ys[-1] - self.ys[0])
        return (
            self.left + across * (self.right - self.left),
            self.bottom - up * (self.bottom - self.top),
        )


Room = tuple[float, float, float, float]
"""Left, top, right and bottom."""


def beside(
    at: tuple[float, float], radius: float, words: str, taken: Sequence[Room], left: float
) -> Room | None:
    """Where words find room beside a dot, right of `left`; None where they meet what is `taken`."""
    (cx, cy), wide = at, LETTER * len(words)
    for x, y in (
        (cx + radius + 3, cy - 6),
        (cx - radius - 3 - wide, cy - 6),
        (cx - wide / 2, cy - radius - 15),
        (cx - wide / 2, cy + radius + 2),
    ):
        room = (x, y, x + wide, y + 13)
        if x > left and room[2] < WIDTH and not any(_overlap(room, other) for other in taken):
            return room
    return None


def _overlap(a: Room, b: Room) -> bool:
    return a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]


def legend(names: Sequence[str]) -> tuple[list[str], float]:
    """The names of the series in their colours, and where the chart may go on below."""
    if len(names) < 2:
        return [], 34
    pieces = list[str]()
    left, top = 0.0, 32.0
    for i, name in enumerate(names):
        wide = 34 + LETTER * len(name)
        if left and left + wide > WIDTH:
            left, top = 0.0, top + 18
        place = f'x="{left:.1f}" y="{top:.1f}" width="11" height="11"'
        pieces.append(f'<rect class="{colour(i)}" {place} rx="2"/>')
        pieces.append(text(left + 16, top + 10, name))
        left += wide
    return pieces, top + 24


def drawing(
    title: str, described: str, pieces: Iterable[str], height: float, kind: str = ""
) -> str:
    """The whole chart: its title, what a screen reader says, and the pieces.

    Of the kinds `wide` takes the width of a page, `broad` is scrolled where that is too narrow.
    """
    head = f'<text class="title" x="0" y="16">{markup(title)}</text>'
    view = f'viewBox="0 0 {WIDTH} {height:.0f}"'
    body = "\n".join([head, *filter(None, pieces)])
    return (
        f'<div class="{f"chart {kind}".strip()}"><svg class="chart" role="img" {view}>\n'
        f"<title>{markup(title)}</title><desc>{markup(described)}</desc>\n{body}\n</svg></div>"
    )


def text(
    x: float,
    y: float,
    words: str,
    anchor: str = "",
    *,
    kind: str = "",
    turn: int = 0,
    full: str = "",
) -> str:
    """Words at a place, nothing for no words; `full` is shown when pointed at."""
    if not words:
        return ""
    given = f' text-anchor="{anchor}"' if anchor else ""
    given += f' class="{kind}"' if kind else ""
    given += f' transform="rotate({turn} {x:.1f} {y:.1f})"' if turn else ""
    hint = f"<title>{markup(full)}</title>" if full and full != words else ""
    return f'<text x="{x:.1f}" y="{y:.1f}"{given}>{markup(words)}{hint}</text>'


def shorten(words: str, room: float) -> str:
    """The words, or as many letters of them as `room` pixels hold."""
    most = max(3, int((room - 8) / LETTER))
    return words if len(words) <= most else words[: most - 1] + "…"
