"""What acts in training only: how often, how much, and nothing in evaluation."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy import stats
from torch import Tensor, nn
from torch.nn import functional as F

import netwright as nw
from netwright.layers import Cutout, DropBlock, DropPath, ShakeDrop, smooth_labels


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def assert_binomial(hits: int, tries: int, chance: float) -> None:
    assert stats.binomtest(hits, tries, chance).pvalue > 1e-3, (hits / tries, chance)


DROPPERS = {
    nw.Dropout(0.3): lambda x: x,
    nw.SpatialDropout(0.3): lambda x: x[:, :, :1, :1],
    nw.DropPath(0.3): lambda x: x[:, :1, :1, :1],
}
"""What falls together has one coin: the corner where it stands."""


@pytest.mark.parametrize("unit", DROPPERS, ids=repr)
def test_droppers_keep_at_their_rate_and_rescale(unit: nw.Dropper) -> None:
    torch.manual_seed(0)
    x = torch.ones(400, 5, 4, 3)
    y = unit.module((5, 4, 3)).train()(x)
    assert {round(value, 5) for value in y.unique().tolist()} == {0.0, round(1 / 0.7, 5)}
    coins = DROPPERS[unit](y)
    torch.testing.assert_close(y, coins.expand_as(y))
    assert_binomial(int((coins > 0).sum()), coins.numel(), 0.7)


@pytest.mark.parametrize("unit", [*DROPPERS, nw.ShakeDrop(0.3, (0.0, 1.5))], ids=repr)
def test_the_mean_of_training_is_evaluation(unit: nw.Unit) -> None:
    torch.manual_seed(1)
    module = unit.module((3, 2, 2))
    x = torch.tensor([1.0, -2.0, 3.0]).view(1, 3, 1, 1).expand(1, 3, 2, 2)
    runs = module.train()(x.expand(8000, 3, 2, 2))
    mean, error = runs.mean(0), runs.std(0) / 8000**0.5
    assert ((mean - module.eval()(x)[0]).abs() < 4.5 * error).all()


@pytest.mark.parametrize(
    "layer", [DropPath(0.4), DropBlock(0.3, 3), ShakeDrop(), Cutout(4)], ids=repr
)
def test_a_generator_decides(layer: nn.Module) -> None:
    x, runs = torch.rand(6, 3, 9, 9), list[Tensor]()
    for seed in (5, 5, 6):
        layer.generator = seeded(seed)
        before = torch.get_rng_state()
        runs.append(layer.train()(x))
        assert torch.equal(before, torch.get_rng_state())
    assert torch.equal(runs[0], runs[1])
    assert not torch.equal(runs[0], runs[2])


@pytest.mark.parametrize("layer", [DropPath(0.4), DropBlock(), Cutout()], ids=repr)
def test_evaluation_does_nothing(layer: nn.Module) -> None:
    x = torch.rand(2, 3, 9, 9)
    assert layer.eval()(x) is x


@pytest.mark.slow
@pytest.mark.parametrize(
    "layer", [DropPath(0.4), DropBlock(0.3, 3), ShakeDrop(), Cutout(4)], ids=repr
)
def test_training_compiles_in_one_graph(layer: nn.Module) -> None:
    x = torch.rand(6, 3, 9, 9)
    layer.generator = None
    compiled = torch.compile(layer.train(), fullgraph=True, backend="eager")
    torch.manual_seed(0)
    wanted = layer(x)
    torch.manual_seed(0)
    torch.testing.assert_close(compiled(x), wanted)


# -- DropBlock


def test_gamma_is_the_papers() -> None:
    rate, size, feat = 0.1, 7, 28
    paper = rate / size**2 * feat**2 / (feat - size + 1) ** 2
    assert DropBlock(rate, size).gamma((feat, feat)) == pytest.approx(paper)
    assert DropBlock(0.1, 1).gamma((9, 5)) == pytest.approx(0.1)  # then it is dropout
    assert DropBlock(0.5, 7).gamma((1, 1)) == 0.5  # and here a spatial dropout
    assert DropBlock(0.9, 7).gamma((7, 7)) == pytest.approx(0.9)


def test_dropped_positions_are_whole_blocks() -> None:
    layer = DropBlock(0.3, 3).train()
    layer.generator = seeded()
    lost = (layer(torch.ones(20, 4, 11, 9)) == 0).flatten(0, 1).float()[:, None]
    inside = F.conv2d(lost, torch.ones(1, 1, 3, 3)) == 9  # where a block can start
    covered = F.conv_transpose2d(inside.float(), torch.ones(1, 1, 3, 3)) > 0
    assert torch.equal(covered, lost > 0)
    assert lost.any()


@pytest.mark.parametrize(("rate", "size"), [(0.1, 3), (0.2, 2), (0.15, 4)])
def test_positions_are_lost_as_often_as_blocks_cover_them(rate: float, size: int) -> None:
    layer, shape = DropBlock(rate, size).train(), (9, 7)
    layer.generator = seeded()
    lost = (layer(torch.ones(3000, 2, *shape)) == 0).sum((0, 1)).numpy()
    gamma = layer.gamma(shape)
    starts = [np.convolve(np.ones(n - size + 1), np.ones(size)) for n in shape]
    chance = 1 - (1 - gamma) ** np.outer(*starts)
    # positions of a map hang together, so each is held by itself
    deviation = (lost - 6000 * chance) / np.sqrt(6000 * chance * (1 - chance))
    assert np.abs(deviation).max() < 4.5


def test_the_share_lost_is_about_the_rate() -> None:
    layer = DropBlock(0.1, 5).train()
    layer.generator = seeded()
    share = (layer(torch.ones(200, 8, 28, 28)) == 0).float().mean()
    assert 0.08 < share < 0.105  # less than the rate: blocks overlap


def test_dropblock_keeps_the_sum_of_a_constant() -> None:
    layer = DropBlock(0.2, 3).train()
    for seed in range(5):
        layer.generator = seeded(seed)
        assert layer(torch.ones(2, 3, 9, 9)).mean() == pytest.approx(1, abs=1e-5)
    everything = DropBlock(0.999999, 9).train()
    everything.generator = seeded()
    assert everything(torch.ones(1, 1, 9, 9)).sum() == 0


def test_channels_lose_blocks_of_their_own() -> None:
    layer = DropBlock(0.3, 3).train()
    layer.generator = seeded()
    y = layer(torch.ones(1, 2, 9, 9))
    assert not torch.equal(y[:, 0], y[:, 1])


# -- ShakeDrop


def test_shakedrop_forwards_by_alpha_and_backwards_by_beta() -> None:
    layer = ShakeDrop(0.4, (-1.0, 1.0), (0.0, 1.0)).train()
    layer.generator = seeded()
    x = torch.rand(3000, 2, 2, 2, dtype=torch.float64).add(0.5).requires_grad_()
    y = layer(x)
    y.sum().backward()
    ahead, back = (y / x).detach(), x.grad
    for factor in (ahead, back):  # one number an image
        torch.testing.assert_close(factor, factor[:, :1, :1, :1].expand_as(factor))
    ahead, back = ahead[:, 0, 0, 0].numpy(), back[:, 0, 0, 0].numpy()
    kept = np.isclose(ahead, 1) & np.isclose(back, 1)
    assert_binomial(int(kept.sum()), 3000, 0.6)
    shaken = ~kept
    assert stats.kstest(ahead[shaken], stats.uniform(-1, 2).cdf).pvalue > 1e-3
    assert stats.kstest(back[shaken], stats.uniform(0, 1).cdf).pvalue > 1e-3
    assert abs(np.corrcoef(ahead[shaken], back[shaken])[0, 1]) < 0.1


def test_shakedrop_expects_in_evaluation() -> None:
    x = torch.rand(2, 3, 4, 4)
    torch.testing.assert_close(ShakeDrop(0.4).eval()(x), 0.6 * x)
    torch.testing.assert_close(ShakeDrop(0.4, (0.5, 1.0)).eval()(x), (0.6 + 0.4 * 0.75) * x)
    assert torch.equal(ShakeDrop(0).train()(x), x)


# -- cutout


def test_cutout_zeros_one_square_in_every_channel_alike() -> None:
    layer = Cutout((3, 4)).train()
    layer.generator = seeded()
    lost = layer(torch.ones(500, 2, 8, 9)) == 0
    assert torch.equal(lost[:, 0], lost[:, 1])
    for mask in lost[:, 0]:
        rows, columns = (mask.any(axis).nonzero().flatten().tolist() for axis in (1, 0))
        assert rows == list(range(rows[0], rows[-1] + 1))
        assert columns == list(range(columns[0], columns[-1] + 1))
        assert mask.sum() == len(rows) * len(columns)
        assert len(rows) == 3 or {0, 7} & {*rows}
        assert len(columns) == 4 or {0, 8} & {*columns}


def test_cutout_centres_are_uniform_and_rest_untouched() -> None:
    layer = Cutout(1).train()
    layer.generator = seeded()
    x = torch.rand(4000, 1, 5, 4) + 0.5
    y = layer(x)
    lost = y == 0
    assert (lost.sum((1, 2, 3)) == 1).all()
    assert stats.chisquare(lost.sum((0, 1)).flatten().numpy()).pvalue > 1e-3
    assert torch.equal(y[~lost], x[~lost])


# -- labels


def test_smooth_labels_are_the_worked_example() -> None:
    targets = smooth_labels(torch.tensor([2, 0]), 10, 0.1)
    wanted = torch.full((2, 10), 0.01)
    wanted[0, 2] = wanted[1, 0] = 1 - 0.1 + 0.01
    torch.testing.assert_close(targets, wanted)
    torch.testing.assert_close(targets.sum(1), torch.ones(2))
    assert torch.equal(smooth_labels(torch.tensor([1]), 3, 0), torch.tensor([[0.0, 1.0, 0.0]]))


@pytest.mark.parametrize("shape", [(), (4, 3)])
@pytest.mark.parametrize("eps", [0.0, 0.1, 0.5])
def test_cross_entropy_with_them_is_pytorchs(shape: tuple[int, ...], eps: float) -> None:
    draw = seeded()
    labels = torch.randint(7, (5, *shape), generator=draw)
    scores = torch.randn(5, 7, *shape, generator=draw, dtype=torch.float64)
    ours = F.cross_entropy(scores, smooth_labels(labels, 7, eps).double())
    peer = nn.CrossEntropyLoss(label_smoothing=eps)(scores, labels)
    torch.testing.assert_close(ours, peer)
