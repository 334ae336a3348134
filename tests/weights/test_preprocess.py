"""Preprocessing, pixel by pixel what the libraries do."""

from __future__ import annotations

import json
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from PIL import Image

import netwright as nw
from netwright.data import Preprocessing
from netwright.weights.index import known
from netwright.weights.preprocess import of_table, of_timm
from peers import library, peer


def image(width, height, mode="RGB"):
    """Noise with some structure, so that every way of resizing shows."""
    rng = np.random.default_rng(width * height)
    values = rng.integers(0, 256, (height // 8 + 1, width // 8 + 1, 3), dtype=np.uint8)
    return Image.fromarray(values).resize((width, height), Image.Resampling.BICUBIC).convert(mode)


SIZES = [(640, 480), (333, 500), (256, 256), (97, 131)]
WAYS = sorted(
    {(k.facts["size"], k.facts["resize"], k.facts["interpolation"])
     for k in known() if k.library == "torchvision"}
)  # fmt: skip


@pytest.mark.parametrize("way", WAYS[::3], ids="-".join)
@pytest.mark.parametrize("size", SIZES, ids=str)
def test_torchvision(way, size):
    library("torchvision")
    from torchvision.transforms import InterpolationMode
    from torchvision.transforms._presets import ImageClassification

    crop, resize, kind = way
    theirs = ImageClassification(
        crop_size=int(crop), resize_size=int(resize), interpolation=InterpolationMode(kind)
    )
    facts = {"size": crop, "resize": resize, "interpolation": kind, "inputs": "imagenet"}
    picture = image(*size)
    assert torch.allclose(of_table(facts)(picture), theirs(picture), atol=1e-6)


@pytest.mark.parametrize("mode", ["center", "squash"])
@pytest.mark.parametrize("share", [0.875, 0.95, 1.0])
def test_timm(mode, share):
    library("timm")
    from timm.data import create_transform

    config = SimpleNamespace(input_size=(3, 160, 160), interpolation="bicubic", crop_pct=share,
                             crop_mode=mode, mean=(0.5, 0.4, 0.3), std=(0.2, 0.3, 0.1))  # fmt: skip
    theirs = create_transform(**vars(config))
    ours = of_timm(vars(config))
    for size in SIZES:
        picture = image(*size)
        difference = (ours(picture) - theirs(picture)).abs().max()
        assert difference <= 1e-6


def test_what_googlenet_does_inside_is_done_outside():
    theirs = peer("torchvision", "googlenet", transform_input=True, init_weights=False,
                  aux_logits=False)  # fmt: skip
    row = next(k.facts for k in known() if k.net == "googlenet_bn")
    picture = image(300, 260)
    ours = of_table(row)(picture)
    outside = of_table({**row, "inputs": "imagenet"})(picture)
    assert torch.allclose(ours, theirs._transform_input(outside[None])[0], atol=1e-6)
    assert not torch.allclose(ours, outside, atol=1e-2)


@pytest.mark.parametrize("crop", ["square", "center", "squash"])
def test_as_bytes_and_as_a_tensor(crop, tmp_path):
    made = Preprocessing(
        32, 3, (0.4, 0.5, 0.6), (0.2, 0.2, 0.3), resize=36, interpolation="bicubic", crop=crop
    )
    for size in SIZES:
        pixels = torch.tensor(made.image(image(*size))).permute(2, 0, 1) / 255
        mean, std = (torch.tensor(row)[:, None, None] for row in (made.mean, made.std))
        assert torch.allclose(made(image(*size)), (pixels - mean) / std, atol=1e-6)
        image(*size).save(tmp_path / "a.png")
        assert torch.equal(made(tmp_path / "a.png"), made(image(*size)))
    values = np.asarray(image(640, 480)) / 255
    assert torch.equal(replace(made, range=(0.0, 1.0))(values), made(image(640, 480)))


def test_as_json():
    made = Preprocessing(32, 1, (0.4,), (0.2,), (0.0, 1.0), 40, "bicubic", "squash")
    assert Preprocessing.from_json(json.loads(json.dumps(made.to_json()))) == made
    older = {"size": 32, "channels": 1, "mean": [0.4], "std": [0.2], "range": [0.0, 16.0]}
    assert Preprocessing.from_json(older) == Preprocessing(32, 1, (0.4,), (0.2,), (0.0, 16.0))
    assert Preprocessing.from_json(older).crop == "square"


def test_other_channels(tmp_path):
    colour = of_table({"size": "32", "resize": "36", "interpolation": "bilinear",
                       "inputs": "imagenet"})  # fmt: skip
    grey = colour.for_channels(1)
    assert grey.mean == (pytest.approx(0.449),)
    assert grey(image(40, 50)).shape == (1, 32, 32)
    assert colour(image(40, 50, "L")).shape == (3, 32, 32)
    five = colour.for_channels(5)
    assert five.mean == (0.485, 0.456, 0.406, 0.485, 0.456)
    with pytest.raises(nw.DataError, match="1 or 3 channels, the weights take 5"):
        five(image(40, 50))
    image(40, 50).save(tmp_path / "a.png")
    assert torch.equal(colour(tmp_path / "a.png"), colour(image(40, 50)))
    with pytest.raises(nw.DataError, match="no such file"):
        colour(tmp_path / "b.png")


@pytest.mark.parametrize(
    ("field", "said"),
    [
        ({"interpolation": "linear"}, "interpolation is 'linear', wanted one of nearest"),
        ({"crop": "border"}, "crop is 'border', wanted one of square, center, squash"),
        ({"resize": 0}, "resize is 0, wanted 1 to 1792 pixels, or None"),
        ({"resize": 2000}, "resize is 2000, wanted 1 to 1792 pixels"),
        ({"resize": "256"}, "resize is '256', wanted 1 to 1792 pixels"),
    ],
)
def test_fields_are_checked(field, said):
    with pytest.raises(nw.DataError, match=said):
        Preprocessing(224, 1, (0.5,), (0.5,), **field)
