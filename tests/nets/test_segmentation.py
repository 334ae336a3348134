"""Nets that score every pixel: their dilation, their skips, their auxiliary heads."""

from __future__ import annotations

import pytest
import torch

import netwright as nw


def test_parameters_of_fcn_by_hand():
    """VGG-16's convolutions, three dense units as convolutions, scores and their growth."""
    trunk = sum(row.params for row in nw.net("vgg16").plan() if row.path.startswith("stage"))
    dense = 49 * 512 * 4096 + 4096 + 4096 * 4096 + 4096 + 4096 * 21 + 21
    grown = {"fcn32s": [64], "fcn16s": [4, 32], "fcn8s": [4, 4, 16]}
    scores = {"fcn32s": [], "fcn16s": [512], "fcn8s": [512, 256]}
    for name, kernels in grown.items():
        ups = sum(21 * 21 * k * k for k in kernels)
        extra = sum(21 * c + 21 for c in scores[name])
        assert nw.net(name).plan().params == trunk + dense + ups + extra, name


@pytest.mark.parametrize("name", ["fcn_resnet50", "deeplabv3_resnet50"])
def test_bodies_are_resnet50_under_the_rule_dilate(name):
    def body(net):
        rows = [row for row in net.plan() if row.path.startswith(("stem", "stage"))]
        return [(row.path, row.input, row.output, row.params, row.macs, row.field) for row in rows]

    assert body(nw.net(name)) == body(nw.net("resnet50").rewrite("dilate:8"))


def test_auxiliary_heads_count_as_in_torchvision():
    """35,322,218 and 42,004,074 are what torchvision states beside its weights."""
    assert nw.net("fcn_resnet50", aux=True).plan().params == 35_322_218
    assert nw.net("deeplabv3_resnet50", aux=True).plan().params == 42_004_074


def test_auxiliary_scores_are_as_large_as_the_image():
    net = nw.net("deeplabv3_resnet50", width=4, rates=(1, 2), aux=True, input=(3, 32, 48))
    model = net.build(seed=1).train()
    outputs = model(torch.randn(2, 3, 32, 48))
    assert {name: y.shape[1:] for name, y in outputs.items()} == dict.fromkeys(
        ("out", "aux"), (21, 32, 48)
    )
    assert model.taps == {"aux": 0.5}


def test_built_nets_take_other_sizes():
    for name in ("fcn8s", "deeplabv3_resnet50"):
        options = {"hidden": 8} if name == "fcn8s" else {"rates": (1, 2)}
        model = nw.net(name, width=4, input=(3, 32, 32), **options).build(seed=1).eval()
        with torch.no_grad():
            assert model(torch.randn(1, 3, 64, 32)).shape == (1, 21, 64, 32)


def test_a_map_of_one_position_stretches():
    net = nw.Net(nw.Concat(nw.Conv(2), nw.GlobalAvgPool(keep=True)), (3, 5, 7))
    assert net.plan().output == (5, 5, 7)
    x = torch.randn(2, 3, 5, 7)
    mean = net.build(seed=1)(x)[:, 2:]
    torch.testing.assert_close(mean, x.mean((2, 3), keepdim=True).expand_as(mean))
    with pytest.raises(nw.ShapeError, match="one height and width"):
        nw.Net(nw.Concat(nw.Conv(2), nw.Conv(2, 3, 2)), (3, 5, 7)).plan()
