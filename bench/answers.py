"""Answers of trained nets: norms folded and bf16 against fp32, channels first.

    python bench/answers.py [--threads N] [--batch 16] [--small]

All take turns and the medians are compared. The bars depend on the processor: with AMX 5x on
ResNet-18 and 8x on ResNet-50, with AVX512-BF16 alone 2.5x on both.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path
from statistics import median

import torch
from step import resnet

import netwright as nw
from netwright.building import fast
from netwright.speed.machine import device_name

NETS = ("resnet18", "resnet50", "efficientnet_lite0")


def units() -> str:
    """What the processor multiplies bf16 with."""
    page = Path("/proc/cpuinfo")
    flags = page.read_text().split() if page.exists() else []
    return next((word for word in ("amx_bf16", "avx512_bf16") if word in flags), "no bf16")


def main() -> None:
    options = argparse.ArgumentParser()
    options.add_argument("--threads", type=int, default=torch.get_num_threads())
    options.add_argument("--batch", type=int, default=16, help="photos at once")
    options.add_argument("--small", action="store_true", help="that the script works, no figures")
    given = options.parse_args()
    torch.set_num_threads(given.threads)
    print(f"{device_name()} ({units()}), {given.threads} threads, torch {torch.__version__}\n")
    print("| net | batch | fp32 NCHW images/s | autocast | folded fp32 | folded bf16 |")
    print("| --- | ---: | ---: | ---: | ---: | ---: |")
    photos = [(name, nw.net(name, input=(3, 224, 224)), given.batch) for name in NETS]
    nets = [("resnet18, CIFAR stem", resnet(), 128), *photos]
    for name, net, batch in nets[:1] if given.small else nets:
        row(name, net, 4 if given.small else batch, 2 if given.small else 8)


def row(name: str, net: nw.Net, batch: int, rounds: int) -> None:
    model, x = net.build(seed=0).eval(), torch.randn(batch, *net.input)
    last = net.build(seed=0).eval().to(memory_format=torch.channels_last)
    y = x.contiguous(memory_format=torch.channels_last)
    exact, short = fast(model), fast(model, torch.bfloat16)

    def cast() -> torch.Tensor:
        with torch.autocast("cpu", torch.bfloat16):
            return last(y)

    calls = {
        "base": lambda: model(x),
        "autocast": cast,
        "fp32": lambda: exact(x),
        "bf16": lambda: short(x),
    }
    taken: dict[str, list[float]] = {word: [] for word in calls}
    with torch.inference_mode():
        for _ in range(rounds):
            for word, call in calls.items():
                began = time.perf_counter()
                call()
                taken[word].append(time.perf_counter() - began)
    seconds = {word: median(rows[1:]) for word, rows in taken.items()}
    ratios = " | ".join(f"{seconds['base'] / own:.2f}x" for own in list(seconds.values())[1:])
    print(f"| {name} | {batch} | {batch / seconds['base']:.0f} | {ratios} |", flush=True)


if __name__ == "__main__":
    main()
