"""Rules that make a net wider, deeper, or harder to overfit."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from math import ceil
from typing import Any, cast

from netwright.blocks.mobile import rounded
from netwright.core.net import Net
from netwright.core.rewrite import Site, classifiers, everywhere, matches
from netwright.core.spec import Block, Spec
from netwright.core.wiring import Sequential, Sum
from netwright.errors import RuleError, SpecError
from netwright.nets.options import need_counts, need_factors
from netwright.rules.registry import named
from netwright.units.linear import Linear
from netwright.units.regularise import Dropout, DropPath
from netwright.units.weight_norm import Reweighted

__all__ = ["compound", "deepen", "deepened", "drop_path", "dropout", "widen"]

LONGEST = 10_000
"""Blocks of a stage that is made deeper."""
LARGEST_PHI = 64
WIDTHS = ("width", "hidden", "growth")
"""Fields that are numbers of channels."""


@named("widen")
def widen(net: Net, factor: float = 2.0) -> Net:
    """Every width and growth times `factor`, rounded to 8; parameters and MACs grow with
    its square. The classifier stays.
    """
    need_factors(factor=factor)
    stays = {*classifiers(net)}

    def change(site: Site, spec: Spec) -> Spec | None:
        return None if site.path in stays else scaled(spec)

    def scaled(spec: Spec) -> Spec:
        if isinstance(spec, Reweighted):
            return replace(spec, of=scaled(spec.of))
        divisor = getattr(spec, "groups", 1)
        wider: dict[str, Any] = {
            name: rounded(getattr(spec, name) * factor, divisor if divisor > 1 else 8)
            for name in WIDTHS
            if name in spec.field_names
        }
        return replace(spec, **wider)  # type: ignore[type-var]

    def grows(spec: Spec) -> bool:
        return isinstance(spec, Reweighted) or bool({*WIDTHS} & {*spec.field_names})

    return everywhere(net, change, grows)


@named("deepen")
def deepen(net: Net, blocks: int = 1) -> Net:
    """Every stage gets `blocks` more of its last block, at stride 1.

    A stage is a Sequential of numbered blocks of one kind, or a block that says its depth.
    """
    need_counts(blocks=blocks)
    return deepened(net, lambda depth: depth + blocks)


def deepened(net: Net, deeper: Callable[[int], int]) -> Net:
    """The net with `deeper(n)` blocks in a stage of n, at least one."""

    def change(site: Site, spec: Spec) -> Spec | None:
        if not isinstance(spec, Sequential):
            return replace(spec, depth=max(1, deeper(spec.depth)))  # type: ignore[attr-defined, call-arg]
        last = spec[len(spec) - 1]
        stride = {"stride": 1} if "stride" in last.field_names else {}
        more = cast("Spec", replace(cast("Any", last), **stride))
        blocks = max(1, deeper(len(spec)))
        if blocks > LONGEST:
            raise SpecError(f"a stage of {blocks} blocks is too long; wanted at most {LONGEST}")
        return Sequential(*[*spec][:blocks], *[more] * (blocks - len(spec)))

    return everywhere(net, change, _is_stage)


def _is_stage(spec: Spec) -> bool:
    if isinstance(spec, Block):
        return "depth" in spec.field_names
    if not isinstance(spec, Sequential) or not len(spec):
        return False
    kinds = {type(part) for part in spec}
    return len(kinds) == 1 and issubclass(kinds.pop(), Block) and spec.names[0] == "0"


@named("scale")
def compound(
    net: Net, phi: float = 1.0, alpha: float = 1.2, beta: float = 1.1, gamma: float = 1.15
) -> Net:
    """Depth times alpha^phi, width times beta^phi, image size times gamma^phi: MACs grow by about
    (alpha beta^2 gamma^2)^phi, twice a phi with these.

    Compound scaling (Tan & Le 2019, arXiv:1905.11946, equation 3). Widths are rounded to 8,
    depths up. A `phi` below 0 makes the net smaller.
    """
    need_factors(alpha=alpha, beta=beta, gamma=gamma)
    if not abs(phi) <= LARGEST_PHI:
        raise SpecError(f"phi is {phi}, wanted a number from -{LARGEST_PHI} to {LARGEST_PHI}")
    sides = [round(side * gamma**phi) for side in net.input[1:]]
    made = replace(net, input=(net.input[0], *sides))
    with suppress(RuleError):  # a step may be too small for widths to move
        made = widen(made, beta**phi)
    with suppress(RuleError):
        made = deepened(made, lambda depth: ceil(depth * alpha**phi))
    if made == net:
        raise RuleError(f"a phi of {phi} is too small to change {net.name}")
    return made


@named("drop-path")
def drop_path(net: Net, rate: float = 0.2) -> Net:
    """Residual bodies are dropped at random while training, the deeper the more, up to `rate`.

    Stochastic depth with linear decay (Huang et al. 2016, arXiv:1603.09382, equation 4).
    """
    bodies = [path for path, spec in matches(net, Sum) if "body" in spec.names]  # type: ignore[attr-defined]

    def change(site: Site, spec: Spec) -> Spec | None:
        assert isinstance(spec, Sum)
        if site.path not in bodies:
            return None
        own = rate * (bodies.index(site.path) + 1) / len(bodies)
        return spec.put(body=Sequential(body=spec.part("body"), drop=DropPath(own)))

    return everywhere(net, change, Sum)


@named("dropout")
def dropout(net: Net, rate: float = 0.5) -> Net:
    """Dropout before the classifier (Srivastava et al. 2014)."""
    path = next(iter(classifiers(net)), None)
    unit = None if path is None else net.plan().row(path).unit
    if not isinstance(unit.of if isinstance(unit, Reweighted) else unit, Linear):
        raise RuleError(f"{net.name} does not end in a dense unit")

    def change(site: Site, spec: Spec) -> Spec | None:
        return Sequential(drop=Dropout(rate), fc=spec) if site.path == path else None

    return everywhere(net, change, lambda spec: spec == unit)
