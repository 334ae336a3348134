"""Rules on nets that leave them little to do: a valid net, or a refusal that says why."""

from __future__ import annotations

import pytest
import torch

import netwright as nw
from netwright.core.classifier import classifiers, rewidthed
from netwright.core.net import Net
from netwright.core.rewrite import everywhere
from netwright.errors import RuleError
from oracles import assert_plan_is_true

IMAGE = (4, 16, 16)


def test_nothing_left_to_change() -> None:
    """What was a StopIteration, and its kin."""
    for rule in ("separable", "deformable", "stem-stride-1", "stem-3x3"):
        for spec in (nw.MaxPool(2), nw.Sequential(), nw.WeightStandardisation(nw.Conv(4))):
            with pytest.raises(RuleError, match=f"{rule}: net has no Conv"):
                Net(spec, IMAGE).rewrite(rule)
        with pytest.raises(RuleError, match=f"{rule}: conv_lstm has no Conv"):
            nw.net("conv_lstm").rewrite(rule)
    for rule in ("separable", "deformable"):
        only = Net(nw.Sequential(conv1=nw.Conv(8), fc=nw.Conv(4, 1)), IMAGE)
        with pytest.raises(RuleError, match=f"{rule}: nothing in net matches"):
            only.rewrite(rule)
        once = Net(nw.Sequential(a=nw.Conv(8), b=nw.Conv(8)), IMAGE).rewrite(rule)
        with pytest.raises(RuleError, match=rf"{rule}: nothing in net\+{rule} matches"):
            once.rewrite(rule)


@pytest.mark.parametrize("rule", ["classes:1000", "channels:3", "width:stage1.0,64", "act:ReLU"])
def test_what_is_so_already_is_refused(rule: str) -> None:
    with pytest.raises(RuleError, match=f"{rule}: resnet18 is so already|nothing in resnet18"):
        nw.net("resnet18").rewrite(rule)


@pytest.mark.parametrize("rule", ["no-first-pool", "move-first-pool:b"])
def test_the_first_pool_is_one_with_a_stride(rule: str) -> None:
    spec = nw.Sequential(a=nw.MaxPool(3, 1, 1), pool=nw.MaxPool(2), b=nw.ConvNormAct(4))
    made = Net(spec, IMAGE).rewrite(rule)
    assert made.spec["a"] == spec["a"]
    assert made.plan().macs == 4 * Net(spec, IMAGE).plan().macs
    for none in (spec.put(pool=nw.Identity()), spec.put(pool=nw.MaxBlurPool(2))):
        with pytest.raises(RuleError, match="has no max pool with a stride"):
            Net(none, IMAGE).rewrite(rule)


def test_single_maps_are_not_separated() -> None:
    spec = nw.Sequential(a=nw.Conv(8), mask=nw.Conv(1, 7), b=nw.Conv(2, 5))
    made = Net(spec, IMAGE).rewrite("separable").spec
    assert made["mask"] == nw.Conv(1, 7)
    assert made["b"].names == ("depthwise", "pointwise")


def test_the_first_convolution_alone_is_the_first() -> None:
    """`conv1` is no beginning of `conv10`, and a block of the first one's name is not the net."""
    spec = nw.Sequential(conv10=nw.Conv(8), conv1=nw.Conv(8), c=nw.ConvNormAct(8))
    made = Net(spec, IMAGE).rewrite("separable").spec
    assert made["conv10"] == nw.Conv(8)
    assert made["conv1"].names == made["c"].names == ("depthwise", "pointwise")
    with pytest.raises(RuleError, match="nothing in net matches"):
        Net(nw.ConvNormAct(8), IMAGE).rewrite("separable")
    assert Net(nw.ConvNormAct(8, stride=2), IMAGE).rewrite("stem-stride-1").spec == nw.ConvNormAct(
        8
    )


@pytest.mark.parametrize("rule", ["asymmetric", "separable", "grouped", "5x5-to-3x3", "act:GELU"])
@pytest.mark.parametrize("stride", [1, 2])
def test_stages_of_one_block(rule: str, stride: int) -> None:
    """As the same blocks written out, whatever becomes of the stage."""
    block = nw.ConvNormAct(8, 5)
    stage = Net(nw.Sequential(stem=nw.Conv(4), s=nw.Stage(block, 3, stride=stride)), IMAGE)
    parts = nw.Sequential(nw.ConvNormAct(8, 5, stride), block, block)
    made = stage.rewrite(rule)
    wanted = Net(nw.Sequential(stem=nw.Conv(4), s=parts), IMAGE).rewrite(rule)
    assert made.plan().rows == wanted.plan().rows
    assert_plan_is_true(made)


