"""Convolutional networks as values: describe, measure, rewrite, build, train.

    import netwright as nw
    net = nw.net("resnet50")       # an immutable Net
    plan = net.plan()              # shapes, parameters, MACs, receptive fields: at once
    model = net.build()            # an ordinary torch.nn.Module

Names are loaded when they are first used, so importing Netwright costs nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

if TYPE_CHECKING:
    from netwright import look as look
    from netwright import train as train
    from netwright.advice.advice import advise as advise
    from netwright.blocks import *  # noqa: F403
    from netwright.core import *  # noqa: F403
    from netwright.core.diff import diff as diff
    from netwright.errors import *  # noqa: F403
    from netwright.foreign.formulas import count as count
    from netwright.foreign.plan import plan_module
    from netwright.nets.catalogue import from_json as from_json
    from netwright.nets.registry import find
    from netwright.report.conventions import count_as as count_as
    from netwright.rules.registry import rule as rule
    from netwright.search.loop import search as search
    from netwright.search.strategy import names as strategy_names
    from netwright.space.named import space_of
    from netwright.space.registry import names as space_names
    from netwright.space.scaling import scale as scale
    from netwright.symbols.formulas import formula as formula
    from netwright.train.fitting import fit as fit
    from netwright.train.run import Run as Run
    from netwright.units import *  # noqa: F403

    net = find
    plan = plan_module
    space = space_of
    spaces = space_names
    strategies = strategy_names

    # Calling one of these packages lists what it holds.
    def units(pattern: str = "*") -> list[str]: ...  # noqa: D103
    def blocks(pattern: str = "*") -> list[str]: ...  # noqa: D103
    def nets(pattern: str = "*") -> list[str]: ...  # noqa: D103
    def rules(pattern: str = "*") -> list[str]: ...  # noqa: D103
    def weights(pattern: str = "*") -> list[str]: ...  # noqa: D103


_FACE = {
    "net": ("netwright.nets.registry", "find"),
    "rule": ("netwright.rules.registry", "rule"),
    "from_json": ("netwright.nets.catalogue", "from_json"),
    "formula": ("netwright.symbols.formulas", "formula"),
    "scale": ("netwright.space.scaling", "scale"),
    "advise": ("netwright.advice.advice", "advise"),
    "diff": ("netwright.core.diff", "diff"),
    "plan": ("netwright.foreign", "plan_module"),
    "count_as": ("netwright.report.conventions", "count_as"),
    "count": ("netwright.foreign", "count"),
    "spaces": ("netwright.space.registry", "names"),
    "strategies": ("netwright.search.strategy", "names"),
    "fit": ("netwright.train.fitting", "fit"),
    "Run": ("netwright.train.run", "Run"),
}
_PACKAGES = ("units", "blocks", "nets", "rules", "weights", "look", "space", "search", "train")
_ROOMS = ("netwright.core", "netwright.units", "netwright.blocks", "netwright.errors")


def __dir__() -> list[str]:
    rooms = [import_module(room).__all__ for room in _ROOMS]
    return sorted({"__version__", *_PACKAGES, *_FACE, *[name for room in rooms for name in room]})


def __getattr__(name: str) -> Any:
    if name in _PACKAGES:
        return import_module(f"netwright.{name}")
    if name in _FACE:
        module, attribute = _FACE[name]
        return getattr(import_module(module), attribute)
    if not name.startswith("_"):
        for room in _ROOMS:
            module = import_module(room)
            if name in module.__all__:
                return getattr(module, name)
    raise AttributeError(f"module 'netwright' has no attribute {name!r}")
