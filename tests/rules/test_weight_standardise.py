"""The rule `weight-standardise`: GN+WS, and no normalisation at all."""

from __future__ import annotations

import pytest
import torch

import netwright as nw
from netwright.core.net import Net
from netwright.errors import RuleError
from netwright.layers import WeightStandardisation
from oracles import assert_plan_is_true


def units(net: Net, kind: type[nw.Unit]) -> list[nw.Unit]:
    return [row.unit for row in net.plan() if isinstance(row.unit, kind)]


def test_convolutions_and_batch_norms_change_and_nothing_else() -> None:
    net = nw.net("resnet18")
    made = net.rewrite("weight-standardise")
    assert not units(made, nw.Conv)
    assert not units(made, nw.BatchNorm)
    assert [unit.of for unit in units(made, nw.WeightStandardisation)] == units(net, nw.Conv)
    assert {unit.groups for unit in units(made, nw.GroupNorm)} == {32}
    before, after = net.plan(), made.plan()
    assert (after.params, after.macs) == (before.params, before.macs)
    assert after.buffers == 0
    assert made.rewrite("classes:7").plan().output == (7,)


def test_groups_hold_two_channels_at_least() -> None:
    widths = {1: 1, 3: 1, 7: 1, 16: 8, 24: 12, 48: 24, 64: 32, 96: 32}
    for width, groups in widths.items():
        net = Net(nw.Sequential(conv=nw.Conv(width), norm=nw.BatchNorm()), (3, 8, 8))
        # the convolution is the last product, so it counts as the classifier and stays
        made = net.rewrite("weight-standardise")
        assert made.spec["norm"] == nw.GroupNorm(groups=groups)
        assert made.spec["conv"] == nw.Conv(width)


def test_no_norm_at_all_keeps_signals_alive() -> None:
    net = nw.net("resnet20_cifar10").rewrite("weight-standardise:Identity")
    assert_plan_is_true(net)
    assert not units(net, nw.GroupNorm)
    assert all(unit.gain and unit.of.bias for unit in units(net, nw.WeightStandardisation))
    model = net.build(seed=0).eval()
    y = model(torch.randn(4, *net.input, generator=torch.Generator().manual_seed(0)))
    assert torch.isfinite(y).all()
    assert 1e-3 < y.std() < 1e3
    y.square().sum().backward()
    assert all(p.grad is not None and torch.isfinite(p.grad).all() for p in model.parameters())


def test_other_norms_can_follow() -> None:
    plain = nw.net("resnet20_cifar10")
    net = plain.rewrite("weight-standardise:LayerNorm")
    assert len(units(net, nw.LayerNorm)) == len(units(plain, nw.BatchNorm))
    assert net.build(seed=0)(torch.rand(1, 3, 32, 32)).shape == (1, 10)


def test_depthwise_kernels_of_one_weight_stay() -> None:
    spec = nw.Sequential(
        nw.Conv(8, 1, groups=8), nw.BatchNorm(), nw.Conv(8, 3, groups=8), nw.BatchNorm(),
        nw.GlobalAvgPool(), nw.Linear(2),
    )  # fmt: skip
    made = Net(spec, (8, 9, 9)).rewrite("weight-standardise")
    assert made.spec[0] == nw.Conv(8, 1, groups=8)
    assert made.spec[2] == nw.WeightStandardisation(nw.Conv(8, 3, groups=8))


def test_where_it_does_not_apply() -> None:
    with pytest.raises(RuleError, match="lenet5 has no batch norm; weight-standardise:Identity"):
        nw.net("lenet5").rewrite("weight-standardise")
    with pytest.raises(RuleError, match="no unit"):
        nw.net("resnet18").rewrite("weight-standardise:nothing")
    bare = nw.net("lenet5").rewrite("weight-standardise:Identity")
    assert len(units(bare, nw.WeightStandardisation)) == len(units(nw.net("lenet5"), nw.Conv))


def test_widen_reaches_the_wrapped_convolution() -> None:
    net = nw.net("resnet20_cifar10")
    one_way = net.rewrite("widen:2", "weight-standardise")
    other = net.rewrite("weight-standardise", "widen:2")
    wrapped = [unit.of.width for unit in units(other, nw.WeightStandardisation)]
    assert wrapped == [unit.of.width for unit in units(one_way, nw.WeightStandardisation)]
    assert other.plan().macs == one_way.plan().macs


def test_built_kernels_are_standardised() -> None:
    net = nw.net("resnet20_cifar10").rewrite("weight-standardise")
    model, kernels = net.build(seed=0), units(net, nw.WeightStandardisation)
    layers = [m for m in model.modules() if isinstance(m, WeightStandardisation)]
    assert len(layers) == len(kernels) > 19
    for layer in layers:
        w = layer.reweighted().flatten(1)
        torch.testing.assert_close(w.mean(1), torch.zeros(len(w)), atol=1e-5, rtol=0)
        torch.testing.assert_close(w.std(1, correction=0), torch.ones(len(w)), atol=1e-2, rtol=0)


@pytest.mark.parametrize("name", ["resnet18", "mobilenet_v2"])
def test_strides_become_dilation_in_reweighted_convolutions_too(name: str) -> None:
    """In either order, and with the fields that the net had."""
    net = nw.net(name)
    last = net.rewrite("weight-standardise", "dilate:16").plan()
    first = net.rewrite("dilate:16", "weight-standardise").plan()
    assert last.macs == first.macs > net.plan().macs
    assert [row.output for row in last] == [row.output for row in first]
    assert last.field.size == net.plan().field.size
