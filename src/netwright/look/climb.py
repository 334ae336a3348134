"""Images on their way to what excites some goals most."""

from __future__ import annotations

from contextlib import ExitStack
from itertools import combinations

import numpy as np
import torch
from torch import Tensor

from netwright.errors import LookError
from netwright.look.fourier import Canvas, Shake
from netwright.look.goal import Goals
from netwright.look.picture import Subject
from netwright.look.redirecting import Redirected
from netwright.look.watch import Watch, slope_of

__all__ = ["Climb"]

DETOURS = 16
"""Steps at first in which closed ReLUs are opened (Lucid's)."""
RATE = 0.05


class Climb:
    """The images of some goals while they are made."""

    def __init__(
        self, looked: Subject, watch: Watch, wanted: Goals, shape: tuple[int, int, int],
        copies: int, seed: int,
    ) -> None:  # fmt: skip
        self.looked, self.watch, self.goals, self.copies = looked, watch, wanted, copies
        self.count, self.shape = len(wanted.names), shape
        self.generator = torch.Generator().manual_seed(seed)
        self.history: list[np.ndarray] = []
        self.canvas: Canvas | None = None
        self.optimiser: torch.optim.Optimizer | None = None
        self.moved = torch.zeros(self.count * copies, dtype=torch.bool)

    def step(self, shake: Shake, diversity: float) -> None:
        """One along the gradient. Noise and shakes are those of any goal, so that none depends on
        which others there are.
        """
        if self.canvas is None:
            self._begin()
        assert self.canvas is not None and self.optimiser is not None
        draws = self._for_all(torch.rand(self.copies, 4, generator=self.generator) * 2 - 1)
        images = shake(self.canvas(), draws)
        with ExitStack() as rules:
            if len(self.history) < DETOURS:
                rules.enter_context(Redirected())
            reached, features = self.goals.climbed(self.watch, self.looked.normal(images))
        total = reached.sum()
        if self.copies > 1 and diversity:
            total = total - diversity * self._likeness(features, reached)
        slope = slope_of(self.watch, total, self.canvas.spectrum)
        values = reached.detach().cpu().double().numpy().reshape(self.count, self.copies)
        if not (np.isfinite(values).all() and bool(slope.isfinite().all())):
            raise LookError("the climb met values that are not finite; look at the weights")
        self.moved |= (slope != 0).flatten(1).any(1).cpu()
        self.canvas.spectrum.grad = -slope
        self.optimiser.step()
        self.history.append(values)

    def _begin(self) -> None:
        channels, *_ = self.shape
        side = self.shape[1:]
        size = Canvas.size(channels, side)
        noise = torch.randn(self.copies, *size, generator=self.generator)
        place = next(self.looked.model.parameters(), noise).device
        self.canvas = Canvas(self._for_all(noise).to(place), side)
        self.optimiser = torch.optim.Adam([self.canvas.spectrum], lr=RATE)

    def _for_all(self, values: Tensor) -> Tensor:
        """What each copy has, for the copies of every goal."""
        return values.repeat(self.count, *[1] * (values.dim() - 1))

    def _likeness(self, features: Tensor, reached: Tensor) -> Tensor:
        """How alike the textures of the copies of a goal are, as a share of what they reached:
        the cosines of their Gram matrices.
        """
        flat = features.flatten(2)
        grams = (flat @ flat.transpose(1, 2)).flatten(1)
        grams = torch.nn.functional.normalize(grams, dim=1).view(self.count, self.copies, -1)
        pairs = [(grams[:, i] * grams[:, j]).sum(1)
                 for i, j in combinations(range(self.copies), 2)]  # fmt: skip
        worth = reached.detach().abs().view(self.count, self.copies).sum(1)
        return (torch.stack(pairs).mean(0) * worth).sum()

    @torch.no_grad()
    def settle(self) -> None:
        """Keeps the `images` (goals, copies, C, H, W) in bytes, and in `values` (goals, copies)
        the largest value of each goal over the map of its images as they are then; what a climb
        needs more goes.
        """
        if self.canvas is None:
            return
        images = (self.canvas() * 255).round().byte()
        values = self.goals.largest(self.watch, self.looked.normal(images.float() / 255))
        self.images = images.view(self.count, self.copies, *self.shape).cpu().numpy()
        self.values = values.view(self.count, self.copies).cpu().double().numpy()
        self.canvas = self.optimiser = None
