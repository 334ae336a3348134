"""Compound scaling: how depth, width and image size should grow together."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import ceil, log
from typing import NamedTuple

from netwright.core.net import Net, need_nets
from netwright.errors import BudgetError, NetwrightError, SpecError
from netwright.rules.scale import ALPHA, BETA, GAMMA, compound
from netwright.space.totals import totals

__all__ = ["EFFICIENTNET", "Growth", "exponent", "family", "growth", "growths"]

EFFICIENTNET = (0.0, 0.5, 1.0, 2.0, 3.5, 5.0, 6.0, 7.0)
"""The phi of EfficientNet-B0 to B7."""


class Growth(NamedTuple):
    """Factors of depth, width and image size for a net of twice the work.

    >>> round(Growth(1.2, 1.1, 1.15).work, 2)
    1.92
    """

    depth: float = ALPHA
    width: float = BETA
    size: float = GAMMA

    @property
    def work(self) -> float:
        """By how much multiply-adds grow, about: depth width^2 size^2."""
        return self.depth * self.width**2 * self.size**2


PUBLISHED = Growth()
"""What the authors found for B0."""


def growths(step: float = 0.05, tolerance: float = 0.05, work: float = 2.0) -> list[Growth]:
    """All factors from 1 on in equal steps whose work is near enough, in order: the grid of
    EfficientNet's search (Tan & Le 2019, arXiv:1905.11946, section 3.3).

    step: between two factors
    tolerance: how far depth width^2 size^2 may be from `work`, as a part of it
    work: by how much multiply-adds are to grow

    >>> Growth(1.2, 1.1, 1.15) in growths(), len(growths())
    (True, 109)
    """
    if not 0.001 <= step <= 1 or not 0 < tolerance < 1 or not 1 < work <= 64:
        raise SpecError(
            f"step {step}, tolerance {tolerance}, work {work}; wanted a step of 0.001 to 1, a "
            "tolerance between 0 and 1 and a work above 1 and up to 64"
        )
    most = work * (1 + tolerance)
    count = [range(ceil((most**power - 1) / step) + 1) for power in (1.0, 0.5, 0.5)]
    grid = [Growth(*[round(1 + step * i, 9) for i in (a, b, c)])
            for a in count[0] for b in count[1] for c in count[2]]  # fmt: skip
    return [one for one in grid if abs(one.work / work - 1) <= tolerance]


def growth(
    net: Net,
    score: Callable[[Net], float],
    *,
    step: float = 0.05,
    tolerance: float = 0.05,
    progress: Callable[[Growth, Net, float], None] | None = None,
) -> tuple[Growth, list[tuple[Growth, float]]]:
    """The factors of `growths` whose net, `net` scaled by phi = 1, has the highest score; and all
    scores. Nets that several factors give are scored once; those that cannot be are left out.

    net: the small one, such as EfficientNet-B0
    score: what is to be high, such as validation accuracy after a short training
    step, tolerance: of the grid
    progress: called with every net that was scored

    >>> import netwright as nw
    >>> best, scores = growth(nw.net("efficientnet_b0"), lambda net: -net.plan().params, step=0.2)
    >>> best.width, len(scores)
    (1.0, 6)
    """
    need_nets("growth", net)
    scores, by_hash = list[tuple[Growth, float]](), dict[str, float]()
    for factors in growths(step, tolerance):
        try:
            larger = compound(net, 1.0, *factors)
        except NetwrightError:  # no depth that grows, or a size that does not fit
            continue
        if larger.hash not in by_hash:
            by_hash[larger.hash] = score(larger)
            if progress:
                progress(factors, larger, by_hash[larger.hash])
        scores.append((factors, by_hash[larger.hash]))
    if not scores:
        raise BudgetError(f"{net.name} cannot be scaled by any of {len(growths(step, tolerance))} "
                          "factors; see nw.scale")  # fmt: skip
    return max(scores, key=lambda one: one[1])[0], scores


def family(
    net: Net, factors: Growth = PUBLISHED, phis: Sequence[float] = EFFICIENTNET
) -> list[Net]:  # fmt: skip
    """The nets that `net` becomes at every phi, of about 2^phi times its work: from
    EfficientNet-B0 a family like B0 to B7.

    Sizes, depths and widths are those of the rule `scale`; the authors rounded their own by hand.

    >>> import netwright as nw
    >>> nets = family(nw.net("efficientnet_b0"), phis=(0, 1, 2))
    >>> [f"{net.plan().macs / 1e9:.1f}" for net in nets]
    ['0.4', '1.0', '1.8']
    """
    need_nets("family", net)
    return [compound(net, phi, *factors) if phi else net for phi in phis]


def exponent(net: Net, larger: Net, factors: Growth = PUBLISHED) -> float:
    """The phi at which these factors make about as much work of `net` as `larger` has.

    >>> import netwright as nw
    >>> b0, b7 = nw.net("efficientnet_b0"), nw.net("efficientnet_b7")
    >>> round(exponent(b0, b7), 1)
    7.0
    """
    return log(totals(larger).macs / totals(net).macs) / log(factors.work)
