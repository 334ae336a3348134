"""Whether a map depends on what it claims to explain: the weights and the class.

Adebayo et al. 2018 (arXiv:1810.03292): a map that hardly changes when the weights are made
random shows the image, not the model.
"""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import pairwise
from textwrap import wrap
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from scipy.stats import rankdata
from torch import nn

from netwright.errors import LookError
from netwright.look.attribution import CELLS, Attribution, attribute
from netwright.look.picture import Picture, Subject, subject
from netwright.look.result import Look, shorten, show_over
from netwright.look.watch import watching

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from netwright.data.image import Preprocessing

__all__ = ["Trust", "trust"]

STEPS = 6
"""Parts in which the weights are made random, from the last layer to the first."""
LIMIT = 0.7
"""Mean rank correlation, while the upper layers are random, from which on a map counts as
unchanged. On EfficientNet-Lite0 and photos it is 0.9 of guided backpropagation and deconvnet,
below 0.5 of all others."""
ALIKE = 0.95
"""The same between classes, of which likely ones are about one object and look alike."""
OTHERS = 3
"""Other classes that are asked about."""


@dataclass(frozen=True)
class Trust(Look):
    """The map `look` beside those it should differ from.

    `random` (steps,): its rank correlation with the map after more and more weights, from the
    last layer on, were shuffled; `layers` (steps,) is the first layer that was shuffled at each,
    `maps` (steps, H, W) what came of it. `labels` (k,): the same for maps of other classes.
    `shuffled`: the same for the map of a model that learnt shuffled labels, where one was given.
    """

    look: Attribution
    random: np.ndarray
    layers: tuple[str, ...]
    maps: np.ndarray
    labels: np.ndarray
    shuffled: float | None = None

    aspect = 0.55

    @property
    def depends_on_weights(self) -> bool:
        """Whether the map changes as the weights do."""
        return self.upper < LIMIT and (self.shuffled is None or self.shuffled < LIMIT)

    @property
    def upper(self) -> float:
        """The mean of `random` up to where the upper half of the layers was shuffled."""
        return float(np.mean(self.random[: len(self.random) // 2 + 1]))

    @property
    def depends_on_class(self) -> bool | None:
        """Whether it changes with the class; None of a unit, or where there is one class."""
        return bool(np.mean(self.labels) < ALIKE) if len(self.labels) else None

    @property
    def mark(self) -> str:
        """One line about both."""
        verdict = "passes" if self.depends_on_weights else "FAILS"
        line = (f"{self.look.method} {verdict} the randomisation check (rank correlation "
                f"{self.upper:.2f} with upper layers shuffled")  # fmt: skip
        if self.shuffled is not None:
            line += f", {self.shuffled:.2f} with labels"
        if self.depends_on_class is None:
            return line + ")"
        verdict = "differs" if self.depends_on_class else "HARDLY DIFFERS"
        return f"{line}) and {verdict} between classes ({np.mean(self.labels):.2f})"

    def arrays(self) -> dict[str, np.ndarray]:
        return {"random": self.random, "maps": self.maps, "labels": self.labels,
                **self.look.arrays()}  # fmt: skip

    def facts(self) -> dict[str, Any]:
        return {
            **self.look.facts(), "layers": list(self.layers), "random": self.random.tolist(),
            "labels": self.labels.tolist(), "shuffled": self.shuffled,
            "depends_on_weights": self.depends_on_weights,
            "depends_on_class": self.depends_on_class,
        }  # fmt: skip

    def draw(self, figure: Figure) -> None:
        halves: Any = figure.subfigures(2, 1, height_ratios=(3, 2))
        above, below = halves
        every = [self.look.map, *self.maps]
        names = ["as it is", *[shorten(path) for path in self.layers]]
        for axes, values, name in zip(above.subplots(1, len(every)), every, names, strict=True):
            show_over(axes, self.look.pixels, values)
            axes.set_title(name, fontsize=6)
        axes = below.subplots()
        axes.plot(range(len(self.random) + 1), [1.0, *self.random], marker="o")
        axes.axhline(LIMIT, linestyle=":", color="grey")
        axes.axvspan(0.5, len(self.random) // 2 + 1.5, color="tab:blue", alpha=0.08)
        axes.set_ylim(-0.3, 1.05)
        axes.set_xticks(range(len(names)), names, fontsize=6)
        axes.set_ylabel("rank correlation", fontsize=8)
        axes.set_xlabel("weights shuffled from the last layer down to this one", fontsize=7)
        axes.set_title("\n".join(wrap(self.mark, 100)), fontsize=8)


def trust(
    model: Any, image: Any, method: str | Attribution = "gradcam", target: int | str | None = None,
    layer: str | None = None, *, steps: int = STEPS, seed: int = 0, shuffled: Any = None,
    samples: int = 25, noise: float = 0.15, preprocessing: Preprocessing | None = None,
) -> Trust:  # fmt: skip
    """Checks a map of `attribute` against random weights and other classes.

    Arguments:
        model: as in `attribute`; its weights are back afterwards, also after an exception.
        method: that of the map, or a map of this model and image that there is already.
        steps: how many times more weights are shuffled, from the last layer to the first; each
            filter keeps its values in another order, so that signals keep their size.
        shuffled: a model of the same classes that was fitted to shuffled labels, for the data
            randomisation check.
        samples, noise: those of SmoothGrad.
    """
    looked = subject(model, preprocessing)
    picture = looked.picture(image)
    name = method.method if isinstance(method, Attribution) else method

    def map_of(one: Subject, target: int | str | None, path: str | None, **of: Any) -> Attribution:
        how: dict[str, Any] = {"samples": samples, "noise": noise, "seed": seed, **of}
        return attribute(one, picture, name, target, path, **how)

    look = method if isinstance(method, Attribution) else map_of(looked, target, layer)

    def again(one: Subject, target: int = look.target) -> np.ndarray:
        path = look.path if look.unit or name in CELLS else None
        return map_of(one, None if look.unit else target, path, unit=look.unit).map

    groups, maps = _groups(looked.model, steps), list[np.ndarray]()
    with _weights_kept(looked.model):
        generator = torch.Generator().manual_seed(seed)
        for group in groups:
            _shuffle([part for _, part in group], generator)
            maps.append(again(looked))
    random = np.array([similarity(look.map, other) for other in maps])
    classes = _other_classes(looked, picture, look)
    labels = np.array([similarity(look.map, again(looked, index)) for index in classes])
    learnt = None
    if shuffled is not None:
        learnt = similarity(look.map, again(subject(shuffled, looked.preprocessing)))
    layers = tuple(group[-1][0] for group in groups)
    result = Trust(look, random, layers, np.stack(maps), labels, learnt)
    return replace(result, look=replace(look, mark=result.mark))


def similarity(first: np.ndarray, second: np.ndarray) -> float:
    """Spearman's rank correlation of the sizes of two maps; 0 where one of them is even.

    >>> similarity(np.array([[1.0, -2.0, 3.0]]), np.array([[10.0, 20.0, 90.0]]))
    1.0
    """
    sizes = [np.abs(values) for values in (first, second)]
    if any(np.ptp(size) == 0 for size in sizes):
        return 0.0
    ranks = [rankdata((size / size.max()).round(12)) for size in sizes]  # equal but for rounding
    return round(float(np.corrcoef(*ranks)[0, 1]), 12)


def _groups(model: nn.Module, steps: int) -> list[list[tuple[str, nn.Module]]]:
    """The layers with weights, the last first: the very last, then the others in even parts."""
    parts = [(path, part) for path, part in model.named_modules() if [*part.parameters(False)]]
    if steps < 1 or not parts:
        raise LookError(f"steps is {steps}, the model has {len(parts)} layers with weights; wanted "
                        "at least 1 each")  # fmt: skip
    last, *rest = parts[::-1]
    count = min(steps - 1, len(rest))
    bounds = np.linspace(0, len(rest), count + 1).round().astype(int)
    return [[last], *[rest[a:b] for a, b in pairwise(bounds)]]


def _shuffle(parts: list[nn.Module], generator: torch.Generator) -> None:
    """Every filter's values in another order, and those of vectors."""
    with torch.no_grad():
        for part in parts:
            for weight in part.parameters(False):
                rows = weight.flatten(1) if weight.dim() > 1 else weight[None]
                keys = torch.rand(rows.shape, generator=generator).to(rows.device)
                weight.copy_(rows.gather(1, keys.argsort(1)).view_as(weight))


@contextmanager
def _weights_kept(model: nn.Module) -> Generator[None]:
    """Afterwards the weights are those of before, to the bit."""
    kept = [(weight, weight.detach().clone()) for weight in model.parameters()]
    try:
        yield
    finally:
        with torch.no_grad():
            for weight, values in kept:
                weight.copy_(values)


def _other_classes(looked: Subject, picture: Picture, look: Attribution) -> list[int]:
    """The likeliest classes beside the one asked about; none of a unit."""
    if look.unit is not None:
        return []
    with watching(looked.model) as watch, torch.no_grad():
        order = watch(picture.x)[0].argsort(descending=True).tolist()
    return [index for index in order if index != look.target][:OTHERS]
