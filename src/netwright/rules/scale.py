"""Rules that make a net deeper, larger in all, or harder to overfit."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from math import ceil, lcm
from typing import Any, cast

from netwright.blocks.stage import Stage
from netwright.core.interpret import output_shape
from netwright.core.net import Net
from netwright.core.rewrite import Site, classifiers, everywhere, matches, rewritten
from netwright.core.spec import Block, Spec
from netwright.core.wiring import Branches, Sequential, Sum
from netwright.errors import RuleError, ShapeError, SpecError
from netwright.nets.options import need_counts, need_factors
from netwright.rules.registry import named
from netwright.rules.widths import times
from netwright.units.attention import Attention
from netwright.units.conv_lstm import ConvLSTM
from netwright.units.linear import Linear
from netwright.units.recurrent import Recurrent
from netwright.units.regularise import Dropout, DropPath

__all__ = ["compound", "deepen", "deepened", "drop_path", "dropout", "resized"]

LONGEST = 10_000
"""Blocks of a stage that is made deeper."""
LARGEST_PHI = 64


@named("deepen")
def deepen(net: Net, blocks: int = 1) -> Net:
    """Every stage gets `blocks` more of its last block, at stride 1.

    A stage is a Sequential of numbered blocks of one kind, or a block that says how often it
    repeats a part; not what stands inside a block or in a branch.
    """
    need_counts(blocks=blocks)
    made = deepened(net, lambda depth: depth + blocks)
    if made == net:
        raise RuleError(f"{net.name} has no stage: neither a Sequential of numbered blocks of one "
                        "kind nor a block with a depth")  # fmt: skip
    return made


def deepened(net: Net, deeper: Callable[[int], int]) -> Net:
    """The net with `deeper(n)` blocks in a stage of n, at least one."""

    def change(site: Site, spec: Spec) -> Spec | None:
        if isinstance(spec, Sequential):
            last = _repeated(spec, site)
            return None if last is None else _long(spec, last, _bounded(deeper(len(spec))))
        if isinstance(spec, Block) and spec.repeats in spec.field_names:
            depth = _bounded(deeper(getattr(spec, spec.repeats)))
            return cast("Spec", replace(cast("Any", spec), **{spec.repeats: depth}))
        return spec  # branches, and blocks of one part

    return rewritten(net, change, lambda spec: isinstance(spec, Block | Branches | Sequential))


def _repeated(chain: Sequential, site: Site) -> Spec | None:
    """What a stage repeats, its last block at stride 1; None for a chain that is none."""
    if len({type(part) for part in chain}) != 1 or not isinstance(chain[0], Block):
        return None
    last = cast("Any", chain[len(chain) - 1])
    if isinstance(last, Stage) or chain.names != tuple(map(str, range(len(chain)))):
        return None
    last = replace(last, stride=1) if "stride" in last.field_names else last
    if last.joins:
        return last
    y = output_shape(chain, site.x)
    return last if output_shape(last, y)[1:] == y[1:] else None


def _long(chain: Sequential, last: Spec, blocks: int) -> Sequential:
    return Sequential(*[*chain][:blocks], *[last] * (blocks - len(chain)))


def _bounded(blocks: int) -> int:
    if blocks > LONGEST:
        raise SpecError(f"a stage of {blocks} blocks is too long; wanted at most {LONGEST}")
    return max(1, blocks)


@named("scale")
def compound(
    net: Net, phi: float = 1.0, alpha: float = 1.2, beta: float = 1.1, gamma: float = 1.15
) -> Net:
    """Depth times alpha^phi, width times beta^phi, image size times gamma^phi: MACs grow by about
    (alpha beta^2 gamma^2)^phi, twice a phi with these.

    Compound scaling (Tan & Le 2019, arXiv:1905.11946, equation 3). Widths are rounded to 8,
    depths up; sizes as the net needs them. A `phi` below 0 makes the net smaller.
    """
    need_factors(alpha=alpha, beta=beta, gamma=gamma)
    if not abs(phi) <= LARGEST_PHI:
        raise SpecError(f"phi is {phi}, wanted a number from -{LARGEST_PHI} to {LARGEST_PHI}")
    made = times(resized(net, gamma**phi), beta**phi)
    made = deepened(made, lambda depth: ceil(depth * alpha**phi))
    if made == net:
        raise RuleError(f"a phi of {phi} is too small to change {net.name}")
    return made


def resized(net: Net, factor: float) -> Net:
    """The net for images whose sides are `factor` times as long; where it does not fit these,
    or its output no longer goes with them, as long but for whole strides of the net.

    So the halves and doubles of a U-Net meet again. Time and channels stay.
    """
    first, strides = _positions(net)
    sides = net.input[first:]
    exact = [max(1, round(side * factor)) for side in sides]
    with suppress(ShapeError):
        made = replace(net, input=(*net.input[:first], *exact))
        if _in_proportion(net, made):
            return made
    stepped = [
        side + stride * max(round(side * (factor - 1) / stride), -((side - 1) // stride))
        for side, stride in zip(sides, strides, strict=True)
    ]
    return replace(net, input=(*net.input[:first], *stepped))


def _in_proportion(net: Net, other: Net) -> bool:
    """Whether a map that `other` gives is as much larger as its input is, position for position.
    """
    before, after = net.plan().output, other.plan().output
    return len(before) != len(net.input) or all(
        new * n == old * m
        for old, new, n, m in zip(before[1:], after[1:], net.input[1:], other.input[1:], strict=True)
    )


def _positions(net: Net) -> tuple[int, list[int]]:
    """Where the positions of an image begin in the net's input, and the total stride an axis."""
    rows = net.plan().rows
    reads = next(row for row in rows if -1 in row.sources)
    first = 1
    if reads.inputs[0] != net.input or isinstance(reads.unit, ConvLSTM):
        first = 2  # time comes first
    elif isinstance(reads.unit, Recurrent | Attention):
        first = len(net.input)
    jumps = [row.field.jump[first - 1 :] for row in rows if row.field.jump]
    per_axis = [[jump[axis] for jump in jumps] for axis in range(len(net.input) - first)]
    return first, [lcm(*[n for n in axis if isinstance(n, int)]) for axis in per_axis]
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
    path = next(iter(classifiers(net)), "")
    if not path or not isinstance(net.plan().row(path).unit, Linear):
        raise RuleError(f"{net.name} does not end in a dense unit")

    def change(site: Site, spec: Spec) -> Spec | None:
        return Sequential(drop=Dropout(rate), fc=spec) if site.path == path else None

    return everywhere(net, change, Linear)
