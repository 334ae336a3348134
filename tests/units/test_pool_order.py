"""Pools by rank against SciPy, NumPy and sorting."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
import torch
from scipy import ndimage
from torch import nn

from netwright.layers import MedianPool, MinPool, OrdinalPool, RankAvgPool, exchanges


def windows(x: torch.Tensor, k: int, s: int) -> torch.Tensor:
    """Every window of a map in a last axis of its own."""
    return x.unfold(2, k, s).unfold(3, k, s).flatten(4)


@pytest.mark.parametrize("count", range(1, 9))
def test_exchanges_sort_every_order_of_zeros_and_ones(count: int) -> None:
    """A network that sorts all of them sorts everything (Knuth's 0-1 principle)."""
    rows = np.array(list(product((0, 1), repeat=count)))
    for ranks in [tuple(range(count)), *[(rank,) for rank in range(count)]]:
        wires = [rows[:, i] for i in range(count)]
        for low, high, _, _ in exchanges(count, ranks):
            a, b = wires[low], wires[high]
            wires[low], wires[high] = np.minimum(a, b), np.maximum(a, b)
        for rank in ranks:
            np.testing.assert_array_equal(wires[rank], np.sort(rows, 1)[:, rank])


def test_exchanges_leave_out_what_nobody_asks_for() -> None:
    all_of_nine = exchanges(9, tuple(range(9)))
    median = exchanges(9, (4,))
    assert len(median) < len(all_of_nine) == 26
    assert sum(small + large for _, _, small, large in median) == 36


@pytest.mark.parametrize("k", [3, 5])
def test_median_is_scipys_filter(k: int) -> None:
    x = np.random.default_rng(0).normal(size=(11, 8))
    y = MedianPool(k, 1, k // 2)(torch.from_numpy(x)[None, None])
    np.testing.assert_array_equal(y[0, 0], ndimage.median_filter(x, k, mode="constant"))


def test_median_of_an_even_number_is_the_mean_of_the_middle_two() -> None:
    x = np.random.default_rng(0).normal(size=(9, 8))
    y = MedianPool((2, 3), 1)(torch.from_numpy(x)[None, None])
    wanted = ndimage.generic_filter(x, np.median, (2, 3), origin=(-1, 0))[:8, 1:-1]
    np.testing.assert_allclose(y[0, 0], wanted)


def test_rank_average_is_a_generic_filter() -> None:
    x = np.random.default_rng(0).normal(size=(10, 9))
    y = RankAvgPool(3, 2, 1, top=4)(torch.from_numpy(x)[None, None])
    top = ndimage.generic_filter(x, lambda v: np.sort(v)[-4:].mean(), 3, mode="constant")
    np.testing.assert_allclose(y[0, 0], top[::2, ::2])


def test_rank_average_goes_from_max_to_average() -> None:
    x = torch.rand(2, 3, 9, 8)
    torch.testing.assert_close(RankAvgPool(3, 2, top=1)(x), nn.MaxPool2d(3, 2)(x))
    torch.testing.assert_close(RankAvgPool(3, 2, top=9)(x), nn.AvgPool2d(3, 2)(x))


def test_min_is_scipys_filter() -> None:
    x = np.random.default_rng(0).normal(size=(9, 8))
    y = MinPool(3, 1, 1)(torch.from_numpy(x)[None, None])
    np.testing.assert_array_equal(y[0, 0], ndimage.minimum_filter(x, 3, mode="nearest"))


def test_ordinal_weighs_ranks_and_starts_as_the_average() -> None:
    torch.manual_seed(0)
    x, pool = torch.rand(2, 3, 9, 8), OrdinalPool(3, (3, 3), (2, 2))
    torch.testing.assert_close(pool(x), nn.AvgPool2d(3, 2)(x))
    nn.init.normal_(pool.scores)
    weights = pool.scores.softmax(1)[None, :, None, None]
    wanted = (windows(x, 3, 2).sort(-1).values * weights).sum(-1)
    torch.testing.assert_close(pool(x), wanted)


def test_gradients_are_those_of_sorting() -> None:
    torch.manual_seed(0)
    x = torch.rand(2, 3, 9, 8, requires_grad=True)
    pool = OrdinalPool(3, (3, 3), (2, 2))
    nn.init.normal_(pool.scores)
    way = torch.rand(2, 3, 4, 3)
    found = torch.autograd.grad((pool(x) * way).sum(), (x, pool.scores))
    weights = pool.scores.softmax(1)[None, :, None, None]
    sorted_ = (windows(x, 3, 2).sort(-1).values * weights).sum(-1)
    wanted = torch.autograd.grad((sorted_ * way).sum(), (x, pool.scores))
    torch.testing.assert_close(found, wanted)


@pytest.mark.parametrize("pool", [MedianPool(2), RankAvgPool(3, 1, 1, top=4), MedianPool(3)])
def test_gradients_are_right_twice(pool: nn.Module) -> None:
    torch.manual_seed(0)
    x = torch.rand(1, 2, 5, 4, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(pool, x)
    assert torch.autograd.gradgradcheck(pool, x)


@pytest.mark.parametrize("pool", [MedianPool(3, 3), RankAvgPool(3, 3, top=4), MedianPool(2)])
def test_ties_share_one_gradient(pool: nn.Module) -> None:
    x = torch.zeros(1, 1, 6, 6, requires_grad=True)
    y = pool(x)
    y.sum().backward()
    assert x.grad is not None
    assert x.grad.sum() == y.numel()


def test_rank_average_of_ties_has_as_many_holders_as_ranks() -> None:
    x = torch.zeros(1, 1, 3, 3, requires_grad=True)
    RankAvgPool(3, top=4)(x).sum().backward()
    assert x.grad is not None
    assert sorted(x.grad.flatten().tolist()) == [0] * 5 + [0.25] * 4


def test_inputs_stay_as_they_were() -> None:
    x = torch.rand(1, 1, 12)
    before = x.clone()
    MedianPool(3, 3)(x)
    MedianPool(1)(x)
    torch.testing.assert_close(x, before, rtol=0, atol=0)


def test_large_windows_work_too() -> None:
    x = torch.rand(1, 1, 17, 17, requires_grad=True)
    y = MedianPool(17)(x)
    torch.testing.assert_close(y.flatten(), x.flatten().median()[None])
    y.backward()
    assert x.grad is not None
    assert x.grad.flatten().argmax() == (x == y).flatten().nonzero()[0]
