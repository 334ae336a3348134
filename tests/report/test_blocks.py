"""Block diagrams: nothing overlaps, lines go round boxes, every net draws."""

from __future__ import annotations

import time
import xml.etree.ElementTree as ET
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import netwright as nw
from netwright.core.net import Net
from netwright.drawing.blocks import MOST, WIDE, block_scene, cell_scene
from netwright.drawing.blocks_svg import block_diagram, block_file
from netwright.drawing.layered import Link, layered
from netwright.drawing.scene import Mark, Scene
from netwright.report.outline import cells, outline
from report.examples import CHAIN, ODD, SKIP

SOME = [
    "lenet5", "resnet50", "densenet121", "googlenet", "unet", "shufflenet_v2_x1_0", "hrnet_w18",
    "darts_v2_cifar10", "randwire_ws_small", "cnn_lstm", "c3d", "eegnet_4_2", "polynet",
]  # fmt: skip

SVG = "{http://www.w3.org/2000/svg}"


def boxes(scene):
    return [mark for mark in scene.marks if mark.what.kind != "frame"]


def meet(a, b):
    """Whether two rectangles have more than an edge in common."""
    return (
        a.x < b.x + b.width and b.x < a.x + a.width
        and a.y < b.y + b.height and b.y < a.y + a.height
    )  # fmt: skip


def segments(scene):
    """The straight pieces of all lines, as rectangles without an inside."""
    for wire in scene.wires:
        for (ax, ay), (bx, by) in pairwise(wire.corners):
            yield Mark(min(ax, bx), min(ay, by), abs(bx - ax), abs(by - ay), None)


def check(scene, marks):
    lines = list(segments(scene))
    for i, mark in enumerate(marks):
        assert mark.x >= 0
        assert mark.y >= 0
        assert mark.x + mark.width <= scene.width
        assert mark.y + mark.height <= scene.height
        assert not [other for other in marks[:i] if meet(mark, other)], mark
        inner = Mark(mark.x + 1, mark.y + 1, mark.width - 2, mark.height - 2, None)
        assert not [line for line in lines if meet(line, inner)], mark


def check_tree(tree):
    """Draws it, and holds everything that every drawing is held to."""
    scene = block_scene(tree)
    check(scene, boxes(scene))
    frames = [mark for mark in scene.marks if mark.what.kind == "frame"]
    for inner in boxes(scene):
        for frame in frames:
            if meet(frame, inner):
                assert frame.x < inner.x
                assert inner.x + inner.width < frame.x + frame.width
                assert frame.y < inner.y
                assert inner.y + inner.height < frame.y + frame.height
    assert len(boxes(scene)) <= MOST
    assert scene.width <= WIDE
    text = block_file(tree)
    assert len(text) <= 200_000
    root = ET.fromstring(text)
    ids = [node.get("id") for node in root.iter() if node.get("id")]
    assert len(ids) == len(set(ids))
    return text


@pytest.mark.parametrize("net", [*map(nw.net, SOME), ODD, CHAIN, SKIP], ids=lambda net: net.name)
def test_nothing_overlaps(net):
    assert check_tree(outline(net)) == check_tree(outline(net))


@pytest.mark.parametrize(
    ("space", "code", "places"),
    [("nasbench201", "143213", ["stage1.0"]),
     ("darts", "046020363753003063346053", ["cell1", "cell2"])],
)  # fmt: skip
def test_cells_are_drawn_by_the_names_of_their_operations(space, code, places):
    tree = cells(outline(nw.space(space, depth=4, width=4).net(code)))
    assert [cell.group.path for cell in tree] == places
    lines = set[str]()
    for cell in tree:
        scene = cell_scene(cell)
        check(scene, boxes(scene))
        lines |= {line for mark in boxes(scene) for line, _ in mark.what.lines}
    assert "skip_connect" in lines  # which has no box in the drawing of a whole net
    assert not [line for line in lines if "Edge(" in line]


@pytest.mark.slow
def test_every_net_is_drawn_soon():
    slowest = 0.0
    for name in nw.nets():
        tree = outline(nw.net(name))
        began = time.perf_counter()
        check_tree(tree)
        slowest = max(slowest, time.perf_counter() - began)
    assert slowest < 5


def test_resnet50_fits_a_page():
    tree = outline(nw.net("resnet50"))
    marks = boxes(block_scene(tree))
    assert len(marks) <= 40
    assert len(block_file(tree)) <= 200_000
    text = block_diagram(tree)
    assert [text.count(f">x{n}<") for n in (2, 3, 5)] == [1, 2, 1]
    assert text.count("Bottleneck(128, stride=2)</text>") == 1
    assert "<title>stage1.0.residual.body.conv: Conv 3x3 64, BatchNorm, ReLU" in text


