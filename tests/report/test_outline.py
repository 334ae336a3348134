"""The tree of a net's parts, and the diagram in text that is drawn from it."""

from __future__ import annotations

import pytest

import netwright as nw
from netwright.core.net import Net
from netwright.drawing.diagram import LINES, WIDTH, diagram
from netwright.drawing.labels import label
from netwright.report.outline import outline
from report.examples import CHAIN, ODD, SKIP

SOME = [
    "lenet5", "resnet50", "densenet121", "googlenet", "inception_v4", "unet", "cbam_resnet50",
    "shufflenet_g3_w1", "efficientnet_b3", "pyramidnet110_a48_cifar10", "mobilenet_v3_large",
]  # fmt: skip


def every(part):
    yield part
    for inner in part.parts:
        yield from every(inner)


@pytest.mark.parametrize("net", [*map(nw.net, SOME), ODD, CHAIN, SKIP], ids=lambda net: net.name)
def test_every_row_is_in_one_part_of_each_level(net):
    tree = outline(net)
    assert tree.group.rows == net.plan().rows
    for part in every(tree):
        if part.count == 1:
            inside = [row for inner in part.parts for row in inner.group.rows]
            assert not part.parts or tuple(inside) == part.group.rows, part.group.path
        elif part.parts:
            first = [row for inner in part.parts for row in inner.group.rows]
            assert part.group.rows[: len(first)] == tuple(first)
        assert (not part.parts) == isinstance(part.body, nw.Unit)


def test_like_parts_are_one_whatever_their_inputs_and_rates():
    dense = outline(nw.net("densenet121")).parts[1]
    assert [(part.count, part.spec) for part in dense.parts] == [(6, nw.DenseLayer(32))]
    assert dense.parts[0].group.params == dense.group.params
    stage = outline(nw.net("efficientnet_b0")).parts[3]
    rates = [part.spec.drop for part in stage.parts]
    assert len(set(rates)) == 2
    assert [(part.name, part.count) for part in stage.parts] == [("0", 1), ("1", 1)]
    five = outline(nw.net("efficientnet_b0")).parts[5]
    assert [(part.name, part.count) for part in five.parts] == [("0-2", 3)]


def test_parts_of_a_graph_say_what_they_read():
    parts = {part.name: part for part in outline(SKIP).parts}
    assert parts["beside1"].reads == ("down1", "grow1")
    assert parts["head"].reads == ()


def test_shapes_are_those_of_sequences_and_streams():
    tree = outline(nw.net("cnn_lstm"))
    assert tree.inputs == ((16, 3, 224, 224),)
    assert tree.parts[0].outputs == ((16, 4096),)
    two = nw.Fork(fine=nw.Conv(8), coarse=nw.Conv(4, 3, 2))
    fork = outline(Net(nw.Sequential(two=two, sum=nw.Concat(nw.MaxPool(2), nw.Conv(2))), (3, 8, 8)))
    assert fork.parts[0].outputs == ((8, 8, 8), (4, 4, 4))
    assert fork.parts[1].inputs == fork.parts[0].outputs
    assert "2 streams" in diagram(fork)


def test_labels():
    def said(spec, x=(32, 8, 8)):
        return label(outline(Net(spec, x)))

    assert said(nw.Conv(64, 5, 2)) == "Conv 5x5/2 64"
    assert said(nw.Conv(32, 3, groups=32)) == "Conv 3x3 32 depthwise"
    assert said(nw.Conv(64, 3, groups=4, dilation=2)) == "Conv 3x3 64 dilated 2 in 4 groups"
    assert said(nw.MaxNorm(nw.Conv(64, 5), 1.0)) == "MaxNorm Conv 5x5 64"
    assert said(nw.conv_norm_act(64)) == "Conv 3x3 64, BatchNorm, ReLU"
    assert said(nw.Bottleneck(8, stride=2)) == "Bottleneck(8, stride=2)"
    assert said(nw.MBConv(32, norm=nw.GroupNorm(groups=4), drop=0.1)) == "MBConv(32)"
    assert said(nw.Stage(nw.MBConv(32), 3, drop=(0.1, 0.2))) == "3 x MBConv"
    assert said(nw.MaxPool(2)) == "MaxPool 2x2/2"
    assert said(nw.Sum(nw.Conv(32), nw.Identity())) == "sum"


def test_diagrams_are_small():
    for name in SOME:
        lines = diagram(outline(nw.net(name))).splitlines()
        assert max(map(len, lines)) <= WIDTH, name
        assert len(lines) <= LINES + 4, name


def test_a_block_of_each_kind_is_opened_once():
    text = diagram(outline(nw.net("resnet50")))
    assert text.count("reduce") == 1
    assert "3 x Bottleneck(64)" in text
    assert "Bottleneck(128, stride=2) → 3 x Bottleneck(128)" in text
