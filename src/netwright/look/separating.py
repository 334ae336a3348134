"""Where in a net the classes come apart: every layer judged by what a linear model makes of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from sklearn.metrics import confusion_matrix

from netwright.errors import LookError, nearest
from netwright.look.geometry import Layer, layers
from netwright.look.images import Images, batches, images_of, size_of
from netwright.look.pace import Pace, Tell
from netwright.look.picture import Subject, subject
from netwright.look.reaching import side_by_side
from netwright.look.result import Look, shorten
from netwright.look.watch import mixes, paths_of, watching
from netwright.train.features import averaged
from netwright.train.probe import held_out

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from netwright.data.image import Preprocessing

__all__ = ["Separability", "separability"]

STRENGTH = 1e-2
"""The inverse strength of the linear models' regularisation, on standardised features."""
LAYERS = 12
"""Layers that are looked at when nobody says which."""
NAMED = 12
"""Classes that a figure names."""


@dataclass(frozen=True)
class Separability(Look):
    """What a linear model (a probe; Alain & Bengio 2016, arXiv:1610.01644) on the features of each
    layer, their means over positions, says of images that it was not fitted to.

    `accuracy` (L,) is its share of right answers, beside `chance`, that of always naming the
    largest class; `scatter` (L,) the scatter between classes over that within,
    tr(S_b) / tr(S_w); `confusion` (L, classes, classes) has a row for each true class; `losses`
    (L, N) the cross-entropy of each image, `predicted` (L, N) the answer. `images` (N,) are the
    indices of the images that were looked at, `truth` their classes.
    """

    layers: tuple[str, ...]
    accuracy: np.ndarray
    scatter: np.ndarray
    confusion: np.ndarray
    losses: np.ndarray
    predicted: np.ndarray
    truth: np.ndarray
    images: np.ndarray
    classes: tuple[str, ...]
    notes: tuple[str, ...] = ()

    aspect = 0.45

    @property
    def chance(self) -> float:
        """Share of the largest class."""
        return float(np.bincount(self.truth).max() / len(self.truth))

    def top_losses(self, layer: str, count: int = 9) -> list[dict[str, Any]]:
        """The images that the probe of a layer is furthest off with, the worst first."""
        at = self._at(layer)
        order = np.argsort(-self.losses[at], kind="stable")[:count]
        return [
            {"image": int(self.images[i]), "class": self.classes[self.truth[i]],
             "predicted": self.classes[self.predicted[at, i]], "loss": float(self.losses[at, i])}
            for i in order
        ]  # fmt: skip

    def apart(self, share: float = 0.9) -> np.ndarray:
        """(classes, classes): the first layer, by its place, from which on the two classes are told
        apart in `share` of their images that are taken for either; -1 where they never are.
        """
        count = len(self.classes)
        right = np.einsum("lii->li", self.confusion)
        both = right[:, :, None] + right[:, None, :]
        wrong = self.confusion + self.confusion.transpose(0, 2, 1)
        apart = both >= share * np.maximum(both + wrong, 1)
        since = np.logical_and.accumulate(apart[::-1])[::-1]
        first = np.where(since.any(0), since.argmax(0), -1)
        first[np.arange(count), np.arange(count)] = 0
        return first

    def arrays(self) -> dict[str, np.ndarray]:
        names = ("accuracy", "scatter", "confusion", "losses", "predicted", "truth", "images")
        return {name: getattr(self, name) for name in names}

    def facts(self) -> dict[str, Any]:
        return {
            "layers": list(self.layers), "classes": list(self.classes), "chance": self.chance,
            "accuracy": dict(zip(self.layers, self.accuracy.tolist(), strict=True)),
            "scatter": dict(zip(self.layers, self.scatter.tolist(), strict=True)),
            "top_losses": {path: self.top_losses(path, 5) for path in self.layers},
            "notes": list(self.notes),
        }  # fmt: skip

    def draw(self, figure: Figure) -> None:
        left, right = figure.subplots(1, 2, width_ratios=(3, 2))
        at = np.arange(len(self.layers))
        left.plot(at, self.accuracy, marker="o", color="tab:blue")
        left.axhline(self.chance, color="tab:blue", linestyle=":", linewidth=1)
        left.annotate("the largest class", (at[-1], self.chance), fontsize=7, color="tab:blue",
                      ha="right", va="bottom")  # fmt: skip
        left.set_ylim(0, 1.02)
        left.set_ylabel("accuracy of a linear probe", color="tab:blue", fontsize=8)
        names = [shorten(path) for path in self.layers]
        left.set_xticks(at, names, rotation=40, ha="right", fontsize=7)
        other = left.twinx()
        other.plot(at, self.scatter, marker="s", markersize=3, color="tab:orange")
        other.set_ylim(bottom=0)
        other.set_ylabel("scatter between / within", color="tab:orange", fontsize=8)
        left.set_title(f"{len(self.truth)} images of {len(self.classes)} classes", fontsize=9)
        _draw_confusion(right, self.confusion[-1], self.classes, self.layers[-1])

    def _at(self, layer: str) -> int:
        if layer not in self.layers:
            raise nearest("layer", layer, self.layers)
        return self.layers.index(layer)


