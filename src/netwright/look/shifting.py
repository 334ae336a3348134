"""What changes when the image is moved by a few pixels, and which pools are to blame."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from netwright.core.net import Net
from netwright.core.spec import Spec
from netwright.errors import LookError, TraceError
from netwright.look.geometry import Layer, layer, layers
from netwright.look.images import Images, images_of
from netwright.look.pace import Pace, Tell
from netwright.look.picture import Subject, subject
from netwright.look.result import Look
from netwright.look.watch import logits, watching

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from netwright.data.image import Preprocessing

__all__ = ["Shift", "shift"]

BORDERS = ("reflect", "roll", "zero")


@dataclass(frozen=True)
class Shift(Look):
    """By name of the model, what moving images by `shifts` (n, 2), rows and columns, does.

    `change` (images, n): the distance of the output from where it should be, over the spread of
    the output: of a map, from the map itself moved by as much (0: equivariant), linearly between
    cells where the step of the map does not divide the shift; of scores, from those of the
    unmoved image (0: invariant). `agreement` (images, n): whether the top class stays; `chance`
    (images, n): the probability of the class that was the top one. Both only where the
    output is scores.
    """

    shifts: np.ndarray
    change: dict[str, np.ndarray]
    agreement: dict[str, np.ndarray]
    chance: dict[str, np.ndarray]
    layer: str | None
    border: str
    notes: tuple[str, ...] = ()

    @property
    def aspect(self) -> float:  # type: ignore[override]  # of each figure, where most have one of all
        """Two panels where there are scores."""
        return 0.4 if self.agreement else 0.55

    def consistency(self) -> dict[str, float]:
        """How often the top class is that of the unmoved image (Zhang 2019, arXiv:1904.11486),
        by model, over all images and shifts but none.
        """
        moved = self.shifts.any(1)
        return {name: float(same[:, moved].mean()) for name, same in self.agreement.items()}

    def arrays(self) -> dict[str, np.ndarray]:
        parts = {"change": self.change, "agreement": self.agreement, "chance": self.chance}
        return {"shifts": self.shifts, **{f"{part}.{name}": values
                for part, of in parts.items() for name, values in of.items()}}  # fmt: skip

    def facts(self) -> dict[str, Any]:
        means = {name: float(values.mean()) for name, values in self.change.items()}
        return {"change": means, "consistency": self.consistency(), "layer": self.layer,
                "border": self.border, "notes": list(self.notes)}  # fmt: skip

    def draw(self, figure: Figure) -> None:
        panels = [("what the output is off by, of its spread", self.change)]
        if self.agreement:
            panels += [("images whose top class stays", self.agreement)]
        along, label = self.along()
        colours = {name: f"C{i}" for i, name in enumerate(self.change)}
        for axes, (title, of) in zip(figure.subplots(1, len(panels), squeeze=False)[0], panels,
                                     strict=True):  # fmt: skip
            for name, values in of.items():
                axes.plot(along, values.mean(0), marker="o", markersize=3, label=name,
                          color=colours[name])  # fmt: skip
            axes.set_xlabel(label, fontsize=8)
            axes.set_title(title, fontsize=9)
            axes.set_ylim(bottom=0)
            if len(of) > 1:
                axes.legend(fontsize=7)

    def along(self) -> tuple[np.ndarray, str]:
        """Where a shift stands in the figure: by the one axis it goes along, or its place."""
        for axis, name in ((0, "rows"), (1, "columns")):
            if not self.shifts[:, 1 - axis].any():
                return self.shifts[:, axis], f"shift by {name}, pixels"
        if (self.shifts[:, 0] == self.shifts[:, 1]).all():
            return self.shifts[:, 0], "shift by rows and columns, pixels"
        return np.arange(len(self.shifts)), "shift, by its place in the list"


def shift(
    model: Any, images: Any, shifts: int | Sequence[Any] = 8, layer: str | None = None, *,
    border: str = "reflect", seconds: float | None = None, tell: Tell | None = None,
    preprocessing: Preprocessing | None = None,
) -> Shift:  # fmt: skip
    """How the output of a model, or of a `layer`, changes when images are moved: the curve of
    shift invariance, of several models or pools beside each other.

    Arguments:
        model: a model, or a mapping of names to models; a unit such as `nw.MaxPool(2)` is taken as
            a net of its own, so that pools can be compared.
        images: one, or what `fit` takes.
        shifts: columns from 0 to so many, or a list of columns, or of (rows, columns).
        layer: whose output; that of the model if not given.
        border: what comes in at the edge: the image mirrored (`reflect`), its other side (`roll`),
            or zeros (`zero`), the mean colour of normalised images.
        seconds: after which it ends, as at Ctrl-C, with the images there are.
        tell: hears the share of images that is done.
    """
    moves = _moves(shifts)
    if border not in BORDERS:
        raise LookError(f"border is {border!r}, wanted one of {', '.join(BORDERS)}")
    source = _several(images)
    models = dict(model) if isinstance(model, Mapping) else {"": model}
    if not models or not len(source):
        raise LookError(f"{len(models)} models, {len(source)} images; wanted at least 1 each")
    subjects = {name or "output": _subject_of(one, source[0], preprocessing)
                for name, one in models.items()}  # fmt: skip
    places = {name: _place(looked.model, looked.picture(source[0]).x, layer)
              for name, looked in subjects.items()}  # fmt: skip
    table = list[dict[str, _Row]]()
    with Pace(len(source), tell, seconds) as pace:
        for image in pace.over(source):
            table.append({name: _row(looked, places[name], image, moves, layer, border)
                          for name, looked in subjects.items()})  # fmt: skip
    columns = {
        name: _Row(*map(np.array, zip(*(row[name] for row in table), strict=True)))
        for name in subjects
    }
    scored = {name: column for name, column in columns.items() if np.size(column.agreement)}
    notes = dict.fromkeys(chain.from_iterable(looked.notes for looked in subjects.values()))
    return Shift(
        moves, {name: column.change for name, column in columns.items()},
        {name: column.agreement for name, column in scored.items()},
        {name: column.chance for name, column in scored.items()},
        layer, border, (*pace.note("images"), *notes),
    )  # fmt: skip


def _moves(shifts: int | Sequence[Any]) -> np.ndarray:
    steps = list[Any](range(shifts + 1) if isinstance(shifts, int) else shifts)
    moves = [(0, step) if np.ndim(step) == 0 else tuple(step) for step in steps]
    if not moves or not all(
        len(move) == 2 and all(isinstance(n, int | np.integer) for n in move) for move in moves
    ):
        raise LookError(f"shifts is {shifts!r}, wanted a number of columns, or a list of columns "
                        "or of (rows, columns), in whole pixels")  # fmt: skip
    return np.array(moves, np.int64)


def _several(images: Any) -> Images:
    """One image as a set of one."""
    single = hasattr(images, "convert") or (hasattr(images, "ndim") and images.ndim <= 3)
    return images_of([images] if single else images)


def _subject_of(model: Any, image: Any, preprocessing: Preprocessing | None) -> Subject:
    """The model; a unit is built for images of this size."""
    if isinstance(model, Spec):
        x = Subject(nn.Identity(), preprocessing).picture(image).x
        model = Net(model, tuple(x.shape[1:]), type(model).__name__).build(seed=0).eval()
    return subject(model, preprocessing)


class _Row(NamedTuple):
    """Of one image at every shift, or of all; of what is not scores only the change."""

    change: Any
    agreement: Any
    chance: Any


def _row(
    looked: Subject, place: Layer | None, image: Any, moves: np.ndarray, path: str | None,
    border: str,
) -> _Row:  # fmt: skip
    x = looked.picture(image).x
    outputs = list[Tensor]()
    with watching(looked.model, [path] if path else []) as watch, torch.no_grad():
        for down, across in [(0, 0), *moves.tolist()]:
            result = watch.run(moved(x, down, across, border))
            given = watch.outputs[path] if path else result
            outputs.append((given if isinstance(given, Tensor) else logits(given))[0].double())
    first, *others = outputs
    change = [_apart(first, output, place, move)
              for output, move in zip(others, moves.tolist(), strict=True)]  # fmt: skip
    if not np.isfinite(change).all():
        raise LookError("the output has values that are not finite; look at the weights")
    if path is not None or first.dim() != 1:
        return _Row(change, [], [])
    top = first.argmax()
    return _Row(change, [bool(scores.argmax() == top) for scores in others],
                [float(scores.softmax(0)[top]) for scores in others])  # fmt: skip


def _place(model: nn.Module, x: Tensor, path: str | None) -> Layer | None:
    """Where the units of the output look; None of a model that cannot be followed."""
    if path is not None:
        return layer(layers(model, x.shape[1:]), path)
    whole = nn.Sequential()
    whole.add_module("output", model)
    try:
        return layers(whole, x.shape[1:]).get("output")
    except (LookError, TraceError):
        return None


def moved(x: Tensor, down: int, across: int, border: str) -> Tensor:
    """Images (N, C, H, W) moved by whole pixels."""
    height, width = x.shape[2:]
    if border == "roll":
        return x.roll((down, across), (2, 3))
    if max(abs(down) / height, abs(across) / width) >= 1:
        raise LookError(f"a shift of ({down}, {across}) leaves nothing of an image of {height} x "
                        f"{width}")  # fmt: skip
    ways = (max(across, 0), max(-across, 0), max(down, 0), max(-down, 0))
    mode = {"reflect": "reflect", "zero": "constant"}[border]
    wide = torch.nn.functional.pad(x, ways, mode=mode)
    top, left = max(-down, 0), max(-across, 0)
    return wide[:, :, top : top + height, left : left + width]


def _apart(before: Tensor, after: Tensor, place: Layer | None, move: Sequence[int]) -> float:
    """The distance from the output expected, over the spread of the unmoved one."""
    spread = before - before.mean()
    if before.dim() > 2 and (place is None or not place.is_map):
        raise LookError("nobody knows where the units of this output look, so they cannot be "
                        "followed when the image moves; choose a layer")  # fmt: skip
    if place is not None and place.is_map:
        before, after = _expected(before, after, place, move)
    scale = float(spread.square().mean().sqrt())
    distance = float((after - before).square().mean().sqrt())
    return distance / scale if scale else distance


def _expected(
    before: Tensor, after: Tensor, place: Layer, move: Sequence[int]
) -> tuple[Tensor, Tensor]:
    """The map before, moved, beside that after, where both are: no border comes in."""
    for dim, (pixels, jump) in enumerate(zip(move, _jumps(place), strict=True), 1):
        cells = pixels / jump
        low = int(np.floor(cells))
        part = cells - low
        size = before.shape[dim]
        inner = max(abs(low), abs(low + 1)) if part else abs(low)
        if 2 * inner >= size:
            raise LookError(f"a shift of {pixels} pixels moves a map of {size} cells by {cells:g}; "
                            "wanted less than half of the map")  # fmt: skip
        keep = slice(inner, size - inner)
        near = before.roll(low, dim)
        if part:
            near = (1 - part) * near + part * before.roll(low + 1, dim)
        at = (slice(None),) * dim + (keep,)
        before, after = near[at], after[at]
    return before, after


def _jumps(place: Layer) -> tuple[float, float]:
    """Pixels from one cell to the next, by axis."""
    rows, columns = place.centres()
    steps = [float(np.diff(side).mean()) if len(side) > 1 else 1.0 for side in (rows, columns)]
    return steps[0], steps[1]
