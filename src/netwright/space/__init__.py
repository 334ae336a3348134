"""Spaces of nets to choose from; no third-party import. `nw.space(name)` finds one to search."""

import sys
from typing import TYPE_CHECKING, Any

from netwright.core.lazy import Lazy, lazy

if TYPE_CHECKING:
    from netwright.space.budget import Budget as Budget
    from netwright.space.cells import CellSpace as CellSpace
    from netwright.space.compound import *  # noqa: F403
    from netwright.space.families import *  # noqa: F403
    from netwright.space.limits import Limits as Limits
    from netwright.space.search_space import Digit as Digit
    from netwright.space.search_space import Space as Space

lazy(
    __name__,
    {
        "budget": "Budget",
        "cells": "CellSpace",
        "choices": "ChoiceSpace",
        "compound": "EFFICIENTNET Growth exponent family growth growths",
        "families": "FAMILIES grid small",
        "limits": "Limits",
        "search_space": "Digit Space",
        "totals": "Totals totals",
    },
)


class _Find(Lazy):
    """The package, which finds a search space when it is called."""

    def __call__(self, *space: Any, **options: Any) -> Any:
        from netwright.space.named import space_of

        return space_of(*space, **options)


sys.modules[__name__].__class__ = _Find
