"""How a net is trained, as data: optimiser, schedule, augmentation, averaging.

A recipe is a value: equal recipes train alike, JSON holds one, and two can be compared field
by field. The named ones are those of well-known papers and code.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields, replace
from math import cos, inf, pi
from pathlib import Path
from typing import Any

from netwright.data import augment
from netwright.data.augment import AlternatingFlip, Flip, Operation, ResizedCrop, Shift
from netwright.errors import RecipeError, nearest

__all__ = ["ABOUT", "RECIPES", "Recipe", "read"]

OPTIMISERS = ("sgd", "adamw", "rmsprop", "muon")
SCHEDULES = ("cosine", "steps", "linear", "decay", "constant")
AVERAGES = ("none", "ema", "swa")


@dataclass(frozen=True)
class Recipe:
    """One way to train a net.

    Arguments:
        name: what it is called.
        optimiser: `sgd` (with Nesterov momentum), `adamw`, `rmsprop` or `muon`.
        rate: the highest learning rate, for a batch of `batch` images.
        find: whether the highest rate is found by a range test about `rate` before the first step;
            see `netwright.train.finder`.
        momentum: of SGD and RMSProp; the first beta of AdamW.
        decay: weight decay of kernels and matrices; biases and normalisation are spared.
        biases: how many times faster biases and the factors of normalisation learn.
        batch: images a step.
        schedule: how the rate falls: as a `cosine` to nothing, a tenth at each of `drops`
            (`steps`), as a straight line (`linear`), by 0.94 every second epoch of 100
            (`decay`), or not at all (`constant`).
        drops: shares of all steps at which the rate falls tenfold, for `steps`.
        warmup: share of the steps in which the rate grows from nothing.
        smoothing: share of the label that goes to all classes (Szegedy et al. 2015).
        auxiliary: weight of auxiliary heads; None for the net's own.
        average: what is tested: the last weights (`none`), their exponential mean (`ema`), or
            the mean of the last quarter (`swa`; Izmailov et al. 2018, arXiv:1803.05407).
        keep: what the exponential mean keeps of itself at every step.
        clip: the largest norm of the gradient; None for any.
        accumulate: parts that a batch is computed in; their gradients are summed for one step.
        patience: epochs without a better loss on validation after which training stops; 0 for
            never.
        balance: whether rare classes count more, by the inverse of their number.
        whiten: whether the first convolution is set to the principal components of patches and
            stays so, its biases learn in the first epochs alone, and the others begin by passing
            maps on; see `netwright.train.whitening`.
        operations: augmentation, in this order.
    """

    name: str = "resnet"
    optimiser: str = "sgd"
    rate: float = 0.1
    find: bool = False
    momentum: float = 0.9
    decay: float = 5e-4
    biases: float = 1.0
    batch: int = 64
    schedule: str = "cosine"
    drops: tuple[float, ...] = ()
    warmup: float = 0.15
    smoothing: float = 0.1
    auxiliary: float | None = None
    average: str = "none"
    keep: float = 0.999
    clip: float | None = None
    accumulate: int = 1
    patience: int = 0
    balance: bool = False
    whiten: bool = False
    operations: tuple[Operation, ...] = (Shift(),)

    def __post_init__(self) -> None:
        for word, choices in (
            ("optimiser", OPTIMISERS),
            ("schedule", SCHEDULES),
            ("average", AVERAGES),
        ):
            if getattr(self, word) not in choices:
                raise nearest(word, str(getattr(self, word)), choices)
        for word, (low, high) in RANGES.items():
            value = getattr(self, word)
            if value is not None and not low <= value <= high:
                raise RecipeError(
                    f"recipe {self.name!r}: {word} is {value}, wanted {low:g} to {high:g}"
                )

    def steps(self, images: int) -> int:
        """Steps of an epoch; the images that do not fill a batch wait for the next epoch."""
        return max(1, images // self.batch)

    def rate_at(self, step: int, steps: int) -> float:
        """The learning rate of step `step` of `steps`.

        >>> [round(Recipe(warmup=0.5, rate=1.0).rate_at(step, 4), 2) for step in range(4)]
        [0.33, 0.67, 1.0, 0.5]
        """
        warm = self.warmup * steps
        if step < warm:
            return self.rate * (step + 1) / (warm + 1)
        return self.rate * self._share((step - warm) / max(1.0, steps - warm), step / max(1, steps))

    def _share(self, after: float, whole: float) -> float:
        """The share of the rate, `after` of the way after the warm-up and `whole` of all."""
        match self.schedule:
            case "cosine":
                return 0.5 * (1 + cos(pi * after))
            case "linear":
                return 1 - after
            case "steps":
                return 0.1 ** sum(whole >= drop for drop in self.drops)
            case "decay":
                return 0.94 ** int(50 * whole)
            case _:
                return 1.0

    def suited(self, images: int) -> Recipe:
        """The same for so few images that a batch would hold most of them: at least 16 steps
        an epoch, and the rate falls with the batch (Goyal et al. 2017, arXiv:1706.02677).
        """
        batch = self.batch
        while batch > 8 and images // batch < 16:
            batch //= 2
        batch = min(batch, max(1, images))
        factor = (batch / self.batch) ** (0.5 if self.optimiser in ("adamw", "muon") else 1.0)
        return replace(self, batch=batch, rate=self.rate * factor)

    def but(self, **changes: Any) -> Recipe:
        """The same with other fields."""
        return replace(self, **changes)

    def to_json(self) -> dict[str, Any]:
        """As JSON's own types."""
        record = asdict(self)
        record.update(drops=list(self.drops), operations=augment.to_json(self.operations))
        return record

    def differing(self, other: Recipe) -> dict[str, tuple[Any, Any]]:
        """The fields that `other` gives another value, and both values as JSON's own types.

        >>> read("fast-small").differing(read("airbench"))["batch"]
        (1024, 512)
        """
        own, theirs = self.to_json(), other.to_json()
        return {word: (own[word], theirs[word]) for word in own if own[word] != theirs[word]}

    @classmethod
    def from_json(cls, record: Any) -> Recipe:
        """The inverse of `to_json`; fields that are not there are those of the recipe that
        `base` names, or the defaults. `RecipeError` or `UnknownName` for what it cannot be.
        """
        if not isinstance(record, dict):
            raise RecipeError(f"a recipe is a JSON object, got {type(record).__name__}")
        values = dict(record)
        base = RECIPES[_name(values.pop("base"))] if "base" in values else cls()
        words = {field.name: field for field in fields(cls)}
        for word, value in values.items():
            if word not in words:
                raise nearest("word of a recipe", str(word), words)
            values[word] = _read_field(word, value)
        return replace(base, **values)


