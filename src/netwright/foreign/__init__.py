"""Plans of modules that were not built here: anybody's `nn.Module`."""

from typing import TYPE_CHECKING

from netwright.core.lazy import lazy

if TYPE_CHECKING:
    from netwright.foreign.formulas import count as count
    from netwright.foreign.plan import plan_module as plan_module

lazy(__name__, {"formulas": "count", "plan": "plan_module"})
