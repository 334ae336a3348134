"""Attention against PyTorch's layers and against the papers' sums written out."""

from __future__ import annotations

import copy

import numpy as np
import pytest
import torch
from scipy import stats
from torch import Tensor, nn
from torch.nn import functional as F

import netwright as nw
from netwright.core.net import Net
from netwright.errors import ShapeError
from netwright.layers import HardAttention
from oracles import planned_sets

ALL = [
    (nw.DotAttention(), (5, 8), (7, 8)),
    (nw.DotAttention(scaled=True), (5, 8), (7, 8)),
    (nw.AdditiveAttention(6), (5, 8), (7, 3)),
    (nw.MultiHeadAttention(2), (5, 8), (7, 3)),
    (nw.HardAttention(), (5, 8), (7, 8)),
]


def tensors(*shapes: tuple[int, ...]) -> list[Tensor]:
    torch.manual_seed(0)
    return [torch.randn(2, *shape) for shape in shapes]


def softmax(x: np.ndarray) -> np.ndarray:
    e = np.exp(x - x.max())
    return e / e.sum()


@pytest.mark.parametrize(("unit", "queries", "memory"), ALL)
def test_weights_are_shares_and_give_the_output(unit, queries, memory) -> None:
    layer = unit.module(queries, memory).eval()
    x, m = tensors(queries, memory)
    y, weights = layer(x, m, need_weights=True)
    torch.testing.assert_close(y, layer(x, m))
    assert weights.shape[-2:] == (5, 7)
    assert (weights >= 0).all()
    torch.testing.assert_close(weights.sum(-1), torch.ones(weights.shape[:-1]))
    if not isinstance(unit, nw.MultiHeadAttention):
        torch.testing.assert_close(weights @ m, y)


@pytest.mark.parametrize("scaled", [False, True])
def test_dot_attention_by_hand(scaled: bool) -> None:
    x, m = tensors((5, 8), (7, 8))
    y = nw.DotAttention(scaled).module((5, 8), (7, 8))(x, m)
    theirs = F.scaled_dot_product_attention(x, m, m, scale=None if scaled else 1.0)
    torch.testing.assert_close(y, theirs)
    scale = 8**-0.5 if scaled else 1
    for t in range(5):
        a = softmax(np.array([float(x[0, t] @ key) * scale for key in m[0]]))
        np.testing.assert_allclose(y[0, t], a @ m[0].numpy(), rtol=1e-4, atol=1e-5)


def test_additive_attention_by_hand() -> None:
    layer = nw.AdditiveAttention(6).module((5, 8), (7, 3))
    x, m = tensors((5, 8), (7, 3))
    y = layer(x, m).detach()
    W, U, v = (w.weight.detach().numpy() for w in (layer.query, layer.key, layer.score))
    for t in range(5):
        e = [v[0] @ np.tanh(W @ x[1, t].numpy() + U @ h.numpy()) for h in m[1]]
        np.testing.assert_allclose(y[1, t], softmax(np.array(e)) @ m[1].numpy(), atol=1e-5)


@pytest.mark.parametrize("heads", [1, 4])
@pytest.mark.parametrize("memory", [None, (7, 8), (7, 3)])
def test_multi_head_is_pytorchs(heads: int, memory: tuple[int, int] | None) -> None:
    shapes = [(5, 8)] if memory is None else [(5, 8), memory]
    ours = nw.MultiHeadAttention(heads).module(*shapes)
    features = shapes[-1][1]
    theirs = nn.MultiheadAttention(8, heads, kdim=features, vdim=features, batch_first=True)
    ours.load_state_dict(theirs.state_dict())
    xs = tensors(*shapes)
    y, weights = theirs(xs[0], xs[-1], xs[-1], average_attn_weights=False)
    torch.testing.assert_close(ours(*xs), y)
    torch.testing.assert_close(ours(*xs, need_weights=True)[1], weights)


