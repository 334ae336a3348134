"""What the results of functions see that have no rule of their own: of these PyTorch's kernels
tell shape and work (`fallback.py`), and where nothing is said here either, the field is unknown.
"""

from __future__ import annotations

from collections.abc import Callable
from inspect import signature
from typing import Any

from netwright.foreign.traced import Origin

__all__ = ["SEES", "Rule", "ruled", "sees"]

Rule = Callable[..., Origin | None]

SEES: dict[Any, Rule] = {}
"""rule(shape of an output, *arguments of the function): the output's origin, None where nobody
can say."""


def sees(*functions: Any) -> Callable[[Rule], Rule]:
    """Makes the decorated rule say what the results of these functions see."""

    def register(rule: Rule) -> Rule:
        SEES.update(dict.fromkeys(functions, rule))
        return rule

    return register


def ruled(
    func: Any, full: tuple[int, ...], args: tuple[Any, ...], kwargs: dict[str, Any]
) -> Origin | None:
    """What the rule of a function says; nothing where it does not know how it was called."""
    rule = SEES[func]
    try:
        signature(rule).bind(full, *args, **kwargs)
    except TypeError:
        return None
    return rule(full, *args, **kwargs)
