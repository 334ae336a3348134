"""Rules for pools, residual units, attention, deformable convolution and scale: the change of
cost that each promises, and what stays."""

from __future__ import annotations

from itertools import pairwise

import pytest
import torch

import netwright as nw
from netwright.blocks.ordering import ORDERS, PRE_ACTIVATED
from netwright.core.net import Net
from netwright.core.rewrite import matches
from netwright.errors import RuleError
from netwright.rules.scale import deepened
from oracles import assert_plan_is_true

CONV = nw.Sequential(stem=nw.Conv(16, 1), conv=nw.Conv(16, 3, bias=False), fc=nw.Conv(4, 1))


def rise(net: Net, *rules: str) -> tuple[int, int]:
    """Parameters and MACs more after the rules."""
    before, after = net.plan(), net.rewrite(*rules).plan()
    return after.params - before.params, after.macs - before.macs


@pytest.mark.parametrize(("version", "told"), [(1, 2), (2, 3)])
def test_deformable_adds_its_offsets(version: int, told: int) -> None:
    net = Net(CONV, (3, 12, 12))
    taps, channels = 9, 16
    params, macs = rise(net, f"deformable:{version}")
    assert params == taps * (told * taps * channels + told)
    assert macs == told * taps * taps * channels * 12 * 12
    with pytest.raises(RuleError, match="version is 3, wanted 1 or 2"):
        net.rewrite("deformable:3")


