"""Auxiliary heads: training sees them, evaluation does not."""

from __future__ import annotations

import pytest
import torch

import netwright as nw

TAPS = ["aux4a", "aux4d"]


@pytest.fixture(scope="module", params=["googlenet", "googlenet_bn"])
def model(request):
    return nw.net(request.param, aux=True, classes=5).build(seed=1)


@pytest.fixture(scope="module")
def images():
    return torch.randn(2, 3, 224, 224, generator=torch.Generator().manual_seed(2))


def test_training_returns_every_head(model, images):
    with torch.no_grad():
        outputs = model.train()(images)
    assert list(outputs) == ["out", *TAPS]
    assert {y.shape for y in outputs.values()} == {(2, 5)}
    assert model.taps == dict.fromkeys(TAPS, 0.3)


def test_evaluation_returns_the_logits_alone(model, images):
    with torch.no_grad():
        y = model.eval()(images)
    assert isinstance(y, torch.Tensor)
    assert y.shape == (2, 5)


@pytest.mark.parametrize("tap", TAPS)
def test_an_auxiliary_loss_alone_reaches_the_stem(model, images, tap):
    model.zero_grad(set_to_none=True)
    model.train()(images)[tap].square().sum().backward()
    reached = {name for name, p in model.named_parameters() if p.grad is not None and p.grad.any()}
    assert any(name.startswith("stem.conv1.conv") for name in reached)
    assert any(name.startswith(tap) for name in reached)
    behind = ("inception4e", "inception5a", "inception5b", "head")
    assert not any(name.startswith(behind) for name in reached)


def test_outputs_do_not_wait_for_the_next_pass(model, images):
    model.train()(images)
    assert all(model.get_submodule(tap).seen is None for tap in TAPS)


def test_heads_cost_parameters_but_no_work():
    plain, tapped = nw.net("googlenet").plan(), nw.net("googlenet", aux=True).plan()
    assert tapped.params > plain.params
    for total in ("macs", "ops", "activations"):
        assert getattr(tapped, total) == getattr(plain, total)
    assert {row.path.split(".")[0] for row in tapped if row.auxiliary} == set(TAPS)


def test_weights_of_a_net_with_heads_fit_the_one_without():
    tapped = nw.net("googlenet", aux=True).build(device="meta", init="torch")
    plain = nw.net("googlenet").build(device="meta", init="torch")
    left_out = set(tapped.state_dict()) - set(plain.state_dict())
    assert set(plain.state_dict()) < set(tapped.state_dict())
    assert all(name.startswith(tuple(TAPS)) for name in left_out)
