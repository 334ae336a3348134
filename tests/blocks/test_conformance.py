"""One kit for every block, found by itself: a block without a sample fails."""

from __future__ import annotations

import pickle

import pytest
import torch

import netwright as nw
from netwright.blocks.ordering import ORDERS
from netwright.core.interpret import output_shape
from netwright.core.net import Net
from netwright.core.spec import SPECS, Block, Spec
from netwright.core.wiring import streams
from netwright.errors import SpecError
from netwright.rules.widths import widened
from oracles import (
    assert_field_is_true,
    assert_numbers_are_canonical,
    assert_plan_is_true,
    assert_twice_as_wide,
    is_inside,
    surrogate,
)

MAP = (8, 33, 31)
PAIR = (nw.ConvNormAct(8), nw.ConvNormAct(8, 1))
FORMS = ("double-fc", "1x1", "2x1", "folded")
CELL = nw.CellGenotype(
    (
        (("sep_conv_3x3", 0), ("identity", 1)),
        (("dil_conv_3x3", 2), ("max_pool_3x3", 0), ("skip_connect", 1)),
    ),
    (1, 2, 3),
)
VERTICES = ((0, 1), (0, 2), (1, 2), (1, 3), (2, 4), (3, 4), (0, 4))
_samples: list[tuple[Block, tuple[int, ...]]] = [
    (nw.ASPP(4, (2, 3)), MAP),
    (nw.AuxiliaryHead(5), (8, 14, 14)),
    (nw.AuxiliaryHead(5, nw.BatchNorm(), nw.AdaptiveAvgPool(4)), (8, 15, 13)),
    (nw.AttentionModule(1), (8, 64, 48)),
    (nw.AttentionModule(2, 1, 1, 2), (4, 160, 136)),
    (nw.BAM(4, 2), MAP),
    (nw.BasicBlock(8), MAP),
    (nw.BasicBlock(8, attention=nw.CBAM(4)), MAP),
    (nw.CBAM(4, 5), MAP),
    (nw.BasicBlock(12, 2, "A", nw.SqueezeExcite(4), "pre"), MAP),
    (nw.BasicBlock(8, attention=nw.SqueezeExcite(4), place="post", drop=0.2), MAP),
    (nw.Bottleneck(4), MAP),
    (nw.Bottleneck(4, dilation=3), MAP),
    (nw.Bottleneck(2, attention=nw.SqueezeExcite(4), place="identity"), MAP),
    (nw.Bottleneck(4, groups=2, widen=1.5), MAP),
    (nw.Bottleneck(4, 2, groups=2, expansion=2, shortcut="C", stride_in="1x1"), MAP),
    (nw.ECA(), MAP),
    (nw.Highway(), MAP),
    (nw.Highway(5, -1.0, nw.Tanh()), (8, 15, 14)),
    *((nw.PreBasicBlock(30, 2, attention=nw.CompetitiveExcite(4, form)), MAP) for form in FORMS),
    (nw.Cell(CELL, 6), MAP),
    (nw.Cell(CELL, 8, 2, nw.BatchNorm(eps=1e-3), True, 0.2), (8, 32, 31)),
    (nw.ConvNormAct(6, 5, 2), MAP),
    (nw.ConvNormAct(6, norm=None, act=None), MAP),
    (nw.ConvNextBlock(3, 2, 0.1), MAP),
    (nw.InvertedBottleneck(8), MAP),
    (nw.InvertedBottleneck(6, 2, 7, True, nw.GELU(), acts="one", norms="one"), MAP),
    (nw.DarkBlock(), MAP),
    (nw.DenseBiLstm(2, 3), (9, 6)),
    (nw.DenseBlock(3, 4), MAP),
    (nw.DenseLayer(4, 0), MAP),
    (nw.DepthwiseConv(3, 2, multiplier=2), MAP),
    (nw.DilatedConv(6), MAP),
    (nw.CSE(), MAP),
    (nw.DoubleConv(6), MAP),
    (nw.DoubleConv(6, nw.BatchNorm(), nw.SSE()), MAP),
    (nw.SCSE(4), MAP),
    (nw.SSE(), MAP),
    (nw.SSE(bias=False), (4, 9, 11, 13)),
    (nw.EdgeCell(("conv_3x3", "none", "conv_1x1", "skip_connect", "avg_pool_3x3", "none")), MAP),
    (nw.EdgeCell(("conv_1x1", "skip_connect", "conv_3x3")), MAP),
    (nw.ExchangeUnit(), MAP),
    *((nw.Edge(name, 8, 2), (8, 65, 63)) for name in nw.OPERATIONS),
    *((nw.Edge(name, 6, 2, tight=True, drop=0.1), (8, 64, 63)) for name in nw.OPERATIONS),
    (nw.FactorisedReduction(7), MAP),
    (nw.FactorisedReduction(4), (8, 32, 31)),
    (nw.Fire(2, 4, "simple"), MAP),
    (nw.Fire(2, 3, "complex"), MAP),
    (nw.FlattenedConv(6), MAP),
    (nw.FusedMBConv(8, drop=0.2), MAP),
    (nw.FusedMBConv(6, 2, 1), MAP),
    (nw.GhostBottleneck(8, 12), MAP),
    (nw.GhostBottleneck(6, 8, 5, 2, se=True), MAP),
    (nw.GhostModule(7), MAP),
    (nw.GhostModule(12, 3, 5, None), MAP),
    (nw.GroupedConv(6), MAP),
    (nw.HighResolutionModule(2), MAP),
    (nw.Inception(2, 3, 4, 2, 3, 2), MAP),
    (nw.NaiveInception(2, 3, 4), MAP),
    (nw.GridReduction(((4,), (2, 3), (2, 3, 4), (2, 3, 3, 4))), MAP),
    (nw.GridReduction(((2, 4),), "same", nw.BatchNorm(), bias=True), (8, 16, 18)),
    (nw.InceptionA(2, (3, 4), (2, 3, 4), 2, 5), MAP),
    (nw.InceptionA(2, (3, 4), (2, 3, 4), 2, 3, nw.MaxPool(3, 1, 1), bias=True), MAP),
    (nw.InceptionB(2, (3, 4, 5), (2, 3, 4, 3, 4), 2), MAP),
    (nw.InceptionC(2, (3, 4), (2, 3, 4), 2), MAP),
    (nw.InceptionC(2, (3, 4), (2, 3, 3, 4), 2, nw.AvgPool(3, 1, 1, count_padding=False)), MAP),
    (nw.InceptionResidual(((3,), (2, 3), (2, 3, 4)), 0.17), MAP),
    (nw.InceptionResidual(((3,), (2, 3, 4)), 0.5, 7, False, nw.SqueezeExcite(4)), MAP),
    (nw.InvertedResidual(8), MAP),
    (nw.InvertedResidual(12, 2, 2, 5), MAP),
    (nw.InvertedResidual(8, drop=0.2), MAP),
    (nw.InvertedResidual(12, 2, 2, 5, padding="tight"), MAP),
    (nw.MBConv(8, drop=0.2), MAP),
    (nw.MBConv(6, 2, 3, 5), MAP),
    *((nw.MobileConv(6, 2, form), MAP) for form in ("regular", "separable", "linear", "expanded")),
    (nw.MLP((7, 5)), (9,)),
    (nw.MaxBlurPool(), MAP),
    (nw.MaxoutLinear(5, 3), (9,)),
    (nw.MlpConv((6, 5)), MAP),
    (nw.Motif(("conv_1x1", "none", "sep_conv_3x3"), 6), MAP),
    (
        nw.Motif(("identity", "depthwise_3x3", "avg_pool_3x3", "max_pool_3x3", *["none"] * 2), 6),
        MAP,
    ),
    (nw.MotifCell((("conv_1x1",), ("max_pool_3x3",)), (1, 2, 2), 4), MAP),
    (nw.MobileNetV3Block(8, 12), MAP),
    (nw.MobileNetV3Block(6, 8, 5, 2, True, nw.HardSwish()), MAP),
    (nw.PointwiseConv(6, 2), MAP),
    (nw.PolyModule("p", ((2, 3, 4), (3,)), 2, 0.8, 7), MAP),
    (nw.PolyModule("p", ((2, 3),)), MAP),
    (nw.PreBasicBlock(8, dropout=0.3, attention=nw.SqueezeExcite(4)), MAP),
    (nw.PreBasicBlock(12, 2), MAP),
    *((nw.ResidualUnit(PAIR, order), MAP) for order in ORDERS),
    *((nw.ResidualUnit((nw.ConvNormAct(9, 5, 2), *PAIR), order), MAP) for order in ORDERS),
    *((nw.ResNeXtBlock(3, 2, 2, 3, form), MAP) for form in ("split", "concatenated", "grouped")),
    (nw.PreBottleneck(2), MAP),
    (nw.PreBottleneck(4, 2, attention=nw.SqueezeExcite(4), stride_in="1x1"), MAP),
    (nw.Conv2Plus1d(6, 3, 2), (4, 16, 17, 19)),
    (nw.Conv2Plus1d(6, 3, (1, 2, 2), 5, None), (4, 16, 17, 19)),
    *((nw.P3dBottleneck(2, form=form), (8, 17, 19, 18)) for form in "ABC"),
    (nw.P3dBottleneck(3, 2, "S", 2), (4, 13, 27, 26)),
    (nw.R2Plus1dBlock(6), (6, 17, 19, 18)),
    (nw.R2Plus1dBlock(8, 2), (4, 25, 27, 26)),
    (nw.Pseudo3dConv(6, form="B"), (4, 16, 17, 19)),
    (nw.Pseudo3dConv(6, 3, 2, "C"), (4, 16, 17, 19)),
    (nw.PyramidBlock(8), MAP),
    (nw.PyramidBlock(9, 2), MAP),
    (nw.PyramidBottleneck(2), MAP),
    (nw.PyramidBottleneck(3, 2), MAP),
    (nw.RandomNode(6, 2), MAP),
    (nw.RandomStage(nw.WattsStrogatz(4, 0.5), 4, 7), (8, 65, 63)),
    (nw.RandomStage(nw.BarabasiAlbert(2), 6, 6, 1, seed=3), (8, 65, 63)),
    (nw.RandomStage(nw.ErdosRenyi(0.4), 4, 6), (8, 65, 63)),
    (nw.RegNetBlock(8, 4, se=0.25), MAP),
    (nw.RegNetBlock(12, 6, 2), MAP),
    (nw.SENetBottleneck(4, groups=2, reduction=4), (8, 15, 17)),
    (nw.SENetBottleneck(2, 2, 1, 4), (8, 15, 17)),
    (nw.SeparableConv(6), MAP),
    (nw.SeparableConv(6, 3, 2, first="pointwise", between=False), MAP),
    (nw.Shortcut(12, 2, "A"), MAP),
    (nw.Shortcut(8), MAP),
    (nw.ShuffledGroupedConv(6), MAP),
    (nw.ShuffleUnit(8, 2), MAP),
    (nw.ShuffleUnit(16, 2, 2, False), MAP),
    (nw.ShuffleUnitV2(8), MAP),
    (nw.ShuffleUnitV2(12, 2), MAP),
    (nw.SpatiallySeparableConv(6, 5), MAP),
    (nw.SqueezeExcite(4), MAP),
    (nw.Stage(nw.MBConv(6), 3, 2, (0.1, 0.2)), MAP),
    (nw.StreamTransition((6,)), MAP),
    (nw.TableConv(((0, 1), (7, 2, 0)), 5), MAP),
    (nw.Transition(), MAP),
    (nw.TwoWayModule(((2, 3, 4), (3,)), 0.9, 3), MAP),
    (nw.UNetDown(6, nw.BatchNorm()), MAP),
    (nw.UNetUp(6, attention=nw.SSE()), (4, 34, 30)),
    (nw.VertexCell((), ((0, 1),), 6), MAP),
    (nw.VertexCell(("conv_1x1", "conv_3x3", "max_pool_3x3"), VERTICES, 12), MAP),
    (nw.VggBlock(6, 2, nw.BatchNorm()), MAP),
    (nw.WideningBottleneck(3, 2, nw.SqueezeExcite(4)), MAP),
    (nw.WideningBottleneck(2), MAP),
    (nw.XceptionBlock((8, 8)), MAP),
    (nw.XceptionBlock((8, 12), 2, act_first=False), MAP),
    (nw.VggBlock(6, 1, se=4), MAP),
]
HALVES = nw.Fork(nw.Identity(), nw.MaxPool(2))
BEHIND = {"UNetUp": HALVES}
"""Blocks of two inputs, and what makes these of a map."""
INSIDE = {"CompetitiveExcite": "PreBasicBlock"}
"""Blocks of two inputs, and the blocks that they are sampled in."""
WRONG = {
    "ASPP": {"rates": ()},
    "AuxiliaryHead": {"classes": 0},
    "AttentionModule": {"depth": 0},
    "BAM": {"reduction": 0},
    "CBAM": {"kernel": 0},
    "BasicBlock": {"width": 8, "shortcut": "D"},
    "Bottleneck": {"width": 8, "stride_in": "2x2"},
    "Cell": {"genotype": (("sep_conv_3x3", 0),), "width": 8},
    "ConvNormAct": {"width": 8, "act": "relu"},
    "CompetitiveExcite": {"form": "3x1"},
    "ECA": {"gamma": 0},
    "Highway": {"act": "relu"},
    "ConvNextBlock": {"expansion": 0},
    "InvertedBottleneck": {"width": 4, "acts": "two"},
    "DarkBlock": {"act": None},
    "DenseBiLstm": {"depth": 0, "growth": 3},
    "DenseBlock": {"depth": -1},
    "DenseLayer": {"growth": 2.5},
    "DepthwiseConv": {"multiplier": 0},
    "DilatedConv": {"width": 4, "dilation": 0},
    "CSE": {"reduction": 0},
    "DoubleConv": {"width": 0},
    "EdgeCell": {"operations": ("conv_3x3", "none")},
    "ExchangeUnit": {"outputs": -1},
    "Edge": {"operation": "sep_conv_4x4", "width": 8},
    "FactorisedReduction": {"width": 1},
    "Fire": {"squeeze": 2, "expanded": 4, "bypass": "both"},
    "FlattenedConv": {"width": "4"},
    "FusedMBConv": {"width": 4, "drop": 1.0},
    "GhostBottleneck": {"width": 4, "hidden": 0},
    "GhostModule": {"width": 4, "ratio": 1},
    "GroupedConv": {"width": 5, "groups": 2},
    "HighResolutionModule": {"depth": 0},
    "Inception": dict.fromkeys(("conv1", "reduce3", "conv3", "reduce5", "conv5", "pool"), 0),
    "NaiveInception": {"conv1": 2, "conv3": 0, "conv5": 2},
    "GridReduction": {"branches": ((1, 2, 3, 4, 5),)},
    "InceptionA": {"conv1": 2, "once": (3, 4), "twice": (2, 3), "project": 2},
    "InceptionB": {"conv1": 2, "once": (3, 4, 5), "twice": (2, 3, 4, 3, 0), "project": 2},
    "InceptionC": {"conv1": 2, "once": (3, 0), "twice": (2, 3, 4), "project": 2},
    "InceptionResidual": {"branches": ()},
    "InvertedResidual": {"width": 4, "expansion": 0},
    "MBConv": {"width": 4, "norm": None},
    "MLP": {"widths": ()},
    "MaxBlurPool": {"blur": 0},
    "MaxoutLinear": {"width": 4, "pieces": 0},
    "MlpConv": {"widths": (0,)},
    "Motif": {"edges": ("conv_1x1", "none", "none"), "width": 4},
    "MotifCell": {"motifs": (("conv_1x1",),), "edges": (2,), "width": 4},
    "MobileNetV3Block": {"width": 4, "hidden": 0},
    "PointwiseConv": {"width": None},
    "PolyModule": {"key": "", "branches": ((2,),)},
    "PreBasicBlock": {"width": 8, "dropout": 2.0},
    "PreBottleneck": {"width": 0},
    "ResidualUnit": {"convs": (nw.Conv(4),)},
    "ResNeXtBlock": {"width": 4, "form": "sum"},
    "MobileConv": {"width": 4, "form": "narrow"},
    "Conv2Plus1d": {"width": 4, "middle": -1},
    "P3dBottleneck": {"width": 4, "form": "D"},
    "R2Plus1dBlock": {"width": 4, "stride": 0},
    "Pseudo3dConv": {"width": 4, "form": "D"},
    "PyramidBlock": {"width": 8, "stride": 0},
    "PyramidBottleneck": {"width": 8, "expansion": 0},
    "RandomNode": {"width": 0},
    "RandomStage": {"graph": "WS", "width": 8},
    "RegNetBlock": {"width": 8, "group_width": 3},
    "SENetBottleneck": {"width": 4, "groups": 0},
    "SCSE": {"reduction": 0},
    "SSE": {"bias": 1},
    "SeparableConv": {"width": 4, "first": "both"},
    "Shortcut": {"width": 4, "option": "E"},
    "ShuffledGroupedConv": {"width": 5, "groups": 2},
    "ShuffleUnit": {"width": 8, "groups": 0},
    "ShuffleUnitV2": {"width": 8, "stride": 0},
    "SpatiallySeparableConv": {"width": 4, "first": -1},
    "SqueezeExcite": {"reduction": 0},
    "Stage": {"block": nw.Fire(2, 4), "depth": 2, "stride": 2},
    "StreamTransition": {"widths": ()},
    "TableConv": {"table": ()},
    "Transition": {"compression": 0},
    "TwoWayModule": {"branches": ()},
    "UNetDown": {"width": 0},
    "UNetUp": {"width": 4, "norm": 1},
    "VertexCell": {"operations": ("conv_1x1",), "edges": ((0, 2),), "width": 4},
    "VggBlock": {"width": 4, "depth": 0},
    "WideningBottleneck": {"width": 0},
    "XceptionBlock": {"widths": ()},
}
SAMPLES: dict[str, list[tuple[Block, tuple[int, ...]]]] = {}
for _block, _shape in _samples:
    SAMPLES.setdefault(type(_block).__name__, []).append((_block, _shape))
