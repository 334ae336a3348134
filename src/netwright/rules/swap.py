"""Rules that put one kind of unit for another."""

from __future__ import annotations

from dataclasses import replace
from math import prod

from netwright.core.classifier import classifiers
from netwright.core.net import Net
from netwright.core.rewrite import Site, everywhere, matches
from netwright.core.spec import Spec, Unit
from netwright.errors import RuleError
from netwright.rules.pools import first
from netwright.rules.registry import named
from netwright.units.activation import Activation, Identity, ReLU
from netwright.units.conv import Conv
from netwright.units.deform import DeformableConv
from netwright.units.norm import BatchNorm, GroupNorm
from netwright.units.weight_norm import WeightStandardisation

__all__ = [
    "activation",
    "deformable",
    "normalisation",
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


@named("deformable")
def deformable(net: Net, version: int = 1) -> Net:
    """Every k x k convolution but the first becomes deformable: a convolution of the same window,
    zero at first, tells its taps where to go; k^2 (2 k^2 C + 2) parameters more.

    Dai et al. 2017 (arXiv:1703.06211). With `version` 2 every tap is weighed too, by a half at
    first (Zhu et al. 2018, arXiv:1811.11168), for k^2 (3 k^2 C + 3).
    """
    if version not in (1, 2):
        raise RuleError(f"version is {version}, wanted 1 or 2")
    stem = first(net, Conv).path

    def change(site: Site, spec: Spec) -> Spec | None:
        assert isinstance(spec, Conv)
        single = len(site.x) != 3 or set(spec.sliding(site.x).kernel) == {1}
        if single or site.path == stem or spec.border != "zeros":
            return None
        return DeformableConv(
            spec.width, spec.kernel, spec.stride, spec.padding, spec.dilation, spec.groups,
            spec.bias, modulated=version == 2,
        )  # fmt: skip

    return everywhere(net, change, Conv)
