"""Trained weights: where they are, what they are called there, what their images go through.

`nw.weights("resnet50")` lists what is known for a net, `nw.weights.at_hand("resnet50")` what needs
no network, `nw.weights.known("resnet50")` says whose it is and under which licence;
`net.build(weights=...)` loads it.
"""

from typing import TYPE_CHECKING

from netwright.core.lazy import lazy

if TYPE_CHECKING:
    from netwright.weights.index import *  # noqa: F403
    from netwright.weights.keys import *  # noqa: F403
    from netwright.weights.loading import *  # noqa: F403
    from netwright.weights.local import *  # noqa: F403
    from netwright.weights.table import *  # noqa: F403


def _names(pattern: str) -> list[str]:
    from netwright.weights.index import names

    return names(pattern)


lazy(
    __name__,
    {
        "index": "Known known names",
        "keys": "LIBRARIES key_map to_peer",
        "local": "at_hand",
        "loading": "Loaded WeightsWarning load",
        "table": "Place",
    },
    _names,
)
