"""Bytes of training, held against autograd's own and against what was allocated."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
import torch
from torch.profiler import ProfilerActivity, profile

import netwright as nw
from netwright.core.memory import OPTIMISERS
from netwright.core.net import Net
from oracles import kept_storages

NETS = (
    "lenet5", "alexnet", "resnet18", "resnet50", "densenet121", "mobilenet_v2", "googlenet",
    "squeezenet1_1", "mobilenet_v3_small", "efficientnet_b0", "shufflenet_v2_x1_0",
    "convnext_tiny", "seresnet50", "unet",
)  # fmt: skip


def saved(net: Net, batch: int = 2, dtype: torch.dtype = torch.float32) -> int:
    model = net.build(init="torch").to(dtype)
    kept, _ = kept_storages(model, torch.randn(batch, *net.input, dtype=dtype))
    return sum(kept.values())


@pytest.mark.slow
@pytest.mark.parametrize("name", NETS)
def test_saved_bytes_are_those_of_autograd(name):
    net = nw.net(name)
    if net.input[1:] > (64, 64):
        net = net.but(input=(net.input[0], 128, 128))
    need = net.plan(batch=2).training()
    assert need.unknown == ()
    assert need.saved == saved(net)


def test_halves_take_half():
    net = nw.net("resnet20_cifar10")
    plan = net.plan(batch=3, dtype="bf16")
    assert plan.dtype == "bfloat16"
    assert plan.training().saved == saved(net, 3, torch.bfloat16)


def test_what_nobody_reads_back_is_not_kept():
    fixed = nw.Sequential(pool=nw.MaxPool(2), act=nw.ReLU(), conv=nw.Conv(4), sum=nw.ReLU())
    net = Net(fixed, (3, 8, 8))
    assert net.plan(batch=2).training().saved == saved(net)
    views = nw.Sequential(conv=nw.Conv(4), flat=nw.Flatten(), act=nw.Sigmoid(), fc=nw.Linear(3))
    net = Net(views, (3, 8, 8))
    assert net.plan(batch=2).training().saved == saved(net)


def test_an_unknown_unit_is_named():
    net = Net(nw.Sequential(nw.Conv(4), nw.LpPool(), nw.Conv(4)), (3, 8, 8))
    assert net.plan().training().unknown == ("LpPool",)


def test_units_of_registered_nets_have_rules():
    units = {
        (row.unit, row.inputs, row.output) for name in nw.nets() for row in nw.net(name).plan()
    }
    unknown = {type(unit).__name__ for unit, xs, y in units if unit.kept(*xs, y=y) is None}
    assert unknown == {"LSTM"}  # its workspace is the device's own affair


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("cbam_resnet18", {"width": 8, "input": (3, 64, 64)}),
        ("channel_boosted_cnn", {"width": 8, "extra": 4}),
        ("conv_lstm", {"widths": (4, 3), "kernel": 3, "input": (4, 2, 24, 32)}),
        ("ecg_stft_cnn", {}),
        ("eegnet_8_2", {}),
        ("lenet5_original", {}),
    ],
)
def test_rarer_units_keep_what_autograd_keeps(name, options):
    net = nw.net(name, **options)
    assert net.plan(batch=2).training().saved == saved(net)


def test_frozen_parts_have_neither_gradients_nor_state():
    body = nw.Sequential(conv=nw.Conv(5), norm=nw.BatchNorm(), act=nw.Sigmoid())
    rest = nw.Sequential(conv=nw.Conv(4), flat=nw.Flatten(), fc=nw.Linear(2))
    net = Net(nw.Sequential(held=nw.Frozen(body), rest=rest), (3, 8, 8))
    plan = net.plan(batch=2)
    need = plan.training("adam")
    learnt = sum(row.params for row in plan if not row.frozen)
    model = net.build()
    assert learnt == sum(p.numel() for p in model.parameters() if p.requires_grad) < plan.params
    assert (need.gradients, need.state) == (4 * learnt, 8 * learnt)
    assert need.weights == plan.weight_bytes
    assert need.saved == saved(net)


def test_frozen_parts_that_gradients_pass_keep_at_most_as_if_they_learnt():
    body = nw.Sequential(conv=nw.Conv(5), norm=nw.BatchNorm(), drop=nw.Dropout(), act=nw.ReLU())
    net = Net(nw.Sequential(stem=nw.Conv(3), held=nw.Frozen(body)), (3, 8, 8))
    learning = Net(nw.Sequential(stem=nw.Conv(3), held=body), (3, 8, 8))
    need = net.plan(batch=2).training()
    assert need.gradients == 4 * (3 * 3 * 9 + 3)
    assert saved(net) <= need.saved == learning.plan(batch=2).training().saved


def allocated(net: Net, batch: int, tmp_path) -> int:
    """Most bytes alive in a forward and backward pass, beyond those before it."""
    model = net.build(init="torch").train()
    x = torch.randn(batch, *net.input)
    model(x).sum().backward()
    model.zero_grad()
    with profile(activities=[ProfilerActivity.CPU], profile_memory=True) as recorded:
        model(x).sum().backward()
    recorded.export_chrome_trace(str(tmp_path / "trace.json"))
    events = json.loads((tmp_path / "trace.json").read_text())["traceEvents"]
    events = sorted((e for e in events if e.get("name") == "[memory]"), key=lambda e: e["ts"])
    first = events[0]["args"]["Total Allocated"] - events[0]["args"]["Bytes"]
    return max(e["args"]["Total Allocated"] for e in events) - first


@pytest.mark.slow
@pytest.mark.parametrize("name", ["resnet18", "mobilenet_v2", "densenet121", "vgg11"])
def test_the_peak_is_what_is_allocated(name, tmp_path):
    net = nw.net(name).but(input=(3, 96, 96))
    need = net.plan(batch=4).training("sgd")
    mine = need.peak - need.weights - 4 * 4 * 3 * 96 * 96
    assert mine == pytest.approx(allocated(net, 4, tmp_path), rel=0.1)


@pytest.mark.parametrize("optimiser", [None, *OPTIMISERS])
def test_the_largest_batch_fits_and_the_next_does_not(optimiser):
    plan = nw.net("resnet20_cifar10").plan()

    def need(batch):
        at = replace(plan, batch=batch)
        return at.training(optimiser).peak if optimiser else at.memory

    for limit in (100 * 2**20, 2**30):
        most = plan.largest_batch(limit, optimiser)
        assert need(most) <= limit < need(most + 1)
    with pytest.raises(nw.BudgetError, match="one image"):
        plan.largest_batch(1000, optimiser)


def test_an_optimiser_by_another_name():
    with pytest.raises(nw.UnknownName, match=r"near: .*adamw"):
        nw.net("lenet5").plan().training("adamW")
