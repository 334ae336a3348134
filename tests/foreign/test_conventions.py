"""What other tools count, reproduced from plans."""

from __future__ import annotations

import pytest
import torch

import netwright as nw
from peers import peer

COUNTED = {
    "resnet50": {
        "torchinfo": 4_089_238_376,
        "ptflops": 4_089_185_256,
        "ultralytics-thop": 4_133_742_592,
        "netwright": 4_089_184_256,
    },
    "densenet201": {
        "torchinfo": 4_291_595_944,
        "ptflops": 4_291_366_888,
    },
    "mobilenet_v2": {
        "torchinfo": 300_809_384,
        "ptflops": 300_775_272,
    },
    "vgg16": {"torchinfo": 15_483_821_032, "ptflops": 15_483_821_032},
    "alexnet": {
        "torchinfo": 714_682_664,
        "ptflops": 714_682_664,
        "ultralytics-thop": 714_206_912,
    },
}
"""As the tools told in bench/peers.py."""

CASES = [(net, tool) for net, tools in COUNTED.items() for tool in tools]


@pytest.mark.parametrize(("name", "tool"), CASES)
def test_of_our_nets_and_of_theirs(name, tool):
    with torch.device("meta"):
        model = peer("torchvision", name)
    assert nw.count_as(nw.plan(model, (3, 224, 224)), tool) == COUNTED[name][tool]
    assert nw.count_as(nw.net(name).plan(), tool) == COUNTED[name][tool]


def _torchinfo(model, x):
    torchinfo = pytest.importorskip("torchinfo")
    return torchinfo.summary(model, input_data=x, verbose=0, device="meta").total_mult_adds


def _ptflops(model, x):
    ptflops = pytest.importorskip("ptflops")
    return ptflops.get_model_complexity_info(
        model, tuple(x.shape[1:]), backend="aten", as_strings=False, verbose=False,
        print_per_layer_stat=False, input_constructor=lambda _: x,
    )[0]  # fmt: skip


def _thop(model, x):
    return pytest.importorskip("thop").profile(model, inputs=(x,), verbose=False)[0]


def _fvcore(model, x):
    count = pytest.importorskip("fvcore.nn").FlopCountAnalysis
    count = count(model.to_empty(device="cpu"), torch.zeros(x.shape))
    return count.unsupported_ops_warnings(False).uncalled_modules_warnings(False).total()


PEERS = {
    "torchinfo": _torchinfo,
    "ptflops": _ptflops,
    "ultralytics-thop": _thop,
    "fvcore": _fvcore,
}


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("tool", PEERS)
@pytest.mark.parametrize("name", ["resnet18", "googlenet", "efficientnet_b0", "resnext50_32x4d"])
def test_the_tools_themselves(name, tool):
    with torch.device("meta"):
        model = peer("torchvision", name).eval()
    plan = nw.plan(model, (3, 224, 224))
    x = torch.empty(1, 3, 224, 224, device="meta")
    assert PEERS[tool](model, x) == nw.count_as(plan, tool)


def test_an_unknown_tool():
    with pytest.raises(nw.UnknownName, match="no tool is called 'torchinf'; near: torchinfo"):
        nw.count_as(nw.net("lenet5").plan(), "torchinf")
