"""Pools with weights: leads keep to themselves, a search finds what is hidden."""

from __future__ import annotations

import pytest
import torch
from torch.nn import functional as F

from netwright.layers import GeneticPool, LeapPool


def test_leap_is_a_sum_over_time_a_lead() -> None:
    x = torch.randn(2, 3, 4, 11)
    layer = LeapPool(4, 3, 2)
    torch.testing.assert_close(layer(x), F.avg_pool2d(x, (1, 3), (1, 2)))
    torch.nn.init.normal_(layer.weight)
    y = layer(x)
    wanted = sum(layer.weight[:, 0, i, None] * x[..., i : i + 9 : 2] for i in range(3))
    torch.testing.assert_close(y, wanted)
    torch.testing.assert_close(layer(x[:, 1]), y[:, 1])


def test_leap_leads_do_not_mix() -> None:
    x = torch.randn(2, 3, 4, 12, requires_grad=True)
    LeapPool(4, 3)(x)[:, :, 2].sum().backward()
    touched = x.grad.abs().sum((0, 1, 3)) > 0
    assert touched.tolist() == [False, False, True, False]


@pytest.mark.parametrize(
    ("stride", "padding", "ceil"), [(2, 0, False), (2, 1, True), (3, 0, True), (1, 1, False)]
)
def test_genetic_starts_as_a_mean(stride: int, padding: int, ceil: bool) -> None:
    x = torch.randn(2, 3, 11, 9)
    y = GeneticPool((3, 2), stride, (padding, padding), ceil)(x)
    wanted = F.avg_pool2d(x, (3, 2), stride, padding, ceil, divisor_override=6)
    torch.testing.assert_close(y, wanted)


def hidden(seed: int = 0):
    """Maps, and the score of a pool that should find weights (1, 3, 0, 0) / 4."""
    x = torch.randn(4, 2, 12, 12, generator=torch.Generator().manual_seed(seed))
    target = 0.25 * x[:, :, ::2, ::2] + 0.75 * x[:, :, ::2, 1::2]
    return x, lambda y: -(y - target).square().mean()


def test_genetic_search_finds_the_weights() -> None:
    x, score = hidden()
    pool = GeneticPool((2, 2))
    start = score(pool(x)).item()
    best = pool.search(x, score, torch.Generator().manual_seed(1))
    assert best == sorted(best)
    assert best[0] >= start
    assert best[-1] > start / 20
    torch.testing.assert_close(score(pool(x)).item(), best[-1])
    found = pool.weight.flatten()
    torch.testing.assert_close(found, torch.tensor([0.25, 0.75, 0, 0]), atol=0.08, rtol=0)
    torch.testing.assert_close(found.sum(), torch.tensor(1.0))
    assert (found >= 0).all()


def test_genetic_search_is_the_generators() -> None:
    x, score = hidden()
    runs = []
    for seed in (1, 1, 2):
        pool = GeneticPool((2, 2))
        generator = torch.Generator().manual_seed(seed)
        pool.search(x, score, generator, generations=3, population=6)
        runs.append(pool.weight)
    assert torch.equal(runs[0], runs[1])
    assert not torch.equal(runs[0], runs[2])