def separability(
    model: Any, data: Any, layers: str | Sequence[str] | None = None, *, most: int = 1000,
    batch: int = 16, seed: int = 0, preprocessing: Preprocessing | None = None,
    seconds: float | None = None, tell: Tell | None = None,
) -> Separability:  # fmt: skip
    """How well the classes of labelled images can be told apart by each layer, with what is
    confused there and the images that are worst.

    Arguments:
        model: a module, what `Net.build` gives, or a run.
        data: what `fit` takes, or a list of (image, label).
        layers: some of `nw.look.layers`; by default about a dozen, from the first to the last.
        most: images at most, drawn at random; the probes are judged by five-fold cross-validation.
        seconds: after which no more images pass, as at Ctrl-C; the probes are fitted to what there
            is. A Ctrl-C after that leaves out layers.
        tell: hears the share that is done.
    """
    looked = subject(model, preprocessing)
    every = images_of(data)
    drawn = np.random.default_rng(seed).permutation(len(every))[:most]
    images = every.at(drawn)
    if not len(images):
        raise LookError("there are no images; wanted some of two classes at least")
    places = _places(looked, images)
    paths = default_layers(places) if layers is None else paths_of(layers)
    half = Pace(len(images), tell and (lambda share: tell(share / 2)), seconds)
    features, labels = _features(looked, images, paths, batch, half)
    chosen = drawn[: len(labels)]
    order = np.argsort(chosen)  # they passed at random, so that some stand for all
    chosen, labels = chosen[order], labels[order]
    features = {path: values[order] for path, values in features.items()}
    if (labels < 0).any() or len(np.unique(labels)) < 2:
        raise LookError("separability needs labelled images of two classes at least; give a folder "
                        "a class, or a list of (image, label)")  # fmt: skip
    present, truth = np.unique(labels, return_inverse=True)
    names = looked.classes or images.classes
    classes = tuple(names[i] if names else str(i) for i in present)
    shares = list[np.ndarray]()
    with Pace(len(paths), tell and (lambda share: tell((1 + share) / 2))) as rest:
        for path in rest.over(paths):
            shares.append(held_out(features[path][None], truth, len(present), STRENGTH, seed))
    notes = (*half.note("images"), *rest.note("layers"), *looked.notes)
    paths = paths[: len(shares)]
    return _judged(paths, features, np.stack(shares), truth, chosen, classes, notes)


def default_layers(places: dict[str, Layer]) -> tuple[str, ...]:
    """About a dozen layers over the whole depth: the outermost parts, or theirs where these are
    few.
    """
    usable = [path for path, place in places.items() if len(place.shape) in (1, 3)]
    chosen = usable
    for depth in range(1, 5):
        chosen = [path for path in usable if path.count(".") < depth]
        if len(chosen) >= LAYERS // 2:
            break
    at = np.linspace(0, len(chosen) - 1, min(LAYERS, len(chosen))).round().astype(int)
    return tuple([chosen[i] for i in at])


def scattered(features: np.ndarray, labels: np.ndarray) -> float:
    """tr(S_b) / tr(S_w) of features (N, channels): the squared distances of the classes' means
    from that of all images, to those of images from the mean of their class.
    """
    middle, between, within = features.mean(0), 0.0, 0.0
    for label in np.unique(labels):
        own = features[labels == label]
        mean = own.mean(0)
        between += len(own) * float(((mean - middle) ** 2).sum())
        within += float(((own - mean) ** 2).sum())
    return between / within if within else float("inf") if between else 0.0


def _places(looked: Subject, images: Images) -> dict[str, Layer]:
    return layers(looked.model, looked.picture(images[0]).x.shape[1:])


def _features(
    looked: Subject, images: Images, paths: Sequence[str], batch: int, pace: Pace,
) -> tuple[dict[str, np.ndarray], np.ndarray]:  # fmt: skip
    """Means over positions of the layers' maps, by layer (N, channels), and the labels (N,)."""
    parts: list[tuple[np.ndarray, ...]] = []
    with watching(looked.model, paths) as watch, torch.no_grad(), pace:
        first = looked.picture(images[0]).x
        size = 1 if mixes(lambda x: side_by_side(watch, x), first) else batch
        for some in pace.over(batches(looked, images, size), size_of):
            watch.run(some.x)
            means = [averaged(watch.outputs[path]).cpu().double().numpy() for path in paths]
            parts.append((some.labels, *means))
    labels, *columns = [np.concatenate(column) for column in zip(*parts, strict=True)]
    features = dict(zip(paths, columns, strict=True))
    for path, values in features.items():
        if not np.isfinite(values).all():
            raise LookError(f"{path} gives values that are not finite; look at the weights")
    return features, labels


def _judged(
    paths: Sequence[str], features: dict[str, np.ndarray], shares: np.ndarray, truth: np.ndarray,
    images: np.ndarray, classes: tuple[str, ...], notes: tuple[str, ...],
) -> Separability:  # fmt: skip
    predicted = shares.argmax(2)
    right = np.take_along_axis(shares, truth[None, :, None], 2)[..., 0]
    every = range(len(classes))
    return Separability(
        tuple(paths),
        (predicted == truth).mean(1),
        np.array([scattered(features[path], truth) for path in paths]),
        np.stack([confusion_matrix(truth, row, labels=every) for row in predicted]),
        -np.log(right.clip(1e-12)),
        predicted, truth, images, classes, notes,
    )  # fmt: skip


def _draw_confusion(axes: Axes, counts: np.ndarray, classes: tuple[str, ...], layer: str) -> None:
    rows = counts / np.maximum(counts.sum(1, keepdims=True), 1)
    axes.imshow(rows, vmin=0, vmax=1, cmap="Blues")
    axes.set_title(f"confusion at {layer}", fontsize=9)
    axes.set_ylabel("true class", fontsize=8)
    axes.set_xlabel("taken for", fontsize=8)
    if len(classes) <= NAMED:
        axes.set_xticks(range(len(classes)), classes, rotation=40, ha="right", fontsize=7)
        axes.set_yticks(range(len(classes)), classes, fontsize=7)
