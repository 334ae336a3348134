"""Pools that draw: what they draw, how often, and what they expect in evaluation."""

from __future__ import annotations

from collections import Counter
from itertools import product

import numpy as np
import pytest
import torch
from scipy.stats import chisquare
from sympy import Symbol, sympify
from torch.nn import functional as F

import netwright as nw
from netwright.core.net import Net
from netwright.layers import FractionalMaxPool, StochasticPool, TournamentPool

DRAWS = 20_000


def seeded(layer, seed: int = 0):
    layer.generator = torch.Generator().manual_seed(seed)
    return layer.train()


def picked(layer, window: torch.Tensor) -> torch.Tensor:
    """How often each value of one window comes out of many draws."""
    many = window.expand(DRAWS, 1, *window.shape)
    y = seeded(layer)(many).flatten()
    return (y[:, None] == window.flatten()).sum(0)


@pytest.mark.parametrize("kernel", [2, 3])
def test_stochastic_draws_in_proportion(kernel: int) -> None:
    window = torch.arange(1.0, kernel**2 + 1).view(kernel, kernel).flip(1)
    seen = picked(StochasticPool(kernel), window)
    assert seen.sum() == DRAWS
    expected = window.flatten().double() / window.sum() * DRAWS
    assert chisquare(seen.double(), expected).pvalue > 0.01


def test_stochastic_never_draws_what_is_not_positive() -> None:
    window = torch.tensor([[3.0, 0.0], [-5.0, 1.0]])
    seen = picked(StochasticPool(2), window)
    assert seen[1] == seen[2] == 0
    assert chisquare(seen[[0, 3]].double(), [DRAWS * 0.75, DRAWS * 0.25]).pvalue > 0.01


def test_stochastic_draws_alike_where_nothing_is_positive() -> None:
    window = torch.tensor([[-4.0, -1.0], [-2.0, -3.0]])
    assert chisquare(picked(StochasticPool(2), window).double()).pvalue > 0.01
    torch.testing.assert_close(StochasticPool(2).eval()(window[None, None]).item(), -2.5)
    zeros = torch.zeros(3, 2, 6, 6, requires_grad=True)
    for layer in (StochasticPool(2).train(), StochasticPool(2).eval()):
        y = layer(zeros)
        assert (y == 0).all()
        (slope,) = torch.autograd.grad(y.sum(), zeros)
        torch.testing.assert_close(slope.sum(), torch.tensor(54.0))


def test_stochastic_overlapping_windows_draw_for_themselves() -> None:
    x = torch.rand(2, 3, 9, 7, generator=torch.Generator().manual_seed(5))
    x[:, :, ::2] = 0
    y = seeded(StochasticPool(3, 2, 1))(x)
    padded = F.pad(x, (1, 1, 1, 1), value=-1)
    assert y.shape[2:] == (5, 4)
    for n, c, i, j in product(range(2), range(3), range(5), range(4)):
        window = padded[n, c, 2 * i : 2 * i + 3, 2 * j : 2 * j + 3]
        assert (window == y[n, c, i, j]).any()
        assert y[n, c, i, j] > 0


