"""Widths: those of a net's own change, others follow."""

from __future__ import annotations

import pytest

import netwright as nw
from netwright.core.net import Net
from netwright.errors import RuleError
from oracles import assert_plan_is_true, assert_twice_as_wide

TABLES = ("lenet5_original",)
"""Nets that name single maps."""


def marked(names: list[str]) -> list[object]:
    """All nets, of which the suite takes every twelfth."""
    return [n if i % 12 == 0 else pytest.param(n, marks=pytest.mark.exhaustive)
            for i, n in enumerate(names)]  # fmt: skip


@pytest.mark.parametrize("name", marked(nw.nets()))
def test_nets_are_twice_as_wide(name: str) -> None:
    net = nw.net(name)
    if name in TABLES:
        with pytest.raises(RuleError, match="names channels by their numbers at c3; put a conv"):
            net.rewrite("widen:2")
        return
    wide = net.rewrite("widen:2")
    assert_twice_as_wide(net, wide)
    assert wide.plan().output == net.plan().output
    assert 2 < wide.plan().params / net.plan().params < 4.3


@pytest.mark.parametrize("factor", [0.5, 0.9, 1.3, 3])
@pytest.mark.parametrize("name", marked(nw.nets()))
def test_nets_are_of_any_width(name: str, factor: float) -> None:
    """Valid, with the classes of before, and wider or narrower; or the reason is told."""
    net = nw.net(name)
    try:
        made = net.rewrite(f"widen:{factor}")
    except RuleError as error:
        assert name in TABLES or factor == 0.9
        assert "changes no width" in str(error) or "by their numbers" in str(error)  # noqa: PT017
        return
    assert made.plan().output == net.plan().output
    ratio = made.plan().params / net.plan().params
    assert ratio < 1 if factor < 1 else 1.1 < ratio < 1.6 * factor**2


@pytest.mark.parametrize("name", marked(nw.nets()))
@pytest.mark.parametrize("multiple", [8, 12])
def test_nets_are_aligned(name: str, multiple: int) -> None:
    net = nw.net(name)
    try:
        made = net.rewrite(f"align:{multiple}")
    except RuleError as error:
        reasons = ("is a multiple of", "by their numbers")
        assert any(reason in str(error) for reason in reasons)  # noqa: PT017
        return
    assert made.plan().output == net.plan().output
    assert made.plan().params > net.plan().params


@pytest.mark.parametrize(
    "name",
    ["densenet40_k12_cifar10", "eegnet_8_2", "regnet_x_400mf", "shufflenet_g3_w1",
     "squeezenet1_0", "convnext_road_03_depthwise",
     pytest.param("hrnet_w18", marks=pytest.mark.exhaustive)],
)  # fmt: skip
@pytest.mark.parametrize("factor", [2, 1.3])
def test_plans_of_wide_nets_are_true(name: str, factor: float) -> None:
    net = nw.net(name)
    net = net if min(net.input[1:]) <= 64 else net.but(input=(3, 64, 64))
    assert_plan_is_true(net.rewrite(f"widen:{factor}"))


def width_of(net: Net, path: str) -> int:
    return net.plan().row(path).output[0]


def test_derived_widths_follow() -> None:
    spec = nw.Sequential(
        s=nw.Conv(8), d=nw.DepthwiseConv(), t=nw.Transition(), p=nw.Conv(16, 1), c=nw.Conv(4)
    )
    net = Net(spec, (3, 32, 32))
    wide = net.rewrite("widen:2")
    assert [width_of(wide, path) for path in ("s", "d", "t.conv", "p", "c")] == [16, 16, 8, 32, 4]
    assert wide.spec["t"] == nw.Transition()
    assert_plan_is_true(wide)
    assert net.rewrite("align:12").spec["s"] == nw.Conv(12)


def test_densenets_double_their_growth() -> None:
    wide = nw.net("densenet121").rewrite("widen:2")
    assert wide.spec["block1"] == nw.DenseBlock(6, 64)
    assert wide.spec == nw.net("densenet121", growth=64).spec
    ratio = wide.plan().params / nw.net("densenet121").plan().params
    assert 3.6 < ratio < 4


