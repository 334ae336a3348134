"""Charts as inline SVG, drawn with CSS classes so that light and dark both work."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from math import isfinite

from netwright.core.text import markup
from netwright.drawing.svg import (
    LETTER,
    WIDTH,
    Frame,
    beside,
    colour,
    drawing,
    legend,
    shorten,
    text,
)
from netwright.report.numbers import human

__all__ = ["bars", "columns", "grouped_bars", "heat", "lines", "scatter"]

Label = Callable[[float], str]


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
    """Horizontal bars in groups: in each group one bar for each series, none for NaN."""
    left = min(260.0, 14 + LETTER * max((len(group) for group in groups), default=0))
    peak = max((v for values in series.values() for v in values if isfinite(v)), default=0) or 1
    thick = 18 if len(series) == 1 else 15
    pieces, top = legend([name for name in series if name])
    for i, group in enumerate(groups):
        own = [(j, name, values[i]) for j, (name, values) in enumerate(series.items())
               if isfinite(values[i])]  # fmt: skip
        middle = top + thick * len(own) / 2
        pieces.append(text(left - 8, middle + 4, shorten(group, left), "end", full=group))
        for j, name, value in own:
            long, label = max(0.0, value / peak) * (WIDTH - left - 90), f"{format(value)}{unit}"
            hint = markup(" ".join(word for word in (group, name, label) if word))
            place = (
                f'x="{left:.1f}" y="{top:.1f}" width="{max(long, 0.5):.1f}" height="{thick - 2}"'
            )
            pieces.append(
                f'<rect class="{colour(j)}" {place} rx="1.5"><title>{hint}</title></rect>'
            )
            pieces.append(text(left + long + 6, top + thick / 2 + 3, label, kind="soft"))
            top += thick
        top += 8
    return drawing(title, f"Bars for {', '.join(groups)}.", pieces, top)


def columns(rows: Sequence[tuple[str, float]], *, title: str, format: Label = human) -> str:
    """A column a row, from left to right, for more rows than bars have room for."""
    values = [value for _, value in rows if isfinite(value)]
    frame = Frame([(0, 0), (max(len(rows), 1), max(values, default=0) or 1)], 28, "", "", high=130)
    step = frame.at(1, 0)[0] - frame.left
    pieces = list(frame.pieces)
    for i, (name, value) in enumerate(rows):
        if isfinite(value) and value > 0:
            left, top = frame.at(i, value)
            place = f'x="{left:.1f}" y="{top:.1f}" width="{max(0.6, step - 0.4):.1f}" '
            hint = markup(f"{name} {format(value)}".strip())
            pieces.append(
                f'<rect class="f0" {place}height="{max(frame.bottom - top, 0.5):.1f}">'
                f"<title>{hint}</title></rect>"
            )
    return drawing(title, f"Columns for {len(rows)} rows.", pieces, frame.end)


def lines(
    series: Mapping[str, Sequence[tuple[float, float]]], *, title: str, x: str = "", y: str = "",
    span: Sequence[float] = (),
) -> str:  # fmt: skip
    """A line a series through its (x, y) points; points that are not finite leave a gap. The axis
    of y covers the values of `span`, wherever the points are.
    """
    pieces, top = legend(list(series))
    kept = [p for points in series.values() for p in points if _finite(p)]
    kept += [(px, py) for px, _ in kept[:1] for py in span]
    frame = Frame(kept, top, x, y)
    pieces += frame.pieces
    for i, points in enumerate(series.values()):
        stroke = colour(i, "s")
        runs: list[list[str]] = [[]]
        for point in points:
            if _finite(point):
                runs[-1].append("{:.1f},{:.1f}".format(*frame.at(*point)))
            elif runs[-1]:
                runs.append([])
        for run in filter(None, runs):
            if len(run) == 1:
                cx, cy = run[0].split(",")
                pieces.append(f'<circle class="{colour(i)}" cx="{cx}" cy="{cy}" r="3"/>')
            else:
                pieces.append(f'<polyline class="line {stroke}" points="{" ".join(run)}"/>')
    return drawing(
        title, f"Lines of {y or 'y'} over {x or 'x'}: {', '.join(series)}.", pieces, frame.end
    )


def scatter(
    points: Sequence[tuple[float, float, str]], *, title: str, x: str = "", y: str = ""
) -> str:
    """A dot for each (x, y, name); a name is printed where it meets no other."""
    kept = [point for point in points if _finite(point[:2])]
    frame = Frame([(px, py) for px, py, _ in kept], 34, x, y)
    pieces = list(frame.pieces)
    dots = [(*frame.at(px, py), name) for px, py, name in kept]
    taken = [(cx - 5, cy - 5, cx + 5, cy + 5) for cx, cy, _ in dots]
    for cx, cy, name in dots:
        pieces.append(
            f'<circle class="f0" cx="{cx:.1f}" cy="{cy:.1f}" r="4" fill-opacity="0.8">'
            f"<title>{markup(name)}</title></circle>"
        )
        room = beside((cx, cy), 4, name, taken, frame.left) if name else None
        if room:
            taken.append(room)
            pieces.append(text(room[0], room[1] + 10, name, kind="soft"))
    return drawing(title, f"Dots of {y or 'y'} over {x or 'x'}.", pieces, frame.end)


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
    named = [shorten(label, 130) for label in labels] if many <= 40 else ["" for _ in labels]
    room = LETTER * max((len(label) for label in named), default=0)
    flat = room <= side
    left, top = room + 32, (54 if flat else 44 + room) + (8 if named else 0)
    pieces = [
        text(left + many * side / 2, 42, x, "middle", kind="soft"),
        text(12, top + many * side / 2, y, "middle", kind="soft", turn=-90),
    ]
    for i, (row, label) in enumerate(zip(matrix, labels, strict=True)):
        total = sum(row) or 1
        cy, cx = top + i * side, left + i * side + side / 2
        pieces.append(text(left - 6, cy + side / 2 + 4, named[i], "end", full=label))
        pieces.append(text(cx, top - 6, named[i], "middle", full=label) if flat else
                      text(cx + 4, top - 6, named[i], turn=-90, full=label))  # fmt: skip
        for j, value in enumerate(row):
            if value:
                hint = markup(f"{y} {label}, {x} {labels[j]}: {value:g}".strip())
                pieces.append(
                    f'<rect class="f0" x="{left + j * side:.1f}" y="{cy:.1f}" width="{side:.1f}" '
                    f'height="{side:.1f}" fill-opacity="{max(0.04, value / total):.3f}">'
                    f"<title>{hint}</title></rect>"
                )
            if many <= 20:
                kind = "on" if value / total > 0.5 else "soft" if not value else ""
                at = left + (j + 0.5) * side
                pieces.append(text(at, cy + side / 2 + 4, f"{value:.6g}", "middle", kind=kind))
    size = many * side
    pieces.append(f'<rect class="grid" x="{left:.1f}" y="{top:.1f}" width="{size:.1f}" '
                  f'height="{size:.1f}"/>')  # fmt: skip
    return drawing(title, f"Rows: {y or 'row'}; columns: {x or 'column'}.", pieces, top + size + 8)


def _finite(point: Sequence[float]) -> bool:
    return all(isfinite(value) for value in point)