RANGES: dict[str, tuple[float, float]] = {
    "rate": (0.0, 1e4), "momentum": (0.0, 0.9999), "decay": (0.0, 10.0),
    "biases": (0.0, 1e5), "batch": (1, 2**20), "warmup": (0.0, 1.0),
    "smoothing": (0.0, 0.999), "auxiliary": (0.0, 10.0),
    "keep": (0.0, 0.999999), "clip": (1e-12, 1e12), "accumulate": (1, 2**20),
    "patience": (0, 10**6),
}  # fmt: skip
"""The least and the largest value of every number."""


def _read_field(word: str, value: Any) -> Any:
    """A field of a recipe from JSON's types; `RecipeError` for the wrong kind."""
    default: Any = next(field.default for field in fields(Recipe) if field.name == word)
    if word == "operations":
        if not isinstance(value, list):
            raise RecipeError(f"operations is {value!r}, wanted a list")
        return augment.from_json(value)
    if word == "drops":
        shares: list[Any] = value if isinstance(value, list) else [None]
        if not all(isinstance(share, int | float) and 0 < share < 1 for share in shares):
            raise RecipeError(f"drops is {value!r}, wanted a list of shares between 0 and 1")
        return tuple(float(share) for share in shares)
    if value is None and word in ("auxiliary", "clip"):
        return None
    kind: Any = float if word in ("auxiliary", "clip") else type(default)
    number: Any = float(value) if kind is float and type(value) is int else value
    if type(number) is not kind or (kind is float and not -inf < number < inf):
        raise RecipeError(f"{word} is {value!r}, wanted {_KINDS[kind]}")
    return number


_KINDS: dict[Any, str] = {
    float: "a number", int: "an integer", bool: "true or false", str: "a word",
}  # fmt: skip


