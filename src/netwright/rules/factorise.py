"""Rules that put cheaper convolutions for a convolution."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from netwright.blocks.conv import ConvNormAct, DepthwiseConv
from netwright.core.net import Net
from netwright.core.rewrite import Site, below, everywhere
from netwright.core.shape import per_axis
from netwright.core.spec import Spec
from netwright.core.wiring import Sequential
from netwright.errors import RuleError
from netwright.nets.options import need_counts
from netwright.rules.pools import first
from netwright.rules.registry import named
from netwright.units.activation import ReLU
from netwright.units.conv import Conv
from netwright.units.rearrange import ChannelShuffle
from netwright.units.weight_norm import Reweighted

__all__ = [
    "asymmetric",
    "dilated",
    "five_by_three",
    "grouped",
    "separable",
    "seven_by_three",
]

Step = Conv | ConvNormAct


def _kernel(spec: Spec, site: Site) -> tuple[int, ...]:
    return per_axis(spec.kernel, len(site.x) - 1)  # type: ignore[attr-defined]


def _centred(spec: Step, site: Site) -> bool:
    """Whether the padding keeps the map as large as stride 1 would, so that `same` says it."""
    k, d = _kernel(spec, site), per_axis(spec.dilation, len(site.x) - 1)
    half = tuple(step * (n - 1) // 2 for n, step in zip(k, d, strict=True))
    p = spec.padding
    return p == "same" or (not isinstance(p, str) and per_axis(p, len(half)) == half)  # type: ignore[arg-type]


def _convolutions(net: Net, change: Callable[[Site, Step], Spec | None]) -> Net:
    """The net with its dense convolutions changed, alone or in a `ConvNormAct`."""

    def step(site: Site, spec: Spec) -> Spec | None:
        assert isinstance(spec, Step)
        return change(site, spec) if spec.groups == 1 else None

    return everywhere(net, step, lambda spec: isinstance(spec, Step))


def _stack(spec: Step, n: int) -> Sequential:
    """N 3x3 convolutions with the same field as one of 2n + 1, the stride in the first.

    Between them stands what follows the convolution, or ReLU where that is not known.
    """
    begin = replace(spec, kernel=3, padding="same")
    rest = replace(begin, stride=1)
    if isinstance(spec, ConvNormAct):
        if spec.act is None:
            begin, inner = replace(begin, act=ReLU()), replace(rest, act=ReLU())
            return Sequential(begin, *[inner] * (n - 2), rest)
        return Sequential(begin, *[rest] * (n - 1))
    steps: list[Spec] = [begin]
    for _ in range(n - 1):
        steps += [ReLU(), rest]
    return Sequential(*steps)


@named("5x5-to-3x3")
def five_by_three(net: Net) -> Net:
    """Every 5x5 convolution becomes two 3x3 of the same field: from C to N channels 9 N (C + N)
    weights for 25 C N, which is 18/25 where C = N and more than before where C < 9/16 N.

    Szegedy et al. 2015 (arXiv:1512.00567), section 3.1.
    """

    def change(site: Site, spec: Step) -> Spec | None:
        five = set(_kernel(spec, site)) == {5} and _centred(spec, site)
        return _stack(spec, 2) if five else None

    return _convolutions(net, change)


@named("7x7-to-3x3")
def seven_by_three(net: Net) -> Net:
    """Every 7x7 convolution becomes three 3x3, of the same field at stride 1: from C to N channels
    9 N (C + 2 N) weights for 49 C N, which is 27/49 where C = N and more than before where
    C < 9/20 N, as in a stem: eight times as many from 3 to 64.
    """

    def change(site: Site, spec: Step) -> Spec | None:
        seven = set(_kernel(spec, site)) == {7} and _centred(spec, site)
        return _stack(spec, 3) if seven else None

    return _convolutions(net, change)


@named("asymmetric")
def asymmetric(net: Net) -> Net:
    """Every k x k convolution becomes k x 1, then 1 x k: from C to N channels k N (C + N) weights
    for k^2 C N, which is 2/k where C = N and more than before where C < N / (k - 1).

    Szegedy et al. 2015 (arXiv:1512.00567), section 3.2. The stride is split between them.
    """

    def change(site: Site, spec: Step) -> Spec | None:
        k = _kernel(spec, site)
        if len(k) != 2 or k[0] != k[1] or k[0] == 1 or not _centred(spec, site):
            return None
        s = per_axis(spec.stride, 2, "stride")
        tall = replace(spec, kernel=(k[0], 1), stride=(s[0], 1), padding="same")
        wide = replace(spec, kernel=(1, k[1]), stride=(1, s[1]), padding="same")
        return Sequential(tall=tall, wide=wide)

    return _convolutions(net, change)


@named("separable")
def separable(net: Net) -> Net:
    """Every k x k convolution becomes depthwise, then pointwise: 1/N + 1/k^2 of the MACs.

    Howard et al. 2017 (arXiv:1704.04861), section 3.1. A net's first convolution stays: it
    sees colours; so do those to a single map, which would cost more.
    """
    stem = first(net, Conv).path

    def change(site: Site, spec: Step) -> Spec | None:
        single = spec.width == 1 or set(_kernel(spec, site)) == {1}
        if single or stem in (site.path, below(site.path, "conv")):
            return None
        if isinstance(spec, Conv):
            deep = DepthwiseConv(
                spec.kernel, spec.stride, spec.padding, spec.dilation, bias=False,
                border=spec.border,
            )  # fmt: skip
        else:
            deep = replace(spec, width=site.x[0], groups=site.x[0], act=spec.act and ReLU())
        point = replace(spec, kernel=1, stride=1, padding=0, dilation=1)
        return Sequential(depthwise=deep, pointwise=point)

    return _convolutions(net, change)


@named("grouped")
def grouped(net: Net, groups: int = 4) -> Net:
    """Every k x k convolution is split into groups, whose channels are then shuffled:
    1/groups of the MACs.

    Zhang et al. 2017 (arXiv:1707.01083). Where groups do not divide the channels it stays.
    """
    need_counts(groups=groups)

    def change(site: Site, spec: Step) -> Spec | None:
        fits = site.x[0] % groups == 0 and spec.width % groups == 0
        if set(_kernel(spec, site)) == {1} or not fits:
            return None
        return Sequential(grouped=replace(spec, groups=groups), shuffle=ChannelShuffle(groups))

    return _convolutions(net, change)


@named("dilate")
def dilated(net: Net, output_stride: int = 8) -> Net:
    """The net advances by at most `output_stride`: later strides become dilation.

    Yu & Koltun 2015 (arXiv:1511.07122); Chen et al. 2017 (arXiv:1706.05587). The field
    stays, the maps are larger.
    """
    need_counts(output_stride=output_stride)
    jump: dict[str, int] = {}
    for row in net.plan().rows:
        axes, window = row.field.axes, row.unit.sliding(row.input)
        if axes and window is not None:
            hop = max(window.stride)
            jump[row.path] = axes[0].jump // hop
            beyond = jump[row.path] * hop > output_stride and max(window.kernel) > 1
            if beyond and _conv(row.unit) is None:
                raise RuleError(f"{row.path}, a {type(row.unit).__name__} beyond stride "
                                f"{output_stride}, has no dilation; pool-to-conv makes a pool a "
                                "convolution first")  # fmt: skip

    def change(site: Site, spec: Spec) -> Spec | None:
        conv, before = _conv(spec), jump.get(site.path, 0)
        if conv is None:
            return None
        window = conv.sliding(site.x)
        factor, stride = before // output_stride, max(window.stride)
        if before * stride <= output_stride or (stride == 1 and max(window.kernel) == 1):
            return None
        changes: dict[str, Any] = {"stride": max(1, output_stride // before)}
        if factor > 1 and max(window.kernel) > 1:
            if not _centred(conv, site):
                raise RuleError(
                    f"{site.path}: padding {conv.padding} is not that of a centred window"
                )
            dilation = tuple(factor * n for n in window.dilation)
            changes |= {"dilation": dilation, "padding": "same"}
        dilated = replace(conv, **changes)
        return replace(spec, of=dilated) if isinstance(spec, Reweighted) else dilated

    return everywhere(net, change, lambda spec: _conv(spec) is not None)


def _conv(spec: Spec) -> Conv | None:
    """The convolution that a spec is, reweighted or not."""
    of = spec.of if isinstance(spec, Reweighted) else spec
    return of if isinstance(of, Conv) else None
