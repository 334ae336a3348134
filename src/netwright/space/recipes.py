"""Hyper-parameters of a recipe as a search space."""

from __future__ import annotations

from functools import cached_property
from math import prod
from typing import Any

from netwright.core.net import Net
from netwright.core.shape import Shape
from netwright.space.registry import named
from netwright.space.search_space import Digit, Digits
from netwright.space.variants import Variants, starting
from netwright.units.conv import Conv
from netwright.units.deform import DeformableConv

__all__ = ["BASES", "WHITENING", "RecipeSpace"]

BASES = {"resnet": (0.1, 5e-4), "modern": (1e-3, 0.05), "fast-small": (0.24, 2e-6)}
"""Named recipes, of SGD, AdamW and Muon; and their rates and decays, of which others are
multiples."""
WHITENING = frozenset({"fast-small"})
"""Those of them that whiten the first convolution, which not every net has the filters for."""
FACTORS = (0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0)
WORDS: dict[str, tuple[Any, ...]] = {
    "batch": (32, 64, 128, 256, 512),
    "schedule": ("cosine", "linear"),
    "warmup": (0.0, 0.05, 0.15),
    "smoothing": (0.0, 0.1, 0.2),
    "average": ("none", "ema"),
}
MIXES = ("none", "cutout", "mixup", "cutmix")
"""What is added to random shifts and flips."""


@named("recipe")
class RecipeSpace(Variants):
    """Ways to train one net: a named recipe, factors of its rate and its decay, batch, schedule,
    warm-up, label smoothing, averaging, augmentation.

    net: what is trained; a registered one at other `classes` and `input` where these are given

    All codes have the same net, under names of their own; `settings` says how it is to be trained,
    in the words of `netwright.train.recipe.Recipe.from_json`. `fast-small` is left out where the
    net's first convolution has too few filters to be whitened, as that of the default.

    >>> space = RecipeSpace("resnet20_cifar10")
    >>> settings = space.settings("033200100")
    >>> settings["base"], settings["rate"], settings["batch"]
    ('resnet', 0.1, 128)
    >>> space.code(space.net("033200100"))
    '033200100'
    """

    def __init__(self, net: Net | str = "resnet20_cifar10", classes: int | None = None,
                 input: Shape | None = None) -> None:  # fmt: skip
        digits = [
            Digit("base", tuple(BASES)),
            Digit("rate", FACTORS, ordered=True),
            Digit("decay", FACTORS, ordered=True),
            *[Digit(word, options, ordered=not isinstance(options[0], str))
              for word, options in WORDS.items()],
            Digit("augmentation", MIXES),
        ]  # fmt: skip
        super().__init__("recipe", starting(net, classes, input), digits)

    def settings(self, code: str) -> dict[str, Any]:
        """The recipe of a code as a record of JSON."""
        names = [digit.name for digit in self.digits]
        pairs = zip(self.digits, self.choices(code), strict=True)
        given = dict(zip(names, [digit.options[choice] for digit, choice in pairs], strict=True))
        mix = given.pop("augmentation")
        rate, decay = BASES[given["base"]]
        operations = ["shift", "flip", *([] if mix == "none" else [mix])]
        return {**given, "name": f"recipe-{code}", "rate": rate * given["rate"],
                "decay": decay * given["decay"],
                "operations": [{"operation": name} for name in operations]}  # fmt: skip

    def changed(self, choices: Digits) -> Net:
        return self.start

    def legal(self, choices: Digits) -> bool:
        return self._whitens or self.digits[0].options[choices[0]] not in WHITENING

    @cached_property
    def _whitens(self) -> bool:
        """Whether the first convolution reads the images and has two filters for each input of
        its window, as `netwright.train.whitening` needs it.
        """
        for row in self.start.plan().rows:
            conv, x = row.unit, row.input
            if isinstance(conv, Conv | DeformableConv) and len(x) == 3:
                needed = 2 * x[0] * prod(conv.sliding(x).kernel)
                return x[0] == self.start.input[0] and conv.groups == 1 and conv.width >= needed
        return False

    def reduced(self, choices: Digits) -> Digits:
        """One net, but trained in another way by each code."""
        return choices
