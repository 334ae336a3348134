"""A written file is the net: the same keys, and with the same weights the same outputs."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from kit import SAMPLES

import netwright as nw
from netwright.cli import main
from zoo import CASES, make, on_meta

GOLDEN = Path(__file__).with_name("golden")
RUN = {
    "lenet5": {},
    "lenet5_original": {},
    "resnet18": {"width": 8, "input": (3, 64, 64)},
    "googlenet": {"aux": True, "classes": 7, "input": (3, 112, 112)},
    "inception_road_6_alike": {"classes": 7, "input": (3, 112, 112)},
    "deeplabv3_resnet50": {"aux": True, "width": 8, "rates": (2, 3), "input": (3, 64, 96)},
    "densenet121": {"growth": 4, "depths": (2, 3), "input": (3, 64, 64)},
    "mobilenet_v2": {"width": 0.1, "input": (3, 64, 64)},
    "efficientnet_b0": {"width": 0.5, "input": (3, 64, 64)},
    "shufflenet_v2_x0_5": {"input": (3, 64, 64)},
    "hrnet_w18": {"width": 2, "modules": (1,), "input": (3, 32, 32)},
    "highway19_cifar10": {},
    "darts": {"aux": True, "depth": 4, "width": 8, "drop": 0.1},
    "cmpe_se_wrn28_10_2x1_cifar10": {"widen": 1},
    "channel_boosted_cnn": {},
    "conv_lstm": {"widths": (4, 3), "kernel": 3, "input": (4, 2, 24, 32)},
    "eegnet_4_2": {},
    "ecg_stft_cnn": {},
    "polynet": {"depths": (1, 1, 1), "input": (3, 139, 139)},
    "unet_scse": {"width": 16, "depth": 2, "input": (1, 32, 32)},
}
"""Nets that are executed, small: every wiring, and layers of our own."""
FIXED = ("FilterBank", "GaborBank", "WeightedPool")
"""Units that hold numbers somebody chose, which their modules do not tell."""


SEEN = set()
"""Statements of all `forward`s of nets that were run on no device."""


def written(net, text=None):
    """The class of a net, from its source, which imports no netwright."""
    text = text or net.source()
    assert not re.search(r"^\s*(from|import) netwright", text, re.MULTILINE)
    space = {"__name__": "written"}
    exec(compile(text, net.name, "exec"), space)
    return [v for v in space.values() if getattr(v, "__module__", "") == "written"][-1]


def as_dict(outputs):
    return outputs if isinstance(outputs, dict) else {"out": outputs}


def assert_equal(net, x, modes=(True, False)):
    """The written net is the built one on `x`, in these modes, to the last bit."""
    model, other = net.build(seed=1), written(net)()
    other.load_state_dict(model.state_dict(), strict=True)
    for mode in modes:
        torch.manual_seed(3)
        wanted = as_dict(model.train(mode)(x))
        torch.manual_seed(3)
        found = as_dict(other.train(mode)(x))
        assert list(found) == list(wanted)
        for name, value in wanted.items():
            torch.testing.assert_close(found[name], value, rtol=0, atol=0, equal_nan=True)
    for (name, value), buffer in zip(model.named_buffers(), other.buffers(), strict=True):
        assert torch.equal(value, buffer), name


@pytest.mark.parametrize("case", CASES)
def test_every_net_is_written_with_its_keys_and_shapes(case):
    net, model = make(case), on_meta(case)
    text = net.source()
    with torch.device("meta"):
        other = written(net, text)()
    wanted = {key: value.shape for key, value in model.state_dict().items()}
    assert {key: value.shape for key, value in other.state_dict().items()} == wanted
    assert sum(p.numel() for p in other.parameters()) == net.plan().params  # shared ones once
    forwards = re.sub(
        r"\[\d+\]", "[]", "".join(re.findall(r"    def forward.*?\n\n", text, re.DOTALL))
    )
    if forwards in SEEN:
        return  # deeper or wider than a net that has run
    SEEN.add(forwards)
    taps = getattr(model, "taps", ())  # what training returns beside the output
    with torch.inference_mode():
        outputs = as_dict(other.train(bool(taps))(torch.empty(2, *net.input, device="meta")))
    assert outputs["out"].shape[1:] == net.plan().output
    assert set(outputs) == {"out", *taps}


@pytest.mark.parametrize("name", RUN)
def test_outputs_are_equal(name):
    net = nw.net(name, **RUN[name])
    assert_equal(net, torch.randn(2, *net.input, generator=torch.Generator().manual_seed(2)))


@pytest.mark.parametrize("name", sorted({*SAMPLES} - {*FIXED}))
def test_every_unit_is_written(name):
    for sample in SAMPLES[name]:
        if len(sample.shapes) == 1:
            net = nw.Net(nw.Sequential(unit=sample.unit), sample.shapes[0])
            assert_equal(net, *sample.tensors(), modes=(False,))


@pytest.mark.parametrize("unit", [nw.FilterBank("box"), nw.GaborBank()])
def test_what_cannot_be_written_is_said(unit):
    with pytest.raises(nw.NetwrightError, match="FilterBank cannot be written as source"):
        nw.Net(nw.Sequential(bank=unit), (3, 16, 16)).source()


def test_a_net_of_one_unit_is_a_function():
    net = nw.Net(nw.Conv(8, 3), (3, 16, 16), "one")
    assert_equal(net, torch.randn(2, 3, 16, 16))


def test_classes_are_an_argument():
    model = written(nw.net("resnet18"))(classes=7)
    assert model.head.fc.out_features == 7


def test_frozen_parts_stay_frozen():
    model = written(nw.net("channel_boosted_cnn"))().train()
    frozen = model.boost.auxiliary
    assert not any(module.training for module in frozen.modules())
    assert not any(parameter.requires_grad for parameter in frozen.parameters())
    assert model.stage1.training


@pytest.mark.parametrize("name", ["googlenet", "lenet5", "resnet18"])
def test_source_is_as_it_was(name):
    """The golden files; `netwright source NAME --out FILE` writes them anew."""
    assert nw.net(name).source() == (GOLDEN / f"{name}.py").read_text(encoding="utf-8")


def test_source_is_formatted(tmp_path):
    for name in ("resnet50", "mobilenet_v3_large", "inception_v3", "darts", "hrnet_w18", "polynet"):
        (tmp_path / f"{name}.py").write_text(nw.net(name).source())
    ruff = [sys.executable, "-m", "ruff"]
    for command in (["format", "--diff"], ["check", "--isolated", "--select", "E,F,I,W,B"]):
        options = ["--line-length", "100", str(tmp_path)]
        made = subprocess.run(
            [*ruff, *command, *options], capture_output=True, text=True, check=False
        )
        assert made.returncode == 0, made.stdout


def test_the_file_runs(tmp_path, capsys):
    path = tmp_path / "lenet5.py"
    with pytest.raises(SystemExit) as stop:
        main(["source", "lenet5", "--classes", "7", "--out", str(path)])
    assert not stop.value.code
    alone = [sys.executable, "-W", "ignore", str(path)]
    made = subprocess.run(alone, capture_output=True, text=True, check=True)
    assert made.stdout == "torch.Size([1, 7])\n"


def test_the_command_prints_the_file(capsys):
    with pytest.raises(SystemExit):
        main(["source", "lenet5"])
    assert capsys.readouterr().out == nw.net("lenet5").source()
