"""Small nets and how they are trained: what `netwright fit --search` chooses from."""

from __future__ import annotations

from itertools import product
from typing import Any, ClassVar

from netwright.core.net import Net
from netwright.core.shape import Shape
from netwright.errors import SpecError
from netwright.space.families import DEPTHS, FAMILIES, WIDTHS, small, stage_counts
from netwright.space.registry import named
from netwright.space.search_space import Digit, Digits, Space

__all__ = ["SmallNets"]

RATES, DECAYS, SMOOTHINGS = (0.3, 1.0, 3.0), (0.2, 1.0, 5.0), (0.0, 1.0)
"""What the recipe's learning rate, weight decay and smoothing of labels are multiplied by."""


@named("small")
class SmallNets(Space):
    """The nets of five families for small images at every width, depth and number of stages,
    and three numbers of their recipe; a net's name ends with its code, which says the latter.

    >>> space = SmallNets()
    >>> space.size, space.net(space.default()).name, space.factors(space.default())["rate"]
    (5940, 'residual-w16-d2-s4-0411111', 1.0)
    """

    sound: ClassVar[bool] = True

    def __init__(self, classes: int = 10, input: Shape = (3, 32, 32)) -> None:
        self.classes, self.input = classes, input
        super().__init__("small", [
            Digit("family", tuple(FAMILIES)),
            Digit("width", WIDTHS, ordered=True),
            Digit("depth", DEPTHS, ordered=True),
            Digit("stages", stage_counts(min(input[1:])), ordered=True),
            Digit("rate", RATES, ordered=True),
            Digit("decay", DECAYS, ordered=True),
            Digit("smoothing", SMOOTHINGS, ordered=True),
        ])  # fmt: skip

    def build(self, choices: Digits) -> Net:
        family, width, depth, stages = self._options(choices)[:4]
        net = small(family, self.input, self.classes, width=width, depth=depth, stages=stages)
        return net.but(name=f"{net.name}-{self.write(choices)}")

    def read(self, net: Net) -> Digits:
        """The choices of a net; of its recipe by its name, as it is where that does not say."""
        try:
            recipe = self.choices(net.name.rpartition("-")[2])[4:]
        except SpecError:
            recipe = tuple(digit.options.index(1.0) for digit in self.digits[4:])
        for sizes in product(*[range(len(digit.options)) for digit in self.digits[:4]]):
            if self.build((*sizes, *recipe)).spec == net.spec:
                return (*sizes, *recipe)
        raise SpecError(f"{net.name} is no net of {self.name}")

    def default(self) -> str:
        """A residual net of middling size with the recipe as it is; the nearest to it that keeps
        to the budget.
        """
        last = len(self.digits[3].options) - 1
        recipe = (RATES.index(1.0), DECAYS.index(1.0), SMOOTHINGS.index(1.0))
        sizes = [(width, depth) for width in range(WIDTHS.index(16), -1, -1) for depth in (1, 0)]
        codes = [self.write((0, width, depth, last, *recipe)) for width, depth in sizes]
        return next((code for code in codes if self.fits(code)), codes[-1])

    def factors(self, code: str) -> dict[str, float]:
        """What fields of the recipe are multiplied by for a code."""
        names = [digit.name for digit in self.digits[4:]]
        return dict(zip(names, self._options(self.choices(code))[4:], strict=True))

    def _options(self, choices: Digits) -> list[Any]:
        return [digit.options[choice] for digit, choice in zip(self.digits, choices, strict=True)]
