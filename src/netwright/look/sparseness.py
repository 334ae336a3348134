"""How often the channels of layers answer, over a data set, and which never do."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor, nn

from netwright.errors import LookError
from netwright.look.images import batches, images_of, size_of
from netwright.look.pace import Pace, Tell
from netwright.look.picture import subject
from netwright.look.reaching import reach, side_by_side
from netwright.look.result import Look
from netwright.look.watch import mixes, paths_of, watching

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from netwright.data.image import Preprocessing

__all__ = ["Sparsity", "sparsity"]

HOMES = ("torch.nn.modules.activation", "netwright.layers.activation")
"""Where activations are defined."""


@dataclass(frozen=True)
class Sparsity(Look):
    """By layer, for every channel over all images and places: the share of values above 0 in
    `active` (C,), and the `least` and `largest` value.
    """

    active: dict[str, np.ndarray]
    least: dict[str, np.ndarray]
    largest: dict[str, np.ndarray]
    images: int
    notes: tuple[str, ...] = ()

    aspect = 0.5

    @property
    def dead(self) -> dict[str, np.ndarray]:
        """Channels that are never above 0, or the same everywhere, by layer."""
        return {path: np.flatnonzero((top <= 0) | (top == self.least[path]))
                for path, top in self.largest.items()}  # fmt: skip

    def arrays(self) -> dict[str, np.ndarray]:
        return {
            f"{path}.{name}": values[path]
            for path in self.active
            for name, values in (("active", self.active), ("least", self.least),
                                 ("largest", self.largest))
        }  # fmt: skip

    def facts(self) -> dict[str, Any]:
        return {
            "images": self.images,
            "layers": {path: {"channels": len(active), "sparsity": 1 - float(active.mean()),
                              "dead": self.dead[path].tolist()}
                       for path, active in self.active.items()},
            "notes": list(self.notes),
        }  # fmt: skip

    def draw(self, figure: Figure) -> None:
        axes = figure.subplots()
        rows = [np.percentile(active, (5, 50, 95)) for active in self.active.values()]
        low, middle, high = np.array(rows).T
        at = np.arange(len(rows))
        axes.fill_between(at, low, high, alpha=0.3)
        axes.plot(at, middle, marker=".")
        for i, channels in enumerate(self.dead.values()):
            if len(channels):
                axes.annotate(f"{len(channels)} dead", (i, 0), fontsize=7, ha="center")
        axes.set_ylim(0, 1)
        axes.set_xticks(at, list(self.active), rotation=60, ha="right", fontsize=6)
        axes.set_title(f"share of values above 0, median channel and 5 to 95% of them, over "
                       f"{self.images} images", fontsize=9)  # fmt: skip


def sparsity(
    model: Any, images: Any, layers: str | Sequence[str] | None = None, *,
    batch: int = 16, seconds: float | None = None, tell: Tell | None = None,
    preprocessing: Preprocessing | None = None,
) -> Sparsity:  # fmt: skip
    """How often channels of layers are above 0 over a data set, and which are dead.

    `layers` are all activations that are modules, if not given, or all convolutions where there
    are none. Images are what `top_patches` takes; they pass once, in batches, and what is kept does
    not grow with their number.
    """
    looked, source = subject(model, preprocessing), images_of(images)
    if len(source) == 0 or batch < 1:
        raise LookError(f"{len(source)} images, batch {batch}; wanted at least 1 each")
    paths = _paths(looked.model, layers)
    counts: dict[str, _Count] = {path: _Count() for path in paths}
    pace = Pace(len(source), tell, seconds)
    with watching(looked.model, paths) as watch, torch.no_grad(), pace:
        first = looked.picture(source[0]).x
        batch = 1 if mixes(lambda x: side_by_side(watch, x), first) else batch
        for some in pace.over(batches(looked, source, batch), size_of):
            reach(watch, some.x)
            for path, count in counts.items():
                count.take(watch.outputs[path])
    rows = {path: count.shares() for path, count in counts.items()}
    active, least, largest = ({p: row[i] for p, row in rows.items()} for i in range(3))
    return Sparsity(active, least, largest, pace.done, (*pace.note("images"), *looked.notes))


def _paths(model: nn.Module, layers: str | Sequence[str] | None) -> tuple[str, ...]:
    if layers is not None:
        return paths_of(layers)
    parts = dict(model.named_modules())
    acts = [path for path, part in parts.items() if type(part).__module__ in HOMES]
    convs = [path for path, part in parts.items() if isinstance(part, nn.Conv2d)]
    if not acts and not convs:
        raise LookError("the model has no activation and no convolution; say which `layers`")
    return tuple(acts or convs)


class _Count:
    """What the channels of one layer gave so far."""

    def __init__(self) -> None:
        self.above: Tensor | int = 0
        self.places = 0
        self.least: Tensor | None = None
        self.largest: Tensor | None = None

    def take(self, output: Tensor) -> None:
        """Counts a batch (N, C, ...)."""
        flat = output.transpose(0, 1).flatten(1)
        if flat.isnan().any():
            raise LookError("a layer gave values that are no numbers; look at the weights")
        above, (least, largest) = (flat > 0).sum(1), flat.aminmax(dim=1)
        self.least = least if self.least is None else torch.minimum(self.least, least)
        self.largest = largest if self.largest is None else torch.maximum(self.largest, largest)
        self.above, self.places = self.above + above, self.places + flat.shape[1]

    def shares(self) -> list[np.ndarray]:
        """Share above 0, least and largest of every channel."""
        assert self.least is not None and self.largest is not None  # there is an image
        shares = torch.as_tensor(self.above).double() / self.places
        return [values.double().cpu().numpy() for values in (shares, self.least, self.largest)]