def _name(value: Any) -> str:
    if value not in RECIPES:
        raise nearest("recipe", str(value), RECIPES)
    return value


def read(given: str | Path | Recipe) -> Recipe:
    """A recipe by its name, from a JSON file, or from JSON itself.

    >>> read("resnet").optimiser, read('{"base": "resnet", "batch": 32}').batch
    ('sgd', 32)
    """
    if isinstance(given, Recipe):
        return given
    if str(given) in RECIPES:
        return RECIPES[str(given)]
    if str(given).lstrip().startswith("{"):
        return _parsed(str(given), "the recipe", "given")
    path = Path(given)
    if not path.is_file():
        raise nearest("recipe, nor a file", str(given), RECIPES)
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, ValueError) as error:
        raise RecipeError(f"{path} cannot be read as JSON: {error}") from None
    return _parsed(text, str(path), path.stem)


def _parsed(text: str, source: str, name: str) -> Recipe:
    """The recipe of a JSON text, which is called `name` unless it says otherwise."""
    try:
        record = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise RecipeError(f"{source} cannot be read as JSON: {error}") from None
    recipe = Recipe.from_json(record)
    return recipe if "name" in record else replace(recipe, name=name)


def _named(recipes: Sequence[Recipe]) -> dict[str, Recipe]:
    return {recipe.name: recipe for recipe in recipes}


_FAST = Recipe(
    "fast-small", optimiser="muon", rate=0.24, momentum=0.6, decay=2e-6, batch=1024,
    schedule="linear", warmup=0.0, smoothing=0.2, whiten=True,
    operations=(Shift(2 / 32), AlternatingFlip()),
)  # fmt: skip
RECIPES: dict[str, Recipe] = _named([
    Recipe("classic", rate=0.01, decay=5e-4, batch=128, schedule="steps", drops=(0.5, 0.75),
           warmup=0.0, smoothing=0.0, operations=(Shift(), Flip())),
    Recipe("resnet", rate=0.1, decay=5e-4, batch=128, warmup=0.15, smoothing=0.1,
           operations=(Shift(), Flip())),
    Recipe("inception", optimiser="rmsprop", rate=0.002, decay=4e-5, batch=64, schedule="decay",
           warmup=0.05, smoothing=0.1, auxiliary=0.3, average="ema", clip=2.0,
           operations=(ResizedCrop(0.08), Flip())),
    Recipe("mobile", optimiser="rmsprop", rate=0.004, decay=1e-5, batch=64, schedule="decay",
           warmup=0.05, smoothing=0.1, average="ema", operations=(ResizedCrop(), Flip())),
    Recipe("modern", optimiser="adamw", rate=1e-3, decay=0.05, batch=128, warmup=0.1,
           smoothing=0.1, average="ema", clip=5.0,
           operations=(ResizedCrop(), Flip(), augment.ColourJitter(), augment.CutMix())),
    _FAST,
    _FAST.but(name="airbench", biases=1000.0, batch=512, rate=0.17),
    Recipe("fine-tune", optimiser="adamw", rate=3e-4, decay=0.05, batch=32, warmup=0.1,
           smoothing=0.1, average="ema", keep=0.98, clip=1.0,
           operations=(ResizedCrop(0.5), Flip())),
])  # fmt: skip
ABOUT: dict[str, str] = {
    "classic": "nets of before batch norm (Krizhevsky et al. 2012; Simonyan & Zisserman 2014)",
    "resnet": "nets from nothing, as fit trains them (He et al. 2015; the cosine of Loshchilov & "
              "Hutter 2016)",
    "inception": "nets with auxiliary heads (Szegedy et al. 2015, section 8)",
    "mobile": "small nets of separable convolutions (Howard et al. 2017)",
    "modern": "ConvNeXt and its like (Liu et al. 2022, in short)",
    "fast-small": "small photos in minutes (Jordan 2024, arXiv:2404.00498, for any net)",
    "airbench": "as it is there, for airbench94_cifar10 and the like: their last layer is scaled "
                "down, as the loss is the sum over a batch",
    "fine-tune": "weights that are trained already, as fit begins with them",
}  # fmt: skip
"""What each is for, and whose it is."""
