"""Maps of classes from the cells of a layer, each cell at its true centre."""

from __future__ import annotations

from itertools import takewhile

import numpy as np
import torch
from torch import Tensor, nn

from netwright.errors import LookError
from netwright.look.geometry import Layer

__all__ = ["cam_layers", "default_layer", "head_of", "spread", "weighed"]

_TOLERANCE = 1e-3
"""How far logits may be, of their largest, from what a linear head would give."""


def default_layer(layers: dict[str, Layer], modules: dict[str, nn.Module]) -> str:
    """The last layer with the map of the last convolution, before it is pooled away."""
    order = list(layers)
    convs = [i for i, path in enumerate(order)
             if isinstance(modules.get(layers[path].module), nn.Conv2d | nn.ConvTranspose2d)
             and layers[path].is_map and max(layers[path].size) > 1]  # fmt: skip
    if not convs:
        raise LookError("no convolution of the model gives a map of the image; say which `layer`")
    last = layers[order[convs[-1]]]
    alike = takewhile(
        lambda path: layers[path].is_map and layers[path].size == last.size, order[convs[-1] :]
    )
    return [*alike][-1]


def cam_layers(layers: dict[str, Layer]) -> list[str]:
    """The maps that a linear head may average, the last first."""
    return [path for path in reversed(layers) if layers[path].is_map]


def head_of(model: nn.Module, cells: Tensor, scores: Tensor) -> Tensor | None:
    """Weights (classes, C) of a linear head that gives `scores` (1, classes) from the means of
    `cells` (1, C, h, w); None where there is none, which is computed, not guessed.
    """
    means = cells.mean((2, 3))
    for part in reversed(list(model.modules())):
        weight = getattr(part, "weight", None)
        if not isinstance(part, nn.Linear | nn.Conv2d) or not isinstance(weight, Tensor):
            continue
        if weight.flatten(1).shape != (scores.shape[1], means.shape[1]):
            continue
        linear = means @ weight.flatten(1).T + (0 if part.bias is None else part.bias)
        allowed = max(_TOLERANCE, 4 * torch.finfo(scores.dtype).eps)
        if (linear - scores).abs().max() <= allowed * scores.abs().max().clamp(min=1e-6):
            return weight.detach().flatten(1)
    return None


def weighed(method: str, slope: Tensor, cells: Tensor) -> Tensor:
    """The map (h, w) of cells (C, h, w), of which the logit has this slope: Grad-CAM (Selvaraju et
    al. 2016, arXiv:1610.02391) weighs a channel by the mean slope; Grad-CAM++ (Chattopadhay et al.
    2017, arXiv:1710.11063) by a mean of its positive slopes whose powers stand for higher
    derivatives of exp(logit). In double precision, for these powers vanish in half.
    """
    slope, cells = slope.double(), cells.double()
    if method == "gradcam":
        weights = slope.mean((1, 2), keepdim=True)
    else:
        square, cube = slope**2, slope**3
        below = 2 * square + cells.sum((1, 2), keepdim=True) * cube
        alpha = torch.where(below == 0, torch.zeros_like(below), square / below)
        weights = (alpha * slope.clamp(min=0)).sum((1, 2), keepdim=True)
    return (weights * cells).sum(0).clamp(min=0)


def spread(cells: np.ndarray, layer: Layer) -> np.ndarray:
    """Cells (h, w) as a map (H, W) of the image: linear between the cells' centres, and beyond
    the outermost ones as they are.
    """
    height, width = layer.image
    rows, columns = layer.centres()
    down = _between(rows, height)
    across = _between(columns, width)
    return down @ cells @ across.T


def _apart(centres: np.ndarray, size: int) -> np.ndarray:
    """The same centres, those that several cells have, as behind upsampling, shared out evenly
    over the part of the image that is nearest to them.
    """
    places, index, counts = np.unique(centres, return_inverse=True, return_counts=True)
    if len(places) == len(centres):
        return centres
    step = np.diff(places).min() if len(places) > 1 else size
    rank = np.array([(index[:i] == own).sum() for i, own in enumerate(index)])
    return centres + ((rank + 0.5) / counts[index] - 0.5) * step


def _between(centres: np.ndarray, size: int) -> np.ndarray:
    """The matrix (size, cells) of linear interpolation between centres."""
    order = np.argsort(centres, kind="stable")
    centres = _apart(centres, size)
    pixels = np.arange(size)
    columns = [np.interp(pixels, centres[order], row[order]) for row in np.eye(len(centres))]
    return np.stack(columns, axis=1)
