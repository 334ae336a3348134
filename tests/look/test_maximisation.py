"""Images that are made to excite what they are made for."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

import netwright as nw
from netwright.data.image import Preprocessing
from netwright.look.redirecting import Redirected

GIVEN = Preprocessing(64, 3, (0.48, 0.46, 0.41), (0.25, 0.25, 0.25))


def gabor(angle: float, size: int = 11, wave: float = 5.0) -> torch.Tensor:
    """Stripes whose brightness changes along `angle` (degrees, from right to down)."""
    at = torch.arange(size) - size // 2
    y, x = torch.meshgrid(at, at, indexing="ij")
    turn = torch.deg2rad(torch.tensor(angle))
    along = x * turn.cos() + y * turn.sin()
    kernel = torch.exp(-(x**2 + y**2) / 18) * torch.cos(2 * torch.pi * along / wave)
    return kernel - kernel.mean()


ANGLES = (0, 20, 45, 75, 90, 110, 150)


def planted(channels: int = 3) -> nn.Module:
    conv = nn.Conv2d(channels, len(ANGLES), 11, padding=5, bias=False)
    for i, angle in enumerate(ANGLES):
        conv.weight.data[i] = gabor(angle) / channels
    parts = (conv, nn.ReLU(), nn.Conv2d(len(ANGLES), 4, 3), nn.ReLU(), nn.AdaptiveAvgPool2d(1),
             nn.Flatten(), nn.Linear(4, 3))  # fmt: skip
    return nn.Sequential(*parts).eval()


def orientation(pixels: np.ndarray) -> float:
    """Degrees along which brightness changes most, of the largest of all waves."""
    grey = pixels.astype(float).mean(-1)
    power = np.abs(np.fft.fft2(grey - grey.mean())) ** 2
    y, x = (np.fft.fftfreq(n) for n in grey.shape)
    power[np.hypot(y[:, None], x) < 0.1] = 0
    doubled = np.exp(2j * np.arctan2(y[:, None], x))
    return float(np.rad2deg(np.angle((power * doubled).sum())) / 2 % 180)


def apart(a: float, b: float) -> float:
    return abs((a - b + 90) % 180 - 90)


@pytest.mark.parametrize("size", [32, 64])
def test_a_planted_gabor_layer_shows_its_orientations(size):
    look = nw.look.maximise(planted(), "0", range(len(ANGLES)), steps=60, size=size,
                            preprocessing=GIVEN)  # fmt: skip
    assert look.images.shape == (len(ANGLES), 1, 3, size, size)
    for angle, pixels in zip(ANGLES, look.pixels()[:, 0], strict=True):
        assert apart(orientation(pixels), angle) < 10
    assert (look.history[-1] > look.history[0]).all()


def test_values_are_those_of_the_images_as_they_are_saved():
    model = planted()
    look = nw.look.maximise(model, "1", [1, 4], steps=5, preprocessing=GIVEN)
    again = [nw.look.activations(model, pixels, "1", preprocessing=GIVEN).outputs["1"][c].max()
             for c, pixels in zip((1, 4), look.pixels()[:, 0], strict=True)]  # fmt: skip
    assert look.values[:, 0] == pytest.approx(again, rel=1e-5)


def test_an_image_depends_on_the_seed_and_on_nothing_else():
    model = planted()
    one = nw.look.maximise(model, "0", 3, steps=4, preprocessing=GIVEN)
    torch.manual_seed(99)
    among = nw.look.maximise(model, "0", [1, 3, 2], steps=4, batch=2, preprocessing=GIVEN)
    assert np.abs(one.images[0].astype(int) - among.images[1]).max() <= 1
    other = nw.look.maximise(model, "0", 3, steps=4, seed=1, preprocessing=GIVEN)
    assert np.abs(one.images[0].astype(int) - other.images[0]).max() > 10


def test_units_directions_layers_and_classes():
    model = planted()
    unit = nw.look.maximise(model, "0", 0, unit=(4, 60), steps=40, preprocessing=GIVEN)
    grey = np.abs(unit.pixels()[0, 0].astype(int) - 128).max(2)
    assert grey[:9, 55:].mean() > 2 * grey[20:, :40].mean()
    direction = np.zeros((1, len(ANGLES)))
    direction[0, [2, 4]] = 3.0, -3.0
    turned = nw.look.maximise(model, "0", direction, steps=40, preprocessing=GIVEN)
    both = nw.look.activations(model, turned.pixels()[0, 0], "0", preprocessing=GIVEN)
    outputs = both.outputs["0"]
    assert turned.values[0, 0] == pytest.approx(((outputs[2] - outputs[4]) / 2**0.5).max(), 1e-4)
    whole = nw.look.maximise(model, "0", steps=40, preprocessing=GIVEN)
    assert whole.history[-1] > 4 * whole.history[0] and whole.names == ("0",)
    look = nw.look.maximise(model, None, torch.tensor([0, 2]), steps=30, preprocessing=GIVEN)
    assert look.names == ("class 0", "class 2") and (look.history[-1] > look.history[0]).all()


def test_copies_are_kept_unlike():
    def likeness(diversity: float) -> float:
        look = nw.look.maximise(model, "2", [0, 1], steps=30, copies=3, diversity=diversity,
                                preprocessing=GIVEN)  # fmt: skip
        assert look.values.shape == (2, 3)
        total = 0.0
        for copies in look.pixels():
            grams = []
            for pixels in copies:
                outputs = nw.look.activations(model, pixels, "2", preprocessing=GIVEN).outputs["2"]
                flat = outputs.reshape(len(outputs), -1)
                gram = (flat @ flat.T).ravel()
                grams.append(gram / np.linalg.norm(gram))
            total += grams[0] @ grams[1] + grams[0] @ grams[2] + grams[1] @ grams[2]
        return total / 6

    torch.manual_seed(0)
    model = planted()
    assert likeness(3.0) < likeness(0.0) - 0.05


def test_images_need_not_be_of_the_size_the_head_takes():
    model = nw.net("alexnet").build(seed=0)
    path = next(iter(nw.look.layers(model)))
    look = nw.look.maximise(model, path, 0, steps=2, size=40)
    assert look.images.shape[-2:] == (40, 40)
    with pytest.raises(nw.LookError, match="did not take images 3x40x40"):
        nw.look.maximise(model, None, 0, steps=2, size=40)


def test_one_channel_of_grey_and_ten_of_anything():
    for channels in (1, 10):
        look = nw.look.maximise(planted(channels), "0", [2], steps=30, size=48)
        assert look.images.shape == (1, 1, channels, 48, 48)
        assert apart(orientation(look.images[0, 0].transpose(1, 2, 0)), 45) < 10
        assert "normalised" in look.notes[0]


def test_a_closed_relu_is_opened():
    """Channels that a grey image does not open get no gradient but a redirected one."""
    model = planted()
    model[0].bias = nn.Parameter(torch.full((len(ANGLES),), -1.5))
    look = nw.look.maximise(model, "1", [0, 4], steps=60, preprocessing=GIVEN)
    assert (look.history[0] == 0).all() and (look.values > 0.3).all() and not look.notes
    dead = planted()
    dead[0].weight.data[4] = 0
    note = nw.look.maximise(dead, "1", [0, 4], steps=3, preprocessing=GIVEN).notes[-1]
    assert "no image changed 4: dead" in note


def test_redirected_slopes():
    x = torch.tensor([[-1.0, 2, 8], [-1, -2, 8]], requires_grad=True)
    weights = torch.tensor([[1.0, 1, 1], [1, -1, 1]])
    with Redirected():
        (slope,) = torch.autograd.grad((torch.nn.functional.relu6(x) * weights).sum(), x)
    # The first row has an open unit; of the second, only what opens a closed one.
    assert slope.tolist() == [[0, 1, 0], [1, 0, 0]]


def test_stopped_with_what_it_has():
    rounds = []

    def stop(share: float) -> None:
        rounds.append(share)
        if len(rounds) == 7:
            raise KeyboardInterrupt

    look = nw.look.maximise(planted(), "0", range(6), steps=5, batch=2, tell=stop,
                            preprocessing=GIVEN)  # fmt: skip
    assert look.names == ("0", "1", "2", "3") and "after 7 of 15 steps" in look.notes[-1]
    assert np.isnan(look.history[2:, 2:]).all() and np.isfinite(look.history[:, :2]).all()
    first = nw.look.maximise(planted(), "0", range(6), steps=500, seconds=0, preprocessing=GIVEN)
    assert "after 1 of 500" in first.notes[-1]

    class Stubborn(nn.Conv2d):
        def forward(self, input):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):  # nothing is there yet
        nw.look.maximise(nn.Sequential(Stubborn(3, 2, 3)), "0", 0, size=8)


@pytest.mark.parametrize(("how", "message"), [
    ({"layer": "0", "channels": 7}, "7 channels, 0 to 6; there is no channel 7"),
    ({"layer": "0", "channels": [True]}, "no channel True"),
    ({"layer": "0", "channels": []}, "empty"),
    ({"layer": "0", "channels": 0, "unit": (64, 0)}, r"no unit at \(64, 0\).* 64 x 64 units"),
    ({"layer": "6", "channels": 0, "unit": (0, 0)}, "6 gives 3, which has no units"),
    ({"layer": None, "channels": 3}, "no class 3"),
    ({"layer": None, "channels": "cat"}, "does not name its classes"),
    ({"layer": None}, "which classes"),
    ({"layer": "0", "channels": np.zeros(7)}, "length that is 0"),
    ({"layer": "0", "channels": np.ones(6)}, "has 7 numbers, got 6"),
    ({"layer": "0", "channels": 0, "steps": 0}, "steps 0"),
    ({"layer": "00", "channels": 0}, "no layer is called '00'; near: 0"),
])  # fmt: skip
def test_what_cannot_be_climbed(how, message):
    with pytest.raises(nw.NetwrightError, match=message):
        nw.look.maximise(planted(), **{"steps": 1, **how}, preprocessing=GIVEN)


def test_a_dream_is_stronger_than_the_image():
    model = planted()
    image = np.random.default_rng(0).integers(90, 160, (64, 64, 3)).astype(np.uint8)
    look = nw.look.dream(model, image, "1", 2, octaves=3, iterations=5, preprocessing=GIVEN)
    assert look.image.shape == image.shape and look.sides == ((33, 33), (46, 46), (64, 64))
    before, after = (nw.look.activations(model, pixels, "1", preprocessing=GIVEN).outputs["1"][2]
                     for pixels in (image, look.image))  # fmt: skip
    assert after.mean() > 3 * before.mean()
    assert apart(orientation(look.image), 45) < 10
    again = nw.look.dream(model, image, "1", 2, octaves=3, iterations=5, preprocessing=GIVEN)
    assert np.array_equal(again.image, look.image)
    assert nw.look.dream(model, image[:20, :20], "1", preprocessing=None).sides == ((20, 20),)


def test_a_dream_stopped():
    def stop(share: float) -> None:
        if share > 0.5:
            raise KeyboardInterrupt

    image = np.full((64, 64, 3), 128, np.uint8)
    look = nw.look.dream(planted(), image, "0", iterations=2, tell=stop, preprocessing=GIVEN)
    assert look.image.shape == (64, 64, 3) and "stopped early" in look.notes[-1]
    assert len(look.history) == 5
