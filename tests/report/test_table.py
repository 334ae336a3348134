"""Tables: columns that stand, lines that fit, sums that add up."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

import netwright as nw
from netwright.core.diff import diff
from netwright.core.net import Net
from netwright.drawing.diagram import diagram
from netwright.report.advice import advice_text
from netwright.report.changes import diff_text
from netwright.report.compare import compare_text
from netwright.report.layers import groups, merged, tree
from netwright.report.outline import outline
from netwright.report.table import bar, layer_table, plan_table, text_table
from report.examples import CHAIN, ODD

cells = st.text(st.characters(min_codepoint=33, max_codepoint=126), max_size=12)


def grids(columns):
    row = st.lists(cells, min_size=columns, max_size=columns)
    return st.lists(row, min_size=1, max_size=6)


@given(st.integers(1, 5).flatmap(grids), st.sets(st.integers(0, 4)))
def test_every_cell_stands_and_no_blank_trails(rows, left):
    head, *body = rows
    lines = text_table(head, body, left)
    assert len(lines) == len(rows) + 1
    assert max(map(len, lines)) == len(lines[1])
    assert lines == [line.rstrip() for line in lines]
    widths = [max(len(row[i]) for row in rows) for i in range(len(head))]
    for line, row in zip([lines[0], *lines[2:]], rows, strict=True):
        start = 0
        for i, (cell, width) in enumerate(zip(row, widths, strict=True)):
            shown = line.ljust(len(lines[1]))[start : start + width]
            assert shown == (cell.ljust(width) if i in left else cell.rjust(width))
            start += width + 2


@pytest.mark.parametrize("net", [CHAIN, ODD])
@pytest.mark.parametrize("width", [None, 30, 80, 100, 120, 200])
def test_the_layer_table_fits_and_keeps_every_digit(net, width):
    plan = net.plan()
    lines = layer_table(plan.rows, width=width).splitlines()
    rule = lines[1]
    table = lines[: lines.index(rule, 2) + 2]
    assert max(map(len, table)) == len(rule)
    for row in plan.rows:
        assert any(
            f" {row.params:,} " in line and f" {row.macs:,} " in f"{line} " for line in table
        )
    if width and width >= 80:
        assert len(rule) <= width
    if width == 30:
        note = lines[next(i for i, line in enumerate(lines) if line.startswith("left out")) :]
        left_out = "left out for want of width: operation, input, output, window, out KB, %, "
        assert " ".join(note).startswith(left_out)


@given(st.integers(2, 5).flatmap(grids), st.sets(st.integers(0, 4)), st.integers(20, 60))
def test_words_are_cut_and_spare_columns_go_before_anything_is_too_wide(rows, left, width):
    head, *body = rows
    spare = range(len(head) - 1, 0, -1)
    lines = text_table(head, body, left, width=width, spare=spare)
    assert max(map(len, lines)) <= max(width, 12)
    whole = text_table(head, body, left)
    if len(whole[1]) <= width:
        assert lines == whole


def test_numbers_are_never_cut():
    rows = [["a name of many words", "123,456,789,012", "987,654,321"]]
    lines = text_table(["net", "params", "MACs"], rows, width=30)
    assert lines[2] == "a name …  123,456,789,012  987,654,321"


@pytest.mark.parametrize("width", [40, 60, 80])
@pytest.mark.parametrize("name", ["resnet50", "hrnet_w18", "googlenet"])
def test_everything_that_is_printed_fits(name, width):
    net = nw.net(name)
    plan, other = net.plan(), net.rewrite("act:GELU")
    texts = [
        plan_table(plan, 1, width=width),
        compare_text([plan, other.plan()], plan, width),
        *([diff_text(diff(net, other), width)] if width > 40 else []),  # 26 digits, not to cut
        diagram(outline(net), width),
        advice_text(net, nw.advise(net, (3, 64, 64)), width),
    ]
    for text in texts:
        assert max(map(len, text.splitlines())) <= width
        assert not [line for line in text.splitlines() if line != line.rstrip()]


@pytest.mark.parametrize("net", [CHAIN, ODD])
@pytest.mark.parametrize("depth", [1, 2, 3, 9, None])
def test_lines_of_the_same_depth_add_up_to_the_totals(net, depth):
    plan = net.plan()
    ends = groups(plan.rows, depth or 99)
    assert sum(group.params for group in ends) == plan.params
    assert sum(group.macs for group in ends if not group.auxiliary) == plan.macs
    assert sum(group.ops for group in ends if not group.auxiliary) == plan.ops
    lines = list(tree(plan.rows, depth))
    whole = [line.group for line in lines if line.indent == 0]
    assert sum(group.params for group in whole) == plan.params
    if depth is None:
        units = [line.group.rows[0] for line in lines if line.group.unit]
        assert units == list(plan.rows)


def test_depths_nest():
    plan = nw.net("resnet18").plan()
    names = [[line.group.path for line in tree(plan.rows, depth)] for depth in (1, 2, 3)]
    assert names[0] == ["stem", "stage1", "stage2", "stage3", "stage4", "head"]
    for shallow, deep in pairwise(names):
        assert [path for path in deep if path in shallow] == shallow


def test_a_net_of_one_unit_a_bare_join_and_nothing():
    assert "net    Linear" in plan_table(Net(nw.Linear(8), (3,)).plan())
    assert "\njoin   Add" in plan_table(Net(nw.Sum(nw.Conv(3), nw.Identity()), (3, 8, 8)).plan())
    assert "no units" in plan_table(Net(nw.Sequential(), (3, 8, 8)).plan())


def test_symbols_print_as_formulas():
    sympy = pytest.importorskip("sympy")
    C, H = sympy.symbols("C H", positive=True, integer=True)
    text = plan_table(CHAIN.plan((C, H, H)))
    assert "params       144*C + 4826\n" in text
    assert "memory       weights 576*C + 19304 (float32)\n" in text
    assert "CxHxH" in text


@pytest.mark.parametrize(
    ("unit", "x", "wanted"),
    [
        (nw.Conv(8, 1), (3, 8, 8), "1x1"),
        (nw.Conv(8, (1, 7), (1, 2)), (3, 8, 8), "1x7 s1x2 p0x3"),
        (nw.Conv(8, 2), (3, 8, 8), "2x2 p0:1"),
        (nw.Conv(8, 3, dilation=2, padding="full"), (3, 9), "3 p4 d2"),
        (nw.Conv(8, 3, 2, padding="tight"), (3, 8, 9), "3x3 s2 p0:1x1"),
        (nw.Conv(8, 3, groups=4), (4, 5, 8, 8), "3x3x3 p1 g4"),
        (nw.MaxPool(3, 2, padding=1), (3, 8, 8), "3x3 s2 p1"),
        (nw.AvgPool(2), (3, 8, 8), "2x2 s2"),
        (nw.TransposedConv(4), (3, 8, 8), "2x2 s2"),
        (nw.BlurPool(5), (3, 8, 8), "5x5 s2 p2 g3"),
        (nw.FilterBank("sobel"), (3, 8, 8), "3x3 p1 g3"),
        (nw.GaborBank(2, size=5), (3, 8, 8), "5x5 p2 g3"),
        (nw.WeightNorm(nw.Conv(8, 3, 2)), (3, 8, 8), "3x3 s2 p1"),
        (nw.WeightStandardisation(nw.Conv(6, groups=3)), (6, 8, 8), "3x3 p1 g3"),
        (nw.MaxNorm(nw.Conv(4, 1)), (3, 8, 8), "1x1"),
        (nw.MaxNorm(nw.Linear(4)), (3,), "None"),
        (nw.LeapPool(4), (3, 12, 100), "1x4 s1x4"),
        (nw.ConvLSTM(4, 5), (3, 2, 8, 8), "5x5 p2"),
        (nw.MaxUnpool(2), (3, 8, 8), "2x2 s2"),
        (nw.ReLU(), (3, 8, 8), "None"),
        (nw.GlobalAvgPool(), (3, 8, 8), "None"),
    ],
)
def test_windows(unit, x, wanted):
    assert str(unit.sliding(x)) == wanted


@given(st.floats(0, 1), st.integers(1, 40))
def test_bars_are_as_long_as_their_share(part, width):
    made = bar(part, 1, width)
    assert abs(len(made) - part * width) <= 1
    assert len(made) <= width


def test_bars_of_nothing():
    assert bar(0, 0) == bar(0, 5) == ""


def test_merged_keeps_every_order_that_agrees():
    assert merged([["a", "b", "d"], ["b", "c", "d"], ["x"]]) == ["x", "a", "b", "c", "d"]
    assert merged([]) == []
