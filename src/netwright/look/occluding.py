"""What the score of a class loses where the image is covered (Zeiler & Fergus 2013)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from math import isfinite
from numbers import Integral
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from netwright.errors import LookError
from netwright.look import local
from netwright.look.covered import References, Windows, covered, uncovered
from netwright.look.pace import Pace, Tell
from netwright.look.picture import Subject, subject
from netwright.look.result import Look, show_image, show_over
from netwright.look.watch import TOLERANCE, Watch, logits, opaque, watching

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from netwright.data.image import Preprocessing

__all__ = ["Occlusion", "occlusion"]

_RULES = (local,)  # importing them registers them

FILLS = ("mean", "zero", "grey", "blur")


@dataclass(frozen=True)
class Occlusion(Look):
    """Logit and probability of a class with each window covered, (rows, columns).

    `boxes` (rows, columns, 4) are the windows: top, left, bottom, right. `map` (H, W) is what the
    logit loses, on average over the windows that cover a pixel. Of windows there was no time for
    both are NaN, and the map leaves them out. `score` and `chance` are
    logit and probability of the image as it is; `incremental` says how it was computed. Of a run
    they are those of its net: `Run.predict` scales logits and may average over mirror images.
    """

    logit: np.ndarray
    probability: np.ndarray
    boxes: np.ndarray
    map: np.ndarray
    target: int
    name: str
    score: float
    chance: float
    fill: str
    incremental: bool
    pixels: np.ndarray
    notes: tuple[str, ...] = ()

    aspect = 0.4

    def arrays(self) -> dict[str, np.ndarray]:
        return {"logit": self.logit, "probability": self.probability, "boxes": self.boxes,
                "map": self.map, "pixels": self.pixels}  # fmt: skip

    def facts(self) -> dict[str, Any]:
        return {
            "target": self.target, "name": self.name, "score": self.score, "chance": self.chance,
            "fill": self.fill, "incremental": self.incremental, "notes": list(self.notes),
        }  # fmt: skip

    def draw(self, figure: Figure) -> None:
        left, middle, right = figure.subplots(1, 3)
        show_image(left, self.pixels, f"{self.name}: {self.score:.3g} ({self.chance:.0%})")
        drawn = show_over(middle, self.pixels, self.map, f"what the logit loses, fill {self.fill}")
        figure.colorbar(drawn, ax=middle, shrink=0.7)
        grid = right.imshow(self.probability, vmin=0, vmax=1, cmap="viridis")
        right.set_title("probability, a window each", fontsize=9)
        figure.colorbar(grid, ax=right, shrink=0.7)


def occlusion(
    model: Any, image: Any, size: int = 32, stride: int = 16, target: int | str | None = None,
    fill: str | float = "mean", *, batch: int = 16, incremental: bool = True,
    seconds: float | None = None, tell: Tell | None = None,
    preprocessing: Preprocessing | None = None,
) -> Occlusion:  # fmt: skip
    """Score of a class, the top one if not given, with a `size` x `size` square over the image at
    every `stride` pixels.

    `fill` is the colour of the square: `mean` of the image, `zero` (the mean colour of the
    training images, where images are normalised), `grey`, `blur` (the image itself, blurred), or
    a number. Only what a square can reach is recomputed, exactly: the result is that of
    covering the image and running all of the net, which `incremental=False` does. After `seconds`,
    or at Ctrl-C, it ends with the squares there are; `tell` hears the share that is done.
    """
    looked = subject(model, preprocessing)
    picture = looked.picture(image)
    x = picture.x
    windows = _grid(x.shape[2:], size, stride, batch)
    ground = _filled(looked, x, fill, size)
    notes: list[str] = []
    with watching(looked.model) as watch, torch.no_grad():
        before = watch(x)[0]
        index = looked.index(target, before)
        if not bool(before.isfinite().all()):
            raise LookError("the model gives scores that are not finite; look at the weights")
        hidden = opaque(looked.model) if incremental else None
        if hidden:
            incremental = False
            notes.append(f"{hidden}; every window was computed in full")
        pace = Pace(len(windows.tops), tell, seconds)
        scores = _together(watch, x, ground, windows, batch, incremental, pace)
        if scores is None or not _agrees(watch, x, ground, windows, scores, before):
            incremental, pace = False, Pace(len(windows.tops), tell, seconds)
            scores = _scores(watch, x, ground, windows, 1, incremental, pace)
            notes.append("windows together did not give what one gives alone; every one was run "
                         "alone and in full")  # fmt: skip
    rows, count = len(dict.fromkeys(windows.tops)), len(scores)
    boxes = np.array([(top, left, top + size, left + size)
                      for top, left in zip(windows.tops, windows.lefts, strict=True)])  # fmt: skip
    logit, chances = np.full((2, len(boxes)), np.nan)
    logit[:count] = scores[:, index].double().cpu().numpy()
    chances[:count] = scores.double().softmax(1)[:, index].cpu().numpy()
    score, chance = float(before[index]), float(before.double().softmax(0)[index])
    lost = _spread(boxes[:count], score - logit[:count], (x.shape[2], x.shape[3]))
    return Occlusion(
        logit.reshape(rows, -1), chances.reshape(rows, -1), boxes.reshape(rows, -1, 4), lost,
        index, looked.name(index), score, chance, str(fill), incremental, picture.pixels,
        (*pace.note("squares"), *notes, *picture.notes),
    )  # fmt: skip


def _grid(image: Any, size: int, stride: int, batch: int) -> Windows:
    height, width = image
    if not all(isinstance(n, Integral) for n in (size, stride, batch)) or not (
        1 <= size <= min(height, width) and min(stride, batch) >= 1
    ):
        raise LookError(f"size is {size}, stride {stride}, batch {batch}; wanted a size of 1 to "
                        f"{min(height, width)}, and whole numbers of at least 1")  # fmt: skip
    tops, lefts = (range(0, n - size + 1, stride) for n in (height, width))
    places = [(top, left) for top in tops for left in lefts]
    return Windows(*[tuple(side) for side in zip(*places, strict=True)], size, size)  # type: ignore[arg-type]


def _filled(looked: Subject, x: Tensor, fill: str | float, size: int) -> Tensor:
    """What is seen of the squares, as an image (1, C, H, W)."""
    if isinstance(fill, int | float) and isfinite(fill):
        return torch.full_like(x, fill)
    if fill == "mean":
        return x.mean((2, 3), keepdim=True).expand_as(x)
    if fill == "zero":
        return torch.zeros_like(x)
    if fill == "blur":
        around = size // 2
        border = [min(around, n - 1) for n in x.shape[2:]]
        ways = (border[1], border[1], border[0], border[0])
        kernel = (2 * border[0] + 1, 2 * border[1] + 1)
        return F.avg_pool2d(F.pad(x, ways, mode="reflect"), kernel, 1)
    if fill == "grey":
        return looked.normal(torch.full_like(x, 0.5))
    raise LookError(f"fill is {fill!r}, wanted a number or one of {', '.join(FILLS)}")


def _chunks(windows: Windows, batch: int) -> Iterator[Windows]:
    for at in range(0, len(windows.tops), batch):
        part = slice(at, at + batch)
        yield Windows(windows.tops[part], windows.lefts[part], windows.height, windows.width)


def _squares(ground: Tensor, windows: Windows) -> Tensor:
    tops, lefts, h, w = windows
    return torch.cat([ground[:, :, top : top + h, left : left + w]
                      for top, left in zip(tops, lefts, strict=True)])  # fmt: skip


def _together(
    watch: Watch, x: Tensor, ground: Tensor, windows: Windows, batch: int, incremental: bool,
    pace: Pace,
) -> Tensor | None:  # fmt: skip
    """The scores of all windows, several at a time; None of a model that refuses them so."""
    try:
        return _scores(watch, x, ground, windows, batch, incremental, pace)
    except LookError:
        return None


def _scores(
    watch: Watch, x: Tensor, ground: Tensor, windows: Windows, batch: int, incremental: bool,
    pace: Pace,
) -> Tensor:  # fmt: skip
    """The scores (n, classes) of the windows, or of the first ones that there is time for."""
    references, parts = References(), list[Tensor]()
    with pace:
        for chunk in pace.over(_chunks(windows, batch), lambda chunk: len(chunk.tops)):
            references.restart()
            images = covered(x, _squares(ground, chunk), chunk, references)
            result = watch.run(images if incremental else uncovered(images))
            parts.append(uncovered(logits(result)))
    return torch.cat(parts)


def _agrees(
    watch: Watch, x: Tensor, ground: Tensor, windows: Windows, scores: Tensor, before: Tensor
) -> bool:
    """Whether the window that changes most gives the same scores in a full pass of its own."""
    most = int((scores - before).abs().amax(1).argmax())
    one = Windows((windows.tops[most],), (windows.lefts[most],), windows.height, windows.width)
    full = _scores(watch, x, ground, one, 1, False, Pace(1))[0]
    scale = float(full.abs().max()) or 1.0
    return float((full - scores[most]).abs().max()) <= TOLERANCE * scale


def _spread(boxes: np.ndarray, values: np.ndarray, image: tuple[int, int]) -> np.ndarray:
    """The mean over the boxes that cover a pixel, 0 where none does."""
    total, count = np.zeros(image), np.zeros(image)
    for (top, left, bottom, right), value in zip(boxes, values, strict=True):
        total[top:bottom, left:right] += value
        count[top:bottom, left:right] += 1
    return total / np.maximum(count, 1)
