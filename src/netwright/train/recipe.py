"""How a net is trained: one recipe for all candidates, so that they are compared fairly."""

from __future__ import annotations

from dataclasses import dataclass
from math import cos, pi

__all__ = ["Recipe"]


@dataclass(frozen=True)
class Recipe:
    """SGD with Nesterov momentum; the rate warms up, then falls as a cosine to nothing.

    Weight decay spares biases and normalisation. `shift` moves training images by up to so
    many pixels, `flip` mirrors half of them; `smoothing` is that of the labels.
    """

    batch: int = 64
    rate: float = 0.1
    momentum: float = 0.9
    decay: float = 5e-4
    smoothing: float = 0.1
    warmup: float = 0.15
    shift: int = 1
    flip: bool = False

    @classmethod
    def suited(cls, images: int, side: int, *, flip: bool) -> Recipe:
        """The recipe for so many training images of that side.

        The rate grows with the batch (Goyal et al. 2017, arXiv:1706.02677), the shift is an
        eighth of the side as in the CIFAR recipes (He et al. 2015: 4 of 32).
        """
        batch = 64 if images < 4096 else 128
        return cls(
            batch=min(batch, images), rate=0.1 * batch / 64, shift=max(1, side // 8), flip=flip
        )

    def steps(self, images: int) -> int:
        """Steps of an epoch; the images that do not fill a batch wait for the next epoch."""
        return max(1, images // self.batch)

    def rate_at(self, step: int, steps: int) -> float:
        """The learning rate of step `step` of `steps`."""
        warm = max(1.0, self.warmup * steps)
        if step < warm:
            return self.rate * (step + 1) / (warm + 1)
        return self.rate * 0.5 * (1 + cos(pi * (step - warm) / max(1.0, steps - warm)))
