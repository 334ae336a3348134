"""How a model takes images that are blurred, noisy, pale, or robbed of texture or of shape."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor

from netwright.data.corrupt import CHANGES, STRENGTHS, corrupted
from netwright.errors import LookError, nearest
from netwright.look.images import Images, images_of
from netwright.look.pace import Pace, Tell
from netwright.look.picture import Subject, subject
from netwright.look.result import Look, show_image
from netwright.look.watch import Watch, mixes, watching

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from netwright.data.image import Preprocessing

__all__ = ["Sensitivity", "sensitivity"]

CHOSEN = ("blur", "noise", "texture", "shape", "contrast")


@dataclass(frozen=True)
class Sensitivity(Look):
    """By kind of change, at no change and at each of its strengths: `right` (4,), the share of
    images whose top class is their label's, or that of the image as it is where there are no
    labels (`labelled` says); `chance` (4,), the mean probability of that class; `stays` (4,), the
    share of images whose top class stays. `examples` shows the first image so changed.
    """

    right: dict[str, np.ndarray]
    chance: dict[str, np.ndarray]
    stays: dict[str, np.ndarray]
    examples: dict[str, np.ndarray]
    labelled: bool
    count: int
    notes: tuple[str, ...] = ()

    aspect = 0.62

    def arrays(self) -> dict[str, np.ndarray]:
        parts = {"right": self.right, "chance": self.chance, "stays": self.stays,
                 "examples": self.examples}  # fmt: skip
        return {f"{part}.{kind}": values for part, of in parts.items()
                for kind, values in of.items()}  # fmt: skip

    def facts(self) -> dict[str, Any]:
        return {"right": {kind: values.tolist() for kind, values in self.right.items()},
                "labelled": self.labelled, "images": self.count,
                "notes": list(self.notes)}  # fmt: skip

    def draw(self, figure: Figure) -> None:
        halves: Any = figure.subfigures(2, 1, height_ratios=(1, 2))
        above, below = halves
        for axes, (kind, pixels) in zip(above.subplots(1, len(self.examples), squeeze=False)[0],
                                        self.examples.items(), strict=True):  # fmt: skip
            show_image(axes, pixels[-1], kind)
        left, right = below.subplots(1, 2)
        title = "images that are right" if self.labelled else "images whose top class stays"
        for axes, of, name in ((left, self.right, title),
                               (right, self.chance, "mean probability of the class")):  # fmt: skip
            for kind, values in of.items():
                axes.plot(range(len(values)), values, marker="o", markersize=3, label=kind)
            axes.set_ylim(0, 1.02)
            axes.set_xticks(range(len(STRENGTHS) + 1))
            axes.set_xlabel("strength; 0 is the image as it is", fontsize=8)
            axes.set_title(f"{name}, of {self.count}", fontsize=9)
        right.legend(fontsize=7)


def sensitivity(
    model: Any, images: Any, changes: str | Sequence[str] = CHOSEN, *, batch: int = 16,
    seed: int = 0, seconds: float | None = None, tell: Tell | None = None,
    preprocessing: Preprocessing | None = None,
) -> Sensitivity:  # fmt: skip
    """What a model says of images when they are changed, at three strengths each.

    `changes` are some of `netwright.data.corrupt.CHANGES`: the corruptions that `evaluate` knows
    (noise, blur, contrast and others), `texture`, which takes fine patterns away and leaves
    outlines, and `shape`, which shuffles tiles and leaves texture: a net that falls with the one
    and stands with the other goes by texture (Geirhos et al. 2019, arXiv:1811.12231). They happen
    to the image as the model sees it, at its size. After `seconds`, or at Ctrl-C, the rest of the
    images is left out; `tell` hears the share that has passed.
    """
    looked, source = subject(model, preprocessing), images_of(images)
    changes = (changes,) if isinstance(changes, str) else tuple(dict.fromkeys(changes))
    for name in changes:
        if name not in CHANGES:
            raise nearest("change", name, CHANGES)
    if not len(source) or not changes or batch < 1:
        raise LookError(f"{len(source)} images, {len(changes)} changes, batch {batch}; wanted at "
                        "least 1 each")  # fmt: skip
    pace = Pace(len(source), tell, seconds)
    with watching(looked.model) as watch, torch.no_grad():
        state = _State(looked, watch, changes, seed)
        first = looked.picture(source[0]).x
        size = 1 if mixes(watch, first) else batch
        starts = range(0, len(source), size)
        parts = [range(start, min(start + size, len(source))) for start in starts]
        with pace:
            for part in pace.over(parts, len):
                state.take(source, part)
    return state.result(pace.note("images"))


class _State:
    """Sums over the images that have passed."""

    def __init__(self, looked: Subject, watch: Watch, changes: Sequence[str], seed: int) -> None:
        self.looked, self.watch, self.changes, self.seed = looked, watch, changes, seed
        kinds = [(kind, strength) for kind in changes for strength in STRENGTHS]
        self.sums = {key: np.zeros(3) for key in [("", 0), *kinds]}
        self.examples: dict[str, np.ndarray] = {}
        self.labelled = False
        self.notes: list[str] = []
        self.count = 0

    def take(self, source: Images, chosen: range) -> None:
        items = [source.item(i) for i in chosen]
        shown = [self.looked.picture(image) for image, _ in items]
        pixels = [picture.pixels for picture in shown]
        self.notes += [n for picture in shown for n in picture.notes if n not in self.notes]
        plain = torch.cat([self.looked.of_pixels(values) for values in pixels])
        given = torch.cat([picture.x for picture in shown])
        if plain.shape != given.shape or float((plain - given).abs().max()) > 0.05 * float(
            given.abs().max()
        ):
            raise LookError("these images are tensors whose pixels nobody knows; hand over images, "
                            "or a preprocessing that says how they were normalised")  # fmt: skip
        before = self._shares(given)
        labels = np.array([source.number(self.looked, label) for _, label in items])
        self.labelled = self.labelled or bool((labels >= 0).any())
        top = before.argmax(1)
        truth = np.where(labels >= 0, labels, top)
        if truth.max() >= before.shape[1]:
            raise LookError(f"there is a label {truth.max()}, the model has {before.shape[1]} "
                            "classes")  # fmt: skip
        sums = {("", 0): _summed(before, truth, top)}
        for kind in self.changes:
            for strength in STRENGTHS:
                changed = [corrupted(values, kind, strength, self.seed + i)
                           for i, values in zip(chosen, pixels, strict=True)]  # fmt: skip
                if chosen.start == 0:
                    kept = self.examples.get(kind, np.empty((0, *changed[0].shape), np.uint8))
                    self.examples[kind] = np.concatenate([kept, changed[0][None]])
                x = torch.cat([self.looked.of_pixels(values) for values in changed])
                sums[kind, strength] = _summed(self._shares(x), truth, top)
        for key, values in sums.items():
            self.sums[key] += values
        self.count += len(chosen)

    def _shares(self, x: Tensor) -> np.ndarray:
        scores = self.watch(x).double()
        if not bool(scores.isfinite().all()):
            raise LookError("the model gives scores that are not finite; look at the weights")
        return scores.softmax(1).cpu().numpy()

    def result(self, notes: Sequence[str]) -> Sensitivity:
        curves = {kind: np.stack([self.sums["", 0], *[self.sums[kind, s] for s in STRENGTHS]])
                  / self.count for kind in self.changes}  # fmt: skip
        right, chance, stays = [
            {kind: values[:, i] for kind, values in curves.items()} for i in range(3)
        ]
        return Sensitivity(right, chance, stays, self.examples, self.labelled, self.count,
                           (*notes, *self.notes))  # fmt: skip


def _summed(shares: np.ndarray, truth: np.ndarray, top: np.ndarray) -> np.ndarray:
    """Right answers, chances of the true class, and answers that are those of before."""
    says = shares.argmax(1)
    chance = shares[np.arange(len(truth)), truth]
    return np.array([(says == truth).sum(), chance.sum(), (says == top).sum()])
