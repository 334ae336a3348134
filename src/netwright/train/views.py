"""The views of an image whose outputs are averaged when a net is asked."""

from __future__ import annotations

from typing import NamedTuple

from torch import Tensor, nn
from torch.nn import functional as F

__all__ = ["ALONE", "Views"]


class Views(NamedTuple):
    """An image alone; `mirrored`, with its mirror image; `shifted`, all of that moved by a pixel
    up and left, and down and right, too, which counts half (Jordan 2024, arXiv:2404.00498).
    """

    mirrored: bool = False
    shifted: bool = False

    def outputs(self, model: nn.Module, x: Tensor) -> Tensor:
        """The mean output (N, classes) of the views of images (N, C, H, W)."""
        if self.shifted:
            still = self._replace(shifted=False)
            wide = F.pad(x, (1, 1, 1, 1), "reflect")
            moved = [still.outputs(model, wide[..., side, side])
                     for side in (slice(0, -2), slice(2, None))]  # fmt: skip
            return still.outputs(model, x) / 2 + (moved[0] + moved[1]) / 4
        output = model(x).double()
        return (output + model(x.flip(-1)).double()) / 2 if self.mirrored else output


ALONE = Views()
"""The image as it is."""
