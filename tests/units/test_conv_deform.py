"""Deformable convolution against the convolution it starts as, shifts, and a naive loop."""

from __future__ import annotations

from math import floor

import pytest
import torch
from torch.nn import functional as F

import netwright as nw
from netwright.core.net import Net
from oracles import planned_sets, surrogate

FIELDS = {"kernel": (3, 2), "stride": (2, 1), "padding": ((1, 2), 1), "dilation": (1, 2)}


def made(shape, **fields):
    torch.manual_seed(0)
    return nw.DeformableConv(4, **fields).module(shape).double().requires_grad_(requires_grad=False)


def ordinary(module, x, bias=True):
    wide = F.pad(x, (*module.pads[1], *module.pads[0]))
    return F.conv2d(wide, module.weight, module.bias if bias else None, module.stride, 0,
                    module.dilation, module.groups)  # fmt: skip


@pytest.mark.parametrize("groups", [1, 2])
def test_starts_as_an_ordinary_convolution(groups: int) -> None:
    x = torch.rand(2, 4, 9, 7, dtype=torch.float64)
    module = made((4, 9, 7), groups=groups, **FIELDS)
    torch.testing.assert_close(module(x), ordinary(module, x))


def test_starts_as_half_of_it_when_modulated() -> None:
    x = torch.rand(2, 4, 9, 7, dtype=torch.float64)
    module = made((4, 9, 7), modulated=True, **FIELDS)
    half = ordinary(module, x, bias=False) / 2 + module.bias[:, None, None]
    torch.testing.assert_close(module(x), half)


def test_initialised_nets_keep_their_zero_offsets() -> None:
    net = Net(nw.Sequential(deform=nw.DeformableConv(4)), (3, 9, 9))
    module = net.build(seed=0).deform
    assert not module.offset_weight.any()
    assert not module.offset_bias.any()
    assert module.weight.std() > 0
    assert not module.bias.any()


@pytest.mark.parametrize(("dy", "dx"), [(1, 0), (-2, 3), (0, -1)])
def test_whole_offsets_are_shifts(dy: int, dx: int) -> None:
    module = made((3, 9, 8))
    module.offset_bias.copy_(torch.tensor([dy, dx] * 9))
    x = torch.zeros(1, 3, 19, 18, dtype=torch.float64)
    x[..., 5:14, 5:13] = torch.rand(1, 3, 9, 8)
    moved = torch.roll(x, (-dy, -dx), (2, 3))
    wanted = F.conv2d(moved, module.weight, module.bias, padding=1)[..., 5:14, 5:13]
    torch.testing.assert_close(module(x[..., 5:14, 5:13]), wanted)


def bilinear(image: torch.Tensor, y: float, x: float) -> float:
    total = 0.0
    for i in (floor(y), floor(y) + 1):
        for j in (floor(x), floor(x) + 1):
            if 0 <= i < image.shape[0] and 0 <= j < image.shape[1]:
                total += (1 - abs(y - i)) * (1 - abs(x - j)) * float(image[i, j])
    return total


@pytest.mark.parametrize("modulated", [False, True])
@pytest.mark.parametrize("channels_of_a_group", [4, 2])
def test_is_the_papers_loop(modulated: bool, channels_of_a_group: int) -> None:
    parts = 4 // channels_of_a_group
    module = made((4, 6, 5), groups=2, modulated=modulated, offset_groups=parts, **FIELDS)
    torch.manual_seed(1)
    module.offset_weight.normal_()
    module.offset_bias.normal_()
    x = torch.rand(1, 4, 6, 5, dtype=torch.float64)
    wide = F.pad(x, (*module.pads[1], *module.pads[0]))
    told = F.conv2d(wide, module.offset_weight, module.offset_bias, (2, 1), 0, (1, 2))[0]
    y = module(x)[0]
    assert told.shape[1:] == y.shape[1:]
    wanted = torch.zeros_like(y)
    for o in range(4):
        for p in range(y.shape[1]):
            for q in range(y.shape[2]):
                total = float(module.bias[o])
                for c in range(2):
                    channel = o // 2 * 2 + c
                    part = channel // channels_of_a_group
                    for k in range(6):
                        i, j = divmod(k, 2)
                        dy, dx = told[part * 12 + 2 * k : part * 12 + 2 * k + 2, p, q].tolist()
                        seen = bilinear(x[0, channel], 2 * p - 1 + i + dy, q - 1 + 2 * j + dx)
                        if modulated:
                            seen *= float(told[parts * 12 + part * 6 + k, p, q].sigmoid())
                        total += float(module.weight[o, c, i, j]) * seen
                wanted[o, p, q] = total
    torch.testing.assert_close(y, wanted)


@pytest.mark.parametrize("modulated", [False, True])
def test_gradients_of_moving_taps(modulated: bool) -> None:
    torch.manual_seed(0)
    module = nw.DeformableConv(2, modulated=modulated).module((2, 4, 5)).double()
    torch.nn.init.uniform_(module.offset_bias, 0.2, 0.8)  # between positions: no kinks
    names, values = zip(*module.named_parameters(), strict=True)
    x = torch.rand(1, 2, 4, 5, dtype=torch.float64, requires_grad=True)

    def run(x, *parameters):
        return torch.func.functional_call(module, dict(zip(names, parameters, strict=True)), x)

    assert torch.autograd.gradcheck(run, (x, *values), fast_mode=True)


def test_field_without_offsets_is_the_windows() -> None:
    plan = Net(nw.DeformableConv(2, 3, (2, 1), dilation=(1, 2)), (2, 11, 12)).plan()
    field = plan.rows[0].field
    assert field.status == "global"
    module = surrogate(plan.rows[0].unit.module((2, 11, 12)))
    x = torch.ones(1, 2, 11, 12, dtype=torch.float64, requires_grad=True)
    module(x)[0, :, 3, 5].sum().backward()
    touched = x.grad[0].sum(0) > 1e-9  # a position rounded down sees its neighbour too
    rows, columns = planned_sets(field, (3, 5))
    assert {*touched.nonzero()[:, 0].tolist()} == rows
    assert {*touched.nonzero()[:, 1].tolist()} == columns


def test_positions_stay_exact_in_bfloat16() -> None:
    module = made((1, 1, 600), kernel=1).bfloat16()
    module.weight.fill_(1)
    x = torch.rand(1, 1, 1, 600).bfloat16()
    torch.testing.assert_close(module(x) - module.bias[:, None, None], x.expand(1, 4, 1, 600),
                               rtol=0.02, atol=0.01)  # fmt: skip


@pytest.mark.slow
def test_trains_in_one_graph() -> None:
    module = nw.DeformableConv(2, modulated=True).module((3, 6, 7))
    compiled = torch.compile(module, fullgraph=True, backend="aot_eager")
    x = torch.rand(3, 3, 6, 7)
    wanted = torch.autograd.grad(module(x).square().sum(), [*module.parameters()])
    found = torch.autograd.grad(compiled(x).square().sum(), [*module.parameters()])
    torch.testing.assert_close(found, wanted)
