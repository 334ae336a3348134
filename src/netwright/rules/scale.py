"""Rules that make a net deeper, larger in all, or harder to overfit."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from functools import lru_cache
from math import ceil, lcm
from typing import Any, cast

from netwright.blocks.stage import Stage
from netwright.core.classifier import classifiers
from netwright.core.interpret import output_shape
from netwright.core.net import Net
from netwright.core.operation import Kind
from netwright.core.rewrite import Site, everywhere, matches, rewritten
from netwright.core.shape import Shape
from netwright.core.spec import Block, Spec
from netwright.core.wiring import Branches, Sequential, Sum, streams
from netwright.errors import RuleError, ShapeError, SpecError
from netwright.nets.options import need_counts, need_factors
from netwright.rules.registry import named
from netwright.rules.widths import times
from netwright.units.regularise import Dropout, DropPath

__all__ = [
    "ALPHA",
    "BETA",
    "GAMMA",
    "NO_STAGE",
    "compound",
    "compounded",
    "deepen",
    "deepened",
    "drop_path",
    "dropout",
    "positions",
    "strided",
]

LONGEST = 10_000
"""Blocks of a stage that is made deeper."""
NO_STAGE = (
    "has no stage: neither a Sequential of numbered blocks of one kind nor a block with a depth"
)
LARGEST_PHI = 64
ALPHA, BETA, GAMMA = 1.2, 1.1, 1.15
"""How depth, width and image size grow with phi (Tan & Le 2019, section 3.3)."""


@named("deepen")
def deepen(net: Net, blocks: int = 1) -> Net:
    """Every stage gets `blocks` more of its last block, at stride 1.

    A stage is a Sequential of numbered blocks of one kind, or a block that says how often it
    repeats a part; not what stands inside a block or in a branch.
    """
    need_counts(blocks=blocks)
    scaled = deepened(net, lambda depth: depth + blocks)
    if scaled == net:
        raise RuleError(f"{net.name} {NO_STAGE}")
    return scaled


def deepened(net: Net, deeper: Callable[[int], int]) -> Net:
    """The net with `deeper(n)` blocks in a stage of n, at least one."""

    def change(site: Site, spec: Spec) -> Spec | None:
        if isinstance(spec, Sequential):
            return _lengthened(spec, _bounded(deeper(len(spec))), site) if _is_stage(spec) else None
        if isinstance(spec, Block) and spec.repeats in spec.field_names:
            depth = _bounded(deeper(getattr(spec, spec.repeats)))
            return cast("Spec", replace(cast("Any", spec), **{spec.repeats: depth}))
        return spec  # branches, and blocks of one part

    return rewritten(net, change, lambda spec: isinstance(spec, Block | Branches | Sequential))


def _is_stage(chain: Sequential) -> bool:
    """Whether it is numbered blocks of one kind."""
    kinds = {type(part) for part in chain}
    numbered = chain.names == tuple(map(str, range(len(chain))))
    return numbered and len(kinds) == 1 and kinds != {Stage} and issubclass(kinds.pop(), Block)


def _lengthened(chain: Sequential, blocks: int, site: Site) -> Sequential | None:
    """A stage of so many blocks; None where its maps would not be those of before, in number
    and size.
    """
    last = cast("Any", chain[len(chain) - 1])
    more = replace(last, stride=1) if "stride" in last.field_names else last
    whole = [*chain]
    for parts in (whole[:blocks] + [more] * (blocks - len(chain)), whole[-blocks:]):
        new = Sequential(*parts)
        with suppress(ShapeError):
            if _sizes(new, site) == _sizes(chain, site):
                return new
    return None


def _sizes(spec: Spec, site: Site) -> list[Shape]:
    return [y[1:] for y in streams(output_shape(spec, *site.xs))]


def _bounded(blocks: int) -> int:
    if blocks > LONGEST:
        raise SpecError(f"a stage of {blocks} blocks is too long; wanted at most {LONGEST}")
    return max(1, blocks)


@named("scale")
def compound(
    net: Net, phi: float = 1.0, alpha: float = ALPHA, beta: float = BETA, gamma: float = GAMMA
) -> Net:
    """Depth times alpha^phi, width times beta^phi, image size times gamma^phi: MACs grow by about
    (alpha beta^2 gamma^2)^phi, twice a phi with these.

    Compound scaling (Tan & Le 2019, arXiv:1905.11946, equation 3). Widths are rounded to 8,
    depths up, sizes to what the net can be given. A `phi` below 0 makes the net smaller.
    """
    need_factors(alpha=alpha, beta=beta, gamma=gamma)
    if not abs(phi) <= LARGEST_PHI:
        raise SpecError(f"phi is {phi}, wanted a number from -{LARGEST_PHI} to {LARGEST_PHI}")
    scaled = compounded(net, phi, alpha, beta, lambda net: _resized(net, gamma**phi))
    if scaled == net:
        raise RuleError(f"a phi of {phi} is too small to change {net.name}")
    return scaled


def compounded(
    net: Net, phi: float, alpha: float, beta: float, resize: Callable[[Net], Net]
) -> Net:
    """The net after `compound`, its input changed by `resize`; it may be the net itself."""
    return deepened(times(resize(net), beta**phi), lambda depth: ceil(depth * alpha**phi))


def _resized(net: Net, factor: float) -> Net:
    """The net for images whose sides are `factor` times as long, or where these do not fit,
    `strided`.
    """
    first, _ = positions(net)
    sides = [max(1, round(side * factor)) for side in net.input[first:]]
    scaled = replace(net, input=(*net.input[:first], *sides))
    with suppress(ShapeError):
        if _in_proportion(net, scaled):
            return scaled
    return strided(net, factor)


def strided(net: Net, factor: float) -> Net:
    """The net for images whose sides are about `factor` times as long: longer or shorter by
    whole strides of the net, so that maps are halved and doubled as they were. Time stays.
    """
    first, strides = positions(net)
    sides = [
        side + stride * max(round(side * (factor - 1) / stride), -((side - 1) // stride))
        for side, stride in zip(net.input[first:], strides, strict=True)
    ]
    return replace(net, input=(*net.input[:first], *sides))


def _in_proportion(net: Net, other: Net) -> bool:
    """Whether a map that the net gives grows with its input, so that they go together still."""
    before, after = net.plan().output[1:], other.plan().output[1:]
    sides = zip(net.input[1:], other.input[1:], strict=True)
    ratios = zip(before, after, sides, strict=False)
    return not before or all(new * n == old * m for old, new, (n, m) in ratios)


@lru_cache(maxsize=4)
def positions(net: Net) -> tuple[int, list[int]]:
    """Where the positions of an image begin in the net's input, and the total stride an axis."""
    rows = net.plan().rows
    reads = next(row for row in rows if -1 in row.sources)
    steps = reads.unit.kind in (Kind.ATTENTION, Kind.RECURRENT) or reads.inputs[0] != net.input
    first = 2 if steps else 1  # time comes first, then channels or features
    rank = len(net.input) - first
    local = [row.field.jump or () for row in rows]
    jumps = [jump[-rank:] for jump in local if len(jump) >= rank > 0]
    return first, [
        lcm(*[jump[axis] for jump in jumps if isinstance(jump[axis], int)]) for axis in range(rank)
    ]


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
    if unit is None or unit.kind is not Kind.DENSE:
        raise RuleError(f"{net.name} does not end in a dense unit")

    def change(site: Site, spec: Spec) -> Spec | None:
        return Sequential(drop=Dropout(rate), fc=spec) if site.path == path else None

    return everywhere(net, change, lambda spec: spec == unit)
