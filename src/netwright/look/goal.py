"""What an image is to excite, read off what a layer gives."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from torch import Tensor

from netwright.core.shape import show
from netwright.errors import LookError
from netwright.look.picture import Subject
from netwright.look.reaching import reach
from netwright.look.watch import Watch

__all__ = ["Channels", "Goals", "goals"]

Channels = int | str | Sequence[int] | Sequence[str] | np.ndarray | Tensor | None


@dataclass(frozen=True)
class Goals:
    """Directions (n, C) in the channels of a layer, of the classes where it is None, at a unit
    (y, x) or over the whole map; all of the layer at once where `directions` is None.
    """

    layer: str | None
    names: tuple[str, ...]
    directions: Tensor | None
    unit: tuple[int, int] | None

    def parts(self, size: int) -> Iterator[Goals]:
        """The same in groups of at most so many."""
        for at in range(0, len(self.names), size):
            chosen = slice(at, at + size)
            own = None if self.directions is None else self.directions[chosen]
            yield replace(self, names=self.names[chosen], directions=own)

    def features(self, watch: Watch, x: Tensor) -> Tensor:
        """What the layer gives for images: (N, C, places)."""
        if self.layer is None:
            return watch(x)[:, :, None]
        reach(watch, x)
        output = watch.outputs[self.layer]
        if self.unit is not None:
            y, x_ = self.unit
            return output[:, :, y, x_, None]
        return output.reshape(*output.shape[:2], -1)

    def climbed(self, watch: Watch, x: Tensor) -> tuple[Tensor, Tensor]:
        """What is climbed for each image (N,), and the features: the mean over the map of what is
        above 0, of everything where nothing is. What a filter of edges gives without a ReLU has
        the mean 0 whatever the image.
        """
        features = self.features(watch, x)
        along = self._along(features)
        above = along.clamp(min=0)
        open_ = (above > 0).any(1)
        return torch.where(open_, above.mean(1), along.mean(1)), features

    def largest(self, watch: Watch, x: Tensor) -> Tensor:
        """The largest value of each image's goal over the map (N,)."""
        return self._along(self.features(watch, x)).amax(1)

    def _along(self, features: Tensor) -> Tensor:
        """Each image's goal at each place (N, places); images come goal by goal."""
        if self.directions is None:
            return features.square().mean(1)
        each = len(features) // len(self.directions)
        own = self.directions.to(features).repeat_interleave(each, 0)
        return torch.einsum("ncp,nc->np", features, own)


def goals(
    looked: Subject, watch: Watch, x: Tensor, layer: str | None, channels: Channels,
    unit: tuple[int, int] | None,
) -> Goals:  # fmt: skip
    """The goals of what was asked; `x` is an image, of which the layer's shape is seen."""
    with torch.no_grad():
        if layer is None:
            shape = tuple(watch(x)[0].shape)
        else:
            reach(watch, x)
            shape = tuple(watch.outputs[layer].shape[1:])
    _check_unit(layer, shape, unit)
    if channels is None:
        if layer is None:
            raise LookError("say which classes, by index or name")
        return Goals(layer, (layer,), None, unit)
    if _is_direction(channels):
        return _directed(layer, channels, shape[0], unit)
    channels = channels.tolist() if isinstance(channels, Tensor) else channels
    wanted = [channels] if isinstance(channels, int | str | np.integer) else list(channels)
    if not wanted:
        raise LookError("channels is empty; wanted an index, or several")
    indices = [_index(looked, layer, word, shape[0]) for word in wanted]
    directions = torch.nn.functional.one_hot(torch.tensor(indices), shape[0]).float()
    names = tuple(looked.name(i) if layer is None else str(i) for i in indices)
    return Goals(layer, names, directions, unit)


def _check_unit(
    layer: str | None, shape: tuple[int, ...], unit: tuple[int, int] | None
) -> None:  # fmt: skip
    if unit is None:
        return
    if len(shape) != 3:
        what = f"{layer} gives {show(shape)}" if layer else "classes"
        raise LookError(f"{what}{' have' if layer is None else ', which has'} no units (y, x)")
    h, w = shape[1:]
    if not (0 <= unit[0] < h and 0 <= unit[1] < w):
        raise LookError(f"{layer} has no unit at {tuple(unit)}; at this size its map has {h} x {w} "
                        f"units, the last at ({h - 1}, {w - 1})")  # fmt: skip


def _is_direction(channels: Any) -> bool:
    if isinstance(channels, Tensor):
        return channels.is_floating_point()
    return isinstance(channels, np.ndarray) and channels.dtype.kind == "f"


def _directed(
    layer: str | None, channels: Any, count: int, unit: tuple[int, int] | None
) -> Goals:  # fmt: skip
    rows = torch.atleast_2d(torch.as_tensor(channels, dtype=torch.float32).detach().cpu())
    if rows.dim() != 2 or rows.shape[1] != count:
        raise LookError(f"a direction in {layer or 'the classes'} has {count} numbers, got "
                        f"{show(tuple(np.shape(channels)))}")  # fmt: skip
    lengths = rows.norm(dim=1, keepdim=True)
    if not bool(lengths.isfinite().all()) or not bool((lengths > 0).all()):
        raise LookError("a direction has a length that is 0 or not finite")
    names = ("direction",) if len(rows) == 1 else tuple(f"direction {i}" for i in range(len(rows)))
    return Goals(layer, names, rows / lengths, unit)


def _index(looked: Subject, layer: str | None, word: Any, count: int) -> int:
    if layer is None:
        return looked.index(word, torch.zeros(count))
    if isinstance(word, bool) or not isinstance(word, int | np.integer) or not 0 <= word < count:
        raise LookError(f"{layer} has {count} channels, 0 to {count - 1}; there is no channel "
                        f"{word!r}")  # fmt: skip
    return int(word)
