"""A net and the named rewrites of it as a search space."""

from __future__ import annotations

from collections.abc import Sequence

from netwright.core.net import Net
from netwright.core.shape import Shape
from netwright.errors import NetwrightError, RuleError, SpecError
from netwright.rules.registry import find
from netwright.space.registry import named
from netwright.space.search_space import Digit, Digits
from netwright.space.variants import Variants, starting

__all__ = ["RULES", "RewriteSpace"]

RULES = (
    "widen:0.5", "widen:1.5", "deepen", "stem-3x3", "stem-stride-1", "no-first-pool", "7x7-to-3x3",
    "5x5-to-3x3", "asymmetric", "bottleneck", "grouped", "separable", "pool-to-conv", "blur-pool",
    "residual", "conv-head", "gap-head", "se", "eca", "act:SiLU",
)  # fmt: skip
"""Rewrites that are tried on any net, unless others are given."""


@named("rewrites")
class RewriteSpace(Variants):
    """A net after up to `steps` named rewrites, one after the other (`nw.rules`): a choice is the
    rule of a step, so a mutation exchanges one, or adds or leaves out the last.

    net: what is rewritten; a registered one at other `classes` and `input` where these are given
    rules: their texts, as of `Net.rewrite`; those of `RULES` that change the net unless given
    steps: how many follow one another at most

    >>> space = RewriteSpace("resnet20_cifar10", rules=("se", "deepen", "widen:2"))
    >>> space, space.rules_of("31")
    (<space rewrites: 16 codes of 2 choices>, ['widen:2', 'se'])
    >>> space.canonical("31") == space.canonical("13")
    True
    """

    resizes = True

    def __init__(self, net: Net | str = "resnet20_cifar10", rules: Sequence[str] | None = None,
                 steps: int = 2, classes: int | None = None,
                 input: Shape | None = None) -> None:  # fmt: skip
        if type(steps) is not int or steps < 1:
            raise SpecError(f"rewrites: steps is {steps!r}, wanted an integer of at least 1")
        start = starting(net, classes, input)
        own = [text for text in RULES if _applies(start, text)] if rules is None else [*rules]
        for text in own:
            find(text)
        options = (None, *dict.fromkeys(own))
        super().__init__(
            "rewrites", start, [Digit(f"step {i}", options) for i in range(1, steps + 1)]
        )

    def rules_of(self, code: str) -> list[str]:
        """The rewrites of a code, in order."""
        return [rule for rule in self._given(self.choices(code)) if rule is not None]

    def _given(self, choices: Digits) -> list[str | None]:
        return [digit.options[choice] for digit, choice in zip(self.digits, choices, strict=True)]

    def changed(self, choices: Digits) -> Net:
        steps = len(choices) - choices.count(0)
        if 0 in choices[:steps]:
            raise RuleError("steps without a rewrite come last")
        if not steps:
            return self.start
        before = self.variant((*choices[: steps - 1], *[0] * (len(choices) - steps + 1)))
        if before is None:
            raise RuleError(f"{self.start.name} cannot be rewritten by {self._given(choices)}")
        return before.rewrite(self.digits[0].options[choices[steps - 1]])


def _applies(net: Net, rule: str) -> bool:
    try:
        return net.rewrite(rule).hash != net.hash
    except NetwrightError:
        return False
