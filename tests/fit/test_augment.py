"""Every operation of augmentation against its definition: what it does, how its draws spread."""

from __future__ import annotations

import math
import sys

import numpy as np
import pytest
import torch
from scipy import stats
from torch.nn import functional as F

from netwright.data import mixing as room
from netwright.data.augment import (
    OPERATIONS,
    AlternatingFlip,
    Batch,
    ColourJitter,
    CutMix,
    Cutout,
    Flip,
    Lighting,
    Mixup,
    RandomPad,
    ResizedCrop,
    Shift,
    augment,
    from_json,
    to_json,
)
from netwright.data.image import Preprocessing
from netwright.data.policy import RandAugment, TrivialAugment
from netwright.data.stream import Memory
from netwright.errors import RecipeError
from netwright.train.batches import Images
from netwright.train.recipe import Recipe

MANY = 4000
POLICIES = [RandAugment, TrivialAugment]
OWN = [kind for kind in OPERATIONS.values() if kind not in POLICIES and not kind.signals]


def noise(count, side=8, channels=3, seed=0):
    generator = torch.Generator().manual_seed(seed)
    size = (count, channels, side, side)
    return torch.randint(0, 256, size, dtype=torch.uint8, generator=generator)


def ran(pixels, *operations, seed=0, classes=4, place=None):
    labels = torch.arange(len(pixels)) % classes
    generator = torch.Generator().manual_seed(seed)
    return augment(Batch(pixels, labels), operations, classes, generator, place)


def drawn(operation, count=MANY, seed=0):
    return operation.draw(count, torch.Generator().manual_seed(seed))


def uniform(values, low, high):
    """Whether values spread evenly, by Kolmogorov and Smirnov."""
    return stats.kstest((np.asarray(values) - low) / (high - low), "uniform").pvalue > 1e-3


@pytest.mark.parametrize("kind", OWN)
@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
def test_a_batch_follows_from_the_seed_whole_or_in_slices(kind, layout):
    pixels = noise(20).contiguous(memory_format=layout)
    whole = ran(pixels, kind(), seed=3)
    assert torch.equal(whole.pixels, ran(pixels.clone(), kind(), seed=3).pixels)
    assert not torch.equal(whole.pixels, ran(pixels, kind(), seed=4).pixels)
    assert whole.pixels.dtype == torch.uint8
    assert whole.pixels.shape == pixels.shape
    for first, last in ((0, 8), (8, 14), (14, 20)):
        labels = (torch.arange(20) % 4)[first:last]
        generator = torch.Generator().manual_seed(3)
        part = augment(Batch(pixels[first:last], labels), [kind()], 4, generator, (first, 20))
        assert torch.equal(part.pixels, whole.pixels[first:last])
        assert torch.equal(part.labels, whole.labels[first:last])


@pytest.mark.parametrize("kind", OWN)
@pytest.mark.parametrize("shape", [(1, 3, 5, 7), (3, 1, 1, 1), (2, 4, 2, 2)])
def test_any_images_stay_images(kind, shape):
    pixels = torch.full(shape, 200, dtype=torch.uint8)
    before = pixels.clone()
    out = ran(pixels, kind())
    assert out.pixels.shape == shape
    assert torch.equal(pixels, before)  # what memory holds is left as it is


def test_a_shift_of_nothing_is_nothing():
    assert torch.equal(ran(noise(9), Shift(0.0)).pixels, noise(9))
    assert torch.equal(ran(noise(9), RandomPad(0.0), Flip(0.0)).pixels, noise(9))


def _offsets(operation, side=16):
    """(rows, columns) by which each image moved: pixels of the middle keep their number."""
    rows = torch.arange(side, dtype=torch.uint8)[:, None].expand(side, side)
    pixels = torch.stack([rows, rows.T]).expand(MANY, 2, side, side)
    out, middle = ran(pixels, operation).pixels.int(), side // 2
    return out[:, :, middle, middle] - middle


@pytest.mark.parametrize("kind", [Shift, RandomPad])
def test_shifts_reach_all_places_alike(kind):
    offsets = _offsets(kind(0.125))
    for axis in range(2):
        values, counts = offsets[:, axis].unique(return_counts=True)
        assert values.tolist() == [-2, -1, 0, 1, 2]
        assert stats.chisquare(counts.numpy()).pvalue > 1e-3
    assert abs(np.corrcoef(offsets.T.numpy())[0, 1]) < 0.06


