"""Successive halving: many nets a little, few nets more, one net to the end.

Every rung trains its nets from the start with a whole schedule of its own length (Jamieson &
Talwalkar 2016, arXiv:1502.07943, would go on from the rung before). Nets are then compared
when their learning rate has fallen to nothing, as it will have at the end, and the last
net's result can be had again without the others. It costs a third more.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil

__all__ = ["ENOUGH_STEPS", "MOST_EPOCHS", "Rung", "epochs_within", "most_epochs", "rungs", "work"]

ETA = 3
"""A third of the nets goes on; each for three times as many epochs."""
STEPS = (1, 2, 3, 4, 5, 6, 8, 10, 12, 15, 18, 21, 24, 27, 30, 36, 42, 48, 54, 60, 72, 84, 96,
         120, 150, 180, 210, 240, 270, 300)  # fmt: skip
"""Numbers of final epochs to choose from; coarse, so that small differences in speed do not
change the schedule."""
MOST_EPOCHS, MOST_OF_FEW, ENOUGH_STEPS = 60, 300, 1500
"""Epochs that a net gets at most, of many images and of few, which need more for enough steps of
the optimiser; steps from which more bring little."""


def most_epochs(steps: float) -> int:
    """Epochs of so many steps from which more bring little.

    >>> most_epochs(17), most_epochs(300), most_epochs(1)
    (88, 60, 300)
    """
    return min(MOST_OF_FEW, max(MOST_EPOCHS, int(ENOUGH_STEPS / steps)))


@dataclass(frozen=True)
class Rung:
    """So many nets, each for so many epochs."""

    nets: int
    epochs: int


def rungs(nets: int, epochs: int) -> list[Rung]:
    """From all nets down to one that is trained for `epochs` epochs.

    >>> rungs(5, 27)
    [Rung(nets=5, epochs=3), Rung(nets=2, epochs=9), Rung(nets=1, epochs=27)]
    """
    sizes = [nets]
    while sizes[-1] > 1:
        sizes.append(ceil(sizes[-1] / ETA))
    last = len(sizes) - 1
    return [Rung(size, max(1, round(epochs / ETA ** (last - i)))) for i, size in enumerate(sizes)]


def work(costs: Sequence[float], epochs: int, folds: int = 1) -> float:
    """What the rungs cost at most, where net i costs `costs[i]` an epoch: the dearest go on. In
    all rungs but the last every net is trained for each of the folds.
    """
    dearest, plan = sorted(costs, reverse=True), rungs(len(costs), epochs)
    spent = [sum(dearest[: rung.nets]) * rung.epochs for rung in plan]
    return folds * sum(spent[:-1]) + spent[-1]


def epochs_within(costs: Sequence[float], seconds: float, most: int, folds: int = 1) -> int:
    """The largest number of final epochs whose rungs fit in the time; at least 1.

    >>> epochs_within([1.0, 1.0, 1.0], seconds=60, most=96)
    30
    """
    fitting = [n for n in STEPS if n <= most and work(costs, n, folds) <= seconds]
    return max(fitting, default=1)
