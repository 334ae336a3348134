"""Netwright beside the counting tools people use: speed, multiply-adds, and eight hard cases.

One run, interleaved: in every round each tool meets each net three times in a row, with models
made anew on the meta device, as most tools change the one they are given. In-process figures
are medians of CPU milliseconds of one thread; cold ones are of a fresh process, imports included.

    python bench/peers.py [rounds]
"""

from __future__ import annotations

import gc
import logging
import os
import subprocess
import sys
import time
import warnings
from collections.abc import Callable, Sequence
from contextlib import redirect_stderr, redirect_stdout
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any

import torch
import torch.nn.functional as F
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

import netwright as nw
from netwright.nets import registry

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
from peers import library, peer

NETS = {
    "alexnet": ("alexnet", 224),
    "vgg16": ("vgg16", 224),
    "googlenet_bn": ("googlenet", 224),
    "resnet50": ("resnet50", 224),
    "resnet152": ("resnet152", 224),
    "densenet201": ("densenet201", 224),
    "mobilenet_v2": ("mobilenet_v2", 224),
    "efficientnet_b7": ("efficientnet_b7", 600),
    "inception_v3": ("inception_v3", 299),
}
"""Our name, torchvision's name, and the side of the image."""


def torchinfo(model: nn.Module, x: torch.Tensor) -> int:
    import torchinfo

    return torchinfo.summary(model, input_data=x, verbose=0, device=x.device).total_mult_adds


def ptflops(model: nn.Module, x: torch.Tensor) -> int:
    from ptflops import get_model_complexity_info

    return get_model_complexity_info(
        model, tuple(x.shape[1:]), backend="aten", as_strings=False, verbose=False,
        print_per_layer_stat=False, input_constructor=lambda _: x,
    )[0]  # fmt: skip


def thop(model: nn.Module, x: torch.Tensor) -> int:
    import thop

    return int(thop.profile(model, inputs=(x,), verbose=False)[0])


def flop_counter(model: nn.Module, x: torch.Tensor) -> int:
    counter = FlopCounterMode(display=False)
    with counter, torch.no_grad():
        model(x)
    return counter.get_total_flops() // 2


def netwright(model: nn.Module, x: torch.Tensor) -> int:
    return nw.plan(model, x).macs


TOOLS = {
    "torchinfo": torchinfo,
    "ptflops (aten)": ptflops,
    "ultralytics-thop": thop,
    "FlopCounterMode": flop_counter,
    "netwright": netwright,
}
OURS = "netwright"


def timed(action: Callable[[Any], object], given: Sequence[Any]) -> tuple[float, Any]:
    """Median CPU milliseconds of calls one after the other, and what the last one returned."""
    gc.collect()
    taken: list[float] = []
    made = None
    for one in given:
        start = time.process_time()
        made = action(one)
        taken.append((time.process_time() - start) * 1e3)
    return median(taken), made


def spec(name: str, input: tuple[int, ...]) -> int:
    """MACs of our net of that name, made anew."""
    return registry.entry(name)(input).plan().macs


def construct(name: str) -> nn.Module:
    """A torchvision net on the meta device, in evaluation."""
    with torch.device("meta"):
        return peer("torchvision", name).eval()


# ------------------------------------------------------------------- in process


def in_process(rounds: int) -> None:
    """Milliseconds of every tool for every net, with and without construction."""
    times: dict[tuple[str, str], list[float]] = {}
    counts: dict[tuple[str, str], object] = {}
    for turn in range(rounds + 1):
        for name, (theirs, size) in NETS.items():
            x = torch.empty(1, 3, size, size, device="meta")
            taken = {
                "spec": timed(lambda s, n=name: registry.entry(n)((3, s, s)).plan(), [size] * 3)[0]
            }
            for tool, action in TOOLS.items():
                models = [construct(theirs) for _ in range(3)]
                taken[tool], counts[name, tool] = timed(lambda m, f=action, x=x: f(m, x), models)
            taken["construction"], _ = timed(construct, [theirs] * 3)
            for tool, ms in taken.items() if turn else ():  # the first round warms up
                times.setdefault((name, tool), []).append(ms)
    _print_speed({key: median(ms) for key, ms in times.items()})
    _print_counts(counts)


def _print_speed(ms: dict[tuple[str, str], float]) -> None:
    others = [tool for tool in TOOLS if tool != OURS]
    print("\nCPU milliseconds; `spec` names the net and plans it, the others are given a module.\n")
    print(f"| net | construction | {' | '.join(others)} | netwright, module | of the fastest "
          "| netwright, spec | of construction + the fastest |")  # fmt: skip
    print("| --- " + "| ---: " * (len(others) + 5) + "|")
    for name in NETS:
        best = min(ms[name, tool] for tool in others)
        own, spec, made = ms[name, OURS], ms[name, "spec"], ms[name, "construction"]
        cells = [f"{made:.1f}", *[f"{ms[name, tool]:.1f}" for tool in others], f"{own:.1f}",
                 f"{best / own:.1f}x", f"{spec:.2f}", f"{(made + best) / spec:.0f}x"]  # fmt: skip
        print(f"| {name} | {' | '.join(cells)} |")


def _print_counts(counts: dict[tuple[str, str], object]) -> None:
    print("\nMultiply-adds; FlopCounterMode / 2 is the reference.\n")
    print(f"| net | {' | '.join(TOOLS)} | netwright, spec |")
    print("| --- " + "| ---: " * (len(TOOLS) + 1) + "|")
    for name, (_, size) in NETS.items():
        spec = nw.net(name, input=(3, size, size)).plan().macs
        cells = [f"{counts[name, tool]:,}" for tool in TOOLS]
        print(f"| {name} | {' | '.join(cells)} | {spec:,} |")


