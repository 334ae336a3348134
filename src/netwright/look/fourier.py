"""Images as the frequencies they are made of, for climbing to what excites a unit.

Olah, Mordvintsev and Schubert, Feature Visualization, 2017 (doi:10.23915/distill.00007): the same
gradient taken of frequencies and of decorrelated colours leads to images with a structure at all
scales, where that of pixels leads to noise.
"""

from __future__ import annotations

from math import pi

import torch
import torch.nn.functional as F
from torch import Tensor

__all__ = ["Canvas", "Shake"]

COLOURS = ((0.26, 0.09, 0.02), (0.27, 0.00, -0.05), (0.27, -0.09, 0.03))
"""Root of the covariance of the colours of photographs, red, green and blue a row."""
START = 0.01
"""Standard deviation of the numbers an image begins with: all but grey."""
DAMPING = 4.0
"""What values are divided by; more makes colours paler."""
REFERENCE = 128
"""The side of images for which the pixels of `Shake` are meant; they shrink with smaller ones."""


class Canvas:
    """Images (N, C, H, W) with values between 0 and 1, made of their frequencies `spectrum`, in
    which each octave has the strength that it has in photographs.
    """

    def __init__(self, noise: Tensor, side: tuple[int, int]) -> None:
        """`noise` is standard normal, of `Canvas.size`."""
        self.side = side
        down, across = torch.fft.fftfreq(side[0]), torch.fft.rfftfreq(side[1])
        frequencies = (down[:, None] ** 2 + across**2).sqrt().clamp(min=1 / max(side))
        self.scale = (1 / frequencies)[..., None].to(noise)
        self.spectrum = (START * noise).requires_grad_()
        colours = torch.tensor(COLOURS)
        self.colours = (colours / colours.norm(dim=0).max()).to(noise)

    @staticmethod
    def size(channels: int, side: tuple[int, int]) -> tuple[int, int, int, int]:
        """Of the noise of one image."""
        return channels, side[0], side[1] // 2 + 1, 2

    def __call__(self) -> Tensor:
        """The images as they are now."""
        waves = torch.view_as_complex(self.spectrum * self.scale)
        values = torch.fft.irfft2(waves, s=self.side, norm="ortho") / DAMPING
        if values.shape[1] == len(COLOURS):
            values = torch.einsum("oc,nchw->nohw", self.colours, values)
        return values.sigmoid()


class Shake:
    """Turns, scales and moves each image a little, as what excites a unit must bear."""

    def __init__(
        self, degrees: float = 10, scale: float = 0.1, pixels: float = 6,
    ) -> None:  # fmt: skip
        self.degrees, self.scale, self.pixels = degrees, scale, pixels

    def __call__(self, images: Tensor, draws: Tensor) -> Tensor:
        """Images (N, C, H, W), shaken as `draws` (N, 4) of -1 to 1 say; grey beyond the border."""
        height, width = images.shape[2:]
        small = min(1.0, max(height, width) / REFERENCE)
        angle = draws[:, 0] * self.degrees * pi / 180
        zoom = 1 / (1 + draws[:, 1] * self.scale)
        cos, sin = zoom * angle.cos(), zoom * angle.sin()
        right = draws[:, 2] * self.pixels * small * 2 / width
        down = draws[:, 3] * self.pixels * small * 2 / height
        rows = [cos, -sin * height / width, right, sin * width / height, cos, down]
        maps = torch.stack(rows, 1).view(-1, 2, 3).to(images)
        grid = F.affine_grid(maps, list(images.shape), align_corners=False)
        # Values are taken from grey on, so that the zeros beyond the border are grey.
        return 0.5 + F.grid_sample(images - 0.5, grid, align_corners=False)