CASES = [pytest.param(*case, id=repr(case[0])) for some in SAMPLES.values() for case in some]
each = pytest.mark.parametrize(("block", "shape"), CASES)
NAMES = {**vars(nw.core), **{name: getattr(nw, name) for name in (*nw.units(), *nw.blocks.__all__)}}


def net_of(block: Block, shape: tuple[int, ...], spec: Spec | None = None) -> Net:
    """The block, or what it stands for, as a net."""
    before = BEHIND.get(type(block).__name__)
    spec = spec or block
    return Net(nw.Sequential(before=before, block=spec) if before else spec, shape)


@pytest.mark.parametrize("name", nw.blocks())
def test_every_block_is_sampled_and_told(name: str) -> None:
    assert SAMPLES.get(INSIDE.get(name, name)), f"{name} has no sample; add one here"
    assert SPECS[name].__doc__ is not SPECS[name].__mro__[1].__doc__
    with pytest.raises(SpecError):
        SPECS[name](**WRONG[name])


@each
def test_plan_is_what_runs(block: Block, shape: tuple[int, ...]) -> None:
    recurrent = isinstance(block, nw.DenseBiLstm)  # PyTorch's counter does not know LSTMs
    assert_plan_is_true(net_of(block, shape), macs=not recurrent)


@each
def test_is_a_value(block: Block, shape: tuple[int, ...]) -> None:
    net = net_of(block, shape)
    assert eval(repr(block), dict(NAMES)) == block
    assert nw.from_json(net.to_json()) == net
    assert pickle.loads(pickle.dumps(block)) == block
    assert_numbers_are_canonical(block)


