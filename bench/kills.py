"""Kills a run at random instants and compares what it leaves with a run that nobody disturbed.

    python bench/kills.py [KILLS] [PROCESSES] [SEED] [scratch|tuned|scratch-timed|tuned-timed]

Each run is killed (SIGKILL, all of its processes at once) up to five times before it may end; the
final weights, metrics, log and predictions must be equal to the bit. Runs are forked from this
process, which has imported everything, so that an instant is one of the run and not of its imports.

`scratch` trains nets from nothing, `tuned` a linear model on features of EfficientNet-Lite0 and the
net from there on, on photos of ../shared/data at 64 pixels. Those that are `timed` have a time
instead of epochs, so that no two are equal: they must come to their end, with a net that is right
of more than half of the test.
"""

from __future__ import annotations

import os
import random
import signal
import socket
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from sklearn.datasets import load_digits

from fit import LITE, ants
from netwright.train import Run, fit, resume
from netwright.train.folder import resumable

FILES = ("weights.safetensors", "metrics.json", "metrics.jsonl", "predictions.csv", "net.json")
TOGETHER = 5
"""Kills of one run at most."""


def forked(work: Callable[[], object], processes: int) -> list[int]:
    """The process ids of so many processes that do the work together."""
    with socket.socket() as port:
        port.bind(("127.0.0.1", 0))
        free = str(port.getsockname()[1])
    pids = []
    for rank in range(processes):
        pid = os.fork()
        if not pid:
            place = {"RANK": rank, "LOCAL_RANK": rank, "WORLD_SIZE": processes,
                     "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": free}  # fmt: skip
            if processes > 1:
                os.environ.update({name: str(value) for name, value in place.items()})
            os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
            try:
                work()
            except BaseException as error:  # noqa: BLE001  a fork must not go on with our loop
                print(f"process {rank}: {error!r}"[:300], flush=True)
                os._exit(1)
            os._exit(0)
        pids.append(pid)
    return pids


def ended(pids: list[int]) -> bool:
    """Whether all of the processes came to a good end."""
    codes = [os.waitpid(pid, 0)[1] for pid in pids]
    return not any(codes)


def disturbed(go: Callable[[], object], processes: int, kills: int, longest: float) -> int:
    """Kills a run at random instants, at most so often, then lets it end; how often it was."""
    for done in range(kills):
        pids = forked(go, processes)
        time.sleep(random.uniform(0.0, 0.9 * longest))
        over = [os.waitpid(pid, os.WNOHANG)[0] for pid in pids]
        for pid, gone in zip(pids, over, strict=True):
            if not gone:
                os.kill(pid, signal.SIGKILL)
                os.waitpid(pid, 0)
        if all(over):
            return done
    assert ended(forked(go, processes))
    return kills


def digits(home: Path) -> Path:
    images = load_digits()
    np.savez(home / "digits.npz", images=images.images[:240], labels=images.target[:240])
    return home / "digits.npz"


class Kind(NamedTuple):
    """Images, and the words of a fit."""

    data: Callable[[Path], Path]
    words: dict[str, Any]


SMALL = {"budget": "params<=5k, macs<=300k"}
KINDS = {
    "scratch": Kind(digits, {**SMALL, "epochs": 2}),
    "tuned": Kind(ants, {"weights": LITE, "size": 64, "transfer": "stages", "epochs": 2}),
    "scratch-timed": Kind(digits, {**SMALL, "minutes": 0.4}),
    "tuned-timed": Kind(ants, {"weights": LITE, "size": 64, "minutes": 0.6}),
}  # fmt: skip


def main() -> None:
    numbers = [int(word) for word in sys.argv[1:] if word.isdigit()]
    name = next((word for word in sys.argv[1:] if word in KINDS), "scratch")
    kills, processes, seed = [*numbers, *(30, 1, 0)[len(numbers) :]]
    timed = name.endswith("timed")
    random.seed(seed)
    with tempfile.TemporaryDirectory() as home:
        folder = Path(home, "data")
        folder.mkdir()
        data, words = KINDS[name].data(folder), KINDS[name].words

        def go(out: Path) -> Run:
            return resume(out) if resumable(out) else fit(data, out=out, **words)

        def files(out: Path) -> dict[str, bytes]:
            return {name: (out / name).read_bytes() for name in FILES}

        whole, began = Path(home, "whole"), time.monotonic()
        assert ended(forked(partial(go, whole), processes))
        longest = time.monotonic() - began
        print(f"undisturbed: {longest:.1f} s", flush=True)
        wanted, done, runs = files(whole), 0, 0
        while done < kills:
            out = Path(home, f"run{runs}")
            done += disturbed(partial(go, out), processes, min(TOGETHER, kills - done), longest)
            if timed:
                assert Run.load(out).metrics["test"]["accuracy"] > 0.5
            else:
                different = [name for name, value in files(out).items() if value != wanted[name]]
                assert not different, different
            runs += 1
            same = "at their end" if timed else "equal to the bit"
            print(f"{done} kills, {runs} runs, all {same}; "
                  f"{time.monotonic() - began:.0f} s", flush=True)  # fmt: skip


main()
