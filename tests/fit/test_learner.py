"""Batches and epochs: what is random, what resumes, what the loss counts."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from netwright import Conv, Dropout, GlobalAvgPool, Linear, Net, ReLU, Sequential, Tap
from netwright.data import Preprocessing
from netwright.data.augment import Batch, CutMix, Cutout, Flip, Mixup, Shift, augment
from netwright.data.stream import Memory
from netwright.train.batches import Images, Place
from netwright.train.checkpoint import read_checkpoint, write_checkpoint
from netwright.train.learner import Learner
from netwright.train.recipe import Recipe
from netwright.train.views import Views

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
    cpu = torch.device("cpu")
    return Images(Memory(pixels, cpu), np.arange(25) % 3, 3, KEPT, cpu)


def learner(**changes):
    recipe = Recipe(batch=8, operations=(Shift(), Flip()), **changes)
    return Learner(NET.build(seed=5), recipe, epochs=4, seed=3, name="x")


def steps(learner, images, count):
    """The losses of so many steps, over the ends of epochs."""
    losses = []
    while len(losses) < count:
        for loss in learner.epoch(images):
            losses.append(loss)
            if len(losses) == count:
                return losses
    return losses


RECIPES = {
    "sgd": {},
    "adamw": {"optimiser": "adamw", "rate": 1e-3, "average": "ema", "clip": 1.0},
    "rmsprop": {"optimiser": "rmsprop", "rate": 1e-3, "average": "swa"},
    "muon": {"optimiser": "muon", "accumulate": 2},
}


@pytest.mark.parametrize("recipe", RECIPES)
@pytest.mark.parametrize("after", [1, 3, 5, 8])
def test_resume_between_any_two_steps_is_exact(images, tmp_path, recipe, after):
    """Dropout, batch norm, momentum, averages, order and augmentation, by way of a file."""
    straight, broken, resumed = (learner(**RECIPES[recipe]) for _ in range(3))
    losses = steps(straight, images, 11)
    first = steps(broken, images, after)
    write_checkpoint(tmp_path / "state", broken.state())
    steps(broken, images, 1)
    torch.manual_seed(99)
    resumed.restore(read_checkpoint(tmp_path / "state"))
    assert first + steps(resumed, images, 11 - after) == losses
    for name, value in straight.best.state_dict().items():
        assert torch.equal(value, resumed.best.state_dict()[name]), name


def test_epochs_differ_and_seeds_repeat(images):
    def drawn(seed, epoch=0):
        return torch.cat([labels for _, labels in images.epoch(Recipe(batch=8), seed, epoch)])

    assert torch.equal(drawn(1), drawn(1))
    assert not torch.equal(drawn(1), drawn(2))
    assert not torch.equal(drawn(1), drawn(1, 1))
    assert len(drawn(1)) == 24


@pytest.mark.parametrize("world", [2, 3, 4])
def test_several_processes_get_slices_of_the_batches_of_one(images, world):
    recipe = Recipe(batch=10, operations=(Shift(), Flip(), Cutout(), Mixup(), CutMix()))
    whole = list(images.epoch(recipe, 4, 1))
    parts = [list(images.epoch(recipe, 4, 1, place=Place(r, world))) for r in range(world)]
    for step, (x, labels) in enumerate(whole):
        assert torch.equal(x, torch.cat([part[step][0] for part in parts]))
        assert torch.equal(labels, torch.cat([part[step][1] for part in parts]))


def test_auxiliary_heads_count_by_their_weight(images):
    made = learner(smoothing=0.0)
    x, labels = next(images.epoch(made.recipe, 0, 0))
    made.model.train()
    outputs = made.model(x)
    wanted = F.cross_entropy(outputs["out"], labels) + 0.4 * F.cross_entropy(outputs["aux"], labels)
    assert torch.allclose(made.loss(outputs, labels), wanted)


def test_decay_spares_biases():
    (optimiser,) = learner().optimisers
    decayed, spared = sorted(optimiser.param_groups, key=lambda group: -group["weight_decay"])
    assert decayed["weight_decay"] > 0 == spared["weight_decay"]
    assert {p.ndim for p in spared["params"]} == {1}
    assert (
        sum(p.numel() for group in (decayed, spared) for p in group["params"]) == NET.plan().params
    )


def moved(pixels, *operations):
    labels = torch.zeros(len(pixels), dtype=torch.long)
    generator = torch.Generator().manual_seed(0)
    return augment(Batch(pixels, labels), operations, 1, generator).pixels


def test_views_are_means_of_moved_and_mirrored_images():
    """Of a linear model the mean of outputs is the output of the mean of the views."""
    x = torch.arange(2 * 9, dtype=torch.float64).view(1, 2, 3, 3) ** 2
    up = torch.nn.functional.pad(x, (1, 1, 1, 1), "reflect")[..., 2:, 2:]
    down = torch.nn.functional.pad(x, (1, 1, 1, 1), "reflect")[..., :-2, :-2]
    shifted = x / 2 + (up + down) / 4
    flat = torch.nn.Flatten()
    assert torch.allclose(Views().outputs(flat, x), flat(x))
    assert torch.allclose(Views(shifted=True).outputs(flat, x), flat(shifted))
    both = (shifted + shifted.flip(-1)) / 2
    assert torch.allclose(Views(mirrored=True, shifted=True).outputs(flat, x), flat(both))


def test_a_shift_is_a_crop_of_the_mirrored_image():
    pixels = torch.arange(2 * 3 * 6 * 6, dtype=torch.uint8).view(2, 3, 6, 6)
    out = moved(pixels, Shift(2 / 6))
    padded = F.pad(pixels.float(), (2, 2, 2, 2), mode="reflect").to(torch.uint8)
    for image, source in zip(out, padded, strict=True):
        crops = source.unfold(1, 6, 1).unfold(2, 6, 1).permute(1, 2, 0, 3, 4).reshape(-1, 3, 6, 6)
        assert any(torch.equal(image, crop) for crop in crops)


def test_flips_mirror_about_half_of_the_images():
    pixels = torch.arange(8, dtype=torch.uint8).expand(200, 1, 8, 8)
    out = moved(pixels, Flip())
    flipped = [torch.equal(image, pixels[0].flip(-1)) for image in out]
    assert 70 < sum(flipped) < 130
    assert all(
        torch.equal(image, pixels[0]) for image, f in zip(out, flipped, strict=True) if not f
    )


def test_normalised_as_the_preprocessing_says(images):
    x = next(images.inorder())
    wanted = (images.source.pixels[0, 1].float() / 255 - 0.4) / 0.3
    assert torch.allclose(x[0, 1], wanted, atol=1e-6)


def test_a_net_that_diverges_says_so(images):
    made = learner()
    made.recipe = Recipe(batch=8, rate=1e4)
    assert not np.isfinite(steps(made, images, 12)).all()


def test_the_exponential_mean_forgets_its_first_steps(images):
    """After n steps it keeps at most (1 + n) / (10 + n), so short trainings have use of it."""
    mean = learner(average="ema")
    rows = []
    for _ in range(6):
        steps(mean, images, 1)
        rows.append(mean.model.state_dict()["head.fc.weight"].clone())
    wanted = rows[0]
    for count, row in enumerate(rows[1:], 1):
        share = min(mean.recipe.keep, (1 + count) / (10 + count))
        wanted = share * wanted + (1 - share) * row
    assert torch.allclose(mean.best.state_dict()["head.fc.weight"], wanted, atol=1e-6)
