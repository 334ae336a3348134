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


CONV = nw.Conv(4)
DEPTHWISE = nw.DepthwiseConv()
FROZEN = nw.Frozen(CONV)
HEAD = nw.Tap(nw.Sequential(nw.GlobalAvgPool(), nw.Linear(3)))
NAMED = {
    "gap": nw.Sequential(a=nw.Sequential(**{"1": CONV, "2": nw.ReLU()})),
    "gap at the root": nw.Sequential(**{"1": CONV, "2": nw.ReLU(), "5": CONV}),
    "swapped": nw.Sequential(**{"1": CONV, "0": DEPTHWISE}),
    "behind a name": nw.Sequential(a=CONV, **{"0": DEPTHWISE, "1": CONV}),
    "before a name": nw.Sequential(CONV, DEPTHWISE, b=CONV),
    "gap before a name": nw.Sequential(**{"0": CONV, "2": DEPTHWISE}, b=CONV),
    "two digits": nw.Sequential(**{"00": CONV, "01": CONV}),
    "no names of Python": nw.Sequential(**{"class": CONV, "a b": CONV}),
    "sum": nw.Sum(**{"1": CONV, "2": DEPTHWISE}),
    "sum in a chain": nw.Sequential(a=nw.Sum(**{"1": CONV, "2": DEPTHWISE})),
    "sum of chains": nw.Sequential(
        a=nw.Sum(nw.Sequential(**{"1": CONV, "3": CONV}), nw.Sequential(**{"7": CONV}))
    ),
    "graph": nw.Graph(**{"0": CONV, "3": CONV, "out": nw.Node(nw.Add(), "0", "3")}),
    "numbered join": nw.Graph(CONV, CONV, nw.Node(nw.Add(), "0", "1")),
    "frozen": nw.Sequential(FROZEN, nw.ReLU()),
    "frozen in a chain": nw.Sequential(a=nw.Sequential(FROZEN, nw.ReLU())),
    "frozen behind gaps": nw.Sequential(
        **{"class": FROZEN, "5": FROZEN}, g=nw.Sequential(**{"4": FROZEN, "5": CONV})
    ),
    "tap": nw.Sequential(CONV, HEAD, nw.GlobalAvgPool()),
    "tap in a chain": nw.Sequential(a=nw.Sequential(CONV, HEAD), g=nw.GlobalAvgPool()),
    "tap behind gaps": nw.Sequential(**{"1": CONV, "3": HEAD, "class": HEAD}, g=nw.GlobalAvgPool()),
    "streams": nw.Sequential(
        f=nw.Fork(**{"1": CONV, "2": CONV}),
        p=nw.Sequential(**{"1": nw.Parallel(CONV, CONV), "3": nw.Parallel(CONV, CONV)}),
        q=nw.Parallel(**{"1": CONV, "4": CONV}),
        s=nw.Sum(**{"1": CONV, "2": CONV}),
    ),
}  # fmt: skip
"""Parts whose names are no count from 0, as after `without`, and parts that are reached by them."""


@pytest.mark.parametrize("case", NAMED)
def test_parts_keep_their_names(case):
    net = nw.Net(NAMED[case], (4, 6, 6))
    assert list(written(net)().state_dict()) == list(net.build(device="meta").state_dict())
    assert_equal(net, torch.randn(2, 4, 6, 6))


THIN = {
    "resnet18": {"width": 4, "input": (3, 32, 32)},
    "vgg11_bn": {"width": 4, "hidden": 8, "input": (3, 32, 32)},
    "mobilenet_v3_small": {"width": 0.25, "input": (3, 32, 32)},
    "densenet121": {"growth": 4, "depths": (2, 3), "input": (3, 32, 32)},
    "googlenet": {"input": (3, 64, 64)},
}


@pytest.mark.parametrize("name", nw.rules())
def test_nets_after_every_rule_are_written_with_their_keys(name):
    """Of the first thin net that the rule fits, and of parts taken out of it."""
    given = {"act": "GELU", "aux-head": "stage2", "channels": "4", "classes": "7",
             "global-pool": "GeM", "norm": "LayerNorm", "pool": "AvgPool",
             "width": "stage1.0.conv,8", "without": "stage1.0"}  # fmt: skip
    rule = f"{name}:{given[name]}" if name in given else name
    for thin, options in THIN.items():
        try:
            net = nw.net(thin, **options).rewrite(rule)
        except (nw.RuleError, nw.UnknownName):
            continue
        break
    else:
        pytest.fail(f"{rule} fits no net")
    with torch.device("meta"):
        found = written(net)().state_dict()
    wanted = net.build(device="meta", init="torch").state_dict()
    assert {k: v.shape for k, v in found.items()} == {k: v.shape for k, v in wanted.items()}


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
