"""Weights that are held in a ball."""

from __future__ import annotations

import pytest
import torch
from torch import nn

import netwright as nw
from netwright import layers


def norms(weight: torch.Tensor) -> torch.Tensor:
    return weight.flatten(1).norm(dim=1)


@pytest.mark.parametrize(
    ("body", "shape"), [(nn.Linear(9, 5), (9,)), (nn.Conv2d(3, 5, 3), (3, 8, 8))]
)
def test_long_weights_shrink_and_short_ones_stay(body: nn.Module, shape: tuple[int, ...]) -> None:
    with torch.no_grad():
        body.weight[:3] *= 10
    module = layers.MaxNorm(body, 1.0)
    v, w = body.weight, module.reweighted()
    lengths = norms(v)
    assert (lengths[:3] > 1).all()
    assert (lengths[3:] < 1).all()
    wanted = v * (1 / lengths.clamp(min=1)).view(-1, *[1] * (v.dim() - 1))
    torch.testing.assert_close(w, wanted)
    assert torch.equal(w[3:], v[3:])

    x = torch.randn(2, *shape)
    y = module(x)
    module.project()
    torch.testing.assert_close(body.weight, wanted)
    torch.testing.assert_close(module(x), y)


def test_the_limit_holds_while_training() -> None:
    unit = nw.MaxNorm(nw.Linear(3, bias=False), 0.5)
    module = unit.module((6,))
    optimiser = torch.optim.SGD(module.parameters(), lr=0.5)
    generator = torch.Generator().manual_seed(1)
    x = torch.randn(32, 6, generator=generator)
    target = x @ torch.randn(6, 3, generator=generator)
    losses = []
    for _ in range(30):
        loss = (module(x) - target).square().mean()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        losses.append(loss.item())
        assert (norms(module.reweighted()) <= 0.5 + 1e-6).all()
    assert losses[-1] < losses[0]
    torch.testing.assert_close(norms(module.reweighted()), torch.full((3,), 0.5))


def test_inside_the_ball_it_is_the_plain_layer() -> None:
    plain, held = nn.Linear(4, 2), layers.MaxNorm(nn.Linear(4, 2), 2.0)
    held.body.load_state_dict(plain.state_dict())
    x = torch.randn(8, 4, generator=torch.Generator().manual_seed(2))
    for module in (plain, held):
        module(x).square().mean().backward()
    torch.testing.assert_close(held.body.weight.grad, plain.weight.grad)


def test_eegnet_holds_its_weights() -> None:
    model = nw.net("eegnet_8_2").build(seed=1)
    across, fc = model.get_submodule("leads.conv"), model.get_submodule("fc")
    for module in (across, fc):
        nn.init.constant_(module.body.weight, 3.0)
    torch.testing.assert_close(norms(across.reweighted()), torch.full((16,), 1.0))
    torch.testing.assert_close(norms(fc.reweighted()), torch.full((4,), 0.25))