def test_random_padding_is_a_crop_of_the_image_in_black():
    pixels = noise(40, 8) | 1
    out = ran(pixels, RandomPad(0.25)).pixels
    for image, source in zip(out, F.pad(pixels, (2, 2, 2, 2)), strict=True):
        crops = source.unfold(1, 8, 1).unfold(2, 8, 1).permute(1, 2, 0, 3, 4).reshape(-1, 3, 8, 8)
        assert any(torch.equal(image, crop) for crop in crops)


def test_movements_together_are_movements_one_after_the_other():
    pixels, operations = noise(30, 12), (Shift(), Flip(), RandomPad(0.2), Flip(0.3))
    generator, apart = torch.Generator().manual_seed(0), pixels
    for operation in operations:
        apart = augment(Batch(apart, torch.zeros(30)), [operation], 1, generator).pixels
    assert torch.equal(ran(pixels, *operations).pixels, apart)


@pytest.mark.parametrize("chance", [0.0, 0.3, 1.0])
def test_flips_come_with_their_chance(chance):
    pixels = noise(MANY, 4)
    out = ran(pixels, Flip(chance)).pixels
    mirrored = (out == pixels.flip(-1)).all(-1).all(-1).all(-1)
    same = (out == pixels).all(-1).all(-1).all(-1)
    assert bool((mirrored ^ same).all())
    assert abs(mirrored.float().mean() - chance) < 0.03


def test_alternating_flips_show_every_image_both_ways_in_two_epochs():
    source = Memory(noise(MANY, 4).permute(0, 2, 3, 1).numpy(), torch.device("cpu"))
    shown = Preprocessing(4, 3, (0.0,) * 3, (1.0,) * 3)
    images = Images(source, np.arange(MANY), MANY, shown, torch.device("cpu"))
    recipe = Recipe(batch=500, operations=(AlternatingFlip(),))
    epochs = list[torch.Tensor]()
    for epoch in range(3):
        batches = list(images.epoch(recipe, 7, epoch))
        order = torch.cat([labels for _, labels in batches]).argsort()
        epochs.append(torch.cat([pixels for pixels, _ in batches])[order])
    as_they_are = torch.cat(list(images.inorder()))
    mirrored = (epochs[0] == as_they_are.flip(-1)).flatten(1).all(1)
    assert abs(mirrored.float().mean() - 0.5) < 0.03
    torch.testing.assert_close(epochs[0][~mirrored], as_they_are[~mirrored])
    torch.testing.assert_close(epochs[1], epochs[0].flip(-1))
    torch.testing.assert_close(epochs[2], epochs[0])


@pytest.mark.parametrize("least", [0.08, 0.35, 1.0])
def test_windows_have_the_areas_ratios_and_places_of_the_paper(least):
    side = 1000
    operation = ResizedCrop(least)
    top, left, height, width = operation.windows(drawn(operation), side, side).double().T
    assert top.min() >= 0 <= left.min()
    assert (top + height).max() <= side >= (left + width).max()
    fits = (height < side) & (width < side)
    area, ratio = height * width / side**2, width / height
    assert ratio.min() >= 0.745
    assert ratio.max() <= 1.342
    assert area.min() >= least * 0.74  # where a side would be longer than the image
    if least < 1:
        inner = area[fits & (area < 0.7)]
        assert uniform(inner, least, 0.7)
        assert uniform(ratio[area < 0.7].log() / math.log(4 / 3), -1, 1)
        assert uniform((top / (side - height))[fits], 0, 1)
        assert uniform((left / (side - width))[fits], 0, 1)


def test_a_window_is_cropped_and_resized():
    pixels, operation = noise(12, 24), ResizedCrop(0.2)
    out = ran(pixels, operation).pixels
    windows = operation.windows(drawn(operation, 12), 24, 24)
    for i, (top, left, height, width) in enumerate(windows.tolist()):
        crop = pixels[i : i + 1, :, top : top + height, left : left + width].float()
        wanted = F.interpolate(crop, (24, 24), mode="bilinear")
        assert (out[i] - wanted[0]).abs().max() <= 1.001


