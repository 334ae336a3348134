"""Deformable convolution against a plain one and one by im2col: time and memory.

Forward and backward at batch 8, 3x3, in training, offsets predicted from the input; medians
of interleaved runs with 2 threads, and the most memory a run took beyond what it started
with, a process each. `im2col` is `F.unfold` and a matrix product, what a convolution costs
that holds its columns.
"""

from __future__ import annotations

import re
import statistics
import subprocess
import sys
import time
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from netwright.layers import DeformableConv2d

SHAPES = ((64, 56), (128, 28), (256, 28), (256, 14))
BATCH = 8


class Im2col(nn.Conv2d):
    """A convolution by `F.unfold` and one matrix product."""

    def forward(self, input: Tensor) -> Tensor:
        columns = F.unfold(input, self.kernel_size, padding=1)
        y = self.weight.flatten(1) @ columns + self.bias[:, None]
        return y.reshape(len(input), -1, *input.shape[2:])


def module(name: str, width: int) -> nn.Module:
    """One of the four, its offsets spread over about a position."""
    if name == "plain":
        return nn.Conv2d(width, width, 3, padding=1)
    if name == "im2col":
        return Im2col(width, width, 3, padding=1)
    deform = DeformableConv2d(width, width, 3, pads=((1, 1), (1, 1)), modulated=name == "v2")
    nn.init.normal_(deform.offset_weight, std=1 / (9 * width) ** 0.5)
    return deform


NAMES = ("plain", "im2col", "v1", "v2")


def step(layer: nn.Module, x: Tensor, g: Tensor) -> None:
    """One forward and backward pass."""
    layer.zero_grad()
    x.grad = None
    layer(x).backward(g)


def status(field: str) -> float:
    """A field of this process's status, in MiB."""
    text = Path("/proc/self/status").read_text()
    found = re.search(rf"{field}:\s+(\d+)", text)
    assert found is not None
    return int(found[1]) / 1024


def peak(name: str, width: int, size: int) -> float:
    """MiB that the second pass takes at most beyond what was held before it."""
    x = torch.rand(BATCH, width, size, size, requires_grad=True)
    layer, g = module(name, width), torch.rand(BATCH, width, size, size)
    step(layer, x, g)
    layer.zero_grad()
    x.grad = None
    Path("/proc/self/clear_refs").write_text("5")  # the highest mark starts anew
    before = status("VmRSS")
    step(layer, x, g)
    return status("VmHWM") - before


def times(width: int, size: int, runs: int = 7) -> list[float]:
    """Median milliseconds of each, interleaved."""
    x = torch.rand(BATCH, width, size, size, requires_grad=True)
    g = torch.rand(BATCH, width, size, size)
    layers = [module(name, width) for name in NAMES]
    taken: list[list[float]] = [[] for _ in layers]
    for run in range(runs + 1):
        for layer, record in zip(layers, taken, strict=True):
            start = time.perf_counter()
            step(layer, x, g)
            if run:
                record.append((time.perf_counter() - start) * 1e3)
    return [statistics.median(record) for record in taken]


def measured_peak(name: str, width: int, size: int) -> float:
    """`peak` in a process of its own whose large blocks go back to the system at once."""
    command = [sys.executable, __file__, name, str(width), str(size)]
    env = {"MALLOC_MMAP_THRESHOLD_": "65536", "MALLOC_TRIM_THRESHOLD_": "0"}
    done = subprocess.run(command, env=env, capture_output=True, text=True, check=True)
    return float(done.stdout)


def rows() -> list[str]:
    """One Markdown row a shape."""
    made: list[str] = []
    for width, size in SHAPES:
        plain, im2col, v1, v2 = times(width, size)
        column, one, two = (measured_peak(name, width, size) for name in NAMES[1:])
        made.append(
            f"| {BATCH}x{width}x{size}x{size} | {plain:.0f} | {im2col / plain:.1f} | "
            f"{v1 / plain:.1f} | {v2 / plain:.1f} | {column:.0f} | {one / column:.2f} | "
            f"{two / column:.2f} |"
        )
    return made


def main() -> None:
    """Print the table."""
    print("| shape | plain, ms | im2col, x plain | v1, x plain | v2, x plain | im2col, MiB "
          "| v1, x im2col | v2, x im2col |")  # fmt: skip
    print("| --- |" + " --- |" * 7)
    for row in rows():
        print(row, flush=True)


if __name__ == "__main__":
    torch.set_num_threads(2)
    if len(sys.argv) > 1:
        print(peak(sys.argv[1], int(sys.argv[2]), int(sys.argv[3])))
    else:
        main()
