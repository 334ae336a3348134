"""The grid of compound scaling as a search space."""

from __future__ import annotations

from netwright.core.net import Net
from netwright.core.shape import Shape
from netwright.errors import RuleError
from netwright.rules.scale import compound
from netwright.space.compound import Growth, growths
from netwright.space.registry import named
from netwright.space.search_space import Digit, Digits
from netwright.space.variants import Variants, starting

__all__ = ["CompoundSpace"]


@named("compound")
class CompoundSpace(Variants):
    """A net at about `work` times its multiply-adds, by the factors of depth, width and image size
    (alpha, beta, gamma) that are chosen: those of `growths`, the grid of EfficientNet's search
    (Tan & Le 2019, arXiv:1905.11946, section 3.3). `family` scales on by the best.

    net: the small one; a registered one at other `classes` and `input` where these are given
    step: between two factors
    tolerance: how far alpha beta^2 gamma^2 may be from `work`, as a part of it
    work: by how much multiply-adds are to grow, about

    >>> space = CompoundSpace("efficientnet_b0")
    >>> code = space.of(Growth(1.2, 1.1, 1.15))
    >>> space.growth(code), space.net(code).input
    (Growth(depth=1.2, width=1.1, size=1.15), (3, 258, 258))
    """

    resizes = True

    def __init__(self, net: Net | str = "efficientnet_b0", step: float = 0.05,
                 tolerance: float = 0.05, work: float = 2.0, classes: int | None = None,
                 input: Shape | None = None) -> None:  # fmt: skip
        self.growths = frozenset(growths(step, tolerance, work))
        digits = [Digit(word, tuple(sorted({one[i] for one in self.growths})), ordered=True)
                  for i, word in enumerate(Growth._fields)]  # fmt: skip
        super().__init__("compound", starting(net, classes, input), digits)

    def growth(self, code: str) -> Growth:
        """The factors of a code."""
        return self._growth(self.choices(code))

    def of(self, growth: Growth) -> str:
        """The code of factors of the grid; `ValueError` for others."""
        return self.write([digit.options.index(factor)
                           for digit, factor in zip(self.digits, growth, strict=True)])  # fmt: skip

    def _growth(self, choices: Digits) -> Growth:
        return Growth(*[digit.options[choice]
                        for digit, choice in zip(self.digits, choices, strict=True)])  # fmt: skip

    def changed(self, choices: Digits) -> Net:
        growth = self._growth(choices)
        if growth not in self.growths:
            raise RuleError(f"{growth} makes {growth.work:.2f} times the work")
        return compound(self.start, 1.0, *growth)