def test_lighting_moves_colours_along_the_components():
    pixels = torch.full((MANY, 3, 2, 2), 128, dtype=torch.uint8)
    out = ran(pixels, Lighting(0.1)).pixels.float() - 128
    assert (out == out[:, :, :1, :1]).all()
    vectors, values = torch.tensor(Lighting.VECTORS), torch.tensor(Lighting.VALUES)
    assert torch.allclose(vectors.T @ vectors, torch.eye(3), atol=1e-3)
    moved = out[:, :, 0, 0]
    spread = vectors @ torch.diag((255 * 0.1 * values) ** 2) @ vectors.T
    assert torch.allclose(moved.T.cov(), spread + torch.eye(3) / 12, rtol=0.1, atol=0.1)
    assert moved.mean(0).abs().max() < 0.3
    grey = torch.full((5, 1, 4, 4), 128, dtype=torch.uint8)
    assert torch.equal(ran(grey, Lighting()).pixels, grey)


def test_colours_are_jittered_by_their_factors():
    """Of brightness, then contrast, then saturation, as the formulas of each say."""
    pixels, operation = noise(50), ColourJitter(0.4, 0.3, 0.2)
    out = ran(pixels, operation).pixels.numpy().astype(float)
    draws = drawn(operation, 50).numpy()
    luma = np.array([0.299, 0.587, 0.114])
    for i, (b, c, s) in enumerate(draws):
        x = pixels[i].numpy().astype(float) * (1 + 0.4 * b)
        x = (1 + 0.3 * c) * x - 0.3 * c * np.tensordot(luma, x, 1).mean()
        x = (1 + 0.2 * s) * x - 0.2 * s * np.tensordot(luma, x, 1)
        assert np.abs(out[i] - x.round().clip(0, 255)).max() <= 1
    assert all(uniform(column, -1, 1) for column in drawn(operation).T)


def test_colour_jitter_is_what_torchvision_adjusts():
    from peers import library

    library("torchvision")
    from torchvision.transforms import functional as theirs

    pixels = noise(8) // 2 + 50  # nothing reaches black or white
    for word, adjust in (("brightness", theirs.adjust_brightness),
                         ("contrast", theirs.adjust_contrast),
                         ("saturation", theirs.adjust_saturation)):  # fmt: skip
        operation = ColourJitter(**{"brightness": 0, "contrast": 0, "saturation": 0, word: 0.4})
        column = ("brightness", "contrast", "saturation").index(word)
        out, draws = ran(pixels, operation).pixels, drawn(operation, 8)[:, column]
        for image, source, draw in zip(out, pixels, draws, strict=True):
            wanted = adjust(source, 1 + 0.4 * float(draw))
            assert (image.int() - wanted.int()).abs().max() <= 1


def test_cutout_is_one_grey_square_anywhere():
    pixels = torch.zeros(MANY, 3, 16, 16, dtype=torch.uint8)
    out = ran(pixels, Cutout(0.25)).pixels
    assert set(out.unique().tolist()) == {0, 128}
    mask = (out == 128)[:, 0]
    assert ((out == 128) == mask[:, None]).all()
    rows, columns = mask.any(2), mask.any(1)
    assert torch.equal(mask, rows[:, :, None] & columns[:, None, :])
    assert rows.sum(1).max() == 4 == columns.sum(1).max()
    inner = drawn(Cutout(0.25))
    whole = ((inner > 0.13) & (inner < 0.87)).all(1)
    assert (mask[whole].sum((1, 2)) == 16).all()
    # A centre anywhere on a side of 16 covers a place of the middle with a chance of 4 / 16.
    assert torch.allclose(mask.float().mean(0)[4:12, 4:12], torch.tensor(1 / 16), atol=0.02)
    assert uniform(inner[:, 0], 0, 1)


@pytest.mark.parametrize("alpha", [0.02, 0.2, 1.0, 5.0])
def test_mixing_weights_are_of_a_beta_distribution(alpha):
    weights = drawn(Mixup(alpha)).numpy()
    inner = weights[(weights > 0.01) & (weights < 0.99)].astype(float)  # no rounding to 0 or 1
    beta = stats.beta(alpha, alpha)
    low, high = beta.cdf(0.01), beta.cdf(0.99)
    assert uniform(beta.cdf(inner), low, high)
    assert abs(len(inner) / MANY - (high - low)) < 0.03
    assert abs(weights.mean() - 0.5) < 0.03
    assert weights.var() == pytest.approx(1 / (4 * (2 * alpha + 1)), rel=0.1)


