"""Rules that put one kind of unit for another, or blocks for blocks."""

from __future__ import annotations

from dataclasses import replace
from math import prod

from netwright.blocks.conv import ConvNormAct
from netwright.blocks.resnet import BasicBlock, Bottleneck, Shortcut
from netwright.core.net import Net
from netwright.core.rewrite import Site, classifiers, everywhere, matches
from netwright.core.spec import Spec, Unit
from netwright.core.wiring import Sequential, Sum
from netwright.errors import RuleError
from netwright.rules.registry import named
from netwright.units.activation import Activation, Identity, ReLU
from netwright.units.conv import Conv
from netwright.units.norm import BatchNorm, GroupNorm
from netwright.units.pool import LocalPool, MaxPool
from netwright.units.weight_norm import WeightStandardisation

__all__ = [
    "activation",
    "bottleneck",
    "fold_norm",
    "normalisation",
    "pool_to_conv",
    "pooling",
    "residual",
    "weight_standardise",
]


@named("act")
def activation(net: Net, act: Activation) -> Net:
    """Every ReLU becomes another activation; the cost stays, but for learnt slopes."""
    if not isinstance(act, Activation):
        raise RuleError(f"{act!r} is no activation; give a unit such as GELU")
    return _swapped(net, act, ReLU)


@named("norm")
def normalisation(net: Net, norm: Unit) -> Net:
    """Every batch norm becomes another normalisation, or `Identity` for none."""
    if not isinstance(norm, Unit):
        raise RuleError(f"{norm!r} is no unit; give one such as GroupNorm")
    return _swapped(net, norm, BatchNorm)


@named("weight-standardise")
def weight_standardise(net: Net, norm: Unit = GroupNorm()) -> Net:  # noqa: B008
    """Every convolution is weight standardised, every batch norm becomes group norm.

    Qiao et al. 2019 (arXiv:1903.10520): made for batches of one or two images; no parameters
    more, 2 C + 1 buffer elements a norm less. Groups are fewer where 32 of two channels or more
    do not divide the width. `Identity` in the place of `norm` leaves no normalisation: the
    convolutions get biases and learnt gains (Brock et al. 2021, arXiv:2101.08692). Classifiers
    and kernels of one weight stay. Rules that look for convolutions come before this one.
    """
    if not isinstance(norm, Unit):
        raise RuleError(f"{norm!r} is no unit; give one such as GroupNorm")
    bare = isinstance(norm, Identity)
    if not bare and not matches(net, BatchNorm):
        raise RuleError(f"{net.name} has no batch norm; weight-standardise:Identity needs none")
    stays = {*classifiers(net)}

    def change(site: Site, spec: Spec) -> Spec | None:
        if isinstance(spec, BatchNorm):
            if not isinstance(norm, GroupNorm):
                return norm
            return replace(norm, groups=_groups(site.x[0], norm.groups))
        assert isinstance(spec, Conv)
        single = site.x[0] // spec.groups * prod(spec.sliding(site.x).kernel) == 1
        if single or site.path in stays:
            return None
        return WeightStandardisation(replace(spec, bias=spec.bias or bare), gain=bare)

    return everywhere(net, change, lambda spec: type(spec) in (Conv, BatchNorm))


def _groups(channels: int, most: int) -> int:
    """The largest number of groups of at least two channels each, `most` at most."""
    return max(g for g in range(1, most + 1) if channels % g == 0 and g <= max(1, channels // 2))


def _swapped(net: Net, new: Unit, old: type[Unit]) -> Net:
    def change(site: Site, spec: Spec) -> Spec:
        return new

    return everywhere(net, change, old)


@named("pool")
def pooling(net: Net, pool: LocalPool) -> Net:
    """Every local pool becomes one of another kind with the same window."""
    if not isinstance(pool, LocalPool):
        raise RuleError(f"{pool!r} is no local pool; give a unit such as AvgPool")

    def change(site: Site, spec: Spec) -> Spec | None:
        assert isinstance(spec, LocalPool)
        return type(pool)(spec.kernel, spec.stride, spec.padding, spec.ceil)

    return everywhere(net, change, lambda spec: isinstance(spec, LocalPool))


@named("pool-to-conv")
def pool_to_conv(net: Net) -> Net:
    """Every max pool becomes a convolution of the same kernel and stride.

    Springenberg et al. 2014 (arXiv:1412.6806). C^2 k^2 parameters each. A pool that rounds
    its size up gets padding at the end instead.
    """

    def change(site: Site, spec: Spec) -> Spec | None:
        assert isinstance(spec, MaxPool)
        stride = spec.kernel if spec.stride is None else spec.stride
        conv = Conv(site.x[0], spec.kernel, stride, spec.padding)
        want = spec.shape(site.x)
        if conv.shape(site.x) != want:
            extra = [w - g for w, g in zip(want[1:], conv.shape(site.x)[1:], strict=True)]
            _, hop, p, _, _ = spec.sliding(site.x)
            padding = tuple((a, b + e * s) for (a, b), e, s in zip(p, extra, hop, strict=True))
            conv = Conv(site.x[0], spec.kernel, stride, padding)
        return Sequential(conv=conv, act=ReLU())

    return everywhere(net, change, MaxPool)


@named("fold-norm")
def fold_norm(net: Net) -> Net:
    """Every batch norm behind a convolution is folded into the convolution's bias.

    2 C parameters less and a bias more, for inference; `netwright.torch.folded` moves the
    weights of a trained module along.
    """

    def in_block(site: Site, spec: Spec) -> Spec | None:
        assert isinstance(spec, ConvNormAct)
        return replace(spec, norm=None) if isinstance(spec.norm, BatchNorm) else None

    def neighbours(site: Site, conv: Spec, norm: Spec) -> Spec | None:
        assert isinstance(conv, Conv)
        return replace(conv, bias=True)

    made = net
    if matches(net, ConvNormAct):
        made = everywhere(net, in_block, ConvNormAct)
    if made is net or any(isinstance(row.unit, BatchNorm) for row in made.plan().rows):
        made = everywhere(made, neighbours, Conv, BatchNorm)
    return made


@named("bottleneck")
def bottleneck(net: Net, expansion: int = 4) -> Net:
    """Every basic block becomes a bottleneck of the same width, its output `expansion` times
    as wide (He et al. 2015, arXiv:1512.03385, figure 5).
    """

    def change(site: Site, spec: Spec) -> Spec | None:
        assert isinstance(spec, BasicBlock)
        return Bottleneck(
            spec.width, spec.stride, expansion=expansion, shortcut=spec.shortcut,
            attention=spec.attention, place=spec.place, drop=spec.drop,
        )  # fmt: skip

    return everywhere(net, change, BasicBlock)


@named("residual")
def residual(net: Net) -> Net:
    """Every two convolutions in a row with normalisation and activation get a shortcut.

    He et al. 2015 (arXiv:1512.03385): ReLU(body + shortcut), projected where shapes change.
    """

    def change(site: Site, first: Spec, second: Spec) -> Spec | None:
        assert isinstance(first, ConvNormAct)
        assert isinstance(second, ConvNormAct)
        if None in (first.act, second.act) or (second.stride, first.padding) != (1, "same"):
            return None
        if not isinstance(first.stride, int) or second.padding != "same":
            return None
        body = Sequential(conv1=first, conv2=replace(second, act=None))
        shortcut = Shortcut(second.width, first.stride)
        return Sequential(residual=Sum(body=body, shortcut=shortcut), act=second.act or Identity())

    return everywhere(net, change, ConvNormAct, ConvNormAct)
