"""Every named rule: valid results on every net it matches, and the change of cost it promises."""

from __future__ import annotations

import pytest
import torch

import netwright as nw
from netwright.core.net import Net
from netwright.core.rewrite import everywhere
from netwright.errors import RuleError, UnknownName
from netwright.rules import registry


def macs(spec: nw.Spec, shape: tuple[int, ...] = (16, 32, 32)) -> int:
    return Net(spec, shape).plan().macs


def ratio(rule: str, spec: nw.Spec, shape: tuple[int, ...] = (16, 32, 32)) -> float:
    net = Net(spec, shape)
    return net.rewrite(rule).plan().macs / net.plan().macs


def test_unknown_rules_and_arguments() -> None:
    net = nw.net("resnet18")
    with pytest.raises(UnknownName, match="near: widen"):
        net.rewrite("wden")
    with pytest.raises(RuleError, match="takes factor; got 2"):
        net.rewrite("widen:2,3")
    with pytest.raises(RuleError, match="widen: factor is 'twice', wanted a number"):
        net.rewrite("widen:twice")
    with pytest.raises(RuleError, match=r"grouped: groups is 1.5, wanted an integer"):
        net.rewrite("grouped:1.5")
    with pytest.raises(RuleError, match="takes act; got 0"):
        net.rewrite("act")
    with pytest.raises(RuleError, match="Conv needs arguments"):
        net.rewrite("act:Conv")
    with pytest.raises(RuleError, match="no activation"):
        net.rewrite("act:MaxPool")
    with pytest.raises(RuleError, match="nothing in resnet18 matches"):
        net.rewrite("5x5-to-3x3")


def test_small_kernels_for_large() -> None:
    five = nw.Sequential(conv=nw.Conv(16, 5, bias=False), act=nw.ReLU())
    seven = nw.Sequential(conv=nw.Conv(16, 7, bias=False), act=nw.ReLU())
    assert ratio("5x5-to-3x3", five) == 18 / 25
    assert ratio("7x7-to-3x3", seven) == 27 / 49
    for rule, spec in (("5x5-to-3x3", five), ("7x7-to-3x3", seven)):
        net = Net(spec, (16, 32, 32))
        assert net.rewrite(rule).plan().field.size == net.plan().field.size


def test_asymmetric_and_separable_and_grouped() -> None:
    three = nw.Sequential(stem=nw.Conv(16, 1), conv=nw.Conv(16, 3, bias=False))
    stem = macs(nw.Conv(16, 1))
    base = macs(three) - stem
    cost = {
        rule: Net(three, (16, 32, 32)).rewrite(rule).plan().macs - stem
        for rule in ("asymmetric", "separable", "grouped:4")
    }
    assert cost["asymmetric"] / base == pytest.approx(2 / 3)
    assert cost["separable"] / base == pytest.approx(1 / 16 + 1 / 9)
    assert cost["grouped:4"] / base == pytest.approx(1 / 4)


def test_stems_of_resnet18_are_those_of_the_paper() -> None:
    """ScratchDet's ResNet-18-A, ResNet-18-B and Root-ResNet-18."""
    net = nw.net("resnet18")
    a = net.rewrite("no-first-pool").plan()
    b = net.rewrite("stem-stride-1").plan()
    root = net.rewrite("stem-stride-1", "stem-3x3").plan()
    assert (a.params, b.params, root.params) == (11_689_512, 11_689_512, 11_755_816)
    assert [round(p.macs / 1e9, 2) for p in (a, b, root)] == [6.90, 7.25, 10.57]


def test_dilation_keeps_the_field_and_the_weights() -> None:
    net = nw.net("resnet50")
    plan, dilated = net.plan(), net.rewrite("dilate:8").plan()
    assert dilated.params == plan.params
    assert dilated.field.jump == (8, 8)
    assert dilated.field.size == plan.field.size
    with pytest.raises(RuleError, match="pool-to-conv"):
        nw.net("vgg16").rewrite("dilate:8")


def test_widen_is_quadratic_and_deepen_linear() -> None:
    net = nw.net("resnet18")
    wide = net.rewrite("widen:2").plan()
    body = net.plan().params - net.plan().row("head.fc").params
    wide_body = wide.params - wide.row("head.fc").params
    assert 3.9 < wide_body / body < 4
    once, twice = net.rewrite("deepen:1"), net.rewrite("deepen:2")
    step = once.plan().macs - net.plan().macs
    assert twice.plan().macs - once.plan().macs == step


