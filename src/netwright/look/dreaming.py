"""An image in which a layer's answer is made stronger, at one scale after another: DeepDream
(Mordvintsev, Olah and Tyka, Inceptionism, 2015).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from netwright.errors import LookError
from netwright.look.goal import Channels, Goals, goals
from netwright.look.pace import Pace, Tell
from netwright.look.picture import Subject, subject
from netwright.look.result import Look, show_image
from netwright.look.watch import Watch, slope_of, watching

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from netwright.data.image import Preprocessing

__all__ = ["Dream", "dream"]

SMALLEST = 16
"""Pixels of a side of the smallest octave."""
JITTER = 32
"""Pixels an image is rolled at most before a step, of 224."""


@dataclass(frozen=True)
class Dream(Look):
    """`image` is what became of `pixels`, uint8 (H, W, 3) both; `history` (iterations,) what was
    climbed, octave after octave, the coarsest first; `sides` those of the octaves.
    """

    layer: str
    image: np.ndarray
    pixels: np.ndarray
    history: np.ndarray
    sides: tuple[tuple[int, int], ...]
    notes: tuple[str, ...] = ()

    def arrays(self) -> dict[str, np.ndarray]:
        return {"image": self.image, "pixels": self.pixels, "history": self.history}

    def facts(self) -> dict[str, Any]:
        return {"layer": self.layer, "octaves": [list(side) for side in self.sides],
                "notes": list(self.notes)}  # fmt: skip

    def draw(self, figure: Figure) -> None:
        left, right = figure.subplots(1, 2)
        show_image(left, self.pixels, "image")
        show_image(right, self.image, f"dream of {self.layer}")


def dream(
    model: Any, image: Any, layer: str, channels: Channels = None, *, octaves: int = 4,
    scale: float = 1.4, iterations: int = 10, rate: float = 1.5, seed: int = 0,
    seconds: float | None = None, tell: Tell | None = None,
    preprocessing: Preprocessing | None = None,
) -> Dream:  # fmt: skip
    """What a layer, or channels of it, make of an image when their answers are made stronger.

    The image is climbed from small to large, `octaves` of them, each `scale` times the one
    before; what was added to one is carried on to the next.

    channels: one or several, a direction; None for the mean square of the whole layer.
    iterations: steps an octave.
    rate: the mean change of a value in a step, of 255.
    seconds: after which it ends, as at Ctrl-C, with what there is.
    tell: hears the share that is done.
    """
    looked = subject(model, preprocessing)
    if min(octaves, iterations) < 1 or scale <= 1 or rate <= 0:
        raise LookError(f"octaves {octaves}, iterations {iterations}, scale {scale}, rate {rate}; "
                        "wanted at least 1 each, more than 1, more than 0")  # fmt: skip
    picture = looked.picture(image)
    sides = _octaves(picture.x.shape, octaves, scale)
    generator = torch.Generator().manual_seed(seed)
    with watching(looked.model, [layer]) as watch:
        wanted = goals(looked, watch, picture.x, layer, channels, None)
        work = _Dreaming(looked, watch, wanted, picture.x, rate)
        rounds = [side for side in sides for _ in range(iterations)]
        with Pace(len(rounds), tell, seconds) as pace:
            for side in pace.over(rounds):
                work.step(side, generator)
    notes = (*picture.notes, *pace.note("steps"))
    return Dream(layer, looked.shown(work.image()[0]), picture.pixels, np.array(work.history),
                 tuple(sides), notes)  # fmt: skip


class _Dreaming:
    """The image at one octave, in units of the model's input, and what was added to it."""

    def __init__(
        self, looked: Subject, watch: Watch, wanted: Goals, x: Tensor, rate: float
    ) -> None:
        self.watch, self.wanted, self.whole, self.rate = watch, wanted, x, rate
        given = looked.preprocessing
        std = torch.tensor(given.std) if given and given.std else torch.ones(x.shape[1])
        mean = torch.tensor(given.mean) if given and given.std else torch.zeros(x.shape[1])
        self.unit = (1 / std).view(1, -1, 1, 1).to(x)
        self.least, self.most = (((v - mean) / std).view(1, -1, 1, 1).to(x) for v in (0, 1))
        if not given and (x.min() < 0 or x.max() > 1):  # a tensor of values nobody explains
            self.least, self.most = x.min(), x.max()
            self.unit = self.most - self.least
        self.detail = torch.zeros_like(x[:, :, :1, :1])
        self.history: list[float] = []

    def step(self, side: tuple[int, int], generator: torch.Generator) -> None:
        """One along the gradient, at an octave."""
        self.detail = _resized(self.detail, side)
        base = _resized(self.whole, side)
        reach = [max(1, JITTER * n // 224) for n in side]
        roll = [int(torch.randint(-r, r + 1, (), generator=generator)) for r in reach]
        x = (base + self.detail).roll(roll, (2, 3)).detach().requires_grad_()
        reached, _ = self.wanted.climbed(self.watch, x.expand(self._copies(), -1, -1, -1))
        slope = slope_of(self.watch, reached.sum(), x).roll([-r for r in roll], (2, 3))
        if not bool(slope.isfinite().all()):
            raise LookError("the dream met slopes that are not finite; look at the weights")
        size = slope.abs().mean()
        if size > 0:
            self.detail = self.detail + self.rate / 255 * self.unit * slope / size
        self.detail = (base + self.detail).clamp(self.least, self.most) - base
        self.history.append(float(reached.detach().mean()))

    def image(self) -> Tensor:
        """The whole image with what was added so far."""
        side = (self.whole.shape[2], self.whole.shape[3])
        return (self.whole + _resized(self.detail, side)).clamp(self.least, self.most)

    def _copies(self) -> int:
        """One image a goal, all of them the same."""
        return len(self.wanted.names)


def _octaves(shape: Any, octaves: int, scale: float) -> list[tuple[int, int]]:
    """The sides of the octaves, smallest first, none too small."""
    height, width = shape[2:]
    sides = [(round(height / scale**i), round(width / scale**i)) for i in range(octaves)]
    return [side for side in reversed(sides) if min(side) >= SMALLEST] or [(height, width)]


def _resized(x: Tensor, side: tuple[int, int]) -> Tensor:
    if tuple(x.shape[2:]) == side:
        return x
    return F.interpolate(x, side, mode="bilinear", align_corners=False)
