"""Preprocessing, pixel by pixel what the libraries do."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
import torch
from PIL import Image

import netwright as nw
from netwright.data.image import Preprocessing
from netwright.weights import Preprocess
from netwright.weights.index import known
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
    assert torch.allclose(Preprocess.of_torchvision(facts)(picture), theirs(picture), atol=1e-6)


@pytest.mark.parametrize("mode", ["center", "squash"])
@pytest.mark.parametrize("share", [0.875, 0.95, 1.0])
def test_timm(mode, share):
    library("timm")
    from timm.data import create_transform

    config = SimpleNamespace(input_size=(3, 160, 160), interpolation="bicubic", crop_pct=share,
                             crop_mode=mode, mean=(0.5, 0.4, 0.3), std=(0.2, 0.3, 0.1))  # fmt: skip
    theirs = create_transform(**vars(config))
    ours = Preprocess.of_timm(vars(config))
    for size in SIZES:
        picture = image(*size)
        difference = (ours(picture) - theirs(picture)).abs().max()
        assert difference <= 1e-6


def test_what_googlenet_does_inside_is_done_outside():
    theirs = peer("torchvision", "googlenet", transform_input=True, init_weights=False,
                  aux_logits=False)  # fmt: skip
    row = next(k.facts for k in known() if k.net == "googlenet_bn")
    picture = image(300, 260)
    ours = Preprocess.of_torchvision(row)(picture)
    outside = Preprocess.of_torchvision({**row, "inputs": "imagenet"})(picture)
    assert torch.allclose(ours, theirs._transform_input(outside[None])[0], atol=1e-6)
    assert not torch.allclose(ours, outside, atol=1e-2)


def test_a_run_sees_what_it_was_fitted_to():
    made = Preprocessing(32, 3, (0.4, 0.5, 0.6), (0.2, 0.2, 0.3))
    ours = Preprocess.of_run(made.to_json())
    for size in SIZES:
        pixels = torch.from_numpy(made.image(image(*size)).copy()).permute(2, 0, 1) / 255
        wanted = (pixels - torch.tensor(made.mean)[:, None, None]) / torch.tensor(made.std)[
            :, None, None
        ]
        assert torch.allclose(ours(image(*size)), wanted, atol=1e-6)


def test_other_channels(tmp_path):
    colour = Preprocess(32, 36)
    grey = colour.for_channels(1)
    assert grey.mean == (pytest.approx(0.449),)
    assert grey(image(40, 50)).shape == (1, 32, 32)
    assert colour(image(40, 50, "L")).shape == (3, 32, 32)
    five = colour.for_channels(5)
    assert five.mean == (0.485, 0.456, 0.406, 0.485, 0.456)
    with pytest.raises(nw.WeightsError, match="1 or 3 channels, the weights take 5"):
        five(image(40, 50))
    image(40, 50).save(tmp_path / "a.png")
    assert torch.equal(colour(tmp_path / "a.png"), colour(image(40, 50)))
    with pytest.raises(nw.DataError, match="no such file"):
        colour(tmp_path / "b.png")


def test_fields_are_checked():
    with pytest.raises(nw.WeightsError, match="interpolation is 'linear', wanted one of nearest"):
        Preprocess(224, 256, interpolation="linear")
    with pytest.raises(nw.WeightsError, match="crop is 'border', wanted one of center"):
        Preprocess(224, 256, crop="border")
