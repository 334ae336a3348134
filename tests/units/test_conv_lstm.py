"""ConvLSTM against the paper's equations, one gate, one step and one position at a time."""

from __future__ import annotations

import numpy as np
import pytest
import torch

import netwright as nw
from netwright.core.net import Net
from netwright.layers import ConvLSTM
from oracles import planned_sets


def sigmoid(x: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-x))


def correlate(x: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """(C, H, W) with (O, C, k, k) -> (O, H, W), zeros around."""
    k = weight.shape[-1]
    padded = np.pad(x, ((0, 0), (k // 2, k // 2), (k // 2, k // 2)))
    windows = np.lib.stride_tricks.sliding_window_view(padded, (k, k), (1, 2))
    return np.einsum("chwij,ocij->ohw", windows, weight)


def by_hand(layer: ConvLSTM, frames: np.ndarray) -> np.ndarray:
    """Equation 3 of the paper for one image sequence (T, C, H, W)."""
    wx = np.split(layer.input.weight.detach().numpy(), 4)
    wh = np.split(layer.state.weight.detach().numpy(), 4)
    b = np.split(layer.input.bias.detach().numpy()[:, None, None], 4)
    pi, pf, po = layer.peepholes.detach().numpy()
    h = c = np.zeros(pi.shape)
    outputs = []
    for x in frames:
        i, f, g, o = (correlate(x, wx[n]) + correlate(h, wh[n]) + b[n] for n in range(4))
        c_next = sigmoid(f + pf * c) * c + sigmoid(i + pi * c) * np.tanh(g)
        h = sigmoid(o + po * c_next) * np.tanh(c_next)
        c = c_next
        outputs.append(h)
    return np.stack(outputs)


def seeded(**fields) -> ConvLSTM:
    torch.manual_seed(0)
    layer = nw.ConvLSTM(4, **fields).module((5, 3, 7, 6)).double()
    if layer.peepholes is not None:
        torch.nn.init.normal_(layer.peepholes)
    return layer


def test_it_is_the_papers_equation() -> None:
    layer = seeded()
    x = torch.randn(2, 5, 3, 7, 6, dtype=torch.float64)
    y = layer(x).detach()
    for image in range(2):
        np.testing.assert_allclose(y[image], by_hand(layer, x[image].numpy()), atol=1e-12)


def test_the_last_state_is_the_last_output() -> None:
    layer, last = seeded(), seeded(last=True)
    x = torch.randn(2, 5, 3, 7, 6, dtype=torch.float64)
    torch.testing.assert_close(last(x), layer(x)[:, -1])


@pytest.mark.parametrize("peepholes", [True, False])
def test_gradients_of_weights_and_input(peepholes: bool) -> None:
    torch.manual_seed(0)
    layer = ConvLSTM(1, 2, (3,), (4,), peepholes=peepholes).double()
    names, weights = zip(*layer.named_parameters(), strict=True)
    weights = [torch.randn_like(w).requires_grad_() for w in weights]
    x = torch.randn(1, 3, 1, 4, dtype=torch.float64, requires_grad=True)

    def run(x, *weights):
        return torch.func.functional_call(layer, dict(zip(names, weights, strict=True)), (x,))

    assert torch.autograd.gradcheck(run, (x, *weights))


def test_a_lone_position_is_an_lstm() -> None:
    """On 1x1 maps without peepholes only the middle of a kernel counts."""
    conv = ConvLSTM(5, 6, (3, 3), (1, 1), peepholes=False)
    lstm = torch.nn.LSTM(5, 6, batch_first=True)
    with torch.no_grad():
        lstm.weight_ih_l0.copy_(conv.input.weight[:, :, 1, 1])
        lstm.weight_hh_l0.copy_(conv.state.weight[:, :, 1, 1])
        lstm.bias_ih_l0.copy_(conv.input.bias)
        lstm.bias_hh_l0.zero_()
    x = torch.randn(2, 7, 5)
    torch.testing.assert_close(conv(x[..., None, None])[..., 0, 0], lstm(x)[0])


def test_counts_by_hand() -> None:
    plan = Net(nw.ConvLSTM(64, 5), (10, 16, 16, 16)).plan()
    assert plan.params == 4 * 64 * 25 * (16 + 64) + 4 * 64 + 3 * 64 * 256
    assert plan.macs == 10 * 256 * 4 * 64 * 25 * (16 + 64)


def test_the_field_is_the_box_of_a_cone() -> None:
    net = Net(nw.Sequential(cell=nw.ConvLSTM(4), last=nw.Identity()), (4, 2, 13, 11))
    field = net.plan().rows[-1].field
    assert (field.size, field.status) == ((4, 9, 9), "hull")
    model = net.build(seed=0).double()
    x = torch.rand(1, *net.input, dtype=torch.float64, requires_grad=True)
    at = (3, 6, 5)
    model(x)[0, at[0], :, at[1], at[2]].sum().backward()
    touched = x.grad[0].abs().sum(1) > 0
    for axis, (planned, size) in enumerate(zip(planned_sets(field, at), (4, 13, 11), strict=True)):
        seen = torch.nonzero(touched.movedim(axis, 0).flatten(1).any(1)).flatten().tolist()
        assert set(seen) == {i for i in planned if 0 <= i < size}
    assert [int(frame.sum()) for frame in touched] == [81, 49, 25, 9]


def test_flatten_takes_sequences_of_volumes() -> None:
    net = nw.Net(nw.Sequential(nw.ConvLSTM(2), nw.Flatten()), (2, 1, 3, 3, 4))
    assert net.build()(torch.rand(1, 2, 1, 3, 3, 4)).shape == (1, *net.plan().output)
