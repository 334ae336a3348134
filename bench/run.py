"""Runs every benchmark of this folder and prints what `bench/RESULTS.md` quotes.

python bench/run.py [name ...]
"""

from __future__ import annotations

import platform
import subprocess
import sys
from pathlib import Path

import torch

import netwright

HERE = Path(__file__).parent
NO_BENCHMARKS = {"run", "trainings"}


def main(names: list[str]) -> None:
    """The benchmarks of these names, or all; each in a process of its own."""
    known = sorted({path.stem for path in HERE.glob("*.py")} - NO_BENCHMARKS)
    print(
        f"netwright {netwright.__version__}, Python {platform.python_version()}, "
        f"torch {torch.__version__}, {torch.get_num_threads()} threads, {platform.machine()}"
    )
    for name in names or known:
        print(f"\n## {name}\n", flush=True)
        subprocess.run([sys.executable, str(HERE / f"{name}.py")], check=True)


if __name__ == "__main__":
    main(sys.argv[1:])
