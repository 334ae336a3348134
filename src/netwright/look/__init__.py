"""Looking inside a net: what it computes, sees and responds to."""

from typing import TYPE_CHECKING

from netwright.core.lazy import lazy

if TYPE_CHECKING:
    from netwright.look.matrix import *  # noqa: F403

lazy(__name__, {"matrix": "circulant conv_matrix eigenvalues toeplitz"})
