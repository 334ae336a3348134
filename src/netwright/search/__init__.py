"""Architecture search: strategies, studies, trials; `nw.search(...)` runs one."""

import sys
from typing import TYPE_CHECKING, Any

from netwright.core.lazy import Lazy, lazy

if TYPE_CHECKING:
    from netwright.search.engine.accuracy import Accuracy as Accuracy
    from netwright.search.fronts import front as front
    from netwright.search.loop import Evaluation as Evaluation
    from netwright.search.loop import search as search
    from netwright.search.strategy import Proposal as Proposal
    from netwright.search.strategy import Strategy as Strategy
    from netwright.search.study import Study as Study
    from netwright.search.trial import Trial as Trial
    from netwright.search.untrained import zero_cost as zero_cost

lazy(
    __name__,
    {
        "engine.accuracy": "Accuracy",
        "fronts": "front",
        "loop": "Evaluation search",
        "strategy": "Exhausted Proposal Strategy",
        "study": "Study",
        "trial": "Trial",
        "untrained": "zero_cost",
    },
)


class _Search(Lazy):
    """The package, which searches when it is called."""

    def __call__(self, *args: Any, **options: Any) -> Any:
        from netwright.search.loop import search

        return search(*args, **options)


sys.modules[__name__].__class__ = _Search