def test_a_stage_holds_wiring() -> None:
    pair = nw.Sequential(nw.Conv(4), nw.ReLU())
    assert nw.Stage(pair, 2).expand(IMAGE) == nw.Sequential(pair, pair)
    stage = Net(nw.Stage(nw.ConvNormAct(4), 2), IMAGE).rewrite("act:GELU").spec
    assert stage == nw.Stage(nw.ConvNormAct(4, act=nw.GELU()), 2)


def test_every_change_is_asked_for_once() -> None:
    """A rule that counts, as `pyramid` does, sees every part once, also in blocks' fields."""
    seen: list[str] = []

    def change(site, act):
        seen.append(site.path)
        return nw.GELU()

    everywhere(Net(nw.Stage(nw.ConvNormAct(4), 2), IMAGE), change, nw.ReLU)
    assert seen == ["0.act", "1.act"]


@pytest.mark.parametrize(
    "name", ["r3d_18", "resnext50_2x40d", "resnext101_4x24d", "swidernet_1_1_1"]
)
def test_pyramids_of_groups_and_stages(name: str) -> None:
    net = nw.net(name)
    made = net.rewrite("pyramid")
    widths = [row.output[0] for row in made.plan() if isinstance(row.unit, nw.Add)]
    assert widths == sorted(widths)
    assert len({*widths}) > len(
        {row.output[0] for row in net.plan() if isinstance(row.unit, nw.Add)}
    )


def test_streams_and_groups_are_refused_with_the_place() -> None:
    net = nw.net("hrnetv1_w18")
    with pytest.raises(RuleError, match=r"at stage2.aux.head.pool: .* takes one input, got 2"):
        net.rewrite("aux-head:stage2")
    with pytest.raises(RuleError, match=r"at head: .* takes one input, got 4"):
        net.rewrite("without:stage4")
    grouped = Net(nw.Sequential(a=nw.ConvNormAct(8), b=nw.ConvNormAct(8, groups=4)), IMAGE)
    for rule in ("width:b,6", "width:a,6"):
        with pytest.raises(RuleError, match="groups 4 do not divide"):
            grouped.rewrite(rule)


@pytest.mark.parametrize("rule", ["se", "cbam", "eca", "scse"])
def test_attention_that_is_there_stays(rule: str) -> None:
    for name in ("seresnet50", "senet154", "efficientnet_b0", "se_bn_inception", "unet_scse",
                 "cbam_resnet50"):  # fmt: skip
        with pytest.raises(RuleError, match=f"nothing in {name} .* has attention already, which"):
            nw.net(name).rewrite(rule)
    once = nw.net("resnet18").rewrite(rule)
    with pytest.raises(RuleError, match=r"stage1.0 has attention already"):
        once.rewrite("eca")
    for place in ("pre", "post", "identity"):
        net = Net(nw.BasicBlock(4, attention=nw.SqueezeExcite(2), place=place), IMAGE)
        with pytest.raises(RuleError, match="has attention already"):
            net.rewrite(rule)


def test_attention_goes_where_there_is_none() -> None:
    net = nw.net("mobilenet_v3_large")
    before = {row.path for row in net.plan() if isinstance(row.unit, nw.Mul)}
    made = net.rewrite("eca")
    after = {row.path for row in made.plan() if isinstance(row.unit, nw.Mul)}
    sums = {row.path for row in net.plan() if isinstance(row.unit, nw.Add)}
    plain = {path for path in sums if not any(gate.startswith(path + ".") for gate in before)}
    assert {path.removesuffix(".body.attention") for path in after - before} == plain
    assert {row.unit for row in net.plan()} <= {row.unit for row in made.plan()}


FIVE = {5: lambda c, n: 9 * n * (c + n) - 25 * c * n}
SEVEN = {7: lambda c, n: 9 * n * (c + 2 * n) - 49 * c * n}
ANY = {k: lambda c, n, k=k: k * n * (c + n) - k * k * c * n for k in (3, 5, 7)}
COSTS = [
    ("alexnet", "5x5-to-3x3", FIVE), ("googlenet", "5x5-to-3x3", FIVE),
    ("inception_v3", "5x5-to-3x3", FIVE), ("googlenet", "7x7-to-3x3", SEVEN),
    ("resnet50", "7x7-to-3x3", SEVEN), ("resnet50", "stem-3x3", SEVEN),
    ("alexnet", "asymmetric", ANY), ("googlenet", "asymmetric", ANY),
    ("inception_v3", "asymmetric", ANY), ("resnet50", "asymmetric", ANY),
]  # fmt: skip
"""Nets, rules, and by kernel the weights more from C to N channels that the docstring tells."""


