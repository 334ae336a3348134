"""The weights of convolutions: the first as images, the others by their size."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from torch import nn

from netwright.errors import LookError, nearest
from netwright.look.picture import subject
from netwright.look.result import Look, sheet

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["Filters", "filters"]

SHOWN = 256
"""Kernels in a figure."""


@dataclass(frozen=True)
class Filters(Look):
    """`weight` (O, C, k, k) of the convolution `layer`, and `norms`: by path of every convolution
    the Euclidean norm of each of its kernels (O,), near 0 where one has died.
    """

    layer: str
    weight: np.ndarray
    norms: dict[str, np.ndarray]

    aspect = 0.6

    def images(self) -> np.ndarray:
        """The kernels as colours, uint8 (O, k, k, 3), 0 in the middle at grey, all on one scale;
        of other than 3 channels the mean over them.
        """
        return coloured(self.weight, float(np.abs(self.weight).max()) or 1.0)

    def arrays(self) -> dict[str, np.ndarray]:
        return {"weight": self.weight, **{f"norms.{p}": n for p, n in self.norms.items()}}

    def facts(self) -> dict[str, Any]:
        return {"layer": self.layer, "convolutions": list(self.norms)}

    def draw(self, figure: Figure) -> None:
        left, right = figure.subplots(1, 2)
        left.imshow(sheet(self.images()[:SHOWN], 255))
        left.set_axis_off()
        shown = min(len(self.weight), SHOWN)
        left.set_title(f"{self.layer}: {shown} of {len(self.weight)} kernels", fontsize=9)
        spans = [np.percentile(norms, (0, 50, 100)) for norms in self.norms.values()]
        low, middle, high = np.array(spans).T
        at = np.arange(len(spans))
        right.fill_between(at, low, high, alpha=0.3)
        right.plot(at, middle, marker=".")
        right.set_yscale("symlog", linthresh=1e-3)
        right.set_xlabel("convolution", fontsize=9)
        right.set_title("norms of kernels: least, median, largest", fontsize=9)


def filters(model: Any, layer: str | None = None) -> Filters:
    """The kernels of a convolution, the first one if not given, and the norms of all."""
    looked = subject(model)
    convs = {path: part for path, part in looked.model.named_modules()
             if isinstance(part, nn.Conv2d | nn.ConvTranspose2d)}  # fmt: skip
    if not convs:
        raise LookError(f"a {type(looked.model).__name__} has no convolution of images")
    path = next(iter(convs)) if layer is None else layer
    if path not in convs:
        raise nearest("convolution", path, convs)
    weights = {p: _kernels(conv) for p, conv in convs.items()}
    faulty = [p for p, w in weights.items() if not np.isfinite(w).all()]
    if faulty:
        raise LookError(f"{faulty[0]} has weights that are not finite")
    norms = {p: np.sqrt((w**2).reshape(len(w), -1).sum(1)) for p, w in weights.items()}
    return Filters(path, weights[path], norms)


def _kernels(conv: nn.Conv2d | nn.ConvTranspose2d) -> np.ndarray:
    """(O, C, k, k); the weights of transposed convolutions have their inputs first."""
    weight = conv.weight.detach().cpu().double()
    if isinstance(conv, nn.ConvTranspose2d):
        groups = weight.unflatten(0, (conv.groups, -1)).transpose(1, 2)
        weight = groups.flatten(0, 1)
    return weight.numpy()


def coloured(weight: np.ndarray, top: float) -> np.ndarray:
    """Kernels (O, C, k, k) as colours, uint8 (O, k, k, 3), from -top to top."""
    if weight.shape[1] != 3:
        weight = np.repeat(weight.mean(1, keepdims=True), 3, axis=1)
    colours = (weight / top + 1).clip(0, 2) * 127.5
    return colours.round().astype(np.uint8).transpose(0, 2, 3, 1)
