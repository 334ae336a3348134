"""Nets of signals and sequences: counts by hand, EEGNet against its layers written out."""

from __future__ import annotations

import torch
from torch.nn import functional as F

import netwright as nw


def eegnet_by_hand(w, x):
    """EEGNet-8,2 as its authors' Keras code has it, from our weights, in evaluation mode."""

    def norm(name, x):
        keys = ("running_mean", "running_var", "weight", "bias")
        return F.batch_norm(x, *[w[f"{name}.{key}"] for key in keys], eps=1e-3)

    x = F.conv2d(F.pad(x, (31, 32)), w["time.conv.weight"])
    x = norm("time.norm", x)
    across = w["leads.conv.body.weight"]
    across = across / across.flatten(1).norm(dim=1).clamp(min=1).view(-1, 1, 1, 1)
    x = F.elu(norm("leads.norm", F.conv2d(x, across, groups=8)))
    x = F.avg_pool2d(x, (1, 4))
    x = F.conv2d(F.pad(x, (7, 8)), w["separable.depthwise.weight"], groups=16)
    x = F.elu(norm("separable.norm", F.conv2d(x, w["separable.pointwise.weight"])))
    x = F.avg_pool2d(x, (1, 8)).flatten(1)
    dense = w["fc.body.weight"]
    dense = dense * (0.25 / dense.norm(dim=1, keepdim=True)).clamp(max=1)
    return x @ dense.T + w["fc.body.bias"]


def test_eegnet_is_its_layers():
    model = nw.net("eegnet_8_2").build(seed=1)
    generator = torch.Generator().manual_seed(2)
    with torch.no_grad():
        for value in model.state_dict().values():  # weights beyond their limits, odd statistics
            if value.is_floating_point():
                value.copy_(torch.rand(value.shape, generator=generator) + 0.5)
    x = torch.randn(3, 1, 64, 128, generator=generator)
    torch.testing.assert_close(model.eval()(x), eegnet_by_hand(model.state_dict(), x))


def test_ecg_nets_by_hand():
    widths, kernels = (12, 128, 256, 128), (8, 5, 3)
    convs = zip(widths, widths[1:], kernels, strict=False)
    params = sum(c * w * k + 2 * w for c, w, k in convs) + 128 * 5 + 5
    assert nw.net("ecg_cnn1d").plan().params == params
    widths = [64 + 32 * i for i in range(6)]
    pairs = [
        pair for c, w in zip([1, *widths], widths, strict=False) for pair in ((c, w), *[(w, w)] * 3)
    ]
    params = sum(25 * c * w + 2 * w for c, w in pairs) + 224 * 4 + 4
    plan = nw.net("ecg_stft_cnn").plan()
    assert plan.params == params
    assert plan.row("spectrogram").output == (1, 33, 111)
    assert plan.row("block6.pool").output == (224, 1, 2)


def test_recurrent_nets_by_hand():
    frame = sum(
        row.params for row in nw.net("alexnet").plan()
        if not row.path.startswith(("head.fc2", "head.fc3"))
    )  # fmt: skip
    lstm = 4 * 256 * (4096 + 256 + 2)
    assert nw.net("cnn_lstm").plan().params == frame + lstm + 256 * 101 + 101
    states = zip((16, 128, 64), (128, 64, 64), strict=True)
    cells = sum(4 * w * (25 * (c + w) + 1) + 3 * w * 16 * 16 for c, w in states)
    assert nw.net("conv_lstm").plan().params == cells + 64 * 10 + 10
