"""Trainings on a part of CIFAR-10, kept in a table that goes on where it was broken off.

What `cells.py` and `one_shot.py` have in common; it measures nothing by itself. Nets learn by the
trainer of `fit`. Each training is a row of a CSV, by the hash of the net, its seed and how it was
trained; rows are appended when trainings end, and none that is there is trained again.
"""

from __future__ import annotations

import argparse
import csv
import io
import os
import time
from collections.abc import Generator, Iterable
from concurrent.futures import (
    FIRST_COMPLETED,
    Executor,
    Future,
    ProcessPoolExecutor,
    ThreadPoolExecutor,
    wait,
)
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from multiprocessing import get_context
from pathlib import Path
from statistics import fmean

import torch

import netwright
from fit import save_cifar
from netwright.core.files import replacing
from netwright.core.net import Net
from netwright.errors import SearchError
from netwright.search.engine.accuracy import Accuracy
from netwright.search.engine.locks import flocked
from netwright.space.search_space import Space
from netwright.speed.machine import device_name
from netwright.train.recipe import Recipe

BUILD = Path(__file__).parents[1] / "build"
FIELDS = ("hash", "code", "seed", "accuracy", "epochs", "images", "seconds", "how", "versions")
UNUSED = 100
"""Images to test on, which nobody does; without any, `fit` would take them off training."""


@dataclass(frozen=True)
class Settings:
    """How all nets of a table are trained.

    recipe: of the training
    train, val: images to learn from and to validate on
    epochs: how long
    size: side of the images
    precision: `fp32` or `bf16`
    """

    recipe: Recipe
    train: int
    val: int
    epochs: int
    size: int = 32
    precision: str = "fp32"


@cache
def accuracy(settings: Settings) -> Accuracy:
    """The evaluator, with the images that it has read, once a process."""
    path = BUILD / f"cifar10-{settings.train}-{settings.val}.npz"
    if not path.exists():
        with replacing(path) as temporary, temporary.open("wb") as file:
            save_cifar(file, test=UNUSED, val=settings.val, train=settings.train)
    return Accuracy(str(path), settings.recipe, settings.epochs, settings.size,
                    precision=settings.precision)  # fmt: skip


def trained(settings: Settings, net: Net, seed: int) -> tuple[float, float]:
    """Accuracy on validation in percent, 0 where the loss grew without bound, and seconds of the
    processor.
    """
    evaluator, begun = accuracy(settings), time.process_time()
    try:
        score = evaluator(net, seed=seed).score
    except SearchError:
        score = 0.0
    return 100 * score, time.process_time() - begun


class Trainings:
    """The accuracies of the nets of a space, by net and seed; rows of other settings stay in the
    file and do not count.
    """

    def __init__(
        self, path: Path, space: Space, settings: Settings, pool: Executor, jobs: int
    ) -> None:
        self.path, self.space, self.settings = path, space, settings
        self.pool, self.jobs = pool, jobs
        self.how = ", ".join(
            [f"{word} {text}" for word, text in accuracy(settings).identity().items()]
        )
        self.versions = f"netwright {netwright.__version__}, torch {torch.__version__}, "
        self.versions += device_name()
        self.scores = dict[tuple[str, int], float]()
        self.seconds = list[float]()
        self._read()

    def _read(self) -> None:
        text = self.path.read_text() if self.path.exists() else ",".join(FIELDS) + "\n"
        whole = text[: text.rfind("\n") + 1]  # a machine may stop within a row
        if not self.path.exists() or whole != text:
            with replacing(self.path) as temporary:
                temporary.write_text(whole)
        for row in csv.DictReader(io.StringIO(whole)):
            if row["how"] == self.how:
                self.scores[row["hash"], int(row["seed"])] = float(row["accuracy"])
                self.seconds.append(float(row["seconds"]))

    def fill(self, wanted: Iterable[tuple[str, int]], ends: float) -> None:
        """Trains nets, by code and seed, of which there is no row; none begins after `ends`."""
        missing = ((code, seed) for code, seed in wanted if self.score(code, seed) is None)
        running = dict[Future[tuple[float, float]], tuple[str, int]]()
        while True:
            while len(running) < self.jobs and time.monotonic() < ends:
                if (pair := next(missing, None)) is None:
                    break
                net = self.space.net(pair[0])
                running[self.pool.submit(trained, self.settings, net, pair[1])] = pair
            if not running:
                return
            for future in wait(running, return_when=FIRST_COMPLETED).done:
                self._append(*running.pop(future), *future.result())

    def _append(self, code: str, seed: int, score: float, seconds: float) -> None:
        row = (self._hash(code), code, seed, f"{score:.3f}", self.settings.epochs,
               self.settings.train, f"{seconds:.1f}", self.how, self.versions)  # fmt: skip
        with self.path.open("a", newline="") as file:
            csv.writer(file, lineterminator="\n").writerow(row)
            file.flush()
            os.fsync(file.fileno())
        self.scores[row[0], seed] = round(score, 3)
        self.seconds.append(seconds)

    def _hash(self, code: str) -> str:
        return self.space.net(code).hash

    def score(self, code: str, seed: int) -> float | None:
        """The accuracy of a training in percent; None where there is none."""
        return self.scores.get((self._hash(code), seed))

    def row(self, code: str, seeds: int) -> list[float]:
        """The accuracies by seed; none unless they are all there."""
        scores = [self.score(code, seed) for seed in range(seeds)]
        return [score for score in scores if score is not None] if None not in scores else []

    def summary(self) -> str:
        """How many trainings there are, of which kind, and how long one takes."""
        mean = f"{fmean(self.seconds):.1f} s each, " if self.seconds else ""
        return f"{len(self.scores)} trainings, {mean}{self.settings.train:,} images, {self.how}"


def parser(page: str, file: Path) -> argparse.ArgumentParser:
    """The options of a bench whose trainings are kept in that file."""
    options = argparse.ArgumentParser(description=page.partition("\n")[0])
    options.add_argument("--minutes", type=float, default=60.0)
    options.add_argument("--jobs", type=int, default=1)
    options.add_argument("--seeds", type=int, default=2)
    options.add_argument("--csv", type=Path, default=file)
    options.add_argument("--small", action="store_true", help="that the script works, no figures")
    return options


@contextmanager
def trainings(path: Path, space: Space, settings: Settings, jobs: int) -> Generator[Trainings]:
    """The table in a file, which one process at a time adds to; `jobs` nets are trained at once, a
    core each.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    one_core = {"initializer": torch.set_num_threads, "initargs": (1,)}
    with flocked(path.with_suffix(".lock"), wait=False) as alone:
        if not alone:
            raise SystemExit(f"another process adds to {path}")
        accuracy(settings)  # the images are there before several processes want them
        # A process of its own takes seconds to start: a single job goes without.
        with (ThreadPoolExecutor(1, **one_core) if jobs == 1 else
              ProcessPoolExecutor(jobs, get_context("spawn"), **one_core)) as pool:  # fmt: skip
            yield Trainings(path, space, settings, pool, jobs)