@each
def test_expands_alike_and_says_the_same(block: Block, shape: tuple[int, ...]) -> None:
    before = BEHIND.get(type(block).__name__)
    shapes = streams(output_shape(before, shape)) if before else [shape]
    body = block.expand(*shapes)
    assert body == block.expand(*shapes)
    a, b = net_of(block, shape).plan(), net_of(block, shape, body).plan()
    assert a.rows == b.rows


@each
def test_field_is_gradient_support(block: Block, shape: tuple[int, ...]) -> None:
    plan = net_of(block, shape).plan()
    row = plan.rows[-1]
    if row.field.status not in ("exact", "hull") or any(r.field.whole for r in plan.rows):
        pytest.skip("sees all")
    model = surrogate(net_of(block, shape).build(init="torch"))
    middle = [n // 2 for n in row.output[1:]]
    assert is_inside(plan, row.field, middle)
    assert_field_is_true(plan, model, row.path, middle)


@each
def test_trains(block: Block, shape: tuple[int, ...]) -> None:
    model = net_of(block, shape).build(seed=0).train()
    y = model(torch.rand(2, *shape, requires_grad=True))
    y.square().sum().backward()
    for name, parameter in model.named_parameters():
        assert parameter.grad is not None, name
        assert torch.isfinite(parameter.grad).all(), name


SINGLE = {"AuxiliaryHead": "its widths are the paper's", "TableConv": "it names single maps"}
"""Blocks whose widths do not double, and why."""


@each
def test_tells_which_widths_are_its_own(block: Block, shape: tuple[int, ...]) -> None:
    """Of twice the channels, with twice the widths of its own, all inside is twice as wide: no
    width is forgotten, none told that follows from others."""
    if type(block).__name__ in SINGLE:
        pytest.skip(SINGLE[type(block).__name__])
    first = {1: nw.Linear(shape[0]), 2: nw.LSTM(shape[-1])}.get(len(shape), nw.Conv(shape[0], 1))
    inner = net_of(block, shape).spec
    end = nw.Sum(nw.Identity(), nw.Identity())  # a net that ends in a sum has no classifier
    net = Net(nw.Sequential(first=first, block=inner, end=end), shape)
    assert_twice_as_wide(net, widened(net, lambda width: 2 * width))
