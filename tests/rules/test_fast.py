"""Nets made fast to ask say what they said before, whatever is computed inside what."""

from __future__ import annotations

import pytest
import torch

import netwright as nw
from netwright.building import fast
from netwright.core.net import Net
from netwright.errors import RuleError

IMAGE = (4, 12, 12)
CONV, NORMED = nw.Conv(4), nw.conv_norm(4)
KEPT = nw.Shared(nw.Sequential(conv=CONV, act=nw.ReLU()), "kept")
ACT = nw.ReLU()

CASES = {
    "chain": (nw.Sequential(a=nw.conv_norm_act(6), b=nw.conv_norm_act(8, stride=2)), 2, 0),
    "relu6": (nw.Sequential(c=CONV, act=nw.ReLU6()), 1, 0),
    "silu": (nw.Sequential(c=CONV, act=nw.SiLU()), 1, 0),
    "hard swish": (nw.Sequential(c=CONV, act=nw.HardSwish()), 1, 0),
    "another activation": (nw.Sequential(c=CONV, act=nw.ELU()), 1, 0),
    "depthwise": (nw.Sequential(c=nw.DepthwiseConv(), act=ACT), 1, 0),
    "residual": (nw.Sequential(s=nw.Sum(body=NORMED, short=nw.Identity()), act=ACT), 1, 1),
    "projected": (nw.Sequential(s=nw.Sum(body=NORMED, short=NORMED), act=ACT), 2, 1),
    "no activation behind the sum": (nw.Sum(body=NORMED, short=nw.Identity()), 1, 1),
    "three to sum": (nw.Sequential(s=nw.Sum(CONV, CONV, nw.Identity()), act=ACT), 2, 0),
    "the same twice": (
        nw.Graph(a=CONV, out=nw.Node(nw.Add(), "a", "a")), 1, 0
    ),
    "read by two": (
        nw.Graph(a=CONV, r=nw.Node(ACT, "a"), out=nw.Node(nw.Add(), "r", "a")), 1, 0
    ),
    "sum read by two": (
        nw.Graph(a=CONV, s=nw.Node(nw.Add(), "a", "input"), r=nw.Node(ACT, "s"),
                 out=nw.Node(nw.Add(), "r", "s")), 1, 1
    ),
    "a sum of sums": (
        nw.Sum(x=nw.Sum(a=CONV, b=CONV), y=nw.Sum(a=CONV, b=nw.Identity())), 3, 2
    ),
    "shared": (nw.Sequential(a=KEPT, b=KEPT, c=CONV, act=ACT), 1, 0),
    "gated": (
        nw.Gate(body=CONV, gate=nw.Sequential(p=nw.GlobalAvgPool(keep=True), c=CONV,
                                              act=nw.Sigmoid())), 2, 0
    ),
    "reflected": (nw.Sequential(c=nw.Conv(4, border="reflect"), act=ACT), 0, 0),
    "tapped": (nw.Sequential(c=CONV, t=nw.Tap(nw.GlobalAvgPool()), act=ACT), 1, 0),
    "returned": (
        nw.Graph(a=CONV, r=nw.Node(ACT, "a"), out=nw.Node(nw.Sequential(), "a")), 1, 0
    ),
    "one unit": (CONV, 0, 0),
    "nothing to fuse": (nw.Sequential(f=nw.Flatten(), l=nw.Linear(3), act=ACT), 0, 0),
}  # fmt: skip
"""Specs, the convolutions that are packed, and the sums that are computed inside one."""


def asked(net, seed=1):
    """The model of a net, its norms as if it had learnt, in evaluation mode."""
    model, draw = net.build(seed=0, init="torch"), torch.Generator().manual_seed(seed)
    for module in model.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.running_mean.normal_(0, 0.1, generator=draw)
            module.running_var.uniform_(0.5, 2, generator=draw)
            module.bias.data.normal_(0, 0.2, generator=draw)
    return model.eval()


def images(net, count=3, side=None):
    shape = net.input if side is None else (net.input[0], side, side)
    return torch.randn(count, *shape, generator=torch.Generator().manual_seed(2))


def kinds(model):
    return [type(module).__name__ for module in model.modules()]


@torch.inference_mode()
@pytest.mark.parametrize("case", CASES)
def test_outputs_stay(case):
    spec, packed, sums = CASES[case]
    net = Net(spec, IMAGE)
    model, x = asked(net), images(net)
    wanted, twin = model(x), fast(model)
    torch.testing.assert_close(twin(x), wanted, rtol=0, atol=1e-5 * float(wanted.abs().max()))
    assert kinds(twin).count("_Packed") == packed
    assert kinds(twin).count("_Sum") == sums
    torch.testing.assert_close(model(x), wanted, rtol=0, atol=0)


NETS = {
    "resnet18": {"width": 16},
    "mobilenet_v2": {"width": 0.25},
    "efficientnet_lite0": {},
    "densenet100_k12_bc_cifar10": {"depth": 22},
    "googlenet_bn": {"classes": 5},
    "vgg11": {"width": 8, "hidden": 32},
}


@torch.inference_mode()
@pytest.mark.parametrize("name", NETS)
def test_nets_answer_alike_at_any_size_and_in_half_the_bits(name):
    side = 32 if "cifar" in name else 64
    net = nw.net(name, input=(3, side, side), **NETS[name])
    model = asked(net)
    exact, short = fast(model), fast(model, torch.bfloat16)
    for count, x_side in ((2, side), (3, side if name == "vgg11" else side + 32)):
        x = images(net, count, x_side)
        wanted = model(x)
        scale = float(wanted.abs().max())
        torch.testing.assert_close(exact(x), wanted, rtol=0, atol=1e-4 * scale)
        assert short(x).dtype == torch.float32
        assert float((short(x) - wanted).norm() / wanted.norm()) < 0.1
    assert not any(kind == "BatchNorm2d" for kind in kinds(exact)) or "densenet" in name


def test_what_is_no_built_net_is_refused():
    with pytest.raises(RuleError, match="not built from a net"):
        fast(torch.nn.Conv2d(3, 4, 3))


@torch.inference_mode()
@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16, torch.float64])
def test_types_that_onednn_lacks_are_computed_without_it(dtype, monkeypatch):
    """As on processors that do not multiply bfloat16."""
    monkeypatch.setattr(torch.ops.mkldnn, "_is_mkldnn_bf16_supported", lambda: False)
    net = Net(CASES["residual"][0], IMAGE)
    model, x = asked(net), images(net)
    twin = fast(model, dtype)
    assert not {"_Packed", "_Sum"} & {*kinds(twin)}
    torch.testing.assert_close(twin(x), model(x), atol=0.05, rtol=0.05)
