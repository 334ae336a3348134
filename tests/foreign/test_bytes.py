"""Bytes and gradients of foreign weights, each by its own type; complex numbers; offsets."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

import netwright as nw
from netwright.core.net import Net
from netwright.foreign.formulas import FORMULAS
from oracles import counted_macs, kept_storages
from peers import library

MAP = (3, 6, 6)


def trunk(dtype: torch.dtype = torch.float32) -> nn.Sequential:
    return nn.Sequential(nn.Conv2d(3, 8, 3, dtype=dtype), nn.BatchNorm2d(8), nn.ReLU())


def whole(dtype: torch.dtype = torch.float32) -> nn.Sequential:
    return nn.Sequential(trunk(dtype), nn.Flatten(), nn.Linear(128, 2))


def stored(model: nn.Module) -> int:
    return sum(t.numel() * t.element_size() for t in (*model.parameters(), *model.buffers()))


class Quantised(nn.Module):
    """Weights kept in eight bits with their scales beside, a float64 bias."""

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("kept", torch.ones(8, 3, 3, 3, dtype=torch.int8))
        self.scale = nn.Parameter(torch.ones(8, 1, 1, 1, dtype=torch.bfloat16))
        self.bias = nn.Parameter(torch.ones(8, dtype=torch.float64))

    def forward(self, x: Tensor) -> Tensor:
        return F.conv2d(x, self.kept * self.scale, self.bias)


@pytest.mark.parametrize(
    "model",
    [whole(), whole(torch.float16), trunk(torch.bfloat16), trunk().double(), Quantised(),
     nn.Sequential(nn.Conv2d(3, 4, 3, dtype=torch.complex64))],
    ids=["float32", "half", "bfloat16", "float64", "quantised", "complex"],
)  # fmt: skip
def test_every_weight_has_the_bytes_of_its_type(model: nn.Module) -> None:
    plan = nw.plan(model, MAP)
    assert plan.weight_bytes == stored(model)
    learnt = sum(p.numel() * p.element_size() for p in model.parameters())
    need = plan.training("adam")
    assert (need.weights, need.gradients, need.state) == (stored(model), learnt, 2 * learnt)


def test_a_type_that_is_asked_for_is_that_of_all() -> None:
    plan = nw.plan(whole(torch.float16), MAP, dtype="float32")
    assert plan.weight_bytes == 4 * (plan.params + plan.buffers)
    assert plan.training().gradients == 4 * plan.params


@pytest.mark.parametrize("dtype", [torch.float32, torch.float16])
def test_what_requires_no_gradient_is_frozen(dtype: torch.dtype) -> None:
    model = whole(dtype)
    model[0].requires_grad_(requires_grad=False)
    plan = nw.plan(model, MAP)
    assert [row.path for row in plan if row.frozen] == ["0.0", "0.1"]
    assert plan.weight_bytes == stored(model)
    learnt = sum(p.numel() * p.element_size() for p in model.parameters() if p.requires_grad)
    need = plan.training("momentum")
    assert (need.gradients, need.state) == (learnt, learnt) == (4 * 258, 4 * 258)


def test_a_frozen_trunk_keeps_nothing_for_its_gradient() -> None:
    model = nn.Sequential(nn.Conv2d(3, 8, 3), nn.Sigmoid(), nn.Conv2d(8, 4, 3), nn.Sigmoid())
    model[0].requires_grad_(requires_grad=False)
    kept, _ = kept_storages(model, torch.rand(2, *MAP))
    assert nw.plan(model, MAP, batch=2).training().saved == sum(kept.values())


def test_a_row_that_learns_in_part_is_not_frozen() -> None:
    model = nn.Sequential(nn.Conv2d(3, 8, 3), nn.BatchNorm2d(8))
    model[0].weight.requires_grad_(requires_grad=False)
    plan = nw.plan(model, MAP)
    assert not any(row.frozen for row in plan)
    assert plan.training().gradients == 4 * (8 + 16)


def test_weights_nobody_ran_and_rows_by_a_formula_say_their_bytes_too() -> None:
    class Own(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.used = trunk(torch.float16).requires_grad_(requires_grad=False)
            self.spare = nn.Linear(3, 5, dtype=torch.float64)

        def forward(self, x: Tensor) -> Tensor:
            return self.used(x)

    model = Own()
    plan = nw.plan(model, MAP)
    assert plan.weight_bytes == stored(model)
    nw.count(Own)(lambda m, x: 7)
    try:
        plan = nw.plan(model, MAP)
    finally:
        del FORMULAS[Own]
    assert (plan.macs, plan.weight_bytes) == (7, stored(model))
    assert plan.training("sgd").gradients == 8 * 20


COMPLEX = [
    (nn.Conv2d(3, 4, 3, padding=1, dtype=torch.complex64), (3, 7, 6)),
    (nn.Conv1d(4, 6, 5, 2, groups=2, bias=False, dtype=torch.complex64), (4, 17)),
    (nn.ConvTranspose2d(3, 4, 3, 2, dtype=torch.complex64), (3, 7, 6)),
    (nn.Linear(12, 5, dtype=torch.complex128), (12,)),
]


@pytest.mark.parametrize(("model", "shape"), COMPLEX)
def test_complex_products_are_counted_as_pytorch_counts_them(model, shape) -> None:
    kind = next(model.parameters()).dtype
    x = torch.rand(1, *shape, dtype=kind)
    plan = nw.plan(model, shape)
    assert plan.dtype == str(kind).removeprefix("torch.")
    assert plan.macs == counted_macs(model, x) == nw.plan(model, x).macs
    assert plan.weight_bytes == stored(model)
    assert plan.peak_bytes == x.element_size() * (x.numel() + model(x).numel())


class Deformed(nn.Module):
    """What `netwright.DeformableConv` is, by torchvision's layer."""

    def __init__(self, channels: int, *options: int, masks: bool, **more: int) -> None:
        super().__init__()
        self.layer = library("torchvision.ops").DeformConv2d(channels, *options, **more)
        _, kernel, *rest = options
        taps = kernel * kernel
        self.offset = nn.Conv2d(channels, 2 * taps, kernel, *rest)
        self.mask = nn.Conv2d(channels, taps, kernel, *rest) if masks else None

    def forward(self, x: Tensor) -> Tensor:
        return self.layer(x, self.offset(x), self.mask(x).sigmoid() if self.mask else None)


