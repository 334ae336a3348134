"""Batches and epochs: what is random, what resumes, what the loss counts."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from netwright import Conv, Dropout, GlobalAvgPool, Linear, Net, ReLU, Sequential, Tap
from netwright.data import Preprocessing
from netwright.train.batches import Images, augmented
from netwright.train.learner import Learner
from netwright.train.recipe import Recipe

HEAD = Sequential(pool=GlobalAvgPool(), drop=Dropout(0.5), fc=Linear(3))
NET = Net(
    Sequential(
        first=Sequential(conv=Conv(6), act=ReLU()),
        aux=Tap(Sequential(pool=GlobalAvgPool(), fc=Linear(3)), 0.4),
        second=Conv(6),
        head=HEAD,
    ),
    (2, 9, 9),
)
KEPT = Preprocessing(9, 2, (0.5, 0.4), (0.2, 0.3))


@pytest.fixture
def images():
    generator = np.random.default_rng(0)
    pixels = generator.integers(0, 256, (25, 9, 9, 2)).astype(np.uint8)
    return Images(pixels, np.arange(25) % 3, KEPT, torch.device("cpu"))


def learner(**changes):
    recipe = Recipe(batch=8, flip=True, **changes)
    return Learner(NET, recipe, epochs=4, seed=3, name="x", precision="fp32")


def test_resume_between_epochs_is_exact(images):
    straight, broken = learner(), learner()
    losses = [straight.epoch(images) for _ in range(4)]
    first = [broken.epoch(images) for _ in range(2)]
    torch.manual_seed(99)
    resumed = learner()
    resumed.restore(broken.state())
    assert first + [resumed.epoch(images) for _ in range(2)] == losses
    for name, value in straight.model.state_dict().items():
        assert torch.equal(value, resumed.model.state_dict()[name]), name


def test_epochs_differ_and_seeds_repeat(images):
    def drawn(seed):
        return torch.cat([labels for _, labels in images.epoch(Recipe(batch=8), seed)])

    assert torch.equal(drawn(1), drawn(1))
    assert not torch.equal(drawn(1), drawn(2))
    assert len(drawn(1)) == 24


def test_auxiliary_heads_count_by_their_weight(images):
    made = learner(smoothing=0.0)
    x, labels = next(images.epoch(made.recipe, 0))
    made.model.train()
    outputs = made.model(x)
    wanted = F.cross_entropy(outputs["out"], labels) + 0.4 * F.cross_entropy(outputs["aux"], labels)
    assert torch.allclose(made._loss(outputs, labels), wanted)


def test_decay_spares_biases():
    decayed, spared = learner().optimiser.param_groups
    assert decayed["weight_decay"] > 0 == spared["weight_decay"]
    assert {p.ndim for p in spared["params"]} == {1}
    assert (
        sum(p.numel() for group in (decayed, spared) for p in group["params"]) == NET.plan().params
    )


def test_a_shift_is_a_crop_of_the_mirrored_image():
    pixels = torch.arange(2 * 3 * 6 * 6, dtype=torch.uint8).view(2, 3, 6, 6)
    out = augmented(pixels, Recipe(shift=2), torch.Generator().manual_seed(0))
    padded = F.pad(pixels.float(), (2, 2, 2, 2), mode="reflect").to(torch.uint8)
    for image, source in zip(out, padded, strict=True):
        crops = source.unfold(1, 6, 1).unfold(2, 6, 1).permute(1, 2, 0, 3, 4).reshape(-1, 3, 6, 6)
        assert any(torch.equal(image, crop) for crop in crops)


def test_flips_mirror_about_half_of_the_images():
    pixels = torch.arange(8, dtype=torch.uint8).expand(200, 1, 8, 8)
    out = augmented(pixels, Recipe(shift=0, flip=True), torch.Generator().manual_seed(0))
    flipped = [torch.equal(image, pixels[0].flip(-1)) for image in out]
    assert 70 < sum(flipped) < 130
    assert all(
        torch.equal(image, pixels[0]) for image, f in zip(out, flipped, strict=True) if not f
    )


def test_normalised_as_the_preprocessing_says(images):
    x = next(images.inorder())
    wanted = (images.pixels[0, 1].float() / 255 - 0.4) / 0.3
    assert torch.allclose(x[0, 1], wanted, atol=1e-6)


def test_a_net_that_diverges_says_so(images):
    made = learner()
    made.recipe = Recipe(batch=8, rate=1e30)
    assert not np.isfinite([made.epoch(images) for _ in range(3)]).all()
