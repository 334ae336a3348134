"""Charts of what looks return, as SVG: for pages, which need no matplotlib."""

from __future__ import annotations

from collections.abc import Sequence
from functools import singledispatch
from typing import Any

import numpy as np

from netwright.drawing.charts import bars, heat, lines
from netwright.look.sensing import Sensitivity
from netwright.look.separating import Separability
from netwright.look.shifting import Shift
from netwright.look.sparseness import Sparsity
from netwright.look.trusting import Trust

__all__ = ["charts", "compared"]

SHARES = (0.0, 100.0)
"""Per cent."""
NAMED = 40
"""Classes whose confusion is drawn."""


@singledispatch
def charts(look: Any) -> list[str]:
    """The charts of what a look returned."""
    raise TypeError(f"there are no charts of a {type(look).__name__}")


@charts.register
def _(look: Shift) -> list[str]:
    along, label = look.along()
    change = {name: _points(along, values.mean(0)) for name, values in look.change.items()}
    stays = {name: _points(along, 100 * same.mean(0)) for name, same in look.agreement.items()}
    drawn = [lines(change, title="What the output is off by, of its spread", x=label, span=[0])]
    if stays:
        title = "Images whose top class stays, %"
        drawn.append(lines(stays, title=title, x=label, span=SHARES))
    return drawn


@charts.register
def _(look: Sensitivity) -> list[str]:
    right = "Images that are right, %" if look.labelled else "Images whose top class stays, %"
    panels = ((right, look.right), ("Mean probability of the class, %", look.chance))
    return [lines({kind: _points(range(len(values)), 100 * values) for kind, values in of.items()},
                  title=title, x="strength; 0 is the image as it is", span=SHARES)
            for title, of in panels]  # fmt: skip


@charts.register
def _(look: Sparsity) -> list[str]:
    rows = [100 * np.percentile(active, (5, 50, 95)) for active in look.active.values()]
    at = range(1, len(rows) + 1)
    names = ("5% of channels are below", "median channel", "5% are above")
    series = {name: _points(at, values)
              for name, values in zip(names, np.array(rows).T, strict=True)}  # fmt: skip
    return [lines(series, title="Values above 0, %", x="layers, from the first to the last",
                  span=SHARES)]  # fmt: skip


@charts.register
def _(look: Separability) -> list[str]:
    rows = list(zip(look.layers, (100 * look.accuracy).tolist(), strict=True))
    scatter = list(zip(look.layers, look.scatter.tolist(), strict=True))
    chance = 100 * look.chance
    drawn = [
        bars([*rows, ("the largest class", chance)], title="Accuracy of a linear model on a layer",
             unit="%", format=lambda value: f"{value:.1f}"),
        bars(scatter, title="Scatter between classes over that within",
             format=lambda value: f"{value:.3g}"),
    ]  # fmt: skip
    if len(look.classes) <= NAMED:
        drawn.append(heat(look.confusion[-1].tolist(), look.classes, x="taken for", y="true class",
                          title=f"Confusion at {look.layers[-1]}"))  # fmt: skip
    return drawn


def compared(looks: Sequence[Trust]) -> str:
    """How like each map stays while more and more weights are shuffled, by method."""
    series = {look.look.method: _points(range(len(look.random) + 1), [1.0, *look.random])
              for look in looks}  # fmt: skip
    return lines(series, title="Rank correlation with the map as it is",
                 x="parts of the layers that are shuffled, from the last one on")  # fmt: skip


def _points(along: Sequence[float] | np.ndarray, values: Any) -> list[tuple[float, float]]:
    return [(float(x), float(y)) for x, y in zip(along, values, strict=True)]
