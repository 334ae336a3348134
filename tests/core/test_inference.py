"""Bytes of inference, held against the tensors that are alive while a built net runs."""

from __future__ import annotations

import pytest
import torch

import netwright as nw
from netwright.core.net import Net
from oracles import most_alive
from peers import peer

EXACT = (
    "alexnet", "convnext_tiny", "densenet121", "efficientnet_b0", "hrnetv2_w18", "lenet5",
    "mobilenet_v2", "mobilenet_v3_small", "nasnet_4a1056", "polynet", "resnet50", "seresnet50",
    "shufflenet_v2_x1_0", "squeezenet1_1", "unet", "vgg11", "cnn_lstm", "c3d",
)  # fmt: skip
"""Nets whose maps are largest where no unit computes something else inside."""


def executed(net: Net, batch: int = 2, in_place: bool = False) -> int:
    model = net.build(device="meta", init="torch")
    for module in model.modules():
        if getattr(module, "inplace", False):
            module.inplace = in_place
    return most_alive(model, torch.empty(batch, *net.input, device="meta"))


@pytest.mark.parametrize("name", EXACT)
def test_the_peak_is_what_is_alive(name):
    net = nw.net(name)
    planned = net.plan(batch=2).peak_bytes
    assert planned == pytest.approx(executed(net), rel=1e-3)
    assert executed(net, in_place=True) <= planned


def test_what_a_unit_needs_inside_is_there():
    """Of local response normalisation, whose sums of squares are maps too, not all that the
    gradient needs is there at once."""
    net = nw.net("googlenet")
    assert executed(net) <= net.plan(batch=2).peak_bytes <= 1.3 * executed(net)


CONV = nw.Conv(8)
WIRED = {
    "a chain: input, what is read, what is written": (nw.Sequential(CONV, CONV, CONV), 3 + 8 + 8),
    "a part holds what it was given": (nw.Sequential(CONV, nw.Sequential(CONV, CONV)), 3 + 3 * 8),
    "a view takes nothing": (
        nw.Sequential(CONV, nw.Identity(), nw.Dropout(), nw.Reshape((8, 256))), 3 + 8,
    ),
    "indices of a pool, of 8 bytes": (nw.Sequential(CONV, nw.MaxPool(2)), 3 + 8 + 2 + 4),
    "branches wait for their join": (
        nw.Concat(a=nw.Conv(1), b=nw.Conv(2), c=nw.Conv(3)), 3 + 1 + 2 + 3 + 6,
    ),
    "a shortcut stays": (
        nw.Sequential(CONV, nw.Sum(x=nw.Identity(), body=nw.Sequential(CONV, CONV))), 3 + 3 * 8,
    ),
    "a node of a graph goes after its last reader": (
        nw.Graph(a=CONV, b=CONV, c=nw.Node(nw.Add(), "a", "b"), d=CONV, e=CONV), 3 + 3 * 8,
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", WIRED)
def test_maps_alive_by_hand(case):
    """Maps of 16 x 16 at 4 bytes, one image."""
    spec, channels = WIRED[case]
    net = Net(spec, (3, 16, 16))
    planned = net.plan().peak_bytes
    assert planned == channels * 16 * 16 * 4
    assert planned == executed(net, 1)


@pytest.mark.parametrize(
    ("library", "name"),
    [("torchvision", "resnet50"), ("torchvision", "mobilenet_v2"), ("timm", "efficientnet_b0")],
)
def test_the_peak_of_a_module_of_others(library, name):
    model = peer(library, name).eval()
    for module in model.modules():
        if getattr(module, "inplace", False):
            module.inplace = False
    plan = nw.plan(model, (3, 224, 224))
    alive = most_alive(model.to("meta"), torch.empty(1, 3, 224, 224, device="meta"))
    assert plan.peak_bytes == pytest.approx(alive, rel=1e-3)