def test_multi_head_is_its_formula() -> None:
    layer = nw.MultiHeadAttention(2).module((5, 8))
    (x,) = tensors((5, 8))
    q, k, v = F.linear(x, layer.in_proj_weight, layer.in_proj_bias).chunk(3, -1)
    heads = [
        torch.softmax(q[..., s] @ k[..., s].mT / 2, -1) @ v[..., s]
        for s in (slice(0, 4), slice(4, 8))
    ]
    torch.testing.assert_close(layer(x), layer.out_proj(torch.cat(heads, -1)))


@pytest.mark.parametrize(("radius", "heads"), [(0, 1), (2, 2), (20, 4)])
def test_local_attention_is_masked_attention(radius: int, heads: int) -> None:
    layer = nw.LocalAttention(radius, heads).module((9, 8))
    theirs = nn.MultiheadAttention(8, heads, batch_first=True)
    with torch.no_grad():
        theirs.in_proj_weight.copy_(layer.qkv.weight)
        theirs.in_proj_bias.copy_(layer.qkv.bias)
    theirs.out_proj.load_state_dict(layer.out.state_dict())
    (x,) = tensors((9, 8))
    steps = torch.arange(9)
    far = (steps[:, None] - steps).abs() > radius
    y, weights = theirs(x, x, x, attn_mask=far, average_attn_weights=False)
    torch.testing.assert_close(layer(x), y)
    ours, near = layer(x, need_weights=True)
    torch.testing.assert_close(ours, y)
    for t in range(9):
        for offset in range(-radius, radius + 1):
            at = near[:, :, t, offset + radius]
            there = weights[:, :, t, t + offset] if 0 <= t + offset < 9 else torch.zeros(2, heads)
            torch.testing.assert_close(at, there)


def test_a_local_window_is_the_field() -> None:
    net = Net(nw.Sequential(nw.LocalAttention(2), nw.LocalAttention(1)), (11, 8))
    field = net.plan().rows[-1].field
    assert (field.size, field.status) == ((7,), "exact")
    model = net.build(seed=0).double()
    for step in (0, 5, 10):
        x = torch.rand(1, 11, 8, dtype=torch.float64, requires_grad=True)
        model(x)[0, step].sum().backward()
        seen = set(torch.nonzero(x.grad[0].abs().sum(1)).flatten().tolist())
        (planned,) = planned_sets(field, [step])
        assert seen == {i for i in planned if 0 <= i < 11}


@pytest.mark.parametrize("inputs", [("input",), ("input", "keys")])
def test_the_rest_sees_all(inputs: tuple[str, ...]) -> None:
    spec = nw.Graph(keys=nw.Linear(8), look=nw.Node(nw.DotAttention(), *inputs), last=nw.Linear(4))
    net = Net(spec, (6, 8))
    plan = net.plan()
    assert plan.row("look").field.status == "global"
    assert plan.row("last").output == (6, 4)
    x = torch.rand(1, 6, 8, requires_grad=True)
    net.build()(x)[0, 2].sum().backward()
    assert (x.grad[0].abs().sum(1) > 0).all()


def test_encoder_and_decoder() -> None:
    """Queries and memory of other lengths and widths meet in one net."""
    spec = nw.Graph(
        encoder=nw.LSTM(6, bidirectional=True),
        last=nw.Node(nw.GRU(8), "input"),
        look=nw.Node(nw.AdditiveAttention(5), "last", "encoder"),
        both=nw.Node(nw.CatFeatures(), "last", "look"),
        fc=nw.Linear(3),
    )
    net = Net(spec, (7, 4))
    assert net.plan().row("both").output == (7, 20)
    assert net.build()(torch.rand(2, 7, 4)).shape == (2, 7, 3)


def test_features_must_agree() -> None:
    with pytest.raises(ShapeError, match=r"got 5x8 \+ 7x3; put a Linear before"):
        nw.DotAttention().shape((5, 8), (7, 3))
    with pytest.raises(ShapeError, match="queries and memory, got"):
        nw.MultiHeadAttention().shape((5, 8), (7, 8), (7, 8))


