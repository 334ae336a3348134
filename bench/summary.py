"""How long a cold `netwright summary resnet50` takes beside a bare `import torch`.

Pairs are interleaved, so that both meet the same machine; each process is new. Prints a
Markdown table of medians, their ratio, and the largest peak of resident memory.

    python bench/summary.py [pairs]
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path
from statistics import median

PYTHON = sys.executable
COMMANDS = {
    "`netwright summary resnet50`": [
        str(Path(PYTHON).with_name("netwright")), "summary", "resnet50",
    ],
    '`python -c "import torch"`': [PYTHON, "-c", "import torch"],
}  # fmt: skip


def run(command: list[str]) -> tuple[float, float]:
    """Seconds by the clock and peak MB of a new process."""
    begun = time.perf_counter()
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as process:
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    taken = time.perf_counter() - begun
    if process.returncode:
        raise SystemExit(f"{' '.join(command)} ended with {process.returncode}")
    return taken, usage.ru_maxrss / 1024


def main(pairs: int = 15) -> None:
    runs = {name: [] for name in COMMANDS}
    for command in COMMANDS.values():
        run(command)  # reads the files into the cache
    for _ in range(pairs):
        for name, command in COMMANDS.items():
            runs[name].append(run(command))
    print(f"Median of {pairs} interleaved pairs, load {os.getloadavg()[0]:.1f} at the end.\n")
    print("| cold process | seconds | of torch | peak MB |")
    print("| --- | ---: | ---: | ---: |")
    whole = median(taken for taken, _ in list(runs.values())[-1])
    for name, measured in runs.items():
        taken = median(taken for taken, _ in measured)
        peak = max(peak for _, peak in measured)
        print(f"| {name} | {taken:.3f} | 1/{whole / taken:.1f} | {peak:.0f} |")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:2]))
