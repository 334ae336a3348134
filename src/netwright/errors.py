"""Everything Netwright raises on purpose.

    NetwrightError
    ├── SpecError        a field of a spec is wrong
    ├── ShapeError       a value does not fit where it is sent
    ├── UnknownName      no net, unit, part or rule of that name
    ├── CodecError       text that is not a net we can read
    ├── RuleError        a rewrite cannot be applied
    ├── BudgetError      a budget nobody can meet or read
    ├── TraceError       a foreign module that cannot be followed
    ├── DataError        images or labels that cannot be learnt from
    ├── RecipeError      a training recipe that cannot be read or does not fit
    ├── RunError         a run folder or checkpoint that does not belong
    ├── WeightsError     weights that cannot be had, or that do not fit a net
    ├── LookError        a layer, class or image that cannot be looked at
    └── SearchError      a search, study or storage that cannot go on

Every message says what was got, what was wanted, and what to try.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

__all__ = [
    "BudgetError",
    "CodecError",
    "DataError",
    "LookError",
    "NetwrightError",
    "RecipeError",
    "RuleError",
    "RunError",
    "SearchError",
    "ShapeError",
    "SpecError",
    "TraceError",
    "UnknownName",
    "WeightsError",
    "nearest",
]


class NetwrightError(Exception):
    """Root of the tree: catch this to catch all of them."""


class SpecError(NetwrightError, ValueError):
    """A field of a spec is wrong."""


class _Placed(NetwrightError):
    """`path` names the unit inside the net (`stage2.0.residual.body.conv`), `rows` are
    the rows planned before it, so that a table can be shown up to the fault.
    """

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.path: str | None = None
        self.rows: list[Any] = []

    def __str__(self) -> str:
        message = super().__str__()
        return f"at {self.path}: {message}" if self.path else message


class ShapeError(_Placed, ValueError):
    """A value does not fit where it is sent; `path` and `rows` tell where."""


class TraceError(_Placed, RuntimeError):
    """A foreign module that cannot be followed; `path` and `rows` tell where."""


class UnknownName(NetwrightError, LookupError):
    """No net, unit, part or rule of that name."""


class CodecError(NetwrightError, ValueError):
    """Text that is not a net we can read."""


class RuleError(NetwrightError, ValueError):
    """A rewrite cannot be applied."""


class BudgetError(NetwrightError, ValueError):
    """A budget nobody can meet or read."""


class DataError(NetwrightError, ValueError):
    """Images or labels that cannot be learnt from."""


class RecipeError(NetwrightError, ValueError):
    """A training recipe that cannot be read, or does not fit the images or the net."""


class RunError(NetwrightError, RuntimeError):
    """A run folder or checkpoint that does not belong."""


class WeightsError(NetwrightError, ValueError):
    """Weights that cannot be had, or that do not fit a net."""


class LookError(NetwrightError, ValueError):
    """A layer, class or image that cannot be looked at."""


class SearchError(NetwrightError, RuntimeError):
    """A search, study or storage that cannot go on."""


_SHOWN = 12
_LONGEST = 100


def nearest(kind: str, name: str, names: Iterable[str]) -> UnknownName:
    """The error for an unknown name, with the names near to it, whatever their case.

    >>> str(nearest("net", "ResNet5O", ["resnet50", "vgg16"]))
    "no net is called 'ResNet5O'; near: resnet50"
    """
    from difflib import get_close_matches

    asked = str(name)[:_LONGEST].casefold()
    known = sorted({*names} - {""})
    small = {word.casefold(): word for word in known}
    near = [small[word] for word in get_close_matches(asked, small, n=4, cutoff=0.5)]
    hint = f"near: {', '.join(near)}" if near else f"there are: {', '.join(known[:_SHOWN])}"
    more = len(known) - _SHOWN
    if not near and more > 0:
        hint += f" and {more} more"
    return UnknownName(f"no {kind} is called {repr(name)[:_LONGEST]}; {hint}")
