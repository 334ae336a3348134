"""Convolutions cut into others: equal to the one they stand for, at the cost they promise."""

from __future__ import annotations

from fractions import Fraction

import pytest
import torch
from torch.nn import functional as F

import netwright as nw
from netwright.core.net import Net
from netwright.errors import ShapeError, SpecError
from oracles import assert_field_is_true, assert_plan_is_true, surrogate

MAP, LINE, BOX = (8, 21, 19), (8, 25), (8, 9, 13, 11)
PLAIN = {"norm": None, "act": None}
BLOCKS = [
    (nw.PointwiseConv(6, 2, 2, bias=False), (MAP, LINE, BOX)),
    (nw.DilatedConv(6, dilation=3), (MAP, LINE)),
    (nw.GroupedConv(6, 2, 5, 2), (MAP, LINE)),
    (nw.ShuffledGroupedConv(6, 2, stride=2), (MAP, BOX)),
    (nw.SeparableConv(6, 5, 2), (MAP, LINE, BOX)),
    (nw.SeparableConv(6, (3, 5), first="pointwise", dilation=2), (MAP,)),
    (nw.SeparableConv(6, between=False, norm=None), (MAP,)),
    (nw.SpatiallySeparableConv(6, 5, (1, 2)), (MAP,)),
    (nw.SpatiallySeparableConv(6, first=1, between=False, padding="valid"), (MAP, BOX)),
    (nw.FlattenedConv(6, 4, 2, dilation=2, bias=False), (MAP, LINE)),
    (nw.FlattenedConv(6, padding="full"), (MAP, BOX)),
    *((nw.Pseudo3dConv(6, stride=s, form=form), (BOX,)) for form in "ABC" for s in (1, 2)),
]  # fmt: skip
each = pytest.mark.parametrize(
    ("block", "shape"), [(block, shape) for block, shapes in BLOCKS for shape in shapes], ids=str
)


@each
def test_plan_is_what_runs(block, shape) -> None:
    assert_plan_is_true(Net(block, shape))