def test_skips_are_lines_and_joins_are_round():
    scene = block_scene(outline(nw.net("resnet18")))
    first = next(mark for mark in boxes(scene) if mark.what.kind == "join")
    arriving = [wire for wire in scene.wires if wire.corners[-1][1] == first.y]
    assert len(arriving) == 2
    assert not [mark for mark in boxes(scene) if mark.what.lines[0][0] == "Identity"]


def test_shapes_stand_at_the_lines():
    root = ET.fromstring(block_file(outline(nw.net("lenet5"))))
    words = [node.text for node in root.iter(f"{SVG}text")]
    shapes = ["x".join(map(str, row.output)) for row in nw.net("lenet5").plan()]
    assert {word for word in words if "x" in word and word[0].isdigit()} <= {"1x32x32", *shapes}
    assert "16x5x5" in words


def test_a_graph_is_drawn_by_its_edges():
    scene = block_scene(outline(SKIP))
    join = next(mark for mark in boxes(scene) if mark.what.kind == "join")
    starts = {
        mark.what.part.name
        for wire in scene.wires
        if wire.corners[-1][1] == join.y
        for mark in boxes(scene)
        if mark.y + mark.height == wire.corners[0][1]
        and mark.x < wire.corners[0][0] < mark.x + mark.width
    }
    assert starts == {"down1", "grow1"}


def test_colours_say_what_a_box_does():
    net = nw.Sequential(
        nw.Conv(8, 3), nw.MaxPool(2), nw.Upsample(2), nw.Dropout(0.5), nw.BasicBlock(8),
        nw.BasicBlock(8), nw.ChannelShuffle(2), nw.Flatten(), nw.Linear(5),
    )  # fmt: skip
    scene = block_scene(outline(Net(net, (3, 8, 8))))
    kinds = [mark.what.kind for mark in boxes(scene)]
    assert kinds[:3] == ["convolution", "pool", "pool"]
    assert kinds[-3:] == ["values", "values", "dense"]
    assert "join" in kinds


def test_long_words_are_cut():
    net = nw.Sequential(**{"n" * 60: nw.Sequential(nw.Conv(8, 3), nw.MaxPool(2), nw.Conv(8))})
    scene = block_scene(outline(Net(net, (3, 8, 8))))
    frame = next(mark for mark in scene.marks if mark.what.kind == "frame")
    assert frame.what.lines[0][0].startswith("nnn")
    assert frame.what.lines[0][0].endswith("…")
    assert 7 * len(frame.what.lines[0][0]) < frame.width


def test_heads_that_only_train_say_so():
    text = block_diagram(outline(ODD))
    assert text.count("only training runs it") == 1
    assert "only training" not in block_diagram(outline(CHAIN))


def test_branches_alike_are_one_with_a_number():
    net = Net(nw.Sum(*[nw.Conv(8, 3)] * 32), (8, 16, 16), "many")
    scene = block_scene(outline(net))
    assert [mark.what.part.count for mark in boxes(scene)] == [32, 1]
    check_tree(outline(net))


def test_a_unit_alone_and_streams():
    check_tree(outline(Net(nw.Conv(8), (3, 8, 8), "one")))
    fork = nw.Fork(a=nw.Conv(8), b=nw.Identity(), c=nw.Sequential())
    three = nw.Sequential(fork=fork, sum=nw.Concat(*[nw.Conv(4)] * 3))
    check_tree(outline(Net(three, (3, 8, 8), "three")))


def test_many_parts_are_gathered():
    scene = block_scene(outline(nw.net("pyramidnet110_a48_cifar10")))
    words = [text for mark in boxes(scene) for text, _ in mark.what.lines]
    assert len(boxes(scene)) > 8
    assert any(word.startswith("17 x ") for word in words)


@st.composite
def graphs(draw):
    many = draw(st.integers(1, 12))
    ends = draw(st.integers(1, 3))
    links = []
    for target in range(1, many + 1):
        sources = draw(st.sets(st.integers(0, target - 1), min_size=1, max_size=3))
        links += [Link((source, 0), (target, 0)) for source in sources]
    outs = [(draw(st.integers(0, many)), 0) for _ in range(ends)]
    sizes = draw(st.lists(st.tuples(st.integers(20, 200), st.integers(10, 60)),
                          min_size=many, max_size=many))  # fmt: skip
    return sizes, links, outs


@settings(deadline=None, max_examples=60)
@given(graphs())
def test_any_graph_is_drawn_without_overlap(graph):
    sizes, links, outs = graph
    items = [
        Scene(w, h, (w / 2,), (w / 2,), ("3x4",), (Mark(0, 0, w, h, i),), closed=True)
        for i, (w, h) in enumerate(sizes)
    ]
    scene = layered([Scene(), *items], links, 1, outs)
    assert {mark.what for mark in scene.marks} == set(range(len(sizes)))
    assert len(scene.wires) == len(links) + len(outs)
    assert all(ay <= by for wire in scene.wires for (_, ay), (_, by) in pairwise(wire.corners))
    check(scene, scene.marks)
