"""Linear models on frozen features, chosen by cross-validation.

With few images nothing learns better (Kornblith et al. 2019, arXiv:1805.08974, figure 5): late
features where the images are like those the net was trained on, middle ones where they are not.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

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
    if weights is not None:
        weights = np.tile(weights, len(features))
    labels = np.tile(labels, len(features))
    features = features.reshape(-1, features.shape[-1])
    scaler: Any = StandardScaler().fit(features, sample_weight=weights)
    model: Any = LogisticRegression(C=strength, max_iter=300)
    if linear == "svm":
        model = LinearSVC(C=strength, dual="auto", max_iter=5000, random_state=0)
    model.fit(scaler.transform(features), labels, sample_weight=weights)
    weight, bias = np.zeros((classes, features.shape[1])), np.full(classes, -1e3)
    rows, intercept = model.coef_, model.intercept_
    if len(model.classes_) == 2:  # one row for two classes: half for the one, half against
        rows, intercept = np.stack([-rows[0], rows[0]]) / 2, np.array([-1, 1]) * intercept[0] / 2
    weight[model.classes_], bias[model.classes_] = rows / heat, intercept / heat
    weight = weight / scaler.scale_
    return Linear(weight, bias - weight @ scaler.mean_)


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
    choices = list[Choice]()
    for layer, values in features.items():
        for linear, strength in models:
            own = None if weights is None else weights[chosen]
            shares = held_out(values[:, chosen], labels[chosen], classes, strength, seed, own,
                              linear=linear)  # fmt: skip
            choices.append(_choice(layer, linear, strength, labels[chosen], shares))
            tell(choices[-1])
    return sorted(choices, key=lambda choice: (choice.loss, -choice.accuracy))


def held_out(
    features: np.ndarray, labels: np.ndarray, classes: int, strength: float, seed: int = 0,
    weights: np.ndarray | None = None, *, linear: str = "logistic",
) -> np.ndarray:  # fmt: skip
    """Probabilities (N, classes) of every image, each by the linear model of the folds it is not
    in; `features` are (views, N, channels).
    """
    shares = np.zeros((len(labels), classes))
    for learn, test in folds(labels, seed, FOLDS):
        own = None if weights is None else weights[learn]
        model = fit_linear(features[:, learn], labels[learn], classes, strength, own, linear=linear)
        shares[test] = model.probabilities(features[:, test].mean(0))
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
