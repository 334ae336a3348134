"""Named rewrites of nets: `net.rewrite("widen:2", "act:GELU")`."""

from typing import TYPE_CHECKING

from netwright.core.lazy import lazy

if TYPE_CHECKING:
    from netwright.rules.registry import *  # noqa: F403

lazy(__name__, {"registry": "find named names rule"}, "netwright.rules.registry:listing")
