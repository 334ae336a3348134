"""Images pass together only where they do not look at each other."""

from __future__ import annotations

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import nn

import netwright as nw


class Normed(nn.Module):
    """A norm without running statistics."""

    def __init__(self) -> None:
        super().__init__()
        self.conv, self.head = nn.Conv2d(3, 4, 3), nn.Linear(4, 3)
        self.norm = nn.BatchNorm2d(4, track_running_stats=False)
        for i, p in enumerate(self.parameters()):
            p.data = normal(i, 0.3, p.shape)

    def normalised(self, x):
        return self.norm(x)

    def forward(self, x):
        return self.head(self.normalised(self.conv(x)).tanh().mean((2, 3)))


class Secretive(Normed):
    """Statistics of the batch, by a function that no module tells of."""

    def normalised(self, x):
        return F.batch_norm(x, None, None, training=True)


class Centred(Normed):
    """Less the mean of the batch."""

    def normalised(self, x):
        return x - x.mean(0, keepdim=True) * 0.5


MODELS = [Normed, Secretive, Centred]


def normal(seed: int, scale: float = 1.0, shape=(3, 12, 12)) -> torch.Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed)) * scale


def alone(model: nn.Module, x: torch.Tensor) -> torch.Tensor:
    with torch.no_grad():
        return model(x[None])[0]


@pytest.mark.parametrize("incremental", [True, False])
@pytest.mark.parametrize("make", MODELS)
def test_windows(make, incremental):
    model, x = make(), normal(0)
    look = nw.look.occlusion(model, x, 6, 6, 1, "zero", incremental=incremental)
    assert not look.incremental and "alone" in look.notes[0]
    x[:, 6:, :6] = 0
    assert look.logit[1, 0] == pytest.approx(float(alone(model, x)[1]), abs=1e-5)


@pytest.mark.parametrize("make", MODELS)
def test_points_of_integrated_gradients(make):
    model, x = make(), normal(1)
    look = nw.look.attribute(model, x, "integrated", 1)
    difference = float((alone(model, x) - alone(model, torch.zeros_like(x)))[1])
    assert look.values.sum() == pytest.approx(difference, abs=look.error + 1e-4)
    assert look.error < 0.01


@pytest.mark.parametrize("make", MODELS)
def test_images_of_top_patches(make):
    model = make()
    images = [normal(i, i + 1) for i in range(6)]
    look = nw.look.top_patches(model, images, "head", k=6, batch=3)
    wanted = np.sort(np.stack([alone(model, x) for x in images], 1), axis=1)[:, ::-1]
    assert np.allclose(look.values["head"], wanted, atol=1e-5)
