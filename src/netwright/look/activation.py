"""What the layers make of an image."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor

from netwright.look.picture import subject
from netwright.look.result import Look, sheet
from netwright.look.watch import paths_of, watching

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from netwright.data.image import Preprocessing

__all__ = ["Activations", "activations"]

SHOWN = 64
"""Channels of a layer in a figure, the strongest first."""


@dataclass(frozen=True)
class Activations(Look):
    """The outputs of layers for an image, (C, h, w) or (C,), by path.

    `sparsity` is the share of values that are 0, or below; `silent` the channels that are so
    everywhere in this image.
    """

    outputs: dict[str, np.ndarray]
    pixels: np.ndarray
    notes: tuple[str, ...] = ()

    @property
    def aspect(self) -> float:  # type: ignore[override]  # of each figure, where most have one of all
        """A square a layer."""
        return float(len(self.outputs))

    @property
    def sparsity(self) -> dict[str, float]:
        """Share of the values that are not above 0, by layer."""
        return {path: float((values <= 0).mean()) for path, values in self.outputs.items()}

    @property
    def silent(self) -> dict[str, np.ndarray]:
        """Channels that are nowhere above 0, by layer."""
        return {
            path: np.flatnonzero(values.reshape(len(values), -1).max(1) <= 0)
            for path, values in self.outputs.items()
        }

    def arrays(self) -> dict[str, np.ndarray]:
        return {**self.outputs, "pixels": self.pixels}

    def facts(self) -> dict[str, Any]:
        silent = {path: channels.tolist() for path, channels in self.silent.items()}
        return {"sparsity": self.sparsity, "silent": silent, "notes": list(self.notes)}

    def draw(self, figure: Figure) -> None:
        axes = figure.subplots(len(self.outputs), 1, squeeze=False)[:, 0]
        for ax, (path, values) in zip(axes, self.outputs.items(), strict=True):
            top = float(np.abs(values).max()) or 1.0
            is_map = values.ndim == 3
            shown = strongest(values, SHOWN) if is_map else values
            cells = sheet(shown, np.nan) if is_map else shown.reshape(1, -1)
            drawn = ax.imshow(cells, cmap="RdBu_r", vmin=-top, vmax=top,
                              aspect="equal" if is_map else "auto")  # fmt: skip
            ax.set_axis_off()
            ax.set_title(f"{path}: {len(shown)} of {len(values)} channels, "
                         f"{self.sparsity[path]:.0%} not above 0", fontsize=9)  # fmt: skip
            figure.colorbar(drawn, ax=ax, shrink=0.6)


def activations(
    model: Any, image: Any, layers: str | Sequence[str], *,
    preprocessing: Preprocessing | None = None,
) -> Activations:  # fmt: skip
    """What the layers give for an image, as they gave it: no operation in place that follows has
    changed it.
    """
    looked = subject(model, preprocessing)
    picture = looked.picture(image)
    paths = paths_of(layers)
    with watching(looked.model, paths) as watch, torch.no_grad():
        watch.run(picture.x)
        outputs = {path: _array(watch.outputs[path][0]) for path in paths}
    return Activations(outputs, picture.pixels, picture.notes)


def _array(values: Tensor) -> np.ndarray:
    """The same numbers for NumPy, which has no bfloat16."""
    return (values.float() if values.dtype == torch.bfloat16 else values).cpu().numpy()


def strongest(values: np.ndarray, most: int) -> np.ndarray:
    """The channels (C, h, w) to draw, those with the largest values first."""
    order = np.argsort(-np.abs(values).reshape(len(values), -1).max(1), kind="stable")
    return values[order[:most]]
