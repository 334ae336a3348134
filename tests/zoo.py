"""What the tests of this folder run over: every registered net, found by looking, and some
of their options."""

from __future__ import annotations

from functools import lru_cache

import pytest

import netwright as nw

__all__ = ["CASES", "DEEP", "make", "marked", "on_meta"]

_VARIANTS = {
    "alexnet classes=7": {"classes": 7},
    "darts aux": {"aux": True, "depth": 4, "width": 8, "drop": 0.1},
    "darts_v2_cifar10 aux": {"aux": True, "depth": 4, "width": 8},
    "densenet121 growth=8 compression=0.25": {"growth": 8, "compression": 0.25},
    "densenet121 expansion=0": {"expansion": 0, "depths": (2, 3), "growth": 12},
    "conv_lstm thin": {"widths": (4, 3), "kernel": 3, "input": (4, 2, 24, 32)},
    "deeplabv3_resnet50 aux": {"aux": True, "width": 8, "rates": (2, 3), "input": (3, 64, 96)},
    "eegnet_8_2 leads=22": {"leads": 22, "kernel": 32, "input": (1, 22, 256)},
    "efficientnet_b0 width=0.5": {"width": 0.5, "drop_path": 0.0, "input": (3, 64, 96)},
    "efficientnet_lite0 width=0.5": {"width": 0.5, "input": (3, 60, 96)},
    "ghostnet_100 width=0.5": {"width": 0.5, "dropout": 0.0},
    "googlenet aux": {"aux": True},
    "googlenet_bn aux": {"aux": True},
    "inception_v3 aux": {"aux": True},
    "mobilenet_v1 width=0.75": {"width": 0.75, "depth": 0.5},
    "mobilenet_v3_small width=0.75": {"width": 0.75},
    "mobilenet_v2 width=1.4 depth=1.2": {"width": 1.4, "depth": 1.2},
    "r2plus1d_18 width=8": {"width": 8, "depth": 1, "input": (3, 9, 40, 48)},
    "resnet18 se shortcut=A": {"attention": nw.SqueezeExcite(8), "shortcut": "A", "width": 32},
    "resnet50 stride_in=1x1": {"stride_in": "1x1"},
    "wrn16_8_cifar10 dropout=0.3": {"dropout": 0.3, "widen": 2},
    "resnet20_cifar10 width=32": {"width": 32, "depth": 14},
    "unet depth=2": {
        "depth": 2,
        "width": 16,
        "classes": 5,
        "input": (3, 64, 48),
        "norm": nw.BatchNorm(),
    },
    "vgg11 thin": {"width": 8, "hidden": 64, "input": (1, 64, 96)},
}
DEEP = (
    "hrnet_w32",
    "hrnet_w48",
    "hrnetv1_w18",
    "hrnetv1_w48",
    "hrnetv2_w32",
    "hrnetv2_w48",
    "densenet264",
    "preresnet1001_cifar10",
    "preresnet152",
    "preresnet200",
    "pyramidnet164_a200_bn_cifar10",
    "pyramidnet164_a270_bn_cifar10",
    "pyramidnet200_a300",
    "pyramidnet200_a450",
    "pyramidnet272_a200_bn_cifar10",
    "resattnet452_cifar10",
    "resattnet92",
    "resnet1202_cifar10",
    "resnet1202_cifar10_a",
    "resnetv2_152",
    "se_inception_resnet_v2",
    "seresnet152",
    "stochastic_depth_resnet1202_cifar10",
)
"""Nets of so many units that whatever is done to each of them takes long."""


def marked(names):
    """Names as parameters of a test, the deep ones marked as slow."""
    return [pytest.param(name, marks=pytest.mark.slow) if name in DEEP else name for name in names]


CASES = marked([*nw.nets(), *_VARIANTS])
"""Names of nets, and of nets with options."""


def make(case: str) -> nw.Net:
    """The net of a case."""
    return nw.net(case.split(maxsplit=1)[0], **_VARIANTS.get(case, {}))


@lru_cache(maxsize=2)
def on_meta(case: str):
    """A net built without memory, in evaluation mode."""
    return make(case).build(device="meta", init="torch").eval()