def test_groups_stay_and_those_of_one_channel_follow() -> None:
    spec = nw.Sequential(
        a=nw.Conv(12), grouped=nw.Conv(18, groups=3), b=nw.Conv(6), each=nw.Conv(12, groups=6),
        block=nw.ConvNormAct(12, groups=12), norm=nw.GroupNorm(groups=12), c=nw.Conv(5),
    )  # fmt: skip
    net = Net(spec, (3, 16, 16))
    for factor, widths in ((2, (24, 36, 12)), (1.5, (18, 30, 12))):
        b = widths[-1]
        made = net.rewrite(f"widen:{factor}").spec
        assert (made["a"].width, made["grouped"].width, made["b"].width) == widths
        assert made["grouped"].groups == 3
        assert made["each"] == nw.Conv(2 * b, groups=b)
        assert made["block"] == nw.ConvNormAct(2 * b, groups=2 * b)
        assert made["norm"] == nw.GroupNorm(groups=2 * b)
        assert made["c"] == nw.Conv(5)


def test_what_fields_hold_is_widened_too() -> None:
    inner = nw.Sequential(nw.Conv(4, 1), nw.Conv(1, 1), nw.Sigmoid())
    spec = nw.Sequential(
        first=nw.MaxNorm(nw.Conv(8)),
        stage=nw.Stage(nw.ConvNormAct(8), 2),
        unit=nw.ResidualUnit((nw.ConvNormAct(8), nw.ConvNormAct(8))),
        gate=nw.Gate(skip=nw.Identity(), mask=inner),
        fc=nw.MaxNorm(nw.Conv(3)),
    )
    wide = Net(spec, (3, 16, 16)).rewrite("widen:2").spec
    assert wide["first"] == nw.MaxNorm(nw.Conv(16))
    assert wide["stage"] == nw.Stage(nw.ConvNormAct(16), 2)
    assert wide["unit"] == nw.ResidualUnit((nw.ConvNormAct(16), nw.ConvNormAct(16)))
    assert wide["gate"]["mask"] == nw.Sequential(nw.Conv(8, 1), nw.Conv(1, 1), nw.Sigmoid())
    assert wide["fc"] == spec["fc"]


def test_classifiers_inside_blocks_keep_their_classes() -> None:
    spec = nw.Sequential(nw.MlpConv((8, 6)), head=nw.MlpConv((8, 5)), pool=nw.GlobalAvgPool())
    net = Net(spec, (3, 16, 16))
    wide = net.rewrite("widen:2")
    assert wide.plan().output == (5,)
    assert Net(nw.MlpConv((8, 6)), (3, 16, 16)).rewrite("align:3").plan().output[0] == 6
    with pytest.raises(RuleError, match="every width of net is a multiple of 8 or follows"):
        Net(nw.MlpConv((8, 6)), (3, 16, 16)).rewrite("align")
    rows = [row.output[0] for row in wide.plan() if row.macs]
    assert rows == [*[2 * row.output[0] for row in net.plan() if row.macs][:-1], 5]


def test_reasons_are_told() -> None:
    bare = Net(nw.Sequential(nw.DepthwiseConv(), nw.GlobalAvgPool(), nw.Linear(3)), (4, 8, 8))
    with pytest.raises(RuleError, match=r"changes no width of net: .* none but the classifier's"):
        bare.rewrite("widen:2")
    with pytest.raises(RuleError, match=r"a factor of 1.005 changes no width of resnet18"):
        nw.net("resnet18").rewrite("widen:1.005")
    fixed = nw.Sequential(nw.Conv(8), nw.Reshape((8, 64)), nw.Conv(4, 1), nw.Conv(2, 1))
    with pytest.raises(RuleError, match=r"net has no such widths: .*Reshape"):
        Net(fixed, (3, 8, 8)).rewrite("widen:2")
    picked = nw.Sequential(nw.Conv(8), nw.SelectChannels((0, 3)), nw.Conv(2))
    with pytest.raises(RuleError, match=r"by their numbers at 1; .* place of SelectChannels"):
        Net(picked, (3, 8, 8)).rewrite("widen:2")
    with pytest.raises(RuleError, match="every width of resnet18 is a multiple of 8"):
        nw.net("resnet18").rewrite("align")
