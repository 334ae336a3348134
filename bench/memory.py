"""Planned beside real bytes of a training step: what autograd keeps, and what is allocated."""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path

import torch
from torch.profiler import ProfilerActivity, profile

import netwright as nw
from netwright.core.net import Net

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
from oracles import kept_storages

NETS = (
    "alexnet", "vgg11", "resnet18", "resnet50", "densenet121", "mobilenet_v2", "googlenet",
    "squeezenet1_1", "mobilenet_v3_small", "efficientnet_b0", "shufflenet_v2_x1_0",
    "convnext_tiny", "inception_v3", "seresnet50",
)  # fmt: skip
BATCH = 8


def kept(net: Net) -> int:
    """Bytes that `saved_tensors_hooks` sees, parameters and buffers left out."""
    storages, _ = kept_storages(net.build(init="torch"), torch.randn(BATCH, *net.input))
    return sum(storages.values())


def allocated(net: Net) -> int:
    """Most bytes that PyTorch held in a forward and backward pass, beyond those before it."""
    model = net.build(init="torch").train()
    x = torch.randn(BATCH, *net.input)

    def step() -> None:
        made = model(x)
        out = sum(v.sum() for v in made.values()) if isinstance(made, dict) else made.sum()
        out.backward()

    step()
    model.zero_grad()
    with profile(activities=[ProfilerActivity.CPU], profile_memory=True) as recorded:
        step()
    with tempfile.TemporaryDirectory() as folder:
        trace = Path(folder, "trace.json")
        recorded.export_chrome_trace(str(trace))
        events = json.loads(trace.read_text())["traceEvents"]
    events = sorted((e for e in events if e.get("name") == "[memory]"), key=lambda e: e["ts"])
    first = events[0]["args"]["Total Allocated"] - events[0]["args"]["Bytes"]
    return max(e["args"]["Total Allocated"] for e in events) - first


if __name__ == "__main__":
    print("| net | kept, planned MB | kept, real | ratio | peak, planned | allocated | ratio |")
    print("| --- | --- | --- | --- | --- | --- | --- |")
    for name in NETS:
        net = nw.net(name)
        need = net.plan(batch=BATCH).training("sgd")
        peak = need.peak - need.weights - torch.Size((BATCH, *net.input)).numel() * 4
        real, most = kept(net), allocated(net)
        cells = [f"{need.saved / 2**20:.1f}", f"{real / 2**20:.1f}", f"{need.saved / real:.4f}",
                 f"{peak / 2**20:.1f}", f"{most / 2**20:.1f}", f"{peak / most:.3f}"]  # fmt: skip
        print(f"| {name} | {' | '.join(cells)} |", flush=True)
