"""Whether a map depends on what it claims to explain: the weights and the class.

Adebayo et al. 2018 (arXiv:1810.03292): a map that hardly changes when the weights are made
random shows the image, not the model.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from textwrap import wrap
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from scipy.stats import rankdata

from netwright.errors import LookError
from netwright.look.attribution import CELLS, Attribution, attribute
from netwright.look.pace import Pace, Tell
from netwright.look.picture import Picture, Subject, subject
from netwright.look.randomising import groups_of, shuffle, weights_kept
from netwright.look.result import Look, shorten, show_over
from netwright.look.runs import Relearnt
from netwright.look.smoothing import Smoothing
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

    `random` (n,): its rank correlation with the map after more and more weights, from the last
    layer on, were shuffled; `layers` (n,) is the first layer that was shuffled at each, `maps`
    (n, H, W) what came of it; n is `steps` unless it was stopped early. `labels` (k,): the same
    for maps of other classes. `shuffled`: the same for the map of a model that learnt shuffled
    labels, where there was one, and `learnt` which share of them, where that is known.
    """

    look: Attribution
    random: np.ndarray
    layers: tuple[str, ...]
    maps: np.ndarray
    labels: np.ndarray
    shuffled: float | None = None
    steps: int = 0
    learnt: float | None = None

    aspect = 0.55

    @property
    def depends_on_weights(self) -> bool | None:
        """Whether the map changes as the weights do; None where it was stopped too early to say."""
        if self.shuffled is not None and self.shuffled >= LIMIT:
            return False
        return None if self.upper is None else self.upper < LIMIT

    @property
    def upper(self) -> float | None:
        """The mean of `random` up to where the upper half of the layers was shuffled, once it
        was.
        """
        upper = self.random[: self.steps // 2 + 1]
        return float(np.mean(upper)) if len(upper) > self.steps // 2 else None

    @property
    def depends_on_class(self) -> bool | None:
        """Whether it changes with the class; None of a unit, or where there is one class."""
        return bool(np.mean(self.labels) < ALIKE) if len(self.labels) else None

    @property
    def mark(self) -> str:
        """One line about both."""
        verdict = {True: "passes", False: "FAILS", None: "was stopped in"}[self.depends_on_weights]
        upper = "?" if self.upper is None else f"{self.upper:.2f}"
        line = (f"{self.look.method} {verdict} the randomisation check (rank correlation {upper} "
                "with upper layers shuffled)")  # fmt: skip
        if self.depends_on_class is not None:
            verdict = "differs" if self.depends_on_class else "HARDLY DIFFERS"
            line += f" and {verdict} between classes ({np.mean(self.labels):.2f})"
        if self.shuffled is None:
            return line
        share = "" if self.learnt is None else f" to {self.learnt:.0%}"
        return (f"{line}; labels: similarity {self.shuffled:.2f}, a net that learnt shuffled "
                f"labels{share}")  # fmt: skip

    def arrays(self) -> dict[str, np.ndarray]:
        return {"random": self.random, "maps": self.maps, "labels": self.labels,
                **self.look.arrays()}  # fmt: skip

    def facts(self) -> dict[str, Any]:
        return {
            **self.look.facts(), "layers": list(self.layers), "random": self.random.tolist(),
            "labels": self.labels.tolist(), "shuffled": self.shuffled, "learnt": self.learnt,
            "depends_on_weights": self.depends_on_weights,
            "depends_on_class": self.depends_on_class,
        }  # fmt: skip

    def draw(self, figure: Figure) -> None:
        halves: Any = figure.subfigures(2, 1, height_ratios=(3, 2))
        above, below = halves
        every = [self.look.map, *self.maps]
        names = ["as it is", *[shorten(path) for path in self.layers]]
        panels = above.subplots(1, len(every), squeeze=False)[0]
        for axes, values, name in zip(panels, every, names, strict=True):
            show_over(axes, self.look.pixels, values)
            axes.set_title(name, fontsize=6)
        axes = below.subplots()
        axes.plot(range(len(every)), [1.0, *self.random], marker="o")
        axes.axhline(LIMIT, linestyle=":", color="grey")
        axes.axvspan(0.5, self.steps // 2 + 1.5, color="tab:blue", alpha=0.08)
        axes.set_ylim(-0.3, 1.05)
        axes.set_xticks(range(len(names)), names, fontsize=6)
        axes.set_ylabel("rank correlation", fontsize=8)
        axes.set_xlabel("weights shuffled from the last layer down to this one", fontsize=7)
        axes.set_title("\n".join(wrap(self.mark, 100)), fontsize=8)


def trust(
    model: Any, image: Any, method: str | Attribution = "gradcam", target: int | str | None = None,
    layer: str | None = None, *, steps: int = STEPS, seed: int = 0, shuffled: Any = None,
    labels: float | None = None, samples: int = 25, noise: float = 0.15,
    preprocessing: Preprocessing | None = None,
    seconds: float | None = None, tell: Tell | None = None,
) -> Trust:  # fmt: skip
    """Checks a map of `attribute` against random weights and other classes.

    Arguments:
        model: as in `attribute`; its weights are back afterwards, also after an exception.
        method: that of the map, or a map of this model and image that there is already.
        steps: how many times more weights are shuffled, from the last layer to the first; each
            filter keeps its values in another order, so that signals keep their size.
        shuffled: a model of the same classes that was fitted to shuffled labels, for the data
            randomisation check.
        labels: of a run, seconds in which its net is trained to be such a model, once a run.
        samples, noise: those of SmoothGrad.
        seconds: after which the checks end, as at Ctrl-C, with the maps there are.
        tell: hears the share that is done.
    """
    looked, accuracy = subject(model, preprocessing), None
    groups, how = groups_of(looked.model, steps), Smoothing(samples, noise, seed)
    if labels is not None:
        relearnt = _relearnt(looked, shuffled, labels, seed, tell)
        shuffled, accuracy = relearnt.model, relearnt.accuracy
        tell = tell and _half(tell, 0.5)
    others = [] if shuffled is None else [subject(shuffled, looked.preprocessing)]
    classwise, learnt, maps = list[float](), list[float](), list[np.ndarray]()
    pace = Pace(len(groups) + len(others), tell, seconds)
    ask = _Maps(looked, looked.picture(image), pace, how, method, target, layer)
    with pace:
        classes = ask.other_classes()
        pace.total += len(classes)
        for index in pace.over(classes):
            classwise.append(similarity(ask.look.map, ask.again(looked, index)))
        for other in pace.over(others):
            learnt.append(similarity(ask.look.map, ask.again(other)))
        with weights_kept(looked.model):
            generator = torch.Generator().manual_seed(seed)
            for group in pace.over(groups):
                shuffle([part for _, part in group], generator)
                maps.append(ask.again(looked))
    look = replace(ask.look, notes=(*ask.look.notes, *pace.note("maps")))
    random = np.array([similarity(look.map, other) for other in maps])
    layers = tuple(group[-1][0] for group in groups[: len(maps)])
    stack = np.array(maps).reshape(-1, *look.map.shape)
    result = Trust(look, random, layers, stack, np.array(classwise),
                   learnt[0] if learnt else None, len(groups), accuracy)  # fmt: skip
    return replace(result, look=replace(look, mark=result.mark))


def _relearnt(
    looked: Subject, shuffled: Any, seconds: float, seed: int, tell: Tell | None
) -> Relearnt:
    """The net of a run, trained on its labels shuffled."""
    if shuffled is not None:
        raise LookError("wanted `labels`, seconds to learn shuffled ones, or a model that learnt "
                        "them as `shuffled`; got both")  # fmt: skip
    if looked.run is None:
        raise LookError("the check of labels trains the net anew on its data, which only a run of "
                        "`fit` knows; give one, or a model fitted to shuffled labels as "
                        "`shuffled`")  # fmt: skip
    return looked.run.shuffled(seconds, seed=seed, tell=tell and _half(tell, 0.0))


def _half(tell: Tell, begun: float) -> Tell:
    """Hears of one half of the work, before which a share had `begun`."""
    return lambda share: tell(begun + share / 2)


class _Maps:
    """The map that is checked, and others made the same way; a Ctrl-C in one of them ends the
    checks around it, for a map cut short is no measure of another.
    """

    def __init__(
        self, looked: Subject, picture: Picture, pace: Pace, how: Smoothing,
        method: str | Attribution, target: int | str | None, layer: str | None,
    ) -> None:  # fmt: skip
        self.looked, self.picture, self.pace, self.how = looked, picture, pace, how
        self.given, self.target, self.layer = method, target, layer
        self.method = method.method if isinstance(method, Attribution) else method

    @cached_property
    def look(self) -> Attribution:
        """The map that is checked."""
        if isinstance(self.given, Attribution):
            return self.given
        return self._of(self.looked, self.target, self.layer)

    def again(self, one: Subject, target: int | None = None) -> np.ndarray:
        """The map of another model, or of another class."""
        look = self.look
        if look.unit is not None:
            return self._of(one, None, look.path, unit=look.unit).map
        path = look.path if self.method in CELLS else None
        return self._of(one, look.target if target is None else target, path).map

    def other_classes(self) -> list[int]:
        """The likeliest classes beside the one asked about; none of a unit."""
        if self.look.unit is not None:
            return []
        with watching(self.looked.model) as watch, torch.no_grad():
            order = watch(self.picture.x)[0].argsort(descending=True).tolist()
        return [index for index in order if index != self.look.target][:OTHERS]

    def _of(
        self, one: Subject, target: int | str | None, path: str | None, **of: Any
    ) -> Attribution:
        look = attribute(one, self.picture, self.method, target, path, **self.how._asdict(), **of)
        if self.pace.stopped:
            raise KeyboardInterrupt
        return look


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
