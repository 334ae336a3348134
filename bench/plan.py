"""How long a plan takes in process: `nw.net(NAME).plan()`, every row of it.

Three figures a net, medians of batches: `first` is the first plan in a process, everything
still to be imported and expanded; `cold` starts from empty caches; `warm` is what a search
sees, which plans nets that share blocks. `build` is PyTorch's own construction of the same
net on the meta device, for the ratio.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import time
from collections.abc import Callable

import netwright as nw
from netwright.core import field, interpret, planner
from netwright.nets import registry

NETS = ("alexnet", "vgg16", "googlenet", "resnet50", "resnet152", "densenet201", "mobilenet_v2")
CACHES = (registry._plain, interpret.expanded, planner.facts, field._through, field._meet)  # noqa: SLF001

FIRST = """
import time
import netwright as nw
start = time.perf_counter()
nw.net({name!r}).plan()
print(time.perf_counter() - start)
"""


def median_ms(action: Callable[[], object], runs: int = 15, each: int = 3) -> float:
    """Median milliseconds of a call, over `runs` batches of `each`."""
    taken: list[float] = []
    for _ in range(runs):
        start = time.perf_counter()
        for _ in range(each):
            action()
        taken.append((time.perf_counter() - start) / each * 1e3)
    return statistics.median(taken)


def cold(name: str) -> object:
    """A plan from empty caches."""
    for cache in CACHES:
        cache.cache_clear()
    return nw.net(name).plan()


def first(name: str) -> float:
    """Milliseconds of the first plan in a process, import of the family included."""
    command = [sys.executable, "-c", FIRST.format(name=name)]
    runs = [subprocess.run(command, capture_output=True, check=True) for _ in range(5)]
    return statistics.median(float(run.stdout) for run in runs) * 1e3


def rows() -> list[str]:
    """One Markdown row a net."""
    import torch

    torch.set_num_threads(1)
    made: list[str] = []
    for name in NETS:
        net = nw.net(name)
        build = median_ms(lambda n=net: n.build(device="meta", init="torch"), runs=5, each=1)
        fresh = median_ms(lambda n=name: cold(n), each=1)
        warm = median_ms(lambda n=name: registry.entry(n)().plan())
        times = f"{first(name):.1f} | {fresh:.2f} | {warm:.2f} | {build:.0f} | {build / warm:.0f}x"
        made.append(f"| {name} | {len(net.plan())} | {times} |")
    return made


if __name__ == "__main__":
    print("| net | rows | first ms | cold ms | warm ms | meta build ms | build / warm |")
    print("| --- | --- | --- | --- | --- | --- | --- |")
    for row in rows():
        print(row)
