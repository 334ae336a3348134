"""Modules of every kind, against PyTorch's own counter."""

from __future__ import annotations

import warnings

import pytest
import torch
import torch.nn.functional as F
from torch import nn
from torch.utils.checkpoint import checkpoint

import netwright as nw
from oracles import counted_macs
from peers import library


class Stepping(nn.Module):
    """A cell over the steps of a sequence."""

    def __init__(self, cell):
        super().__init__()
        self.cell = cell

    def forward(self, x):
        state = None
        for step in x.unbind(1):
            state = self.cell(step, state)
        return state[0] if isinstance(state, tuple) else state


class Checkpointed(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 8, 3)

    def forward(self, x):
        return checkpoint(self.conv, x, use_reentrant=False)


class Clamp(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x.clamp(min=0)


class Custom(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 8, 3)

    def forward(self, x):
        return Clamp.apply(self.conv(x))


def _layer(**options):
    return nn.TransformerEncoderLayer(64, 4, **options)


def _normed(norm):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return norm(nn.Conv2d(3, 8, 3))


KINDS = {
    "encoder": (lambda: nn.TransformerEncoder(_layer(batch_first=True), 2), [(10, 64)]),
    "encoder, time first": (_layer, [(10, 64)]),
    "transformer": (
        lambda: nn.Transformer(64, 4, 2, 2, batch_first=True),
        [(10, 64), (7, 64)],
    ),
    "bidirectional GRU": (
        lambda: nn.GRU(32, 48, 2, batch_first=True, bidirectional=True),
        [(10, 32)],
    ),
    "RNN": (lambda: nn.RNN(32, 48, 2), [(10, 32)]),
    "LSTM with projection": (lambda: nn.LSTM(32, 48, proj_size=16, batch_first=True), [(10, 32)]),
    "GRU cell": (lambda: Stepping(nn.GRUCell(32, 48)), [(10, 32)]),
    "LSTM cell": (lambda: Stepping(nn.LSTMCell(32, 48)), [(10, 32)]),
    "unfold": (lambda: nn.Sequential(nn.Unfold(3, padding=1), nn.Conv1d(27, 8, 1)), [(3, 8, 8)]),
    "one dimension": (
        lambda: nn.Sequential(nn.Conv1d(3, 8, 5, 2), nn.BatchNorm1d(8), nn.AdaptiveMaxPool1d(4)),
        [(3, 40)],
    ),
    "three dimensions": (
        lambda: nn.Sequential(
            nn.Conv3d(1, 4, 3, groups=1, dilation=2),
            nn.InstanceNorm3d(4),
            nn.ConvTranspose3d(4, 2, 4, 2, 1, groups=2),
        ),
        [(1, 9, 9, 9)],
    ),
    "weight norm": (lambda: _normed(nn.utils.parametrizations.weight_norm), [(3, 8, 8)]),
    "old weight norm": (lambda: _normed(nn.utils.weight_norm), [(3, 8, 8)]),
    "data parallel": (lambda: nn.DataParallel(nn.Conv2d(3, 8, 3)), [(3, 8, 8)]),
    "checkpointed": (Checkpointed, [(3, 8, 8)]),
    "autograd function": (Custom, [(3, 8, 8)]),
    "lazy, once run": (lambda: _run(nn.LazyConv2d(8, 3)), [(3, 8, 8)]),
}


def _run(module):
    module(torch.ones(1, 3, 8, 8))
    return module


@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.parametrize("kind", KINDS)
def test_kinds(kind):
    make, shapes = KINDS[kind]
    module = make().eval()
    plan = nw.plan(module, shapes, strict=True)
    assert plan.params == sum(p.numel() for p in module.parameters())
    xs = [torch.empty(1, *shape, device="meta") for shape in shapes]
    assert plan.macs == counted_macs(module.to("meta"), *xs)


def test_compiled_and_scripted_modules():
    module = nn.Sequential(nn.Conv2d(3, 8, 3), nn.ReLU())
    macs = 27 * 8 * 36
    assert nw.plan(torch.compile(module, backend="eager"), (3, 8, 8)).macs == macs
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        scripted = torch.jit.script(module)
    assert nw.plan(scripted, (3, 8, 8)).macs == macs


def test_one_module_in_three_layouts():
    class Layouts(nn.Module):
        def forward(self, x):
            tokens = x.flatten(2).transpose(1, 2)
            tokens = F.layer_norm(tokens, (tokens.shape[-1],))
            last = tokens.unflatten(1, x.shape[2:])
            return torch.relu(last.permute(0, 3, 1, 2))

    plan = nw.plan(nn.Sequential(nn.Conv2d(3, 8, 5, 2), Layouts()), (3, 32, 30))
    assert plan.output == (8, 14, 13)
    assert (plan.field.size, plan.field.jump, plan.field.status) == ((5, 5), (2, 2), "exact")


OTHERS = {
    "deeplabv3_resnet50": ("segmentation", (3, 224, 224)),
    "lraspp_mobilenet_v3_large": ("segmentation", (3, 224, 224)),
    "r3d_18": ("video", (3, 16, 112, 112)),
    "s3d": ("video", (3, 16, 224, 224)),
    "mvit_v1_b": ("video", (3, 16, 224, 224)),
    "swin3d_t": ("video", (3, 16, 224, 224)),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", OTHERS)
def test_segmentation_and_video(name):
    room, shape = OTHERS[name]
    options = {"weights_backbone": None} if room == "segmentation" else {}
    with torch.device("meta"):
        module = getattr(getattr(library("torchvision"), room), name)(weights=None, **options)
    plan = nw.plan(module.eval(), shape, strict=True)
    assert plan.macs == counted_macs(module, torch.empty(1, *shape, device="meta"))
