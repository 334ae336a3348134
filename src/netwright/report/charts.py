"""Charts as inline SVG, drawn with CSS classes so that light and dark both work."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from html import escape
from math import floor, isfinite, log10

from netwright.report.numbers import human

__all__ = ["STYLE", "bars", "grouped_bars", "heat", "lines", "scatter", "ticks"]

STYLE = """
:root { --c0: #2563a8; --c1: #d2691e; --c2: #2e8555; --c3: #b0327a; --c4: #6d4bb5; --c5: #7d6a2c; }
@media (prefers-color-scheme: dark) { :root { --c0: #6fb1f0; --c1: #f2a15f; --c2: #6cc795;
  --c3: #f08bc0; --c4: #b49cf0; --c5: #d3bd72; } }
svg.chart { display: block; width: 100%; min-width: 30rem; max-width: 45rem; margin: .75rem 0;
  font: 12px system-ui, sans-serif; fill: currentColor; }
div.chart { overflow-x: auto; }
.chart .title { font-size: 13px; font-weight: 600; }
.chart .soft { fill: var(--soft, #777); }
.chart .grid { stroke: var(--line, #ccc); fill: none; }
.chart .on { fill: var(--paper, #fff); }
.chart .line { fill: none; stroke-width: 2; stroke-linejoin: round; }
""" + "".join(
    f".chart .f{i} {{ fill: var(--c{i}); }} .chart .s{i} {{ stroke: var(--c{i}); }}\n"
    for i in range(6)
)

WIDTH = 680
COLOURS = 6
LETTER = 6.6
"""Width of a letter, generously: the browser's font is not known here."""

Label = Callable[[float], str]


def ticks(low: float, high: float, most: int = 6) -> list[float]:
    """At most `most` + 1 round numbers, from just below `low` to just above `high`.

    >>> ticks(0, 97)
    [0.0, 20.0, 40.0, 60.0, 80.0, 100.0]
    """
    if high <= low:
        low, high = (low - 1, low + 1) if low else (0.0, 1.0)
    rough = (high - low) / (most - 1)
    power = 10.0 ** floor(log10(rough))
    step = next(power * m for m in (1, 2, 2.5, 5, 10) if power * m >= rough * (1 - 1e-9))
    first, last = floor(low / step + 1e-9), -floor(-high / step + 1e-9)
    return [float(f"{i * step:.12g}") for i in range(first, last + 1)]


def bars(
    rows: Sequence[tuple[str, float]], *, title: str, unit: str = "", format: Label = human
) -> str:
    """A horizontal bar a row, with its value at the end."""
    series = {"": [value for _, value in rows]}
    return grouped_bars([name for name, _ in rows], series, title=title, unit=unit, format=format)


def grouped_bars(
    groups: Sequence[str],
    series: Mapping[str, Sequence[float]],
    *,
    title: str,
    unit: str = "",
    format: Label = human,
) -> str:
    """Horizontal bars in groups: in each group one bar for each series."""
    left = min(260.0, 14 + LETTER * max((len(group) for group in groups), default=0))
    peak = max((v for values in series.values() for v in values if isfinite(v)), default=0) or 1
    thick = 18 if len(series) == 1 else 13
    pieces, top = _legend([name for name in series if name])
    for i, group in enumerate(groups):
        height = thick * len(series)
        pieces.append(_text(left - 8, top + height / 2 + 4, _short(group, left), "end", full=group))
        for j, (name, values) in enumerate(series.items()):
            y, value = top + j * thick, values[i]
            long = max(0.0, value / peak) * (WIDTH - left - 90) if isfinite(value) else 0.0
            said = f"{format(value)}{unit}"
            hint = escape(" ".join(word for word in (group, name, said) if word))
            pieces.append(
                f'<rect class="f{j % COLOURS}" x="{left:.1f}" y="{y:.1f}" width="{max(long, 0.5):.1f}"'
                f' height="{thick - 2}" rx="1.5"><title>{hint}</title></rect>'
            )
            pieces.append(_text(left + long + 6, y + thick / 2 + 3, said, kind="soft"))
        top += height + 8
    return _chart(title, f"Bars for {', '.join(groups)}.", pieces, top)


def lines(
    series: Mapping[str, Sequence[tuple[float, float]]], *, title: str, x: str = "", y: str = ""
) -> str:
    """A line a series through its (x, y) points; points that are not finite leave a gap."""
    pieces, top = _legend(list(series))
    kept = [p for points in series.values() for p in points if _finite(p)]
    frame = _Frame(kept, top, x, y)
    pieces += frame.pieces
    for i, points in enumerate(series.values()):
        runs: list[list[str]] = [[]]
        for point in points:
            if _finite(point):
                runs[-1].append("{:.1f},{:.1f}".format(*frame.at(*point)))
            elif runs[-1]:
                runs.append([])
        for run in filter(None, runs):
            if len(run) == 1:
                cx, cy = run[0].split(",")
                pieces.append(f'<circle class="f{i % COLOURS}" cx="{cx}" cy="{cy}" r="3"/>')
            else:
                pieces.append(f'<polyline class="line s{i % COLOURS}" points="{" ".join(run)}"/>')
    return _chart(
        title, f"Lines of {y or 'y'} over {x or 'x'}: {', '.join(series)}.", pieces, frame.end
    )


def scatter(
    points: Sequence[tuple[float, float, str]], *, title: str, x: str = "", y: str = ""
) -> str:
    """A dot for each (x, y, name); a name is printed where it meets no other."""
    kept = [point for point in points if _finite(point[:2])]
    frame = _Frame([(px, py) for px, py, _ in kept], 34, x, y)
    pieces = list(frame.pieces)
    dots = [(*frame.at(px, py), name) for px, py, name in kept]
    taken = [(cx - 5, cy - 5, cx + 5, cy + 5) for cx, cy, _ in dots]
    for cx, cy, name in dots:
        pieces.append(
            f'<circle class="f0" cx="{cx:.1f}" cy="{cy:.1f}" r="4" fill-opacity="0.8">'
            f"<title>{escape(name)}</title></circle>"
        )
        wide = LETTER * len(name)
        for bx, by in ((cx + 7, cy - 6), (cx - 7 - wide, cy - 6), (cx - wide / 2, cy - 19),
                       (cx - wide / 2, cy + 6)):  # fmt: skip
            box = (bx, by, bx + wide, by + 13)
            inside = bx > frame.left and box[2] < WIDTH
            if name and inside and not any(_overlap(box, other) for other in taken):
                taken.append(box)
                pieces.append(_text(bx, by + 10, name, kind="soft"))
                break
    return _chart(title, f"Dots of {y or 'y'} over {x or 'x'}.", pieces, frame.end)


def heat(
    matrix: Sequence[Sequence[float]],
    labels: Sequence[str],
    *,
    title: str,
    x: str = "",
    y: str = "",
) -> str:
    """A square a cell, shaded by its share of its row, as a confusion matrix is read.

    Values are printed in the squares of up to 20 classes, names beside up to 40.
    """
    many = max(len(labels), 1)
    side = min(46.0, max(3.0, 440 / many))
    named = [_short(label, 130) for label in labels] if many <= 40 else ["" for _ in labels]
    room = LETTER * max((len(label) for label in named), default=0)
    flat = room <= side
    left, top = room + 32, (54 if flat else 44 + room) + (8 if named else 0)
    pieces = [
        _text(left + many * side / 2, 42, x, "middle", kind="soft"),
        _text(12, top + many * side / 2, y, "middle", kind="soft", turn=-90),
    ]
    for i, (row, label) in enumerate(zip(matrix, labels, strict=True)):
        total = sum(row) or 1
        cy, cx = top + i * side, left + i * side + side / 2
        pieces.append(_text(left - 6, cy + side / 2 + 4, named[i], "end", full=label))
        pieces.append(_text(cx, top - 6, named[i], "middle", full=label) if flat else
                      _text(cx + 4, top - 6, named[i], turn=-90, full=label))  # fmt: skip
        for j, value in enumerate(row):
            if value:
                hint = escape(f"{y} {label}, {x} {labels[j]}: {value:g}".strip())
                pieces.append(
                    f'<rect class="f0" x="{left + j * side:.1f}" y="{cy:.1f}" width="{side:.1f}" '
                    f'height="{side:.1f}" fill-opacity="{max(0.04, value / total):.3f}">'
                    f"<title>{hint}</title></rect>"
                )
            if many <= 20:
                kind = "on" if value / total > 0.5 else "soft" if not value else ""
                at = left + (j + 0.5) * side
                pieces.append(_text(at, cy + side / 2 + 4, human(value), "middle", kind=kind))
    size = many * side
    pieces.append(f'<rect class="grid" x="{left:.1f}" y="{top:.1f}" width="{size:.1f}" '
                  f'height="{size:.1f}"/>')  # fmt: skip
    return _chart(title, f"Rows: {y or 'row'}; columns: {x or 'column'}.", pieces, top + size + 8)


class _Frame:
    """Axes, grid and labels around points, and where a point goes inside them."""

    def __init__(self, points: Sequence[tuple[float, float]], top: float, x: str, y: str) -> None:
        xs, ys = [px for px, _ in points] or [0.0], [py for _, py in points] or [0.0]
        self.xs, self.ys = ticks(min(xs), max(xs), 8), ticks(min(ys), max(ys))
        self.left = 30 + LETTER * max(len(human(value)) for value in self.ys)
        self.top, self.bottom, self.right = top + 6, top + 250, WIDTH - 24
        self.end = self.bottom + 44
        self.pieces = [
            _text((self.left + self.right) / 2, self.end - 6, x, "middle", kind="soft"),
            _text(12, (self.top + self.bottom) / 2, y, "middle", kind="soft", turn=-90),
        ]
        for value in self.ys:
            at = self.at(self.xs[0], value)[1]
            self.pieces.append(
                f'<path class="grid" d="M{self.left:.1f} {at:.1f}H{self.right:.1f}"/>'
            )
            self.pieces.append(_text(self.left - 6, at + 4, human(value), "end", kind="soft"))
        for value in self.xs:
            at = self.at(value, self.ys[0])[0]
            self.pieces.append(f'<path class="grid" d="M{at:.1f} {self.bottom:.1f}v4"/>')
            self.pieces.append(_text(at, self.bottom + 18, human(value), "middle", kind="soft"))

    def at(self, x: float, y: float) -> tuple[float, float]:
        """Where the point (x, y) stands on the paper."""
        across = (x - self.xs[0]) / (self.xs[-1] - self.xs[0])
        up = (y - self.ys[0]) / (self.ys[-1] - self.ys[0])
        return (
            self.left + across * (self.right - self.left),
            self.bottom - up * (self.bottom - self.top),
        )


def _legend(names: Sequence[str]) -> tuple[list[str], float]:
    """The names of the series in their colours, and where the chart may go on below."""
    if len(names) < 2:
        return [], 34
    pieces = list[str]()
    left, top = 0.0, 32.0
    for i, name in enumerate(names):
        wide = 26 + LETTER * len(name)
        if left and left + wide > WIDTH:
            left, top = 0.0, top + 18
        pieces.append(
            f'<rect class="f{i % COLOURS}" x="{left:.1f}" y="{top:.1f}" width="11" height="11" rx="2"/>'
        )
        pieces.append(_text(left + 16, top + 10, name))
        left += wide
    return pieces, top + 24


def _chart(title: str, described: str, pieces: Iterable[str], height: float) -> str:
    head = f'<text class="title" x="0" y="16">{escape(title)}</text>'
    body = "\n".join([head, *filter(None, pieces)])
    return (
        f'<div class="chart"><svg class="chart" role="img" viewBox="0 0 {WIDTH} {height:.0f}">\n'
        f"<title>{escape(title)}</title><desc>{escape(described)}</desc>\n{body}\n</svg></div>"
    )


def _text(
    x: float,
    y: float,
    text: str,
    anchor: str = "",
    *,
    kind: str = "",
    turn: int = 0,
    full: str = "",
) -> str:
    if not text:
        return ""
    given = f' text-anchor="{anchor}"' if anchor else ""
    given += f' class="{kind}"' if kind else ""
    given += f' transform="rotate({turn} {x:.1f} {y:.1f})"' if turn else ""
    hint = f"<title>{escape(full)}</title>" if full and full != text else ""
    return f'<text x="{x:.1f}" y="{y:.1f}"{given}>{escape(text)}{hint}</text>'


def _short(text: str, room: float) -> str:
    most = max(3, int((room - 8) / LETTER))
    return text if len(text) <= most else text[: most - 1] + "…"


def _finite(point: Sequence[float]) -> bool:
    return all(isfinite(value) for value in point)


def _overlap(a: Sequence[float], b: Sequence[float]) -> bool:
    return a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]
