"""Named rewrites of nets: `net.rewrite("widen:2", "act:GELU")`."""

from typing import TYPE_CHECKING

from netwright.core.lazy import lazy

if TYPE_CHECKING:
    from netwright.rules.registry import *  # noqa: F403


def _names(pattern: str) -> list[str]:
    from netwright.rules.registry import names

    return names(pattern)


lazy(__name__, {"registry": "find named names rule"}, _names)
