"""Unshared, tiled, tied and second-order convolutions against loops and one another."""

from __future__ import annotations

from itertools import combinations_with_replacement

import numpy as np
import pytest
import torch
from torch.nn import functional as F

import netwright as nw

SHAPES = [((3, 8), (3,)), ((3, 7, 6), (3, 2)), ((2, 5, 4, 6), (2, 3, 1))]
CONV = {1: F.conv1d, 2: F.conv2d, 3: F.conv3d}


def made(unit, shape):
    torch.manual_seed(0)
    return unit.module(shape).double().requires_grad_(requires_grad=False)


def windows(x, unit):
    """(position, the window's values there) of one padded image."""
    _, s, pads, d, _ = unit.sliding(tuple(x.shape))
    wide = np.pad(x.numpy(), [(0, 0), *pads])
    k = unit.sliding(tuple(x.shape)).kernel
    for p in np.ndindex(unit.shape(tuple(x.shape))[1:]):
        at = [slice(i * h, i * h + e * (n - 1) + 1, e)
              for i, h, n, e in zip(p, s, k, d, strict=True)]  # fmt: skip
        yield p, torch.from_numpy(wide[(slice(None), *at)].copy())


@pytest.mark.parametrize(("shape", "kernel"), SHAPES)
@pytest.mark.parametrize("stride", [1, 2])
def test_locally_connected_is_a_loop_over_positions(shape, kernel, stride) -> None:
    unit = nw.LocallyConnected(4, kernel, stride, dilation=2)
    module = made(unit, shape)
    x = torch.rand(2, *shape, dtype=torch.float64)
    y = module(x)
    for n in range(2):
        for at, (p, seen) in enumerate(windows(x[n], unit)):
            wanted = module.weight[at] @ seen.flatten() + module.bias[at]
            torch.testing.assert_close(y[(n, slice(None), *p)], wanted)


def test_locally_connected_takes_no_other_map_of_as_many_positions() -> None:
    module = nw.LocallyConnected(2, 1).module((1, 4, 4))
    with pytest.raises(ValueError, match=r"\(8, 2\) has \(8, 2\) positions.*\(4, 4\)"):
        module(torch.rand(1, 1, 8, 2))


@pytest.mark.parametrize(("shape", "kernel"), SHAPES)
def test_tiled_takes_its_sets_in_turn(shape, kernel) -> None:
    unit = nw.TiledConv(4, kernel, 2, dilation=2, tiles=2)
    module = made(unit, shape)
    sets = unit.sets(unit.shape(shape))
    x = torch.rand(1, *shape, dtype=torch.float64)
    y = module(x)[0]
    for p, seen in windows(x[0], unit):
        turn = np.ravel_multi_index([i % t for i, t in zip(p, sets, strict=True)], sets)
        wanted = module.weight[turn] @ seen.flatten() + module.bias[turn]
        torch.testing.assert_close(y[(slice(None), *p)], wanted)


def test_tiled_with_one_set_is_a_convolution() -> None:
    module = made(nw.TiledConv(4, 3, tiles=1), (3, 7, 6))
    x = torch.rand(2, 3, 7, 6, dtype=torch.float64)
    wanted = F.conv2d(x, module.weight[0].view(4, 3, 3, 3), module.bias[0], padding=1)
    torch.testing.assert_close(module(x), wanted)


def test_tiled_with_a_set_a_position_is_locally_connected() -> None:
    tiled = made(nw.TiledConv(4, 3, 2, tiles=99), (3, 7, 6))
    local = made(nw.LocallyConnected(4, 3, 2), (3, 7, 6))
    local.load_state_dict(tiled.state_dict())
    x = torch.rand(2, 3, 7, 6, dtype=torch.float64)
    torch.testing.assert_close(tiled(x), local(x))


@pytest.mark.parametrize(("shape", "kernel"), [((4, 8), 3), ((4, 7, 6), (3, 2)), ((4, 5, 4, 6), 2)])
def test_tied_is_a_grouped_convolution_with_one_kernel_set(shape, kernel) -> None:
    unit = nw.TiedGroupedConv(6, kernel, groups=2)
    tied, grouped = made(unit, shape), made(nw.Conv(6, kernel, groups=2), shape)
    grouped.weight.copy_(tied.conv.weight.repeat(2, *[1] * len(shape)))
    grouped.bias.copy_(tied.conv.bias.repeat(2))
    x = torch.rand(2, *shape, dtype=torch.float64)
    torch.testing.assert_close(tied(x), grouped(x))
    assert grouped.weight.numel() == 2 * tied.conv.weight.numel()


@pytest.mark.parametrize(("shape", "kernel"), [((2, 8), 3), ((2, 5, 6), (3, 2)), ((1, 5, 4, 6), 2)])
@pytest.mark.parametrize("products", ["complete", "diagonal"])
def test_second_order_is_volterras_sum(shape, kernel, products) -> None:
    unit = nw.HigherOrderConv(3, kernel, 2, dilation=2, products=products)
    module = made(unit, shape)
    x = torch.rand(1, *shape, dtype=torch.float64)
    y = module(x)[0]
    for p, seen in windows(x[0], unit):
        inputs = seen.flatten()
        if products == "complete":
            pairs = [a * b for a, b in combinations_with_replacement(inputs, 2)]
            wanted = module.weight @ torch.stack([*inputs, *pairs]) + module.bias
        else:
            kernels = module.conv.weight.flatten(1)
            wanted = kernels @ torch.cat((inputs, inputs**2)) + module.conv.bias
        torch.testing.assert_close(y[(slice(None), *p)], wanted)


def test_diagonal_is_complete_without_the_mixed_products() -> None:
    shape = (2, 5, 6)
    complete = made(nw.HigherOrderConv(3, 2), shape)
    diagonal = made(nw.HigherOrderConv(3, 2, products="diagonal"), shape)
    i, j = torch.triu_indices(8, 8)
    kernels = diagonal.conv.weight.flatten(1)
    complete.weight.zero_()
    complete.weight[:, :8] = kernels[:, :8]
    complete.weight[:, 8:][:, i == j] = kernels[:, 8:]
    complete.bias.copy_(diagonal.conv.bias)
    x = torch.rand(2, *shape, dtype=torch.float64)
    torch.testing.assert_close(complete(x), diagonal(x))
