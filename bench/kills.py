"""Kills a run at random instants and compares its weights with those of an undisturbed run.

    python bench/kills.py [KILLS] [PROCESSES]

Each run is killed (SIGKILL) up to five times before it may end; the final weights, metrics and
log must be equal to the bit to those of the run that nobody disturbed.
"""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from sklearn.datasets import load_digits

FILES = ("weights.safetensors", "metrics.json", "metrics.jsonl", "predictions.csv", "net.json")
SETTINGS = ["--budget", "params<=30K, macs<=2M", "--epochs", "6", "--quiet"]


def command(processes: int, *words: str) -> list[str]:
    if processes == 1:
        return [sys.executable, "-m", "netwright", "fit", *words]
    return [sys.executable, "-m", "torch.distributed.run", f"--nproc-per-node={processes}",
            "--master-addr=127.0.0.1", "--local-addr=127.0.0.1", "--rdzv-backend=c10d",
            "--rdzv-endpoint=127.0.0.1:0", "-m", "netwright", "fit", *words]  # fmt: skip


def files(run: Path) -> dict[str, bytes]:
    return {name: (run / name).read_bytes() for name in FILES}


def disturbed(data: Path, run: Path, processes: int, kills: int, longest: float) -> int:
    """Kills a run at random instants until it has been killed so often, then lets it end."""
    begun = 0
    while True:
        words = [str(data), "--out", str(run), *SETTINGS]
        if (run / "run.json").exists():
            words.append("--resume")
        quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        process = subprocess.Popen(command(processes, *words), start_new_session=True, **quiet)
        if begun == kills:
            assert process.wait() == 0
            return begun
        time.sleep(random.uniform(0.5, longest))
        if process.poll() is not None:
            return begun
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        begun += 1


def main() -> None:
    kills, processes = (int(word) for word in [*sys.argv[1:], "30", "1"][:2])
    with tempfile.TemporaryDirectory() as home:
        digits = load_digits()
        data = Path(home, "digits.npz")
        np.savez(data, images=digits.images[:600], labels=digits.target[:600])
        whole = Path(home, "whole")
        began = time.monotonic()
        subprocess.run(command(processes, str(data), "--out", str(whole), *SETTINGS), check=True,
                       stdout=subprocess.DEVNULL)  # fmt: skip
        longest = time.monotonic() - began
        wanted, done, runs = files(whole), 0, 0
        while done < kills:
            run = Path(home, f"run{runs}")
            done += disturbed(data, run, processes, min(5, kills - done), longest)
            different = [name for name, value in files(run).items() if value != wanted[name]]
            assert not different, different
            runs += 1
            print(f"{done} kills, {runs} runs, all equal to the bit", flush=True)


main()
