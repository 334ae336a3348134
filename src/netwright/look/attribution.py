"""Which pixels a class score depends on."""

from __future__ import annotations

from dataclasses import dataclass, replace
from time import monotonic
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor

from netwright.core.shape import show
from netwright.errors import LookError, nearest
from netwright.look.borrowed import PREFIX, by_captum, others
from netwright.look.cams import cam_layers, default_layer, head_of, spread, weighed
from netwright.look.geometry import Layer, layer, layers
from netwright.look.integral import MOST, integrated
from netwright.look.pace import Pace, Tell
from netwright.look.picture import Subject, subject
from netwright.look.relus import Rectified
from netwright.look.result import Look, show_image, show_over
from netwright.look.smoothing import Smoothing, smoothed
from netwright.look.watch import Watch, gradient, opaque, slope_of, watching

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from netwright.data.image import Preprocessing

__all__ = ["METHODS", "Attribution", "attribute"]

PIXELS = ("gradient", "smoothgrad", "integrated", "guided", "deconvnet")
CELLS = ("gradcam", "gradcam++", "cam")
METHODS = (*PIXELS, *CELLS)
"""Ours; `captum.NAME` is one of `others`."""
UNFAITHFUL = ("guided", "deconvnet")
"""Methods whose maps hardly change when the weights are made random (Adebayo et al. 2018,
arXiv:1810.03292): they show edges of the image."""


@dataclass(frozen=True)
class Attribution(Look):
    """A map (H, W) of what pixels do for a class.

    `values` is what it was made of: a number for every value of the image (C, H, W), or for
    every cell (h, w) of `layer`. `score` is the class's logit, or the value of the `unit` that
    was asked about, at `path`; `error` how much of the difference to the baseline integrated
    gradients leave unexplained, 0 elsewhere. `mark` says how the map came through its checks,
    where it was to be checked.
    """

    method: str
    map: np.ndarray
    values: np.ndarray
    target: int
    name: str
    score: float
    pixels: np.ndarray
    layer: Layer | None = None
    error: float = 0.0
    notes: tuple[str, ...] = ()
    path: str | None = None
    unit: tuple[int, ...] | None = None
    mark: str = ""

    aspect = 0.5

    def arrays(self) -> dict[str, np.ndarray]:
        return {"map": self.map, "values": self.values, "pixels": self.pixels}

    def facts(self) -> dict[str, Any]:
        return {
            "method": self.method, "target": self.target, "name": self.name, "score": self.score,
            "layer": self.path, "error": self.error,
            "unit": None if self.unit is None else list(self.unit), "mark": self.mark,
            "notes": list(self.notes),
        }  # fmt: skip

    def draw(self, figure: Figure) -> None:
        left, right = figure.subplots(1, 2)
        show_image(left, self.pixels, f"{self.name}: {self.score:.3g}")
        where = f" at {self.path}" if self.layer else ""
        drawn = show_over(right, self.pixels, self.map, f"{self.method}{where}")
        figure.colorbar(drawn, ax=right, shrink=0.8)
        remarks = [self.mark, *self.notes] if self.mark else self.notes
        if remarks:
            figure.supxlabel("\n".join(remarks), fontsize=7)


def attribute(
    model: Any, image: Any, method: str = "gradcam", target: int | str | None = None,
    layer: str | None = None, *, unit: tuple[int, ...] | None = None,
    preprocessing: Preprocessing | None = None, samples: int = 25, noise: float = 0.15,
    seed: int = 0, check: bool = False, seconds: float | None = None, tell: Tell | None = None,
) -> Attribution:  # fmt: skip
    """What the pixels of an image do for the logit of a class, the top one if not given; or for
    the value of a `unit` (channel, y, x) of `layer`.

    `method` is one of
    `gradient`: the largest slope |d logit / d x| over the channels (Simonyan et al. 2013,
    arXiv:1312.6034);
    `smoothgrad`: the same of the mean slope over `samples` images with `noise` of the image's
    range added (Smilkov et al. 2017, arXiv:1706.03825);
    `integrated`: slopes along the way from a baseline of zeros (the mean colour, where images are
    normalised) times the difference, summed over the channels; they add up to the difference of
    the logits (Sundararajan et al. 2017, arXiv:1703.01365);
    `guided`, `deconvnet`: slopes through ReLUs that let only positive ones pass; of max pools
    they go back to where the maximum was (the paper's switches), of a unit from it alone;
    `gradcam`, `gradcam++`, `cam`: cells of a `layer`, by default the last map, weighed by what
    their channels do for the class. They are placed at their true centres;
    `captum.NAME`: DeepLift, InputXGradient, GradientShap or KernelShap of captum (the extra
    `captum`), with the same baseline.

    With `check` the map is held against those of other weights and other classes, as
    `nw.look.trust` does, and gets a mark.

    SmoothGrad, integrated gradients and the checks end after `seconds` (together), or at Ctrl-C,
    with what there is: the mean of fewer samples, coarser steps with the `error` that is left,
    fewer checks. `tell` hears the share that is done.
    """
    begun, how = monotonic(), Smoothing(samples, noise, seed)
    _check(method, target, layer, unit, how)
    looked = subject(model, preprocessing)
    picture = looked.picture(image)
    rounds = samples if method == "smoothgrad" else MOST
    pace = Pace(rounds, None if check else tell, seconds)
    if method in CELLS:
        drawn, score, index = _by_cells(looked, picture.x, method, target, layer)
    else:
        with watching(looked.model, [layer] if layer else [], unit) as watch:
            with torch.no_grad():
                scores = watch(picture.x)[0] if unit is None else _of_unit(watch, picture.x, unit)
            index = looked.index(target, scores) if unit is None else 0
            score = float(scores[index])
            drawn = _by_pixels(watch, picture.x, method, index, how, pace)
    notes = (*drawn.notes, *picture.notes)
    if not np.isfinite(drawn.map).all():
        raise LookError(f"the {method} map has values that are not finite; look at the weights")
    name = f"{layer}, channel {unit[0]} at {tuple(unit[1:])}" if unit else looked.name(index)
    look = Attribution(
        method, drawn.map, drawn.values, unit[0] if unit else index, name, score, picture.pixels,
        drawn.layer, drawn.error, notes, drawn.layer.path if drawn.layer else layer, unit,
    )  # fmt: skip
    if check and pace.early:
        return replace(look, mark="not checked: stopped early")
    if check:
        from netwright.look.trusting import trust

        left = None if seconds is None else max(0.0, seconds - (monotonic() - begun))
        return trust(looked, picture, look, **how._asdict(), seconds=left, tell=tell).look
    return look


