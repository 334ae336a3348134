"""Foreign nets: MACs are those of PyTorch's own counter, fields and shapes those of our nets."""

from __future__ import annotations

import pytest
import torch

import netwright as nw
from oracles import counted_macs
from peers import peer

QUICK = {
    "alexnet": 224, "vgg16": 224, "googlenet": 224, "resnet50": 224, "densenet121": 224,
    "mobilenet_v2": 224, "inception_v3": 299, "squeezenet1_0": 224, "shufflenet_v2_x1_0": 224,
    "efficientnet_b0": 224, "convnext_tiny": 224, "swin_t": 224,
}  # fmt: skip


def assert_counts(model, size):
    model.eval()
    plan = nw.plan(model, (3, size, size), strict=True)
    x = torch.empty(1, 3, size, size, device="meta")
    assert plan.macs == counted_macs(model, x)
    assert plan.params == sum(p.numel() for p in model.parameters())
    assert plan.buffers == sum(b.numel() for b in model.buffers())
    with torch.no_grad():
        made = model(x)
    assert plan.output == tuple(made.shape[1:])
    return plan


@pytest.mark.parametrize("name", QUICK)
def test_torchvision(name):
    with torch.device("meta"):
        model = peer("torchvision", name)
    assert_counts(model, QUICK[name])