@pytest.mark.parametrize("masks", [False, True])
@pytest.mark.parametrize("more", [{}, {"groups": 2}, {"bias": False}])
def test_torchvisions_deformable_convolution_is_ours(masks: bool, more: dict) -> None:
    model = Deformed(4, 6, 3, 2, 1, masks=masks, **more)
    plan = nw.plan(nn.Sequential(model, nn.Conv2d(6, 5, 3)), (4, 13, 12))
    ours = nw.DeformableConv(6, 3, 2, modulated=masks, **more)
    wanted = Net(nw.Sequential(ours, nw.Conv(5, 3, padding=0)), (4, 13, 12)).plan()
    assert (plan.params, plan.macs, plan.output) == (wanted.params, wanted.macs, wanted.output)
    assert plan.rows[-1].field == wanted.rows[-1].field
    assert not plan.partial
    sigmoids = sum(row.ops for row in plan if isinstance(row.unit, nw.Sigmoid))
    assert plan.ops - sigmoids == wanted.ops


def test_offsets_that_do_not_fit_are_told() -> None:
    model = Deformed(4, 6, 3, 2, 1, masks=False)
    model.offset = nn.Conv2d(4, 18, 3, 1, 1)
    with pytest.raises(nw.ShapeError, match=r"at layer: deform_conv2d takes offsets .* 18x9x9"):
        nw.plan(model, (4, 9, 9))