@pytest.mark.parametrize("width", [40, 300])
def test_stochastic_takes_from_wide_maps(width: int) -> None:
    x = torch.zeros(1, 1, 4, width)
    x[:, :, 1::2, 1::2] = torch.rand(2, width // 2)
    torch.testing.assert_close(seeded(StochasticPool(2))(x), x[:, :, 1::2, 1::2])


def test_stochastic_expects_the_weighted_mean() -> None:
    x = torch.rand(2, 3, 8, 6).relu()
    y = StochasticPool(2).eval()(x)
    windows = x.unfold(2, 2, 2).unfold(3, 2, 2).flatten(4)
    torch.testing.assert_close(y, windows.square().sum(-1) / windows.sum(-1))


def test_stochastic_gradient_goes_to_what_was_drawn() -> None:
    x = torch.rand(2, 3, 9, 9, requires_grad=True)
    y = seeded(StochasticPool(3, 1))(x)
    y.backward(torch.ones_like(y))
    assert x.grad.sum() == y.numel()
    torch.testing.assert_close((x * x.grad).sum(), y.sum())


@pytest.mark.parametrize("entrants", [1, 2, 5])
def test_tournament_is_won_as_often_as_it_should(entrants: int) -> None:
    window = torch.tensor([[4.0, 2.0], [1.0, 3.0]])
    seen = picked(TournamentPool(2, entrants=entrants), window)
    ranks = np.arange(5.0)
    odds = np.diff((ranks / 4) ** entrants)
    expected = odds[window.flatten().long().numpy() - 1] * DRAWS
    assert chisquare(seen.double(), expected).pvalue > 0.01
    y = TournamentPool(2, entrants=entrants).eval()(window[None, None])
    torch.testing.assert_close(y.item(), float((odds * ranks[1:]).sum()))


def test_tournament_between_mean_and_maximum() -> None:
    x = torch.randn(2, 3, 9, 7, dtype=torch.float64)
    one = TournamentPool(3, 2, 1, entrants=1).eval()
    torch.testing.assert_close(one(x), F.avg_pool2d(x, 3, 2, 1))
    many = TournamentPool(3, 2, entrants=4000).eval()
    torch.testing.assert_close(many(x), F.max_pool2d(x, 3, 2))


@pytest.mark.parametrize(("shape", "kernel", "ratio"), [((25, 21), 2, 0.7), ((40, 33), 3, 0.5)])
def test_fractional_is_torchs(shape, kernel, ratio) -> None:
    x = torch.randn(2, 3, *shape, dtype=torch.float64)
    layer = seeded(FractionalMaxPool(kernel, ratio), 7)
    u = torch.rand(2, dtype=torch.float64, generator=torch.Generator().manual_seed(7))
    samples = u.flip(0).expand(2, 3, 2).contiguous()  # theirs has the last axis first
    wanted = F.fractional_max_pool2d(
        x, kernel, output_ratio=(ratio, ratio), _random_samples=samples
    )
    torch.testing.assert_close(layer(x), wanted)


def _drawn(layer: FractionalMaxPool, size: int, k: int) -> Counter[tuple[int, ...]]:
    layer = seeded(layer)
    return Counter(tuple(layer.starts(size, k, torch.device("cpu")).tolist()) for _ in range(3000))


def test_random_regions_come_in_every_order() -> None:
    seen = _drawn(FractionalMaxPool(2, 0.7, "random"), 10, 2)  # 7 windows: 2 of 6 steps are 2
    assert len(seen) == 15
    assert all(starts[0] == 0 and starts[-1] == 8 for starts in seen)
    assert chisquare(list(seen.values())).pvalue > 0.01


def test_pseudo_random_regions_come_as_often_as_their_u() -> None:
    seen = _drawn(FractionalMaxPool(2, 0.7), 10, 2)
    grid = (np.arange(60_000) + 0.5) / 60_000  # d = 8 / 6: breaks at multiples of 1/4
    d = 8 / 6
    starts = np.floor((np.arange(7)[:, None] + grid) * d) - np.floor(grid * d)
    exact = Counter(map(tuple, starts.T.astype(int)))
    assert set(seen) == set(exact)
    expected = [exact[starts] / 60_000 * 3000 for starts in seen]
    assert chisquare(list(seen.values()), expected).pvalue > 0.01


DRAWING = [
    StochasticPool(2),
    TournamentPool(2),
    FractionalMaxPool(),
    FractionalMaxPool(2, 0.7, "random"),
]


@pytest.mark.parametrize("layer", DRAWING, ids=repr)
def test_generators_decide(layer) -> None:
    x = torch.rand(2, 3, 20, 20)
    first = seeded(layer, 3)(x)
    torch.rand(3)
    assert torch.equal(first, seeded(layer, 3)(x))
    assert not all(torch.equal(first, seeded(layer, seed)(x)) for seed in range(4, 8))


def test_half_precision_draws_from_the_window() -> None:
    x = torch.rand(2, 3, 8, 8, dtype=torch.float16)
    y = seeded(StochasticPool(2))(x)
    windows = x.unfold(2, 2, 2).unfold(3, 2, 2).flatten(4)
    assert y.dtype == x.dtype
    assert (windows == y[..., None]).any(-1).all()
    assert StochasticPool(2).eval()(x).isfinite().all()


@pytest.mark.parametrize(
    "unit", [nw.FractionalMaxPool(ratio=0.5), nw.SpectralPool(4), nw.StochasticPool()], ids=repr
)
def test_sizes_may_be_symbols(unit: nw.Unit) -> None:
    n = Symbol("n", positive=True, integer=True)
    plan, real = Net(unit, (8, n, n)).plan(), Net(unit, (8, 20, 20)).plan()
    assert tuple(int(sympify(size).subs(n, 20)) for size in plan.output) == real.output
    assert (plan.ops + plan.macs).subs(n, 20) == real.ops + real.macs
