"""From GoogLeNet over BN-Inception to Inception-v3, step by step."""

from __future__ import annotations

from dataclasses import replace

from netwright.blocks.conv import ConvNormAct
from netwright.blocks.inception import Inception, InceptionA
from netwright.core.net import Net
from netwright.core.rewrite import Site, everywhere
from netwright.core.spec import Spec
from netwright.core.wiring import Sequential
from netwright.errors import SpecError
from netwright.nets.googlenet import googlenet
from netwright.nets.inception import BN, V3, bn_inception, inception_v3
from netwright.nets.registry import net
from netwright.units.activation import Identity
from netwright.units.norm import BatchNorm
from netwright.units.pool import MaxPool
from netwright.units.response_norm import LocalResponseNorm

__all__ = ["inception_road"]

INPUT = (3, 224, 224)
KEPT = ("inception4d", "inception3b", "stem", "")
"""The last part of BN-Inception that is left after each step back from the head."""
TAKEN = ("reduction2", "reduction1", "stage1", "stem")
"""The first part of Inception-v3 that is there then."""


@net("inception_road_1_batch_norm", input=INPUT, paper=BN, steps=1)
@net("inception_road_2_small_kernels", input=INPUT, paper=V3, steps=2)
@net("inception_road_4_expanded", input=INPUT, paper=V3, steps=4)
@net("inception_road_5_factorised", input=INPUT, paper=V3, steps=5)
@net("inception_road_6_alike", input=INPUT, paper=V3, steps=6)
def inception_road(steps: int, classes: int = 1000) -> Spec:
    """GoogLeNet after so many steps on the way to Inception-v3.

    1: batch norm for biases and local response normalisation. 2: every 5x5 convolution is two
    3x3, which saves 28% where as many channels go in as come out, and nothing here. 3:
    `bn_inception`, with its widths and with strides for the pools between.

    Then, from the head on, the parts of Inception-v3 (Szegedy et al. 2015, arXiv:1512.00567,
    table 1). 4: the coarsest grid, expanded, and its reduction. 5: the middle grid, 7x7
    convolutions as 1x7 and 7x1. 6: the finest grid, of blocks that are all alike. 7: the stem,
    three 3x3 convolutions for the 7x7, which is `inception_v3`; that takes 299 pixels, the
    others 224.
    """
    if steps not in range(3 + len(KEPT) + 1):
        raise SpecError(f"steps is {steps!r}, wanted 0 to {3 + len(KEPT)}")
    if steps >= 3:
        return _joined(bn_inception(classes), inception_v3(classes=classes), steps - 3)
    before = Net(googlenet(classes=classes), INPUT)
    for step in (_normed, _small_kernels)[:steps]:
        before = step(before)
    return before.spec


def _normed(before: Net) -> Net:
    """Batch norm behind every convolution, none elsewhere."""

    def change(site: Site, spec: Spec) -> Spec:
        if isinstance(spec, LocalResponseNorm):
            return Identity()
        assert isinstance(spec, ConvNormAct | Inception)
        return replace(spec, norm=BatchNorm())

    kinds = (ConvNormAct, Inception, LocalResponseNorm)
    return everywhere(before, change, lambda spec: isinstance(spec, kinds))


def _small_kernels(before: Net) -> Net:
    """Two 3x3 convolutions for a 5x5: figure 5 for figure 4 of the paper."""

    def change(site: Site, spec: Spec) -> Spec:
        assert isinstance(spec, Inception)
        twice = (spec.reduce5, spec.conv5, spec.conv5)
        return InceptionA(
            spec.conv1, (spec.reduce3, spec.conv3), twice, spec.pool,
            pool=MaxPool(3, 1, padding=1), norm=spec.norm,
        )  # fmt: skip

    return everywhere(before, change, Inception)


def _joined(old: Spec, new: Spec, steps: int) -> Spec:
    """`old` up to one of `KEPT`, then `new` from the one of `TAKEN` on."""
    assert isinstance(old, Sequential)
    assert isinstance(new, Sequential)
    if steps == 0:
        return old
    kept, taken = KEPT[steps - 1], TAKEN[steps - 1]
    front = old.parts[: old.names.index(kept) + 1] if kept else ()
    return Sequential(**dict(front), **dict(new.parts[new.names.index(taken) :]))
