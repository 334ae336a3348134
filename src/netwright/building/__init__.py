"""What turns specs into PyTorch modules and back."""

from typing import TYPE_CHECKING

from netwright.core.lazy import lazy

if TYPE_CHECKING:
    from netwright.building.build import *  # noqa: F403
    from netwright.building.fold import *  # noqa: F403
    from netwright.building.fuse import *  # noqa: F403
    from netwright.building.init import *  # noqa: F403

lazy(
    __name__,
    {
        "build": "Builder Tapped Wired WithTaps build",
        "fold": "folded",
        "fuse": "fast",
        "init": "INITS initialise",
    },
)
