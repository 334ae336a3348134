"""Gabor functions are found again in kernels that are some; dead channels in data sets."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

import netwright as nw
from netwright.data.image import Preprocessing


def planted(side: int, count: int, noise: float = 0.0):
    """Kernels (count, 3, side, side) and what they were made of."""
    random = np.random.default_rng(side)
    at = np.arange(side) - (side - 1) / 2
    y, x = np.meshgrid(at, at, indexing="ij")
    facts, kernels = [], []
    for i in range(count):
        angle = 180 * i / count + random.uniform(0, 5)
        frequency = random.uniform(1.2 / side, 0.33)
        phase = random.uniform(-np.pi, np.pi)
        cy, cx = random.uniform(-0.7, 0.7, 2)
        along, across = random.uniform(side / 6, side / 4, 2)
        turn = np.deg2rad(angle)
        u = (x - cx) * np.cos(turn) + (y - cy) * np.sin(turn)
        v = (y - cy) * np.cos(turn) - (x - cx) * np.sin(turn)
        plane = np.exp(-((u / along) ** 2 + (v / across) ** 2) / 2)
        plane = plane * np.cos(2 * np.pi * frequency * u + phase)
        colour = random.uniform(0.2, 1, 3)
        kernel = colour[:, None, None] * plane
        kernels.append(kernel + noise * kernel.std() * random.standard_normal(kernel.shape))
        facts.append((angle, frequency, phase, cy, cx, along, across, colour))
    return np.stack(kernels), facts


def convolution(kernels: np.ndarray) -> nn.Module:
    conv = nn.Conv2d(kernels.shape[1], len(kernels), kernels.shape[-1], bias=False)
    conv.weight.data = torch.tensor(kernels, dtype=torch.float32)
    return nn.Sequential(conv)


@pytest.mark.parametrize("side", [7, 11])
def test_planted_gabor_functions_are_found(side):
    kernels, facts = planted(side, 12)
    look = nw.look.gabors(convolution(kernels))
    assert (look.residual < 1e-3).all()
    assert np.allclose(look.kernels(), kernels, atol=0.02 * np.abs(kernels).max())
    for i, (angle, frequency, phase, cy, cx, *_, colour) in enumerate(facts):
        assert abs((look.orientation[i] - angle + 90) % 180 - 90) < 2
        assert look.frequency[i] == pytest.approx(frequency, rel=0.05)
        assert look.centre[i] == pytest.approx((cy, cx), abs=0.2)
        assert look.colour[i] == pytest.approx(colour / np.linalg.norm(colour), abs=1e-3)
        # A wave seen from the other side has the opposite phase; centre and phase trade a little.
        flipped = abs(look.orientation[i] - angle) > 90
        turn = look.phase[i] - (-phase if flipped else phase)
        assert abs(np.angle(np.exp(1j * turn))) < 0.4


def test_noise_has_a_residual_and_no_kernel_has_none():
    kernels, facts = planted(9, 6, noise=0.3)
    look = nw.look.gabors(convolution(kernels))
    assert ((look.residual > 0.02) & (look.residual < 0.2)).all()
    assert all(abs((a - fact[0] + 90) % 180 - 90) < 10
               for a, fact in zip(look.orientation, facts, strict=True))  # fmt: skip
    random = np.random.default_rng(0).standard_normal((4, 3, 7, 7))
    random[2] = 0
    look = nw.look.gabors(convolution(random))
    left = ((look.weight - look.kernels()) ** 2).sum((1, 2, 3)) / (random**2).sum((1, 2, 3)).clip(1)
    assert look.residual[[0, 1, 3]] == pytest.approx(left[[0, 1, 3]], abs=1e-5)
    assert (look.residual[[0, 1, 3]] > 0.5).all() and np.isnan(look.residual[2])
    assert [row["kernel"] for row in look.facts()["fits"]] == [0, 1, 3]
    with pytest.raises(nw.LookError, match="kernels of 3 x 3"):
        nw.look.gabors(nn.Sequential(nn.Conv2d(3, 4, 3)))
    assert look.plot() is not None


GIVEN = Preprocessing(16, 3, (0.5,) * 3, (0.25,) * 3)


class Half(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.conv = nn.Conv2d(3, 6, 3)
        self.act = nn.ReLU(inplace=True)
        self.head = nn.Linear(6, 2)
        self.conv.bias.data[1] = -1e3
        self.conv.weight.data[4] = 0

    def forward(self, x):
        return self.head(self.act(self.conv(x)).mean((2, 3)))


def test_dead_channels_of_a_data_set():
    model = Half()
    images = np.random.default_rng(0).integers(0, 256, (21, 16, 16, 3)).astype(np.uint8)
    shares: list[float] = []
    look = nw.look.sparsity(model, images, batch=4, tell=shares.append, preprocessing=GIVEN)
    assert list(look.active) == ["act"] and look.images == 21 and shares[-1] == 1
    with torch.no_grad():
        outputs = torch.relu(model.conv(torch.stack([GIVEN(image) for image in images])))
    assert look.active["act"] == pytest.approx((outputs > 0).double().mean((0, 2, 3)).numpy())
    assert look.largest["act"] == pytest.approx(outputs.amax((0, 2, 3)).numpy())
    dead = look.dead["act"].tolist()
    assert 1 in dead and 4 in dead
    both = nw.look.sparsity(model, images, ["conv", "head"], preprocessing=GIVEN)
    assert {1, 4} <= set(both.dead["conv"].tolist()) and both.active["head"].shape == (2,)
    assert both.plot() is not None
    with pytest.raises(nw.LookError, match="0 images"):
        nw.look.sparsity(model, [], preprocessing=GIVEN)
