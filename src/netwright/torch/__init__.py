"""What turns specs into PyTorch modules and back."""

from typing import TYPE_CHECKING

from netwright.lazy import lazy

if TYPE_CHECKING:
    from netwright.torch.build import *  # noqa: F403
    from netwright.torch.fold import *  # noqa: F403
    from netwright.torch.init import *  # noqa: F403

lazy(
    __name__,
    {
        "build": "Builder Tapped Wired WithTaps build",
        "fold": "folded",
        "init": "INITS initialise",
    },
)