def test_mixup_averages_images_and_labels_alike():
    pixels = noise(21)
    out = ran(pixels, Mixup(1.0))
    weights = drawn(Mixup(1.0), 21)
    partner = [1, 0, 3, 2, 5, 4, 7, 6, 9, 8, 11, 10, 13, 12, 15, 14, 17, 16, 19, 18, 20]
    shares = F.one_hot(torch.arange(21) % 4, 4).float()
    for i, j in enumerate(partner):
        w = weights[i]
        wanted = w * pixels[i].float() + (1 - w) * pixels[j].float()
        assert (out.pixels[i].float() - wanted).abs().max() <= 0.51
        assert torch.allclose(out.labels[i], w * shares[i] + (1 - w) * shares[j], atol=1e-6)


def test_cutmix_gives_labels_the_share_of_pixels():
    pixels = torch.arange(20, dtype=torch.uint8)[:, None, None, None].expand(20, 3, 32, 32)
    out = ran(pixels, CutMix(), classes=20)
    for i in range(20):
        own = (out.pixels[i] == i).float().mean()
        assert ((out.pixels[i] == i) | (out.pixels[i] == i ^ 1)).all()
        assert out.labels[i, i] == pytest.approx(float(own), abs=1e-6)
        assert out.labels[i, i ^ 1] == pytest.approx(float(1 - own), abs=1e-6)


def test_boxes_of_cutmix_have_the_area_of_their_draw():
    weights = drawn(CutMix())
    inside = room._boxes(torch.zeros(MANY, 1, 64, 64), (1 - weights[:, 0]).sqrt(), weights[:, 1:])
    area = inside.float().mean((1, 2, 3))
    half = (1 - weights[:, 0]).sqrt() / 2
    whole = ((weights[:, 1:] > half[:, None]) & (weights[:, 1:] < 1 - half[:, None])).all(1)
    assert whole.sum() > 100
    assert (area[whole] - (1 - weights[whole, 0])).abs().max() < 0.05
    assert (area <= 1 - weights[:, 0] + 0.05).all()
    assert uniform(weights[:, 0], 0, 1)


def test_labels_mixed_twice_stay_shares():
    out = ran(noise(16), Mixup(1.0), CutMix(), Cutout(), Flip())
    assert torch.allclose(out.labels.sum(1), torch.ones(16), atol=1e-6)
    assert out.labels.min() >= 0


@pytest.mark.parametrize("kind", OPERATIONS.values())
def test_operations_are_json(kind):
    assert from_json(to_json([kind()])) == (kind(),)


@pytest.mark.parametrize(
    ("record", "fault"),
    [
        ({"operation": "shift", "part": 1.5}, "shift: part is 1.5, wanted a number from 0 to 1"),
        ({"operation": "flip", "chance": -1}, "wanted a number from 0 to 1"),
        ({"operation": "colour-jitter", "contrast": 3}, "wanted a number from 0 to 1"),
        ({"operation": "mixup", "alpha": 1e9}, "wanted a number from 0 to 1,000"),
        ({"operation": "resized-crop", "least": True}, "least is True"),
    ],
)
def test_numbers_without_sense_are_refused(record, fault):
    with pytest.raises(RecipeError, match=fault):
        from_json([record])


@pytest.mark.parametrize("kind", POLICIES)
@pytest.mark.parametrize("channels", [1, 3])
def test_policies_go_by_the_seed_image_by_image(kind, channels):
    pytest.importorskip("kornia")
    pixels = noise(2, 16, channels)[:1].expand(12, -1, -1, -1).contiguous()
    torch.manual_seed(5)
    before = torch.random.get_rng_state()
    whole = ran(pixels, kind(), seed=3).pixels
    assert torch.equal(torch.random.get_rng_state(), before)
    assert whole.shape == pixels.shape
    assert torch.equal(whole, ran(pixels, kind(), seed=3).pixels)
    generator = torch.Generator().manual_seed(3)
    part = augment(Batch(pixels[4:9], torch.zeros(5)), [kind()], 4, generator, (4, 12))
    assert torch.equal(part.pixels, whole[4:9])
    assert len(whole.flatten(1).unique(dim=0)) > 6  # one image, many ways


@pytest.mark.parametrize("kind", POLICIES)
def test_a_policy_without_its_library_says_what_to_install(kind, monkeypatch):
    monkeypatch.setitem(sys.modules, "kornia", None)
    monkeypatch.delitem(sys.modules, "kornia.augmentation", raising=False)
    with pytest.raises(RecipeError, match=r"pip install 'netwright\[policies\]'"):
        ran(noise(2), kind())
