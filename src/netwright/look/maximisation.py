"""Images made to excite a unit, a channel, a layer, a direction or a class."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from netwright.core.net import Net
from netwright.errors import LookError
from netwright.look.climb import Climb
from netwright.look.fourier import Shake
from netwright.look.goal import Channels, Goals, goals
from netwright.look.pace import Pace, Tell
from netwright.look.picture import Subject, channels_of, subject
from netwright.look.result import Look, sheet
from netwright.look.watch import Watch, mixes, watching

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from netwright.data.image import Preprocessing

__all__ = ["Maximised", "maximise"]

SIDE = 128
"""Pixels of a side at most, where no size is given: a few fields of most units."""


@dataclass(frozen=True)
class Maximised(Look):
    """`images` (goals, copies, C, H, W), uint8, and what each excites, as the image stands: the
    largest value of the goal over the map (goals, copies), comparable to that of a patch, in
    `values`. `history` (steps, goals, copies) is what was climbed, the mean of what is above 0 in
    the map, NaN where the climb ended before.
    """

    layer: str | None
    names: tuple[str, ...]
    images: np.ndarray
    values: np.ndarray
    history: np.ndarray
    unit: tuple[int, int] | None = None
    notes: tuple[str, ...] = ()

    @property
    def aspect(self) -> float:  # type: ignore[override]  # of each figure, where most have one of all
        """Square images on a sheet of their own width."""
        columns = self._columns()
        return -(-self.values.size // columns) / columns

    def pixels(self) -> np.ndarray:
        """The images as they are shown: uint8 (goals, copies, H, W, 3)."""
        shown = self.images if self.images.shape[2] >= 3 else self.images[:, :, :1].repeat(3, 2)
        return shown[:, :, :3].transpose(0, 1, 3, 4, 2)

    def sheet(self) -> np.ndarray:
        """All images on one sheet, the copies of a goal side by side."""
        return sheet(self._flat(), 255, self._columns())

    def _flat(self) -> np.ndarray:
        return self.pixels().reshape(-1, *self.images.shape[3:], 3)

    def arrays(self) -> dict[str, np.ndarray]:
        return {"images": self.images, "values": self.values, "history": self.history}

    def facts(self) -> dict[str, Any]:
        return {
            "layer": self.layer, "goals": list(self.names), "values": self.values.tolist(),
            "unit": self.unit, "steps": len(self.history), "notes": list(self.notes),
        }  # fmt: skip

    def draw(self, figure: Figure) -> None:
        columns = self._columns()
        rows = -(-self.values.size // columns)
        grid = figure.subplots(rows, columns, squeeze=False).ravel()
        copies = self.values.shape[1]
        shown = self._flat()
        for i, axes in enumerate(grid):
            axes.set_axis_off()
            if i < len(shown):
                axes.imshow(shown[i])
                name, value = self.names[i // copies], self.values.ravel()[i]
                axes.set_title(f"{name}: {value:.3g}", fontsize=7)

    def _columns(self) -> int:
        goals, copies = self.values.shape
        return copies if copies > 1 else int(np.ceil(goals**0.5))


def maximise(
    model: Any, layer: str | None, channels: Channels = None, *,
    unit: tuple[int, int] | None = None, steps: int = 256, size: int | None = None,
    copies: int = 1, diversity: float = 1.0, batch: int = 8, shake: Shake | None = None,
    seed: int = 0, seconds: float | None = None, tell: Tell | None = None,
    preprocessing: Preprocessing | None = None,
) -> Maximised:  # fmt: skip
    """Images that excite channels of a layer as strongly as `steps` of Adam can make them (Erhan
    et al. 2009; with the frequencies, colours and shaking of Olah et al. 2017).

    layer: its path; None for the classes, which are then the channels.
    channels: an index, several, the name of a class, directions (C,) or (n, C) of floats, which
        are made of length 1; None for all of the layer at once, the mean of its squares.
    unit: (y, x) of the map; all of the map where it is not given.
    steps: of 0.05 along the gradient of frequencies.
    size: pixels of a side; the net's own, but for layers at most 128.
    copies: images for each channel, which `diversity`, a share of the goal, keeps unlike.
    batch: channels at a time; the image of a channel does not depend on the others.
    shake: how far images are turned, scaled and moved before each step.
    seconds: after which the climb ends, as at Ctrl-C, with the images there are.
    tell: hears the share that is done.
    """
    looked = subject(model, preprocessing)
    if min(steps, copies, batch) < 1 or diversity < 0 or (size is not None and size < 1):
        raise LookError(f"steps {steps}, copies {copies}, batch {batch}, size {size}, diversity "
                        f"{diversity}; wanted 1 each, a diversity of 0, or more")  # fmt: skip
    side, notes = _side(looked, layer, size)
    shape = (_channels(looked), *side)
    with watching(looked.model, [] if layer is None else [layer]) as watch:
        trial = looked.normal(torch.full((1, *shape), 0.5))
        wanted = goals(looked, watch, trial, layer, channels, unit)
        climbs = _climbs(looked, watch, wanted, shape, copies, seed, batch)
        rounds = [climb for climb in climbs for _ in range(steps)]
        with Pace(len(rounds), tell, seconds) as pace:
            for climb in pace.over(rounds):
                climb.step(shake or Shake(), diversity)
                if len(climb.history) == steps:
                    climb.settle()
        finished = [climb for climb in climbs if climb.history]
        for climb in finished:
            climb.settle()
    reached = sum(len(climb.goals.names) for climb in finished)
    names = wanted.names[:reached]
    notes = (*notes, *pace.note("steps"), *_silent(finished), *looked.notes)
    images = np.concatenate([climb.images for climb in finished])
    values = np.concatenate([climb.values for climb in finished])
    return Maximised(layer, names, images, values, _histories(finished, steps), wanted.unit, notes)


def _climbs(
    looked: Subject, watch: Watch, wanted: Goals, shape: tuple[int, int, int], copies: int,
    seed: int, batch: int,
) -> list[Climb]:  # fmt: skip
    together = max(1, batch // copies)
    if mixes(lambda x: wanted.features(watch, x).flatten(1),
             looked.normal(torch.full((1, *shape), 0.25))):  # fmt: skip
        if copies > 1:
            raise LookError("what the model makes of an image depends on those beside it: copies "
                            "cannot be kept unlike; make one")  # fmt: skip
        together = 1
    return [Climb(looked, watch, part, shape, copies, seed) for part in wanted.parts(together)]


def _side(
    looked: Subject, layer: str | None, size: int | None
) -> tuple[tuple[int, int], tuple[str, ...]]:
    """(H, W) of the images, and what there is to say of it."""
    given, net = looked.preprocessing, getattr(looked.model, "net", None)
    plain = "nobody says how the model's images are normalised; these have values from 0 to 1"
    notes = () if given else (plain,)
    if size is not None:
        return (size, size), notes
    if given is not None:
        own = (given.size, given.size)
    elif isinstance(net, Net) and len(net.input) == 3:
        own = (net.input[1], net.input[2])
    else:
        note = f"nobody says the size of the model's images; {SIDE} was taken, `size` is another"
        return (SIDE, SIDE), (*notes, note)
    if layer is None:
        return own, notes
    return (min(own[0], SIDE), min(own[1], SIDE)), notes


def _channels(looked: Subject) -> int:
    given = looked.preprocessing
    return given.channels if given else channels_of(looked.model) or 3


def _histories(finished: Sequence[Climb], steps: int) -> np.ndarray:
    def rows() -> Iterator[np.ndarray]:
        for climb in finished:
            own = np.full((steps, climb.count, climb.copies), np.nan)
            own[: len(climb.history)] = climb.history
            yield own

    return np.concatenate(list(rows()), axis=1)


def _silent(finished: Sequence[Climb]) -> tuple[str, ...]:
    """What there is to say of goals that nothing changed."""
    still = [name for climb in finished
             for name, moved in zip(climb.goals.names, climb.moved.view(climb.count, -1),
                                    strict=True)
             if not moved.any()]  # fmt: skip
    if not still:
        return ()
    shown = ", ".join(still[:8]) + (f" and {len(still) - 8} more" if len(still) > 8 else "")
    return (f"no image changed {shown}: dead, or flat all around grey",)
