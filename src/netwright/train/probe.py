"""Linear models on frozen features, chosen by cross-validation.

With few images nothing learns better (Kornblith et al. 2019, arXiv:1805.08974, figure 5): late
features where the images are like those the net was trained on, middle ones where they are not.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss
from sklearn.model_selection import StratifiedKFold
from sklearn.preprocessing import StandardScaler

__all__ = ["STRENGTHS", "Choice", "Linear", "choose", "fit_linear", "held_out"]

STRENGTHS = (1e-4, 1e-3, 1e-2, 1e-1, 1.0)
"""Inverse strengths of the regularisation to choose from, for standardised features."""
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
    """A layer and a strength, with the accuracy and loss that folds left out had."""

    layer: str
    strength: float
    accuracy: float
    loss: float


def fit_linear(
    features: np.ndarray,
    labels: np.ndarray,
    classes: int,
    strength: float,
    weights: np.ndarray | None = None,
) -> Linear:
    """Logistic regression on standardised features, as a dense layer on the features as they are.

    Arguments:
        features: (views, N, channels): several views of an image are learnt from alike.
        labels: class numbers, (N,).
        classes: how many there are.
        strength: the inverse of the regularisation's, as scikit-learn counts.
        weights: what an image counts, (N,); all alike where there are none.
    """
    if weights is not None:
        weights = np.tile(weights, len(features))
    labels = np.tile(labels, len(features))
    features = features.reshape(-1, features.shape[-1])
    scaler: Any = StandardScaler().fit(features, sample_weight=weights)
    regression: Any = LogisticRegression(C=strength, max_iter=300)
    regression.fit(scaler.transform(features), labels, sample_weight=weights)
    weight, bias = np.zeros((classes, features.shape[1])), np.full(classes, -1e3)
    rows, intercept = regression.coef_, regression.intercept_
    if len(regression.classes_) == 2:  # one row for two classes: half for the one, half against
        rows, intercept = np.stack([-rows[0], rows[0]]) / 2, np.array([-1, 1]) * intercept[0] / 2
    weight[regression.classes_], bias[regression.classes_] = rows, intercept
    weight = weight / scaler.scale_
    return Linear(weight, bias - weight @ scaler.mean_)


def choose(
    features: Mapping[str, np.ndarray],
    labels: np.ndarray,
    classes: int,
    seed: int = 0,
    *,
    weights: np.ndarray | None = None,
    strengths: Sequence[float] = STRENGTHS,
    tell: Callable[[Choice], None] = lambda choice: None,
) -> list[Choice]:
    """Every layer at every strength by cross-validation, the best first; `features` are (views,
    N, channels) of each layer.

    Of choices whose loss differs by less than a standard error the later layer and the stronger
    regularisation would be no surprise either; the loss decides, for it wastes nothing.
    """
    chosen = _some(labels, seed)
    choices = list[Choice]()
    for layer, values in features.items():
        for strength in strengths:
            own = None if weights is None else weights[chosen]
            shares = held_out(values[:, chosen], labels[chosen], classes, strength, seed, own)
            choices.append(_choice(layer, strength, labels[chosen], shares))
            tell(choices[-1])
    return sorted(choices, key=lambda choice: (choice.loss, -choice.accuracy))


def held_out(
    features: np.ndarray, labels: np.ndarray, classes: int, strength: float, seed: int = 0,
    weights: np.ndarray | None = None,
) -> np.ndarray:  # fmt: skip
    """Probabilities (N, classes) of every image, each by the linear model of the folds it is not
    in; `features` are (views, N, channels).
    """
    shares = np.zeros((len(labels), classes))
    for learn, test in _folds(labels, seed):
        own = None if weights is None else weights[learn]
        linear = fit_linear(features[:, learn], labels[learn], classes, strength, own)
        shares[test] = linear.probabilities(features[:, test].mean(0))
    return shares


def _choice(layer: str, strength: float, truth: np.ndarray, shares: np.ndarray) -> Choice:
    accuracy = float((shares.argmax(1) == truth).mean())
    loss = float(log_loss(truth, shares.clip(1e-12), labels=range(shares.shape[1])))
    return Choice(layer, strength, accuracy, loss)


def _some(labels: np.ndarray, seed: int) -> np.ndarray:
    """All images, or so many that choosing stays quick."""
    if len(labels) <= MOST:
        return np.arange(len(labels))
    return np.sort(np.random.default_rng(seed).permutation(len(labels))[:MOST])


def _folds(labels: np.ndarray, seed: int) -> Iterator[tuple[Any, Any]]:
    """Folds with every class in each, as many as the rarest class allows."""
    rarest = int(np.bincount(labels)[np.unique(labels)].min())
    folds = StratifiedKFold(max(2, min(FOLDS, rarest)), shuffle=True, random_state=seed)
    return folds.split(np.zeros(len(labels)), labels)