# ------------------------------------------------------------------ eight cases


class Calls(nn.Module):
    """A module whose forward pass calls a function with its weights."""

    def __init__(self, function: Callable[..., torch.Tensor], *shapes: tuple[int, ...]) -> None:
        super().__init__()
        self.function = function
        self.weights = nn.ParameterList(nn.Parameter(torch.ones(shape)) for shape in shapes)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.function(x, *self.weights)


class Attends(nn.Module):
    """Multi-head attention of a sequence to itself."""

    def __init__(self) -> None:
        super().__init__()
        self.attention = nn.MultiheadAttention(64, 8, batch_first=True)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.attention(x, x, x)[0]


@torch.library.custom_op("netwright_bench::mix", mutates_args=())
def mix(x: torch.Tensor, w: torch.Tensor) -> torch.Tensor:
    return x @ w


@mix.register_fake
def _(x: torch.Tensor, w: torch.Tensor) -> torch.Tensor:
    return x.new_empty((*x.shape[:-1], w.shape[1]))


CASES: dict[str, tuple[Callable[[], nn.Module], tuple[int, ...], int]] = {
    "functional conv": (
        partial(Calls, lambda x, w: F.conv2d(x, w, padding=1), (16, 8, 3, 3)), (8, 16, 16), 294_912,
    ),
    "matmul and einsum": (
        partial(Calls, lambda x, w: torch.einsum("btf,fg->btg", x @ w, w), (32, 32)), (10, 32),
        20_480,
    ),
    "attention": (
        partial(Calls, lambda x: F.scaled_dot_product_attention(x, x, x)), (4, 10, 16), 12_800,
    ),
    "multi-head attention": (Attends, (10, 64), 176_640),
    "transposed conv, stride 2": (
        partial(nn.ConvTranspose2d, 16, 32, 2, stride=2, bias=False), (16, 16, 16), 524_288,
    ),
    "3-D linear": (partial(nn.Linear, 64, 32), (10, 64), 20_480),
    "LSTM": (partial(nn.LSTM, 32, 48, batch_first=True), (10, 32), 153_600),
    "custom operator": (partial(Calls, mix, (64, 32)), (10, 64), 20_480),
}  # fmt: skip


def eight_cases() -> None:
    """What every tool counts where most of them lose something; modules on the CPU."""
    print("\n| case | truth | " + " | ".join(TOOLS) + " |")
    print("| --- " + "| ---: " * (len(TOOLS) + 1) + "|")
    for case, (make, shape, truth) in CASES.items():
        cells = [f"{truth:,}"]
        for action in TOOLS.values():
            try:
                with redirect_stderr(None), redirect_stdout(None):
                    counted = action(make().eval(), torch.ones(1, *shape))
                cells.append(f"{counted:,}")
            except Exception as error:  # noqa: BLE001  what a tool does here is the finding
                cells.append(type(error).__name__)
        plan = nw.plan(make(), shape)
        if plan.partial:
            cells[-1] += f", told: {', '.join(plan.partial)}"
        print(f"| {case} | {' | '.join(cells)} |")
    nw.count(torch.ops.netwright_bench.mix)(lambda x, w: x.numel() * w.shape[1])
    print(f"\nThe custom operator after one line of registration: "
          f"{nw.plan(Calls(mix, (64, 32)), (10, 64)).macs:,}.")  # fmt: skip


# ------------------------------------------------------------------- cold process

PRELUDE = """
import sys, torch
sys.path.insert(0, {tests!r})
from peers import peer
with torch.device("meta"):
    model = peer("torchvision", "resnet50").eval()
x = torch.empty(1, 3, 224, 224, device="meta")
"""
COLD = {
    "torchinfo": "import torchinfo\ntorchinfo.summary(model, input_data=x, device='meta')",
    "ultralytics-thop": "import thop\nthop.profile(model, inputs=(x,))",
    "FlopCounterMode": "from torch.utils.flop_counter import FlopCounterMode\n"
    "with FlopCounterMode(), torch.no_grad(): model(x)",
}


def cold(rounds: int) -> None:
    """Seconds by the clock and of the CPU of a fresh process that prints ResNet-50's costs."""
    prelude = PRELUDE.format(tests=str(Path(__file__).parents[1] / "tests"))
    commands = {tool: [sys.executable, "-c", prelude + code] for tool, code in COLD.items()}
    script = str(Path(sys.executable).with_name("netwright"))
    commands["netwright summary resnet50"] = [script, "summary", "resnet50"]
    runs: dict[str, list[tuple[float, float]]] = {tool: [] for tool in commands}
    for _ in range(rounds):
        for tool, command in commands.items():
            runs[tool].append(_spent(command))
    print("\n| cold process, ResNet-50 | seconds by the clock | of the CPU |")
    print("| --- | ---: | ---: |")
    for tool, spent in runs.items():
        wall, cpu = (median(column) for column in zip(*spent, strict=True))
        print(f"| {tool} | {wall:.2f} | {cpu:.2f} |")


def _spent(command: list[str]) -> tuple[float, float]:
    start = time.perf_counter()
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"{' '.join(command)} ended with {process.returncode}")
    return time.perf_counter() - start, usage.ru_utime + usage.ru_stime


def main(rounds: int = 5) -> None:
    warnings.simplefilter("ignore")
    logging.disable(logging.ERROR)
    torch.set_num_threads(1)
    library("torchvision")
    in_process(rounds)
    eight_cases()
    cold(rounds)
    print(f"\nMedians of {rounds} interleaved rounds; load {os.getloadavg()[0]:.1f} at the end.")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:2]))
