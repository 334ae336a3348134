"""Maps equal captum's where both define the same thing."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

import netwright as nw
from peers import library

TARGET = 1
pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")  # captum's, of the hooks it sets


def model(act: type[nn.Module] = nn.ReLU) -> nn.Sequential:
    torch.manual_seed(0)
    return nn.Sequential(
        nn.Conv2d(3, 8, 5, 2, 2), act(), nn.MaxPool2d(3, 1, 1), nn.Conv2d(8, 8, 3, 2, 1),
        nn.BatchNorm2d(8), act(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(8, 4),
    ).eval()  # fmt: skip


@pytest.fixture
def x() -> torch.Tensor:
    return torch.randn(3, 36, 30, generator=torch.Generator().manual_seed(1))


def captum(name: str, *of, x: torch.Tensor, **how) -> np.ndarray:
    """What a method of captum's gives for the target."""
    method = getattr(library("captum.attr"), name)(*of)
    return method.attribute(x[None], target=TARGET, **how)[0].detach().numpy()


def assert_equal(ours: np.ndarray, theirs: np.ndarray, tolerance: float = 1e-6) -> None:
    assert ours.shape == theirs.shape and theirs.any()
    assert abs(ours - theirs).max() <= tolerance * abs(theirs).max()


@pytest.mark.parametrize(("method", "name", "how"), [
    ("gradient", "Saliency", {"abs": False}),
    ("guided", "GuidedBackprop", {}), ("deconvnet", "Deconvolution", {}),
])  # fmt: skip
def test_slopes(method, name, how, x):
    ours = nw.look.attribute(model(), x, method, TARGET).values
    assert_equal(ours, captum(name, model(), x=x, **how))


def test_integrated_gradients(x):
    """Of a smooth net, on which captum's quadrature converges quickly."""
    smooth = model(nn.Softplus)
    smooth[2] = nn.Identity()
    ours = nw.look.attribute(smooth, x, "integrated", TARGET).values
    assert_equal(ours, captum("IntegratedGradients", smooth, x=x), 1e-4)


@pytest.mark.parametrize("layer", [0, 3, 4, 5])
def test_gradcam_before_resizing(layer, x):
    net = model()
    ours = nw.look.attribute(net, x, "gradcam", TARGET, str(layer)).values
    assert_equal(ours, captum("LayerGradCam", net, net[layer], x=x, relu_attributions=True)[0])


@pytest.mark.parametrize(("size", "stride"), [(6, 6), (9, 3), (12, 6)])
def test_occlusion(size, stride, x):
    """Of squares that end with the image; captum lets others stick out of it."""
    ours = nw.look.occlusion(model(), x, size, stride, TARGET, "zero").map
    squares = {"sliding_window_shapes": (3, size, size), "strides": (3, stride, stride)}
    with torch.no_grad():
        theirs = captum("Occlusion", model(), x=x, baselines=0, **squares)[0]
    assert_equal(ours, theirs, 1e-4)


@pytest.mark.parametrize("name", nw.look.others())
def test_methods_of_captum(name, x):
    """As captum itself says, with our baseline; the model is as it was."""
    ours = nw.look.attribute(model(), x, name, TARGET)
    plain = name.removeprefix("captum.")
    if plain in ("DeepLift", "InputXGradient"):
        how = {"baselines": torch.zeros_like(x)[None]} if plain == "DeepLift" else {}
        assert_equal(ours.values, captum(plain, model(), x=x, **how))
        assert ours.error <= 1e-4
    assert ours.values.shape == (3, 36, 30) and ours.map.shape == (36, 30)
    assert np.allclose(ours.map, ours.values.sum(0)) and ours.map.any()
    again = nw.look.attribute(model(), x, name, TARGET)
    assert np.array_equal(ours.values, again.values)
    if plain == "KernelShap":
        assert all(len(np.unique(values)) <= 49 for values in ours.values)


class Written(nn.Module):
    """The same net with its ReLU once or twice, as a module or a function."""

    def __init__(self, how: str) -> None:
        super().__init__()
        self.how, self.net = how, model()
        self.net[5] = nn.Identity()

    def forward(self, x):
        x = self.net[:5](x)
        x = {"function": torch.relu, "method": lambda x: x.relu(), "reused": self.net[1]}[self.how](
            x
        )
        return self.net[6:](x)


@pytest.mark.parametrize(("how", "message"), [
    ("function", "1 of 2 activations as functions"), ("method", "use integrated"),
    ("reused", "DeepLift did not take the model"),
])  # fmt: skip
def test_what_captum_would_get_wrong_is_refused(how, message, x):
    net = Written(how)
    hooks = [len(part._forward_hooks) for part in net.modules()]
    with pytest.raises(nw.LookError, match=message):
        nw.look.attribute(net, x, "captum.DeepLift", TARGET)
    assert hooks == [len(part._forward_hooks) for part in net.modules()]
    assert nw.look.attribute(net, x, "captum.InputXGradient", TARGET).map.any()


def test_unknown_methods_of_captum(x):
    with pytest.raises(nw.UnknownName, match=r"near: captum\.DeepLift"):
        nw.look.attribute(model(), x, "captum.DeepLifd")
    with pytest.raises(nw.LookError, match="take one of ours"):
        nw.look.attribute(model(), x, "captum.KernelShap", layer="3", unit=(0, 1, 1))
