"""The boxes of units are the support of their gradients."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

import netwright as nw
from peers import peer


def supports(model: nn.Module, path: str, x: torch.Tensor, unit: tuple[int, int]):
    """First and last pixels with a slope, of random channels' sum at a unit."""
    with nw.look.watching(model, [path]) as watch:
        x = x[None].requires_grad_()
        watch.run(x)
        values = watch.outputs[path][0, :, *unit]
        (slope,) = torch.autograd.grad((values * torch.randn(values.shape)).sum(), x)
    rows, columns = (np.flatnonzero(slope[0].abs().sum((0, axis))) for axis in (2, 1))
    return rows[0], columns[0], rows[-1] + 1, columns[-1] + 1


class Reused(nn.Module):
    """One ReLU twice, functions, a skip beside two resolutions."""

    def __init__(self) -> None:
        super().__init__()
        self.act = nn.Softplus()
        self.down = nn.Conv2d(3, 4, 3, 2, 1)
        self.deep = nn.Conv2d(4, 4, 3, 2, 1)
        self.up = nn.Upsample(scale_factor=2)
        self.last = nn.Conv2d(4, 4, 3, padding=1, dilation=1)

    def forward(self, x):
        x = self.act(self.down(x))
        y = self.up(self.act(self.deep(x)))
        return self.last(x + y).mean((2, 3))


def mean_pooled(model: nn.Module) -> nn.Module:
    """Max pools choose; means show all that is seen."""
    for part in model.modules():
        for name, child in part.named_children():
            if isinstance(child, nn.MaxPool2d):
                pool = nn.AvgPool2d(child.kernel_size, child.stride, child.padding)
                setattr(part, name, pool)
            if isinstance(child, nn.ReLU):
                setattr(part, name, nn.Softplus())
    return model


@pytest.mark.parametrize("path", ["act", "act_2", "up", "last", "deep"])
@pytest.mark.parametrize("unit", [(0, 0), (3, 2), (5, 7)])
def test_a_foreign_modules_boxes_are_gradient_support(path, unit):
    torch.manual_seed(0)
    model = Reused().double()
    layer = nw.look.layers(model, (3, 48, 48))[path]
    x = torch.randn(3, 48, 48, dtype=torch.float64)
    assert layer.box(unit) == supports(model, path, x, unit)
    assert tuple(layer.boxes()[unit]) == layer.box(unit)
    assert tuple(layer.boxes(clip=False)[unit]) == layer.box(unit, clip=False)


@pytest.mark.parametrize(("make", "path"), [
    (lambda: nw.net("resnet18").build(seed=0), "stage3.0"),
    (lambda: peer("torchvision", "resnet18"), "layer2.0.relu_2"),
])  # fmt: skip
def test_boxes_of_nets(make, path):
    model = mean_pooled(make()).double()
    layer = nw.look.layers(model, (3, 96, 96))[path]
    x = torch.randn(3, 96, 96, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    torch.manual_seed(0)
    for unit in ((0, 0), (layer.size[0] // 2, layer.size[1] - 1)):
        assert layer.box(unit) == supports(model, path, x, unit)


def test_layers_are_those_of_the_plan_and_of_the_pass():
    net = nw.net("mobilenet_v2")
    known = nw.look.layers(net)
    for row in net.plan():
        layer = known[row.path]
        assert layer.shape == row.output
        assert layer.field.box((0, 0)) == row.field.box((0, 0)) if layer.is_map else True
    model = net.build(seed=0)
    names = [path for path in known if path in dict(model.named_modules())]
    with nw.look.watching(model, names) as watch:
        watch(torch.zeros(1, 3, 224, 224))
        shapes = {path: tuple(watch.outputs[path].shape[1:]) for path in names}
    assert shapes == {path: known[path].shape for path in names}


def test_centres_are_true():
    rows, columns = nw.look.layers(nw.net("resnet50"))["stage4"].centres()
    assert rows.tolist() == columns.tolist() == [32.0 * i for i in range(7)]
    alexnet = nw.look.layers(peer("torchvision", "alexnet"), (3, 224, 224))["features.0"]
    assert alexnet.centres()[0][:3].tolist() == [3.0, 7.0, 11.0]  # 11 taps from -2, steps of 4


def test_behind_a_global_gate_all_is_seen():
    known = nw.look.layers(peer("torchvision", "mobilenet_v3_small"), (3, 64, 64))
    gated = known["features.1"]
    assert gated.box((3, 3)) == (0, 0, 64, 64)
    local = gated.box((3, 3), local=True)
    assert (local.bottom - local.top) < 64
    assert gated.boxes().reshape(-1, 4).max(0).tolist() == [0, 0, 64, 64]


def test_places_that_are_not_there():
    known = nw.look.layers(nw.net("resnet18"))
    with pytest.raises(nw.LookError, match="no unit at"):
        known["stage4"].box((7, 0))
    with pytest.raises(nw.LookError, match="a map"):
        known["head.fc"].boxes()
    with pytest.raises(nw.LookError, match="give a shape"):
        nw.look.layers(Reused())
    with pytest.raises(nw.LookError, match="images"):
        nw.look.layers(Reused(), (3, 16))
    with pytest.raises(nw.UnknownName, match="near: stage4"):
        nw.look.field(nw.net("resnet18"), "stage44")


def test_a_field_that_nobody_knows():
    class Warped(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.inner = nn.Identity()

        def forward(self, x):
            grid = torch.zeros(1, 8, 8, 2)
            return self.inner(nn.functional.grid_sample(x, grid, align_corners=False)).mean((2, 3))

    layer = nw.look.layers(Warped(), (3, 8, 8))["inner"]
    with pytest.raises(nw.LookError, match="nobody knows"):
        layer.box((0, 0))