def test_deformable_begins_as_the_convolution_it_was() -> None:
    net = Net(CONV, (3, 12, 12))
    plain, bent = net.build(seed=0).eval(), net.rewrite("deformable").build(seed=1).eval()
    bent.load_state_dict(plain.state_dict(), strict=False)
    x = torch.rand(2, 3, 12, 12)
    torch.testing.assert_close(bent(x), plain(x), rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("order", ORDERS)
def test_plain_becomes_residual_in_every_order(order: str) -> None:
    """Projections, two from 16 to 32 and from 32 to 64, are all it costs."""
    net = nw.net("plain20_cifar10")
    made = net.rewrite(f"residual:{order}")
    assert_plan_is_true(made)
    convs = 16 * 32 + 32 * 64
    norms = {"full-pre-activation": 2 * (64 - 16 - 32), "relu-only-pre-activation": 0}
    params, macs = rise(net, f"residual:{order}")
    assert macs == 16 * 32 * 16 * 16 + 32 * 64 * 8 * 8
    assert params == convs + norms.get(order, 2 * (32 + 64))
    assert made.plan().field.size == net.plan().field.size
    units = [row.unit for row in made.plan()]
    before_head = units[[isinstance(u, nw.GlobalAvgPool) for u in units].index(True) - 1]
    closing = order in (*PRE_ACTIVATED, "original", "bn-after-addition")
    assert isinstance(before_head, nw.ReLU if closing else nw.Add)


def test_plain_becomes_the_resnet_of_its_paper() -> None:
    made, resnet = nw.net("plain20_cifar10").rewrite("residual"), nw.net("resnet20_cifar10")
    ours, theirs = made.plan(), resnet.plan()
    assert [row.unit for row in ours] == [row.unit for row in theirs]
    assert (ours.params, ours.macs) == (theirs.params, theirs.macs)
    with pytest.raises(RuleError, match="order is 'both', wanted one of original, bn-after"):
        nw.net("plain20_cifar10").rewrite("residual:both")


def test_attention_adds_its_formula() -> None:
    net = nw.net("resnet50")
    widths = [256] * 3 + [512] * 4 + [1024] * 6 + [2048] * 3
    assert rise(net, "eca")[0] == sum({256: 5, 512: 5, 1024: 5, 2048: 7}[c] for c in widths)
    channels = sum(2 * c * (c // 16) + c // 16 + c for c in widths)
    assert rise(net, "cbam")[0] == channels + 100 * len(widths)
    assert net.rewrite("cbam").spec == nw.net("cbam_resnet50").spec
    assert nw.net("bn_inception").rewrite("se").spec == nw.net("se_bn_inception").spec
    assert nw.net("inception_resnet_v2").rewrite("se").spec == nw.net("se_inception_resnet_v2").spec


def test_attention_ends_bodies_that_have_no_field_for_it() -> None:
    net = nw.net("mobilenet_v2")
    made = net.rewrite("eca")
    assert_plan_is_true(made.but(input=(3, 64, 64)))
    gates = [row for row in made.plan() if isinstance(row.unit, nw.Mul)]
    assert len(gates) == sum(isinstance(row.unit, nw.Add) for row in net.plan())


def test_blurred_pools_multiply_nine_times_an_element() -> None:
    net = nw.net("resnet18")
    assert rise(net, "blur-pool") == (0, 9 * 64 * 56 * 56)
    assert [row.output for row in net.rewrite("blur-pool").plan()][-1] == (1000,)
    assert rise(net, "blur-pool:5")[1] == 25 * 64 * 56 * 56


@pytest.mark.parametrize(
    "pool",
    [
        nw.LpPool(p=3.0),
        nw.StochasticPool(),
        nw.MedianPool(),
        nw.GatedPool(),
        nw.MixedPool(),
        nw.BlurPool(5),
        nw.SpectralPool(1, basis="dct"),
        nw.WaveletPool(),
        nw.FractionalMaxPool(ratio=0.5),
    ],
    ids=repr,
)
def test_any_pool_for_every_pool(pool: nw.Unit) -> None:
    net = nw.net("resnet18").but(input=(3, 64, 64))
    made = net.rewrite(nw.rule("pool", pool))
    summed = isinstance(pool, nw.LpPool | nw.StochasticPool)  # by convolutions with ones
    assert_plan_is_true(made, macs=not summed)
    assert [row.output for row in made.plan()] == [row.output for row in net.plan()]
    kept = made.spec["stem"]["pool"]
    assert type(kept) is type(pool)
    own = {*pool.field_names} - {"kernel", "stride", "padding", "ceil", "size"}
    assert all(getattr(kept, name) == getattr(pool, name) for name in own)


@pytest.mark.parametrize(
    ("pool", "features"),
    [(nw.GeM(), 512), (nw.GlobalMaxPool(), 512), (nw.SpatialPyramidPool((2, 1)), 5 * 512)],
    ids=repr,
)
def test_any_global_pool_before_the_classifier(pool: nw.Unit, features: int) -> None:
    net = nw.net("resnet18").but(input=(3, 96, 96))
    made = net.rewrite(nw.rule("global-pool", pool))
    assert made.plan().row("head.fc").input == (features,)
    assert_plan_is_true(made)
    with pytest.raises(RuleError, match="makes no vector"):
        net.rewrite("global-pool:ReLU")


def test_first_pool_moves() -> None:
    net = nw.net("resnet18")
    made = net.rewrite("move-first-pool:stage1")
    params, macs = rise(net, "move-first-pool:stage1")
    stage = sum(row.macs for row in net.plan() if row.path.startswith("stage1."))
    assert (params, macs) == (0, 3 * stage)
    assert made.plan().row("stage2.0.residual.body.conv1.conv").input == (64, 56, 56)
    with pytest.raises(RuleError, match="stem is no part of resnet18 behind"):
        net.rewrite("move-first-pool:stem")


def test_pyramid_widens_step_by_step() -> None:
    net = nw.net("resnet110_cifar10")
    blocks = 54
    made = net.rewrite("pyramid:48")
    widths = [row.output[0] for row in made.plan() if row.path.endswith("residual.body.conv2.conv")]
    assert widths == [round(16 + 48 * i / blocks) for i in range(1, blocks + 1)]
    assert widths[-1] == 64 == nw.net("pyramidnet110_a48_cifar10").plan().row("norm").output[0]
    assert net.rewrite("pyramid").spec == made.spec
    mine = 3 * 16 * 9 + sum(9 * a * b + 9 * b * b + 4 * b for a, b in pairwise([16, *widths]))
    assert made.plan().params == mine + 2 * 16 + 64 * 10 + 10
    with pytest.raises(RuleError, match="no two residual blocks"):
        nw.net("vgg11").rewrite("pyramid")


def test_compound_scaling_makes_the_efficientnets() -> None:
    net = nw.net("efficientnet_b0")
    for name, factors in (("b1", (1.1, 1.0)), ("b2", (1.2, 1.1)), ("b4", (1.8, 1.4))):
        wanted = nw.net(f"efficientnet_{name}")
        gamma = wanted.input[1] / 224
        made = net.rewrite(nw.rule("scale", 1, *factors, gamma))
        assert made.input == wanted.input
        assert made.plan().params == wanted.plan().params
        assert made.plan().macs == wanted.plan().macs


def depths(net: Net) -> dict[str, int]:
    """Blocks of the parts of a net that are chains, and what blocks say themselves."""
    found = {}
    for name, part in net.spec.parts:
        if isinstance(part, nw.Sequential):
            found[name] = len(part)
        elif isinstance(part, nw.Stage | nw.VggBlock | nw.DenseBlock):
            found[name] = part.depth
    return found


def test_stages_are_not_found_in_branches() -> None:
    chain = nw.Sequential(nw.ConvNormAct(8), nw.ConvNormAct(8))
    spec = nw.Sequential(
        two=nw.Concat(chain, nw.Sequential(nw.MaxPool(3, 1, 1))),
        block=nw.GridReduction(((4,), (4, 6), (2, 2)), "same"),
        attended=nw.AttentionModule(1),
        stage=chain,
        downs=nw.Sequential(nw.UNetDown(8), nw.UNetDown(8)),
        vgg=nw.VggBlock(8, 1),
        stages=nw.Sequential(nw.Stage(nw.BasicBlock(8), 2, 1), nw.Stage(nw.BasicBlock(8), 1)),
    )
    net = Net(spec, (4, 80, 80))
    made = net.rewrite("deepen:2")
    assert_plan_is_true(made)
    kept = ("two", "block", "downs")
    assert all(made.spec[name] == net.spec[name] for name in kept)
    assert made.spec["stage"] == nw.Sequential(*[nw.ConvNormAct(8)] * 4)
    assert made.spec["attended"] == nw.AttentionModule(1, trunk=4)
    assert made.spec["vgg"] == nw.VggBlock(8, 3)
    assert [stage.depth for stage in made.spec["stages"]] == [4, 3]


@pytest.mark.parametrize("name", ["inception_v3", "inception_resnet_v2", "polynet", "bn_inception"])
def test_inceptions_get_deeper_without_their_branches(name: str) -> None:
    net = nw.net(name)
    try:
        made = net.rewrite("deepen")
    except RuleError as error:
        assert "bn_inception has no stage" in str(error)  # noqa: PT017
        return
    before, after = depths(net), depths(made)
    assert all(after[part] - before[part] in (0, 1) for part in before)
    assert made.plan().output == net.plan().output
    assert made.plan().params > net.plan().params


@pytest.mark.parametrize("name", ["hrnetv1_w18", "hrnet_w18", "resattnet56"])
def test_stages_of_streams_get_deeper_and_shallower(name: str) -> None:
    net = nw.net(name)
    for deeper in (lambda n: n + 1, lambda n: n // 2):
        made = deepened(net, deeper).plan()
        assert made.output == net.plan().output
        assert (made.macs > net.plan().macs) == (deeper(4) > 4)


def test_compound_scaling_doubles_the_macs_or_more() -> None:
    """(1.2 1.1^2 1.15^2) = 1.92; depths are rounded up, so small nets grow faster."""
    net = nw.net("resnet152")
    before, after = net.plan().macs, net.rewrite("scale").plan().macs
    assert 1.8 < after / before < 2.4
    assert net.rewrite("scale").input == (3, 258, 258)


def test_channels_change_the_first_convolution_alone() -> None:
    net = nw.net("resnet18")
    assert rise(net, "channels:4") == (49 * 64, 49 * 64 * 112 * 112)
    assert net.rewrite("channels:1").plan().input == (1, 224, 224)
    with pytest.raises(nw.SpecError, match="number is 0"):
        net.rewrite("channels:0")
    for name, shape in (("conv_lstm", (10, 4, 64, 64)), ("cnn_lstm", (16, 4, 224, 224)),
                        ("c3d", (4, 16, 112, 112))):  # fmt: skip
        assert nw.net(name).rewrite("channels:4").input == shape


def test_small_factors_leave_blocks_closed() -> None:
    """24 times 1.1 rounds to 24 again: the block stays, and its inside is not widened."""
    net = nw.net("mobilenet_v2").rewrite("widen:1.1")
    assert net.plan().row("stage2.0.body.expand.conv").output[0] == 96


def test_vgg_becomes_residual() -> None:
    """Convolutions with biases, with and without norms, written out part by part."""
    for name in ("vgg16", "vgg16_bn"):
        made = nw.net(name).but(input=(3, 64, 64)).rewrite("residual")
        assert_plan_is_true(made)
        units = [spec for _, spec in matches(made, nw.ResidualUnit)]
        assert [unit.convs[1].width for unit in units] == [64, 128, 256, 512, 512]
        assert {unit.convs[0].norm for unit in units} == {
            None if name == "vgg16" else nw.BatchNorm()
        }
        assert all(row.unit.bias for row in made.plan() if ".body." in row.path and row.macs)
        normed = any(isinstance(row.unit, nw.BatchNorm) for row in made.plan())
        assert normed == (name == "vgg16_bn")
