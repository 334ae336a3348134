"""Activations against PyTorch's functionals, and the ones PyTorch lacks by their formulas."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch.nn import functional as F

import netwright as nw
from netwright.layers import Step

X = torch.linspace(-5, 5, 2 * 6 * 5 * 4, dtype=torch.float64).view(2, 6, 5, 4)

PEERS = {
    nw.ELU(0.7): lambda x: F.elu(x, 0.7),
    nw.GELU(): F.gelu,
    nw.HardSigmoid(): F.hardsigmoid,
    nw.HardSwish(): F.hardswish,
    nw.Identity(): lambda x: x,
    nw.LeakyReLU(0.2): lambda x: F.leaky_relu(x, 0.2),
    nw.PReLU(0.375): lambda x: F.prelu(x, torch.full((6,), 0.375, dtype=x.dtype)),
    nw.ReLU(): F.relu,
    nw.ReLU6(): F.relu6,
    nw.SELU(): F.selu,
    nw.SiLU(): F.silu,
    nw.Sigmoid(): torch.sigmoid,
    nw.Softmax(): lambda x: F.softmax(x, 1),
    nw.Tanh(): torch.tanh,
}

FORMULAS = {
    nw.HardSigmoid(): lambda x: np.clip(x + 3, 0, 6) / 6,
    nw.HardSwish(): lambda x: x * np.clip(x + 3, 0, 6) / 6,
    nw.ReLU6(): lambda x: np.clip(x, 0, 6),
    nw.SELU(): lambda x: 1.0507009873554805 * np.where(
        x > 0, x, 1.6732632423543772 * np.expm1(x)),
    nw.SiLU(): lambda x: x / (1 + np.exp(-x)),
    nw.Sign(): lambda x: np.where(x >= 0, 1.0, -1.0),
    nw.Softmax(): lambda x: np.exp(x) / np.exp(x).sum(1, keepdims=True),
    nw.Step(): lambda x: np.heaviside(x, 1.0),
}  # fmt: skip


def built(unit: nw.Unit) -> torch.nn.Module:
    return unit.module(tuple(X.shape[1:])).double()


@pytest.mark.parametrize("unit", PEERS, ids=repr)
def test_is_what_pytorch_computes(unit: nw.Unit) -> None:
    torch.testing.assert_close(built(unit)(X), PEERS[unit](X), rtol=0, atol=0)


@pytest.mark.parametrize("unit", FORMULAS, ids=repr)
def test_is_its_formula(unit: nw.Unit) -> None:
    np.testing.assert_allclose(built(unit)(X).numpy(), FORMULAS[unit](X.numpy()), rtol=1e-12)


@pytest.mark.parametrize("unit", [nw.Step(), nw.Sign()], ids=repr)
def test_thresholds_pass_the_gradient_straight_through(unit: nw.Unit) -> None:
    module = built(unit)
    x = torch.tensor([-1.5, -1.0, -1e-9, 0.0, 0.3, 1.0, 1.0001]).double().requires_grad_()
    y = module(x)
    low = -1 if unit == nw.Sign() else 0
    assert y.tolist() == [low, low, low, 1, 1, 1, 1]
    y.backward(torch.arange(1, 8, dtype=torch.float64))
    assert x.grad.tolist() == [0, 2, 3, 4, 5, 6, 0]


def test_thresholds_are_exact_in_every_type() -> None:
    for dtype in (torch.bfloat16, torch.float16, torch.float32, torch.float64):
        x = torch.randn(1000, generator=torch.Generator().manual_seed(0)).to(dtype)
        y = Step()(x)
        assert y.dtype == dtype
        assert set(y.tolist()) == {0.0, 1.0}
    assert Step()(torch.tensor([float("inf"), -float("inf")])).tolist() == [1, 0]


def test_softmax_sums_to_one_at_every_position() -> None:
    for shape in ((10,), (6, 9), (6, 5, 4), (6, 2, 5, 4)):
        y = nw.Softmax().module(shape)(torch.randn(3, *shape))
        torch.testing.assert_close(y.sum(1), torch.ones_like(y[:, 0]))


def test_maxout_is_the_largest_of_neighbouring_channels() -> None:
    x = X.numpy()
    for pieces in (1, 2, 3, 6):
        y = built(nw.Maxout(pieces))(X).numpy()
        for channel in range(6 // pieces):
            piece = x[:, channel * pieces : (channel + 1) * pieces]
            np.testing.assert_array_equal(y[:, channel], piece.max(1))


def test_maxout_of_two_pieces_is_relu_and_absolute_value() -> None:
    x = torch.randn(2, 3, 5, 4)
    maxout = nw.Maxout().module((6, 5, 4))
    pairs = torch.stack([x, torch.zeros_like(x)], 2).flatten(1, 2)
    torch.testing.assert_close(maxout(pairs), F.relu(x))
    torch.testing.assert_close(maxout(torch.stack([x, -x], 2).flatten(1, 2)), x.abs())


def test_selu_keeps_mean_zero_and_variance_one() -> None:
    torch.manual_seed(0)
    x = torch.randn(400, 256)
    for _ in range(20):
        x = nw.SELU().module((256,))(x @ (torch.randn(256, 256) / 16))
    assert abs(x.mean()) < 0.1
    assert abs(x.var() - 1) < 0.2