def test_squeeze_excitation_adds_its_formula() -> None:
    net = nw.net("resnet50")
    widths = [256] * 3 + [512] * 4 + [1024] * 6 + [2048] * 3
    extra = sum(2 * c * (c // 16) + c // 16 + c for c in widths)
    assert net.rewrite("se").plan().params == net.plan().params + extra
    assert net.rewrite("se").spec == nw.net("seresnet50").spec


def test_heads() -> None:
    vgg = nw.net("vgg16")
    scanning = vgg.rewrite("conv-head")
    assert scanning.plan().params == vgg.plan().params
    assert scanning.plan((3, 256, 320)).output == (1000, 2, 4)
    pooled = vgg.rewrite("gap-head").plan()
    assert pooled.params < vgg.plan().params / 8
    assert pooled.output == (1000,)


def test_scanning_head_gives_the_same_scores() -> None:
    net = nw.net("lenet5")
    dense, scan = net.build(seed=0).eval(), net.rewrite("conv-head").build(seed=1).eval()
    weights = dense.state_dict()
    scan.load_state_dict(
        {key: weights[key].reshape(value.shape) for key, value in scan.state_dict().items()}
    )
    x = torch.rand(2, *net.input)
    torch.testing.assert_close(scan(x).flatten(1), dense(x))


def test_auxiliary_heads_train() -> None:
    net = nw.net("resnet18", classes=5, input=(3, 32, 32)).rewrite("aux-head:stage2,0.4")
    model = net.build(seed=0).train()
    out = model(torch.rand(2, 3, 32, 32))
    assert model.taps == {"stage2.aux": 0.4}
    assert out["stage2.aux"].shape == (2, 5)
    assert net.rewrite("classes:3").build().train()(torch.rand(2, 3, 32, 32))[
        "stage2.aux"
    ].shape == (2, 3)


def test_drop_path_grows_with_depth() -> None:
    net = nw.net("resnet18").rewrite("drop-path:0.4")
    rates = [row.unit.rate for row in net.plan() if isinstance(row.unit, nw.DropPath)]
    assert rates == [pytest.approx(0.4 * (i + 1) / 8) for i in range(8)]


def test_blocks_stay_blocks_where_a_field_says_it() -> None:
    made = nw.net("resnet18").rewrite("act:GELU")
    assert made.spec["stem"]["conv"] == nw.ConvNormAct(64, 7, 2, act=nw.GELU())
    assert nw.net("resnet18").rewrite("widen:0.5").spec["stage1"][0] == nw.BasicBlock(32)


def test_patterns_of_neighbours() -> None:
    net = Net(nw.Sequential(a=nw.Conv(4), b=nw.ReLU(), c=nw.Conv(4), d=nw.Tanh()), (3, 8, 8))

    def change(site, conv, act):
        return nw.Sequential(conv, nw.BatchNorm(), act)

    made = everywhere(net, change, nw.Conv, nw.ReLU)
    assert made.spec.names == ("a", "c", "d")
    assert made.spec["a"] == nw.Sequential(nw.Conv(4), nw.BatchNorm(), nw.ReLU())


def test_a_rule_that_breaks_a_net_says_where() -> None:
    net = nw.net("resnet18")

    def change(site, spec):
        return nw.Conv(7, 5, 3, padding=0)

    broken = nw.core.rewrite.Rule("mine", "breaks", lambda n: everywhere(n, change, nw.BasicBlock))
    with pytest.raises(RuleError, match="mine breaks resnet18: at "):
        Net(net.spec, (3, 32, 32), "resnet18").rewrite(broken)


@pytest.mark.parametrize("value", [0, -1, 10**9, -2.5, "x", ""])
def test_strange_arguments_are_refused_by_name(value) -> None:
    """Or taken, but never a fault of ours."""
    net, refused = nw.net("resnet20_cifar10"), list[str]()
    for name in registry.names():
        for count in (1, 2):
            try:
                net.rewrite(registry.rule(name, *[value] * count)).plan()
            except nw.NetwrightError as error:
                refused += [str(error)] if name in str(error) else []
    assert len(refused) > 20
