"""How much an order of nets by shared weights says of their order when each is trained alone."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from netwright.errors import SearchError
from netwright.search.strategy import complete
from netwright.search.trial import Trial

__all__ = ["agreement", "tau"]


def agreement(trials: Sequence[Trial], of: str) -> tuple[float, int] | None:
    """Kendall's rank correlation of what shared weights said of nets with their scores alone, over
    the whole trainings of nets that the supernet `of` ranked (`SharedWeights.prepare` says of what
    it is), and their number; None of fewer than two.
    """
    pairs = [(float(trial.note["shared"]), trial.points) for trial in complete(trials)
             if trial.fidelity == 1 and trial.note.get("of") == of]  # fmt: skip
    if len(pairs) < 2:
        return None
    return tau([shared for shared, _ in pairs], [alone for _, alone in pairs]), len(pairs)


def tau(one: Sequence[float], other: Sequence[float]) -> float:
    """Kendall's rank correlation, tau-b: 1 for one order, -1 for opposite ones, 0 where one has no
    order at all.

    >>> round(tau([1, 2, 3, 4], [1, 2, 4, 3]), 3)
    0.667
    """
    if len(one) != len(other) or len(one) < 2:
        raise SearchError(
            f"{len(one)} and {len(other)} scores have no rank correlation; wanted two or more of "
            "the same nets"
        )
    from scipy.stats import kendalltau

    value: Any = kendalltau(one, other)
    return 0.0 if math.isnan(value.statistic) else float(value.statistic)
