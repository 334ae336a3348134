"""Augmentation by policies of kornia, which `pip install 'netwright[policies]'` brings."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from torch import Generator, Tensor

from netwright.data.operation import Batch, Operation, rounded
from netwright.errors import RecipeError

__all__ = ["Policy", "RandAugment", "TrivialAugment"]


class Policy(Operation):
    """Every image goes through a policy of its own: kornia's draw an operation a batch, so each
    image is handed over alone, under a seed of its own.
    """

    draws_globally: ClassVar[bool] = True

    def policy(self) -> Any:
        """The policy as kornia has it."""
        raise NotImplementedError

    def draw(self, count: int, generator: Generator) -> Tensor:
        return torch.randint(2**31, (count,), generator=generator)

    def apply(self, batch: Batch, drawn: Tensor, classes: int) -> Batch:
        pixels, policy = batch.pixels.float() / 255, self.policy()
        grey = pixels.shape[1] == 1
        images = pixels.expand(-1, 3, -1, -1) if grey else pixels
        moved = list[Tensor]()
        with torch.random.fork_rng():
            for image, seed in zip(images.split(1), drawn.tolist(), strict=True):
                torch.manual_seed(seed)
                moved.append(policy(image))
        whole = torch.cat(moved)
        return Batch(rounded(255 * (whole.mean(1, keepdim=True) if grey else whole)), batch.labels)


@dataclass(frozen=True)
class TrivialAugment(Policy):
    """One operation of any strength for every image (Mueller & Hutter 2021, arXiv:2103.10158)."""

    def policy(self) -> Any:
        return _kornia().TrivialAugment()


@dataclass(frozen=True)
class RandAugment(Policy):
    """So many operations of one strength for every image (Cubuk et al. 2019, arXiv:1909.13719,
    section 3); `strength` goes to 30.
    """

    count: float = 2
    strength: float = 10

    def policy(self) -> Any:
        if not (self.count >= 1 and self.count % 1 == 0 and 0 < self.strength <= 30):
            raise RecipeError(f"rand-augment: count is {self.count:g}, strength {self.strength:g}; "
                              "wanted a whole number and 1 to 30")  # fmt: skip
        return _kornia().RandAugment(n=int(self.count), m=int(self.strength))


def _kornia() -> Any:
    try:
        from kornia.augmentation import auto  # type: ignore[import-not-found]
    except ImportError:
        raise RecipeError("this policy of augmentation needs kornia; try pip install "
                          "'netwright[policies]', or another recipe") from None  # fmt: skip
    return auto