@each
def test_field_is_gradient_support(block, shape) -> None:
    net = Net(nw.Sequential(block=block, end=nw.Identity()), shape)
    plan = net.plan()
    model = surrogate(net.build(init="torch"))
    assert_field_is_true(plan, model, "end", [n // 2 for n in plan.output[1:]])


@each
def test_is_a_value(block, shape) -> None:
    net = Net(block, shape)
    assert nw.from_json(net.to_json()) == net


def built(block, shape):
    return Net(block, shape).build(seed=0, init="torch").double().requires_grad_(False)


@pytest.mark.parametrize("stride", [1, 2])
def test_flattened_is_a_convolution_with_product_kernels(stride: int) -> None:
    module = built(nw.FlattenedConv(4, (3, 5), stride), (3, 9, 8))
    a, v, h = (getattr(module, n).weight for n in ("lateral", "vertical", "horizontal"))
    kernel = torch.einsum("oc,oi,oj->ocij", a.flatten(1), v.flatten(1), h.flatten(1))
    x = torch.rand(2, 3, 9, 8, dtype=torch.float64)
    wanted = F.conv2d(x, kernel, module.horizontal.bias, stride, (1, 2))
    torch.testing.assert_close(module(x), wanted)


@pytest.mark.parametrize("first", ["depthwise", "pointwise"])
def test_separable_without_anything_between_is_one_convolution(first: str) -> None:
    module = built(nw.SeparableConv(4, first=first, between=False, **PLAIN), (3, 9, 8))
    last = module.pointwise if first == "depthwise" else module.depthwise
    weight = {name: (m.conv if m is last else m).weight for name, m in module.named_children()}
    deep, point = weight["depthwise"], weight["pointwise"].flatten(1)
    kernel = (
        torch.einsum("oc,cij->ocij", point, deep[:, 0])
        if first == "depthwise"
        else torch.einsum("oc,oij->ocij", point, deep[:, 0])
    )
    x = torch.rand(2, 3, 9, 8, dtype=torch.float64)
    torch.testing.assert_close(module(x), F.conv2d(x, kernel, last.conv.bias, padding=1))


def test_asymmetric_without_anything_between_is_one_convolution() -> None:
    block = nw.SpatiallySeparableConv(4, (3, 5), first=1, between=False, **PLAIN)
    module = built(block, (3, 9, 8))
    assert [name for name, _ in module.named_children()] == ["horizontal", "vertical"]
    kernel = torch.einsum("omi,mcj->ocij", module.vertical.conv.weight[..., 0],
                          module.horizontal.weight[:, :, 0])  # fmt: skip
    x = torch.rand(2, 3, 9, 8, dtype=torch.float64)
    wanted = F.conv2d(x, kernel, module.vertical.conv.bias, padding=(1, 2))
    torch.testing.assert_close(module(x), wanted)


def test_norm_and_act_stand_where_told() -> None:
    inside = Net(nw.SeparableConv(6), MAP).plan()
    assert [type(row.unit).__name__ for row in inside] == ["Conv", "BatchNorm", "ReLU6"] * 2
    outside = Net(nw.SeparableConv(6, between=False), MAP).plan()
    assert [row.path for row in outside] == [
        "depthwise", "pointwise.conv", "pointwise.norm", "pointwise.act"]  # fmt: skip


def test_shuffled_groups_meet() -> None:
    grouped = nw.Sequential(nw.GroupedConv(8, 2), nw.GroupedConv(8, 2))
    shuffled = nw.Sequential(nw.ShuffledGroupedConv(8, 2), nw.GroupedConv(8, 2))
    for spec, sees in ((grouped, 4), (shuffled, 8)):
        x = torch.ones(1, 8, 5, 5, dtype=torch.float64, requires_grad=True)
        surrogate(Net(spec, (8, 5, 5)).build())(x)[0, 0].sum().backward()
        assert int((x.grad.abs().sum((0, 2, 3)) > 0).sum()) == sees


@pytest.mark.parametrize("form", ["A", "B", "C"])
def test_pseudo_3d_is_its_papers_formula(form: str) -> None:
    module = built(nw.Pseudo3dConv(6, form=form), BOX).eval()
    x = torch.rand(1, *BOX, dtype=torch.float64)
    space, time = module.space, module.both.time if form == "C" else module.time
    wanted = {
        "A": lambda: time(space(x)),
        "B": lambda: space(x) + time(x),
        "C": lambda: space(x) + time(space(x)),
    }[form]()
    torch.testing.assert_close(module(x), wanted)
    assert space.conv.kernel_size == (1, 3, 3)
    assert time.conv.kernel_size == (3, 1, 1)


def macs(spec, shape) -> int:
    return Net(spec, shape).plan().macs


@pytest.mark.parametrize(("width", "kernel"), [(64, 3), (32, 5)])
def test_separable_costs_1_n_and_1_k2_of_a_convolution(width: int, kernel: int) -> None:
    shape = (16, 14, 14)
    ratio = Fraction(macs(nw.SeparableConv(width, kernel), shape),
                     macs(nw.Conv(width, kernel), shape))  # fmt: skip
    assert ratio == Fraction(1, width) + Fraction(1, kernel**2)


def test_flattened_costs_c_plus_y_plus_x() -> None:
    shape = (16, 14, 14)
    positions = 14 * 14
    assert macs(nw.FlattenedConv(8, (3, 5)), shape) == 8 * positions * (16 + 3 + 5)
    assert macs(nw.Conv(8, (3, 5)), shape) == 8 * positions * 16 * 3 * 5


def test_asymmetric_3x3_costs_a_third_less() -> None:
    shape = (16, 14, 14)
    whole = macs(nw.Conv(16), shape)
    assert Fraction(macs(nw.SpatiallySeparableConv(16), shape), whole) == Fraction(2, 3)


@pytest.mark.parametrize(
    ("make", "told"),
    [
        (lambda: nw.SeparableConv(4, first="spatial"), "'spatial'.*wanted one of"),
        (lambda: nw.SeparableConv(0), "width is 0"),
        (lambda: nw.SpatiallySeparableConv(4, first=-1), "first is -1"),
        (lambda: nw.Pseudo3dConv(4, form="D"), "'D'.*wanted one of"),
        (lambda: nw.GroupedConv(5, 2), "groups 2 do not divide width 5"),
        (lambda: nw.PointwiseConv(4, 0), "stride is 0"),
        (lambda: nw.FlattenedConv(4, 0), "kernel is 0"),
        (lambda: nw.DilatedConv(4, dilation=0), "dilation is 0"),
    ],
)
def test_wrong_fields_are_told(make, told: str) -> None:
    with pytest.raises(SpecError, match=told):
        make()


@pytest.mark.parametrize(
    ("block", "shape"),
    [(nw.SpatiallySeparableConv(4), (8, 9)), (nw.SpatiallySeparableConv(4, first=2), MAP),
     (nw.Pseudo3dConv(4), MAP), (nw.FlattenedConv(4), (8,))],
)  # fmt: skip
def test_misfits_are_told(block, shape) -> None:
    with pytest.raises(ShapeError, match="at the net: "):
        Net(block, shape).plan()