class TestHard:
    """Draws, and what they teach."""

    x, m = torch.tensor([[[2.0, 0, 1, 0]]]), torch.randn(1, 5, 4, generator=torch.manual_seed(3))

    def layer(self, estimator: str = "straight-through") -> HardAttention:
        layer = HardAttention(estimator).train()
        layer.generator = torch.Generator().manual_seed(7)
        return layer

    def shares(self) -> Tensor:
        return torch.softmax(self.x[0, 0] @ self.m[0].T / 2, -1)

    @pytest.mark.parametrize("estimator", ["straight-through", "reinforce"])
    def test_draws_follow_the_softmax(self, estimator: str) -> None:
        runs = 4000
        x, m = self.x.expand(runs, -1, -1), self.m.expand(runs, -1, -1)
        _, weights = self.layer(estimator)(x, m, need_weights=True)
        counts = weights.sum((0, 1)).round().numpy()
        assert counts.sum() == runs
        wanted = self.shares().double().numpy()
        assert stats.chisquare(counts, wanted / wanted.sum() * runs).pvalue > 0.01

    def test_a_generator_decides_alone(self) -> None:
        x, m = self.x.expand(20, 9, -1), self.m.expand(20, -1, -1)
        torch.manual_seed(0)
        first = self.layer()(x, m)
        torch.manual_seed(1)
        torch.testing.assert_close(self.layer()(x, m), first)

    def test_evaluation_takes_the_likeliest(self) -> None:
        y = self.layer().eval()(self.x, self.m)
        torch.testing.assert_close(y[0, 0], self.m[0, self.shares().argmax()])

    def test_output_is_one_step_of_the_memory(self) -> None:
        y = self.layer()(self.x.expand(-1, 9, -1), self.m)[0]
        assert all(any(torch.allclose(row, step) for step in self.m[0]) for row in y)

    def test_straight_through_is_the_gradient_of_the_softmax(self) -> None:
        layer, x = self.layer().eval(), self.x.clone().requires_grad_()
        layer(x, self.m).square().sum().backward()
        again = self.x.clone().requires_grad_()
        soft = torch.softmax(again @ self.m.mT / 2, -1) @ self.m
        soft.backward(2 * layer(self.x, self.m).detach())
        torch.testing.assert_close(x.grad, again.grad)

    def test_reinforce_is_right_on_average(self) -> None:
        """Mean of reward times gradient of the log-probability = gradient of the mean reward."""
        rewards = torch.arange(5.0)
        x = self.x.clone().requires_grad_()
        (torch.softmax(x[0, 0] @ self.m[0].T / 2, -1) @ rewards).backward()
        layer, y = self.layer("reinforce"), self.x.clone().requires_grad_()
        runs = 20_000
        wide = y.expand(runs, -1, -1)
        _, weights = layer(wide, self.m.expand(runs, -1, -1), need_weights=True)
        reward = (weights @ rewards - 2).detach()
        (reward * layer.log_prob).mean().backward()
        torch.testing.assert_close(y.grad, x.grad, rtol=0.1, atol=0.03)

    def test_log_prob_is_of_what_was_drawn(self) -> None:
        layer = self.layer("reinforce")
        _, weights = layer(self.x.expand(-1, 9, -1), self.m, need_weights=True)
        wanted = (weights @ self.shares()).log()
        torch.testing.assert_close(layer.log_prob, wanted)

    def test_copies_leave_the_last_draw_behind(self) -> None:
        layer = nn.Sequential(nn.Linear(4, 4), HardAttention("reinforce"))
        layer(self.x)
        assert layer[1].log_prob is not None
        assert copy.deepcopy(layer)[1].log_prob is None


def test_sequences_may_be_symbols() -> None:
    sympy = pytest.importorskip("sympy")
    T, E = sympy.symbols("T E", positive=True, integer=True)
    plan = Net(nw.MultiHeadAttention(4), (T, E)).plan()
    assert sympy.expand(plan.macs - 4 * T * E**2 - 2 * T**2 * E) == 0
