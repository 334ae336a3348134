"""A written file is the net: the same keys, and with the same weights the same outputs."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
import torch

import netwright as nw
from zoo import CASES, make, on_meta

GOLDEN = Path(__file__).with_name("golden")
RUN = {
    "lenet5": {},
    "lenet5_original": {},
    "resnet18": {"width": 8, "input": (3, 64, 64)},
    "googlenet": {"aux": True, "classes": 7},
    "densenet121": {"growth": 4, "depths": (2, 3), "input": (3, 64, 64)},
    "unet": {"width": 4, "depth": 3, "input": (1, 32, 32)},
}
"""Nets that are executed, small."""


def written(net):
    """The class of a net, from its source, which imports no netwright."""
    text = net.source()
    assert not re.search(r"^\s*(from|import) netwright", text, re.MULTILINE)
    space = {"__name__": "written"}
    exec(compile(text, net.name, "exec"), space)
    return [v for v in space.values() if getattr(v, "__module__", "") == "written"][-1]


def as_dict(outputs):
    return outputs if isinstance(outputs, dict) else {"out": outputs}


@pytest.mark.parametrize("case", CASES)
def test_every_net_is_written_with_its_keys_and_shapes(case):
    net, model = make(case), on_meta(case)
    with torch.device("meta"):
        other = written(net)()
    shapes = {key: value.shape for key, value in model.state_dict().items()}
    assert {key: value.shape for key, value in other.state_dict().items()} == shapes
    x = torch.empty(2, *net.input, device="meta")
    for mode in (True, False):
        wanted, found = as_dict(model.train(mode)(x)), as_dict(other.train(mode)(x))
        assert list(found) == list(wanted)
        assert all(found[name].shape == wanted[name].shape for name in wanted)


@pytest.mark.parametrize("name", RUN)
def test_outputs_are_equal(name):
    net = nw.net(name, **RUN[name])
    model, other = net.build(seed=1), written(net)()
    other.load_state_dict(model.state_dict(), strict=True)
    x = torch.randn(2, *net.input, generator=torch.Generator().manual_seed(2))
    for mode in (True, False):
        torch.manual_seed(3)
        wanted = as_dict(model.train(mode)(x))
        torch.manual_seed(3)
        found = as_dict(other.train(mode)(x))
        for key, value in wanted.items():
            torch.testing.assert_close(found[key], value, rtol=0, atol=0, msg=f"{name}: {key}")
    assert {k: v.tolist() for k, v in other.named_buffers()} == {
        k: v.tolist() for k, v in model.named_buffers()
    }


@pytest.mark.parametrize("name", ["lenet5", "resnet18", "unet"])
def test_source_is_as_it_was(name):
    assert nw.net(name).source() == (GOLDEN / f"{name}.py").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", ["resnet18", "mobilenet_v2"])
def test_source_is_formatted(name):
    text = nw.net(name).source()
    ruff = [sys.executable, "-m", "ruff", "format", "--line-length", "100", "-"]
    made = subprocess.run(ruff, input=text, capture_output=True, text=True, check=True)
    assert made.stdout == text


def test_classes_are_an_argument():
    model = written(nw.net("resnet18"))(classes=7)
    assert model.head.fc.out_features == 7
