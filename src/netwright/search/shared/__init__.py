"""Searches whose nets share the weights of one supernet: DARTS, ENAS, one-shot."""

from typing import TYPE_CHECKING

from netwright.core.lazy import lazy

if TYPE_CHECKING:
    from netwright.search.shared.correlation import agreement as agreement
    from netwright.search.shared.correlation import tau as tau
    from netwright.search.shared.differentiable import darts as darts
    from netwright.search.shared.images import Shared as Shared
    from netwright.search.shared.images import halves as halves
    from netwright.search.shared.single_path import enas as enas
    from netwright.search.shared.single_path import one_shot as one_shot
    from netwright.search.shared.supernet import Supernet as Supernet

lazy(
    __name__,
    {
        "correlation": "agreement tau",
        "differentiable": "darts",
        "images": "Shared halves",
        "single_path": "Ranking enas one_shot",
        "supernet": "Supernet",
    },
)
