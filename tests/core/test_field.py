"""Receptive fields by hand: the cases in which scripts go wrong."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

import netwright as nw
from netwright.core.field import Axis, Field, Taps
from netwright.core.net import Net
from netwright.foreign.resizing import interpolation


def field(*specs, size=64):
    return Net(nw.Sequential(*specs), (4, size, size)).plan().rows[-1].field


@given(st.integers(1, 9), st.integers(1, 7).map(lambda n: 2 * n + 1))
def test_stacked_kernels(layers: int, kernel: int) -> None:
    size = 1 + layers * (kernel - 1)
    assert field(*[nw.Conv(4, kernel)] * layers).size == (size, size)


@given(st.lists(st.tuples(st.integers(1, 7), st.integers(1, 3), st.integers(0, 3)), max_size=6))
def test_the_recurrence(windows: list[tuple[int, int, int]]) -> None:
    axis, size, jump, start = Axis(), 1, 1, Fraction(0)
    for kernel, stride, pad in windows:
        axis = axis.through(Taps(((-pad, kernel),), 1, stride))
        size += (kernel - 1) * jump
        start += (Fraction(kernel - 1, 2) - pad) * jump
        jump *= stride
        assert (axis.size, axis.stride, axis.start) == (size, jump, start)


def test_holes_of_dilation() -> None:
    three = field(*[nw.Conv(4, 3, dilation=2)] * 3)
    assert three.size == (13, 13)
    assert three.status == "hull"
    assert [mask.bit_count() for _, mask in three.axes[0].sets] == [7]
    filled = field(nw.Conv(4, 3, dilation=2), nw.Conv(4, 3))
    assert filled.status == "exact"


def test_holes_of_strided_points() -> None:
    skipped = field(nw.Conv(4, 1, stride=2), nw.Conv(4, 3))
    assert skipped.size == (5, 5)
    assert [mask.bit_count() for _, mask in skipped.axes[0].sets] == [3]
    assert skipped.status == "hull"


def test_upsampling_and_skip_depends_on_the_position() -> None:
    skip = nw.Sum(skip=nw.Identity(), deep=nw.Sequential(nw.MaxPool(2), nw.Upsample(2)))
    seen = field(nw.Conv(4, 2, padding="valid"), skip, nw.Conv(4, 1), size=65)
    sizes = {mask.bit_length() for _, mask in seen.axes[0].sets}
    assert sizes == {3}
    seen = field(skip, nw.Conv(4, 2, padding="valid"))
    assert {mask.bit_length() for _, mask in seen.axes[0].sets} == {2, 4}
    assert seen.size == (4, 4)
    assert seen.jump == (1, 1)


def test_branches_whose_centres_differ_are_flagged() -> None:
    even = nw.Sum(nw.Conv(4, 2), nw.Identity())
    assert field(even).status == "hull"
    odd = nw.Sum(nw.Conv(4, 3), nw.Identity())
    assert field(odd).status == "exact"
    cross = nw.Sum(nw.Conv(4, (1, 3)), nw.Conv(4, (3, 1)))
    assert field(cross).status == "hull"
    assert field(cross).size == (3, 3)


def test_branches_of_unequal_stride_are_flagged() -> None:
    resized = nw.Sum(nw.Identity(), nw.Sequential(nw.MaxPool(2, ceil=True), nw.AdaptiveAvgPool(9)))
    seen = field(resized, size=9)
    assert seen.apart
    assert seen.status == "hull"


def test_a_gate_sees_all_and_the_trunk_stays_local() -> None:
    seen = field(nw.Conv(4, 3), nw.SqueezeExcite(2), nw.Conv(4, 3))
    assert seen.status == "global"
    assert seen.size == (5, 5)


def test_the_path_that_sees_least() -> None:
    seen = field(nw.Conv(4, 3), nw.Sum(nw.Identity(), nw.Conv(4, 5)), nw.Conv(4, 3))
    assert seen.size == (9, 9)
    assert seen.least == (5, 5)


def test_boxes_and_clipping() -> None:
    seen = field(nw.Conv(4, 7, 2), nw.MaxPool(3, 2, 1))
    assert seen.box([0, 5]) == ((-5, 5), (15, 25))
    assert seen.clipped([0, 5], (64, 20)) == (6, 5)
    with pytest.raises(ValueError, match="no spatial axis"):
        Field(None).box([0])


def test_a_gate_without_a_spatial_axis() -> None:
    seen = field(nw.GlobalAvgPool(), nw.Linear(3))
    assert (seen.size, seen.jump, seen.start, seen.least) == (None, None, None, None)
    assert seen.clipped([], (64, 64)) == (64, 64)


def test_never_more_sets_than_positions() -> None:
    pools = [nw.FractionalMaxPool()] * 5
    plan = Net(nw.Sequential(*pools), (3, 224, 224)).plan()
    for row in plan:
        assert all(len(axis.sets) <= n
                   for axis, n in zip(row.field.axes, row.output[1:], strict=True))  # fmt: skip
    assert nw.net("vgg16").rewrite("pool:FractionalMaxPool").plan().field.status == "hull"


def test_pooled_and_resized_again_and_again() -> None:
    """55 to 27 by a pool, and back by a ratio: periods multiply, a map has 55 positions."""
    there, back = Taps(((0, 2),), 1, 2), interpolation(27, 55, 2)
    axis = Axis()
    for _ in range(6):
        axis = axis.through(there, 27).through(back, 55)
        assert len(axis.sets) <= 55
    assert axis.finite
    assert axis.seen(-1) == axis.seen(55) == (0, 0)  # padding


def test_branches_of_unequal_stride_see_what_both_see() -> None:
    """7 positions beside 13 resized to 7: position i sees i and the cell of i, no more."""
    a, b = Axis().through(Taps(((0, 1),)), 7), Axis(2)
    both = a.meet(b, 7)
    for i in range(7):
        first, mask = both.seen(i)
        assert {first + k for k in range(mask.bit_length()) if mask >> k & 1} == {i, 2 * i}


def test_mirrored_axes() -> None:
    mirrored = Axis().through(Taps(((-1, 3),)), 9).through(Taps(((8, 1),), 1, -1), 9)
    assert mirrored.stride == -1
    assert [mirrored.seen(i)[0] for i in range(9)] == [7 - i for i in range(9)]


def test_an_unknown_branch_makes_the_join_unknown() -> None:
    local, unknown, whole = Field((Axis(),)), Field(None), Field(None, True)
    assert Field.merge([local, unknown]).status == "unknown"
    assert Field.merge([local, whole]) == Field((Axis(),), True)
    assert Field.merge([local, unknown, whole]).status == "global"


def test_the_field_of_a_plan_is_that_of_its_last_map() -> None:
    pooled = Net(nw.Sequential(nw.Conv(4, 3), nw.GlobalAvgPool(), nw.Linear(2)), (3, 8, 8)).plan()
    assert pooled.field.size == (3, 3)
    spread = Net(nw.Sequential(nw.Conv(4, 3), nw.Reshape((16, 16)), nw.Linear(2)), (3, 8, 8)).plan()
    assert (spread.field.size, spread.field.status) == (None, "global")
