"""The operations that counting tools lose: each with its true number of multiply-adds."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from torch import nn

import netwright as nw
from netwright.foreign.formulas import FORMULAS


class Functional(nn.Module):
    def __init__(self, function, *shapes):
        super().__init__()
        self.weights = nn.ParameterList(nn.Parameter(torch.ones(shape)) for shape in shapes)
        self.function = function

    def forward(self, x):
        return self.function(x, *self.weights)


class Attending(nn.Module):
    def __init__(self):
        super().__init__()
        self.attention = nn.MultiheadAttention(64, 8, batch_first=True)

    def forward(self, x):
        return self.attention(x, x, x)[0]


def _products(x, weight):
    return torch.einsum("btf,fg->btg", x @ weight, weight)


CASES = {
    "functional conv": (
        Functional(lambda x, w: F.conv2d(x, w, padding=1), (16, 8, 3, 3)),
        (8, 16, 16),
        294_912,
    ),
    "matmul and einsum": (Functional(_products, (32, 32)), (10, 32), 20_480),
    "attention": (
        Functional(lambda x: F.scaled_dot_product_attention(x, x, x)),
        (4, 10, 16),
        12_800,
    ),
    "multi-head attention": (
        Attending(),
        (10, 64),
        176_640,
    ),
    "transposed conv": (nn.ConvTranspose2d(16, 32, 2, stride=2, bias=False), (16, 16, 16), 524_288),
    "3-D linear": (nn.Linear(64, 32), (10, 64), 20_480),
    "LSTM": (nn.LSTM(32, 48, batch_first=True), (10, 32), 153_600),
}


@pytest.mark.parametrize("case", CASES)
def test_products_are_counted(case):
    module, shape, macs = CASES[case]
    plan = nw.plan(module, shape, strict=True)
    assert plan.macs == macs
    assert plan.params == sum(p.numel() for p in module.parameters())


@pytest.fixture(scope="module")
def operator():
    library = torch.library.Library("netwright_tests", "DEF")
    library.define("mix(Tensor x, Tensor w) -> Tensor")
    library.impl("mix", torch.matmul, "CPU")
    library.impl("mix", lambda x, w: x.new_empty((*x.shape[:-1], w.shape[1])), "Meta")
    yield torch.ops.netwright_tests.mix
    library._destroy()


def test_a_custom_operator_is_told_until_it_has_a_formula(operator):
    module = Functional(operator, (64, 32))
    plan = nw.plan(module, (10, 64))
    assert plan.partial == ("netwright_tests::mix",)
    assert plan.output == (10, 32)
    assert "netwright_tests::mix" in plan.table()
    with pytest.raises(nw.TraceError, match="netwright_tests::mix"):
        nw.plan(module, (10, 64), strict=True)
    nw.count(operator)(lambda x, w: x.numel() * w.shape[1])
    plan = nw.plan(module, (10, 64), strict=True)
    assert plan.macs == 20_480
    assert not plan.partial


def test_operators_of_custom_op_and_functions_with_rules_may_be_registered():
    @torch.library.custom_op("netwright_tests::blend", mutates_args=())
    def blend(x: torch.Tensor, w: torch.Tensor) -> torch.Tensor:
        return x @ w

    @blend.register_fake
    def _(x, w):
        return x.new_empty((*x.shape[:-1], w.shape[1]))

    module = Functional(lambda x, w: torch.relu(blend(x, w)), (64, 32))
    nw.count(blend)(lambda x, w: x.numel() * w.shape[1])
    nw.count(torch.relu)(lambda x: nw.Cost(macs=1, ops=2))
    try:
        plan = nw.plan(module, (10, 64), strict=True)
    finally:
        FORMULAS.pop(torch.relu)
    assert plan.macs == 20_480 + 1
    assert plan.ops == 2