def _check(
    method: str, target: int | str | None, layer: str | None, unit: tuple[int, ...] | None,
    how: Smoothing,
) -> None:  # fmt: skip
    """Refuses what no map can be of."""
    if method not in METHODS and not method.startswith(PREFIX):
        raise nearest("method", method, [*METHODS, *others()])
    if (layer is None) != (unit is None) and method not in CELLS:
        raise LookError(f"{method} is about pixels and takes a layer with a unit (channel, y, x), "
                        "or neither; gradcam takes a layer")  # fmt: skip
    if unit is not None and (method in CELLS or target is not None):
        raise LookError("a unit is asked about in place of a class, by a method of pixels")
    if how.samples < 1 or how.noise < 0:
        raise LookError(f"samples is {how.samples}, noise {how.noise}; wanted at least 1, and 0 or "
                        "more")  # fmt: skip


def _of_unit(watch: Watch, x: Tensor, unit: tuple[int, ...]) -> Tensor:
    """The value (1,) of a unit; `LookError` where the layer has none there."""
    watch.run(x)
    shape = tuple(watch.outputs[watch.paths[0]].shape[1:])
    if len(unit) != len(shape) or not all(0 <= i < n for i, n in zip(unit, shape, strict=True)):
        raise LookError(f"{watch.paths[0]} has no unit {tuple(unit)}; it gives {show(shape)}")
    return watch(x)[0]


@dataclass(frozen=True)
class _Map:
    map: np.ndarray
    values: np.ndarray
    layer: Layer | None = None
    error: float = 0.0
    notes: tuple[str, ...] = ()


def _by_pixels(
    watch: Watch, x: Tensor, method: str, target: int, how: Smoothing, pace: Pace
) -> _Map:
    if method == "smoothgrad":
        values = _numbers(smoothed(watch, x, target, how, pace)[0])
        return _Map(np.abs(values).max(0), values, notes=pace.note("samples"))
    if method == "integrated":
        total, error, notes = integrated(watch, x, torch.zeros_like(x), target, pace)
        values = _numbers(total)
        return _Map(values.sum(0), values, error=error, notes=notes)
    if method in UNFAITHFUL:
        values = _rectified(watch, x, target, gated=method == "guided")
        note = f"{method} fails the randomisation check: it shows edges more than reasons"
        return _Map(np.abs(values).max(0), values, notes=(note,))
    if method.startswith(PREFIX):
        values, error = by_captum(watch, x, method, target, how.seed)
        return _Map(values.sum(0), values, error=error)
    values = _numbers(gradient(watch, x, target)[0])
    return _Map(np.abs(values).max(0), values)


def _rectified(watch: Watch, x: Tensor, target: int, *, gated: bool) -> np.ndarray:
    hidden = opaque(watch.model)
    if hidden:
        raise LookError(f"{hidden}, so its ReLUs cannot be reached; use the model it was made of")
    with Rectified(gated=gated) as rule:
        values = gradient(watch, x, target)
    if rule.count == 0:
        raise LookError("the model calls no ReLU, so this would be the plain gradient; ask for it")
    return _numbers(values[0])


def _by_cells(
    looked: Subject, x: Tensor, method: str, target: int | str | None, path: str | None
) -> tuple[_Map, float, int]:
    places = layers(looked.model, x.shape[1:])
    modules = dict(looked.model.named_modules())
    if path is None:
        paths = cam_layers(places) if method == "cam" else [default_layer(places, modules)]
    else:
        layer(places, path).check_map()
        paths = [path]
    with watching(looked.model, paths) as watch:
        scores = watch(x.detach().requires_grad_())
        index = looked.index(target, scores[0])
        if method == "cam":
            chosen, cells = _linear(watch, scores, paths, index)
        else:
            chosen = paths[0]
            outputs = watch.outputs[chosen]
            slope = slope_of(watch, scores[0, index], outputs)[0]
            cells = weighed(method, slope, outputs[0].detach())
    values = _numbers(cells)
    return (
        _Map(spread(values, places[chosen]), values, places[chosen]),
        float(scores[0, index].detach()),
        index,
    )


def _linear(watch: Watch, scores: Tensor, paths: list[str], index: int) -> tuple[str, Tensor]:
    """The layer that a linear head averages, and the class's share of each cell (Zhou et al.
    2015, arXiv:1512.04150).
    """
    for path in paths:
        cells = watch.outputs[path]
        weights = head_of(watch.model, cells, scores)
        if weights is not None:
            return path, (weights[index, :, None, None] * cells[0]).sum(0)
    where = paths[0] if len(paths) == 1 else "any layer"
    raise LookError("CAM needs logits that are linear in the means of a map; they are not in those "
                    f"of {where}; use gradcam")  # fmt: skip


def _numbers(values: Tensor) -> np.ndarray:
    return values.detach().cpu().double().numpy()
