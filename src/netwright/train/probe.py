"""Linear models on frozen features, chosen by cross-validation.

With few images nothing learns better (Kornblith et al. 2019, arXiv:1805.08974, figure 5): late
features where the images are like those the net was trained on, middle ones where they are not.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss
from sklearn.preprocessing import StandardScaler
from sklearn.svm import LinearSVC

from netwright.train.folds import folds
from netwright.train.scores import cooled, temperature

__all__ = ["MODELS", "Choice", "Linear", "choose", "fit_linear", "held_out"]

MODELS = (
    *(("logistic", strength) for strength in (1e-4, 1e-3, 1e-2, 1e-1, 1.0)),
    *(("svm", strength) for strength in (1e-5, 1e-4, 1e-3)),
)
"""Linear models to choose from, each with the inverse of its regularisation, for standardised
features."""
FEW = 1000
"""With more images than these there are no support vector machines to choose from: of 2,000 they
take 28 times as long as logistic regression."""
FOLDS = 5
MOST = 5000
"""Images that the choice looks at; more would change it little and take long."""


@dataclass(frozen=True)
class Linear:
    """logits = features @ weight.T + bias."""

    weight: np.ndarray
    bias: np.ndarray

    def probabilities(self, features: np.ndarray) -> np.ndarray:
        """Softmax of the logits, (N, classes)."""
        logits = features.astype(np.float64) @ self.weight.T + self.bias
        shares = np.exp(logits - logits.max(1, keepdims=True))
        return shares / shares.sum(1, keepdims=True)


@dataclass(frozen=True)
class Choice:
    """A layer and a linear model, with the accuracy and loss on folds left out; `heat` is what its
    logits are divided by to be calibrated.
    """

    layer: str
    strength: float
    accuracy: float
    loss: float
    linear: str = "logistic"
    heat: float = 1.0


def fit_linear(
    features: np.ndarray,
    labels: np.ndarray,
    classes: int,
    strength: float,
    weights: np.ndarray | None = None,
    *,
    linear: str = "logistic",
    heat: float = 1.0,
) -> Linear:
    """A linear model on standardised features, as a dense layer on the features as they are.

    Arguments:
        features: (N, channels), or (views, N, channels) where images are seen in several ways.
        labels: class numbers, (N,); a class without images gets no probability.
        classes: how many there are.
        strength: the inverse of the regularisation.
        weights: what an image counts, (N,); all alike where there are none.
        linear: `logistic` regression, or an `svm` of one class against the rest.
        heat: what logits are divided by; the margins of an SVM are no logits before.
    """
    fits = _fits(features, labels, [(linear, strength)], weights)
    return next(_linear(model, space, classes, heat) for model, space in fits)


class _Space(NamedTuple):
    """Where linear models are fitted: standardised features, brought to as many dimensions as there
    are images where these are fewer. A model with the least weights is in no other, so it is the
    same model, sooner.
    """

    x: np.ndarray
    mean: np.ndarray
    scale: np.ndarray
    basis: np.ndarray | None

    @classmethod
    def of(cls, features: np.ndarray, weights: np.ndarray | None) -> _Space:
        scaler: Any = StandardScaler().fit(features, sample_weight=weights)
        x, basis = scaler.transform(features), None
        if len(x) < x.shape[1]:
            basis, triangle = np.linalg.qr(x.T)
            x = triangle.T
        return cls(x, scaler.mean_, scaler.scale_, basis)


def _fits(
    features: np.ndarray,
    labels: np.ndarray,
    models: Sequence[tuple[str, float]],
    weights: np.ndarray | None,
) -> Iterator[tuple[Any, _Space]]:
    """Fitted models of scikit-learn in the order of `models`; a logistic regression begins where
    the one before it ended.
    """
    weights = None if weights is None else np.tile(weights, len(features))
    labels = np.tile(labels, len(features))
    space = _Space.of(features.reshape(-1, features.shape[-1]), weights)
    logistic: Any = LogisticRegression(max_iter=300, warm_start=True)
    for linear, strength in models:
        model = logistic.set_params(C=strength)
        if linear == "svm":
            model = LinearSVC(C=strength, dual="auto", max_iter=5000, random_state=0)
        yield model.fit(space.x, labels, sample_weight=weights), space


def _linear(model: Any, space: _Space, classes: int, heat: float) -> Linear:
    """A fitted model as a dense layer on features that are not standardised."""
    weight, bias = np.zeros((classes, len(space.mean))), np.full(classes, -1e3)
    rows, intercept = model.coef_, model.intercept_
    if len(model.classes_) == 2:  # one row for two classes: half for the one, half against
        rows, intercept = np.stack([-rows[0], rows[0]]) / 2, np.array([-1, 1]) * intercept[0] / 2
    if space.basis is not None:
        rows = rows @ space.basis.T
    weight[model.classes_], bias[model.classes_] = rows / heat, intercept / heat
    weight = weight / space.scale
    return Linear(weight, bias - weight @ space.mean)


def choose(
    features: Mapping[str, np.ndarray],
    labels: np.ndarray,
    classes: int,
    seed: int = 0,
    *,
    weights: np.ndarray | None = None,
    models: Sequence[tuple[str, float]] = MODELS,
    tell: Callable[[Choice], None] = lambda choice: None,
) -> list[Choice]:
    """Every layer under every linear model by cross-validation, the best first; `features` are
    (views, N, channels) of each layer.

    Of choices whose loss differs by less than a standard error the later layer and the stronger
    regularisation would be no surprise either; the loss decides, for it wastes nothing.
    """
    chosen = _some(labels, seed)
    if len(chosen) > FEW:
        models = [model for model in models if model[0] != "svm"] or models
    choices = list[Choice]()
    truth, own = labels[chosen], None if weights is None else weights[chosen]
    for layer, values in features.items():
        pages = _held_out(values[:, chosen], truth, classes, models, seed, own)
        for (linear, strength), shares in zip(models, pages, strict=True):
            choices.append(_choice(layer, linear, strength, truth, shares))
            tell(choices[-1])
    return sorted(choices, key=lambda choice: (choice.loss, -choice.accuracy))


def held_out(
    features: np.ndarray, labels: np.ndarray, classes: int, strength: float, seed: int = 0
) -> np.ndarray:
    """Probabilities (N, classes) of every image, each by the logistic regression of the folds it
    is not in; `features` are (views, N, channels).
    """
    return _held_out(features, labels, classes, [("logistic", strength)], seed)[0]


def _held_out(
    features: np.ndarray, labels: np.ndarray, classes: int, models: Sequence[tuple[str, float]],
    seed: int, weights: np.ndarray | None = None,
) -> np.ndarray:  # fmt: skip
    """The same by each of several models, (models, N, classes)."""
    shares = np.zeros((len(models), len(labels), classes))
    for learn, test in folds(labels, seed, FOLDS):
        own = None if weights is None else weights[learn]
        fits = _fits(features[:, learn], labels[learn], models, own)
        for page, (model, space) in zip(shares, fits, strict=True):
            linear = _linear(model, space, classes, 1.0)
            page[test] = linear.probabilities(features[:, test].mean(0))
    return shares


def _choice(
    layer: str, linear: str, strength: float, truth: np.ndarray, shares: np.ndarray
) -> Choice:
    """The figures of a choice; margins become logits by the temperature with the least loss
    (Platt 1999, with one number for all classes).
    """
    heat = temperature(truth, shares) if linear == "svm" else 1.0
    shares = cooled(shares, heat)
    accuracy = float((shares.argmax(1) == truth).mean())
    loss = float(log_loss(truth, shares.clip(1e-12), labels=range(shares.shape[1])))
    return Choice(layer, strength, accuracy, loss, linear, heat)


def _some(labels: np.ndarray, seed: int) -> np.ndarray:
    """All images, or so many that choosing stays quick."""
    if len(labels) <= MOST:
        return np.arange(len(labels))
    return np.sort(np.random.default_rng(seed).permutation(len(labels))[:MOST])
