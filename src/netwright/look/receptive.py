"""What a unit can see, and what it does see: the analytic field and the effective one in it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor

from netwright.core.net import Net
from netwright.errors import LookError
from netwright.look.geometry import Box, Layer, layer, layers
from netwright.look.images import images_of
from netwright.look.picture import pictures, subject
from netwright.look.result import Look
from netwright.look.watch import Watch, slope_of, watching

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from netwright.data.image import Preprocessing

__all__ = ["FieldCourse", "ReceptiveField", "field", "fields"]

PANELS = 5
"""Fields of a figure."""


@dataclass(frozen=True)
class ReceptiveField(Look):
    """The field of a unit: `box` is what it can depend on, clipped to the image, `whole_box` the
    same with the padding; `effective` (H, W) how strongly it depends on each pixel, as the root of
    the mean squared slope, of 1 in all; None for a net without weights.

    `centre` and `spread` are mean and standard deviation of the effective field (y, x), in pixels,
    as of a Gaussian; `inside` is the share of it that lies in the box: 1, or the plan is wrong.
    """

    layer: Layer
    unit: tuple[int, int]
    box: Box
    whole_box: Box
    effective: np.ndarray | None = None
    centre: tuple[float, float] | None = None
    spread: tuple[float, float] | None = None
    inside: float | None = None
    notes: tuple[str, ...] = ()

    aspect = 0.9

    def arrays(self) -> dict[str, np.ndarray]:
        boxes = {"box": np.array(self.box), "whole_box": np.array(self.whole_box)}
        return boxes if self.effective is None else {**boxes, "effective": self.effective}

    def facts(self) -> dict[str, Any]:
        return {
            "layer": self.layer.path, "unit": list(self.unit), "centre": self.centre,
            "spread": self.spread, "inside": self.inside, "status": self.layer.field.status,
            "notes": list(self.notes),
        }  # fmt: skip

    def draw(self, figure: Figure) -> None:
        axes = figure.subplots()
        self.draw_on(axes)
        top, left, bottom, right = self.whole_box
        title = f"{self.layer.path}, unit {self.unit}: can see {bottom - top} x {right - left}"
        if self.spread:
            down, across = (4 * spread for spread in self.spread)
            title += f", does see {down:.0f} x {across:.0f} (two deviations each way)"
        axes.set_title(title, fontsize=9)

    def draw_on(self, axes: Axes) -> None:
        """The effective field, the analytic one around it, and an ellipse of two deviations."""
        from matplotlib.patches import Ellipse, Rectangle

        height, width = self.layer.image
        values = np.zeros((height, width)) if self.effective is None else self.effective
        axes.imshow(values, cmap="magma")
        for box, style in ((self.whole_box, ":"), (self.box, "-")):
            corner = (box.left - 0.5, box.top - 0.5)
            sides = (box.right - box.left, box.bottom - box.top)
            axes.add_patch(Rectangle(corner, *sides, fill=False, color="cyan", linestyle=style))
        if self.centre and self.spread:
            (y, x), (down, across) = self.centre, self.spread
            axes.add_patch(Ellipse((x, y), 4 * across, 4 * down, fill=False, color="white"))


@dataclass(frozen=True)
class FieldCourse(Look):
    """The fields of one unit in several models, such as the states of one in training, by name."""

    fields: dict[str, ReceptiveField]

    aspect = 0.75

    @property
    def spreads(self) -> np.ndarray:
        """Standard deviations of the effective fields (n, 2), in pixels."""
        return np.array([field.spread for field in self.fields.values()])

    def arrays(self) -> dict[str, np.ndarray]:
        return {"spreads": self.spreads, **{f"{name}.{key}": values
                for name, field in self.fields.items()
                for key, values in field.arrays().items()}}  # fmt: skip

    def facts(self) -> dict[str, Any]:
        every = {name: field.facts() for name, field in self.fields.items()}
        first = next(iter(every.values()))
        notes = dict.fromkeys(note for facts in every.values() for note in facts["notes"])
        return {
            "layer": first["layer"], "unit": first["unit"],
            "fields": {name: {key: facts[key] for key in ("centre", "spread", "inside", "status")}
                       for name, facts in every.items()},
            "notes": list(notes),
        }  # fmt: skip

    def draw(self, figure: Figure) -> None:
        names = list(self.fields)
        at = np.linspace(0, len(names) - 1, min(len(names), PANELS)).round().astype(int)
        halves: Any = figure.subfigures(2, 1)
        above, below = halves
        for axes, i in zip(above.subplots(1, len(at), squeeze=False)[0], at, strict=True):
            self.fields[names[i]].draw_on(axes)
            axes.set_title(names[i], fontsize=8)
            axes.tick_params(labelsize=6)
        first = self.fields[names[0]]
        top, left, bottom, right = first.whole_box
        axes = below.subplots()
        for axis, label in enumerate(("rows", "columns")):
            axes.plot(range(len(names)), 4 * self.spreads[:, axis], marker="o", label=label)
        axes.axhline(max(bottom - top, right - left), color="grey", linestyle=":",
                     label="can be seen at most")  # fmt: skip
        axes.set_xticks(range(len(names)), names, rotation=30, ha="right", fontsize=7)
        axes.set_ylim(bottom=0)
        axes.set_title(f"{first.layer.path}, unit {first.unit}: what it does see, pixels (two "
                       "deviations each way)", fontsize=9)  # fmt: skip
        axes.legend(fontsize=7)


def field(
    model: Any, layer: str, unit: tuple[int, int] | None = None, *,
    images: Any = None, shape: Sequence[int] | None = None, samples: int = 16,
    seed: int = 0, preprocessing: Preprocessing | None = None,
) -> ReceptiveField:  # fmt: skip
    """The receptive field of a layer's unit (y, x), the middle one if not given.

    The effective field (Luo et al. 2016, arXiv:1701.04128) is that of random channels of the unit
    over `images`, or over `samples` images of noise of `shape` (C, H, W), the net's own input
    where it says one. A `Net` has no weights, so only its analytic field is given.
    """
    if isinstance(model, Net):
        return _analytic(_placed(layers(model, shape), layer), unit)
    looked = subject(model, preprocessing)
    shown = [] if images is None else [p.x for p in pictures(looked, images_of(images))]
    places = layers(looked.model, shown[0].shape[1:] if shown else shape)
    place = _placed(places, layer)
    analytic = _analytic(place, unit)
    if samples < 1:
        raise LookError(f"samples is {samples}, wanted at least 1")
    generator = torch.Generator().manual_seed(seed)
    with watching(looked.model, [layer]) as watch:
        shown = shown or _noise(looked.model, shape, samples, generator)
        squares = _squared(watch, shown, layer, analytic.unit, generator)
    return _with_effective(analytic, squares, looked.notes)


def fields(
    models: Mapping[str, Any] | Iterable[tuple[Any, Any]], layer: str,
    unit: tuple[int, int] | None = None, **how: Any,
) -> FieldCourse:  # fmt: skip
    """`field` of the same unit in several models: how the effective field grows in training, and
    how much of the analytic one it fills.

    `models` are models by name, or (name, model) one after the other; each is looked at before
    the next is asked for, so one model in training will do::

        nw.look.fields(((f"epoch {i}", model) for i in train(model)), "stage3")
    """
    pairs = models.items() if isinstance(models, Mapping) else models
    shown = {str(name): field(model, layer, unit, **how) for name, model in pairs}
    if not shown or any(one.effective is None for one in shown.values()):
        raise LookError("wanted some models with weights, by name; a description has none")
    return FieldCourse(shown)


def _placed(places: dict[str, Layer], path: str) -> Layer:
    place = layer(places, path)
    place.check_map()
    return place


def _analytic(place: Layer, unit: tuple[int, int] | None) -> ReceptiveField:
    h, w = place.size
    chosen = (h // 2, w // 2) if unit is None else (int(unit[0]), int(unit[1]))
    box = place.box(chosen)
    return ReceptiveField(place, chosen, box, place.box(chosen, clip=False))


def _noise(
    model: Any, shape: Sequence[int] | None, samples: int, generator: torch.Generator
) -> list[Tensor]:
    size = tuple(shape) if shape is not None else tuple(model.net.input)
    weight = next((p for p in model.parameters() if p.is_floating_point()), torch.zeros(()))
    return [torch.randn(1, *size, generator=generator).to(weight) for _ in range(samples)]


def _squared(
    watch: Watch, images: list[Tensor], path: str, unit: tuple[int, int],
    generator: torch.Generator,
) -> np.ndarray:  # fmt: skip
    """The mean square of the slopes of the unit's channels, taken together with random signs, with
    respect to each pixel: (H, W).
    """
    y, x = unit
    total = np.zeros(tuple(images[0].shape[2:]))
    for image in images:
        image = image.detach().requires_grad_()  # noqa: PLW2901
        watch.run(image)
        values = watch.outputs[path][0, :, y, x]
        signs = torch.randint(0, 2, values.shape, generator=generator).to(values) * 2 - 1
        slope = slope_of(watch, (signs * values).sum(), image)
        total += slope[0].double().square().sum(0).cpu().numpy()
    return total / len(images)


def _with_effective(
    analytic: ReceptiveField, squares: np.ndarray, notes: tuple[str, ...]
) -> ReceptiveField:
    effective = np.sqrt(squares)
    total = effective.sum()
    if not np.isfinite(total) or total == 0:
        raise LookError(f"{analytic.layer.path} at {analytic.unit} answers to no pixel of these "
                        "images: its channels are dead there, or not finite")  # fmt: skip
    effective = effective / total
    rows, columns = np.arange(effective.shape[0]), np.arange(effective.shape[1])
    down, across = effective.sum(1), effective.sum(0)
    centre = float(down @ rows), float(across @ columns)
    spread = (
        float(np.sqrt(down @ (rows - centre[0]) ** 2)),
        float(np.sqrt(across @ (columns - centre[1]) ** 2)),
    )
    top, left, bottom, right = analytic.box
    inside = float(effective[top:bottom, left:right].sum())
    return ReceptiveField(analytic.layer, analytic.unit, analytic.box, analytic.whole_box,
                          effective, centre, spread, inside, notes)  # fmt: skip