@pytest.mark.parametrize(("name", "rule", "told"), COSTS)
def test_weights_cost_what_is_told(name: str, rule: str, told: dict) -> None:
    net = nw.net(name)
    rows = [row for row in net.plan() if isinstance(row.unit, nw.Conv)]
    changed = [row for row in rows if row.unit.kernel in told and row.unit.padding in ("same", 2)]
    want = sum(told[row.unit.kernel](row.input[0], row.output[0]) for row in changed)
    assert weights(net.rewrite(rule)) - weights(net) == want != 0


def weights(net: Net) -> int:
    """Parameters of all convolutions, biases aside."""
    convs = [row for row in net.plan() if isinstance(row.unit, nw.Conv)]
    return sum(row.params - row.unit.width * row.unit.bias for row in convs)


def test_classes_of_reweighted_units() -> None:
    for name in ("eegnet_4_2", "eegnet_8_2"):
        assert nw.net(name).but(classes=7).spec == nw.net(name, classes=7).spec
    assert rewidthed(nw.WeightNorm(nw.Conv(4, 1)), 6) == nw.WeightNorm(nw.Conv(6, 1))
    assert rewidthed(nw.MaxNorm(nw.Linear(4), 0.5), 6) == nw.MaxNorm(nw.Linear(6), 0.5)
    assert rewidthed(nw.MaxPool(2), 6) is None
    with pytest.raises(RuleError, match=r"DotAttention\(\).*, which has no width"):
        Net(nw.DotAttention(), (3, 4)).but(classes=7)


SCORED = ["fcn32s", "fcn16s", "fcn8s", "fcn_resnet50", "deeplabv3_resnet50", "unet"]


@pytest.mark.parametrize("name", SCORED)
def test_classes_of_score_maps(name: str) -> None:
    net = nw.net(name)
    made = net.but(classes=7)
    assert made.spec == nw.net(name, classes=7).spec
    assert made.but(classes=net.plan().output[0]) == net


def test_what_grows_is_a_score_only_where_it_keeps_its_channels() -> None:
    """A transposed convolution from other channels says the classes by itself; what makes no
    larger maps is a unit of its own however many channels it has."""
    up = nw.TransposedConv(4, 4, 2, 1)
    for paths, spec in (
        (["up"], nw.Sequential(a=nw.Conv(8), up=up)),
        (["up", "a"], nw.Sequential(a=nw.Conv(4), act=nw.ReLU(), up=up)),
        (["up"], nw.Sequential(a=nw.Concat(nw.Conv(2), nw.Conv(2)), up=up)),
        (["b"], nw.Sequential(a=nw.Conv(4), b=nw.Conv(4))),
        (["b"], nw.Sequential(a=nw.Conv(4), b=nw.Conv(4, 3, 2))),
    ):
        assert classifiers(Net(spec, IMAGE)) == paths


@pytest.mark.exhaustive
@pytest.mark.parametrize("name", nw.nets())
def test_classes_of_every_net(name: str) -> None:
    try:
        wanted = nw.net(name, classes=7)
    except nw.NetwrightError:
        pytest.skip("no such option")
    made = nw.net(name).but(classes=7)
    assert [row[:6] for row in made.plan()] == [row[:6] for row in wanted.plan()]


def test_dense_heads_of_held_weights() -> None:
    net = nw.net("eegnet_4_2")
    dropped = net.rewrite("dropout").spec["fc"]
    assert dropped == nw.Sequential(drop=nw.Dropout(), fc=net.spec["fc"])
    dense, scan = net.build(seed=0).eval(), net.rewrite("conv-head").build(seed=1).eval()
    old = dense.state_dict()
    scan.load_state_dict({k: old[k].reshape(v.shape) for k, v in scan.state_dict().items()})
    x = torch.rand(2, *net.input)
    torch.testing.assert_close(scan(x).flatten(1), dense(x))
    alone = Net(nw.Linear(3), (8,))
    assert alone.rewrite("dropout").spec == nw.Sequential(drop=nw.Dropout(), fc=nw.Linear(3))


def test_biases_before_norms_of_a_net_that_is_one_block() -> None:
    net = Net(nw.ConvNormAct(4, bias=True), IMAGE)
    assert net.rewrite("no-bias").spec == nw.ConvNormAct(4)
