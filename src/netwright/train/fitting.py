"""The main job from images to a run folder, and how it goes on after a break."""

from __future__ import annotations

import errno
import json
import os
import platform
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import asdict, fields
from pathlib import Path
from time import strftime
from typing import Any

import torch

import netwright
from netwright.core.files import write_text
from netwright.data.dataset import Dataset, load
from netwright.errors import RunError, nearest
from netwright.speed.training import machine
from netwright.train.finish import finish
from netwright.train.job import Job, make_job
from netwright.train.outcome import Clock
from netwright.train.run import SCHEMA, Run
from netwright.train.settings import Settings
from netwright.train.trials import Trials
from netwright.train.watch import Watch

__all__ = ["Settings", "default_out", "fit", "resumable", "resume"]

UNWRITABLE = frozenset({errno.EACCES, errno.EROFS, errno.EPERM, errno.ENOTDIR, errno.EEXIST,
                        errno.EISDIR, errno.ENAMETOOLONG, errno.ELOOP})  # fmt: skip
ENDING = 0.05
"""Share of the time that is kept for the test and the report."""


def fit(
    data: str | Path, *, out: str | Path | None = None, watch: Watch | None = None, **settings: Any
) -> Run:
    """Fits a net to labelled images within a time; the run folder it leaves.

    Arguments:
        data: `FOLDER/class/*.jpg|png`, the same under train/, val/ and test/, or an `.npz`.
        out: a folder that is not there yet; runs/NAME if not given.
        watch: hears how far it is.
        settings: as of `Settings`: `minutes`, `budget`, `net`, `weights`, `transfer`, `recipe`,
            `epochs`, `size`, `seed`, `precision`, `workers`.

    The same seed gives the same numbers on the same machine with as many threads. Raises
    `DataError`, `BudgetError`, `RecipeError`, `WeightsError` or `RunError`.
    """
    wanted = _wanted(data, settings)
    folder = Path(out) if out else default_out(data)
    watch, clock = watch or Watch(), _clock(wanted)
    with _guarded(folder, watch):
        if folder.exists() and (not folder.is_dir() or _holds_more(folder)):
            raise RunError(f"{folder} exists already; go on with --resume, or choose another --out")
        dataset = load(data, seed=wanted.seed, workers=wanted.workers)
        watch.data(dataset)
        job, proposal = make_job(wanted, dataset)
        watch.planned(job)
        planned = [candidate.to_json() for candidate in proposal.planned] if proposal else []
        write_text(folder / "candidates.json", json.dumps(planned, indent=1))
        record = _record(wanted, dataset, job)
        write_text(folder / "run.json", json.dumps(record, indent=1))
        return _work(Run(folder, record), job, dataset, watch, clock)


def _wanted(data: str | Path, settings: dict[str, Any]) -> Settings:
    """The settings; `UnknownName` for a word that is none."""
    words = [word.name for word in fields(Settings)]
    for word in settings:
        if word not in words:
            raise nearest("setting", word, words)
    return Settings(str(data), **settings)


def _holds_more(folder: Path) -> bool:
    """Whether there is anything but what a run killed before it began leaves."""
    return any(path.name != "candidates.json" for path in folder.iterdir())


def resume(
    out: str | Path, data: str | Path | None = None, *, watch: Watch | None = None, **given: Any
) -> Run:
    """Goes on with an interrupted run; at most the epoch it was broken off in is lost.

    Whatever else is `given` must be as the run was begun with. A finished run is returned
    as it is. Raises `RunError` when the images or settings are not those of the run.
    """
    run = Run.load(out)
    settings = _settings(run)
    differing = settings.differing(given)
    if differing:
        begun, got = getattr(settings, differing), given[differing]
        raise RunError(
            f"{run.path} was begun with {differing} {begun!r}, got {got!r}; "
            "leave it out, or begin a new run with another --out"
        )
    watch, clock = watch or Watch(), _clock(settings)
    with _guarded(run.path, watch):
        if run.finished:
            watch.say(f"{run.path} is finished already")
            return run
        dataset = load(data or settings.data, seed=settings.seed, workers=settings.workers)
        if dataset.fingerprint != run.record["data"]["fingerprint"]:
            raise RunError(
                f"the images in {data or settings.data} are not those that {run.path} was begun "
                "with; restore them, or begin a new run with another --out"
            )
        watch.data(dataset)
        job = Job.from_json(run.record["job"])
        watch.planned(job)
        return _work(run, job, dataset, watch, clock)


def default_out(data: str | Path) -> Path:
    """Where the run on these images goes when nobody says."""
    return Path("runs") / Path(os.path.realpath(data)).stem


def resumable(out: str | Path) -> bool:
    """Whether there is a run to go on with."""
    return (Path(out) / "run.json").exists()


def _work(run: Run, job: Job, dataset: Dataset, watch: Watch, clock: Clock) -> Run:
    with torch.random.fork_rng(), _deterministic():
        trials = Trials(job, dataset, run.path, watch, clock)
        winner = trials.run()
        if trials.cut:
            watch.say("the time is up before the schedule is through; the best net so far is taken")
        watch.say("testing the best net and writing the report")
        return finish(run, trials, winner, dataset)


def _clock(settings: Settings) -> Clock:
    return Clock(None if settings.epochs else 60 * settings.minutes * (1 - ENDING))


def _settings(run: Run) -> Settings:
    try:
        return Settings(**run.record["settings"])
    except (KeyError, TypeError) as error:
        raise RunError(f"{run.path / 'run.json'} has no readable settings ({error})") from None


def _record(settings: Settings, dataset: Dataset, job: Job) -> dict[str, Any]:
    """run.json: everything to repeat the run and to read its images again."""
    names = {part: [dataset.names[i] for i in dataset.indices(part)] for part in dataset.splits}
    return {
        "schema": SCHEMA,
        "began": strftime("%Y-%m-%dT%H:%M:%S%z"),
        "settings": asdict(settings),
        "versions": {"netwright": netwright.__version__, "python": platform.python_version()},
        "machine": machine(),
        "data": dataset.summary(),
        "job": job.to_json(),
        "splits": names,
    }


@contextmanager
def _guarded(folder: Path, watch: Watch) -> Generator[None]:
    """Closes the watch whatever happens; says in one line that a file could not be written."""
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            hint = "free some space, then go on with --resume" if resumable(folder) else "free some"
            raise RunError(f"{folder}: no space left on the disk; {hint}") from None
        if error.errno in UNWRITABLE:
            raise RunError(
                f"{folder}: {error.strerror} ({error.filename}); choose another --out"
            ) from None
        raise
    finally:
        watch.close()


@contextmanager
def _deterministic() -> Generator[None]:
    """CuDNN picks its algorithms without trying; on CPUs nothing has to be done."""
    held = torch.backends.cudnn.deterministic, torch.backends.cudnn.benchmark
    torch.backends.cudnn.deterministic, torch.backends.cudnn.benchmark = True, False
    try:
        yield
    finally:
        torch.backends.cudnn.deterministic, torch.backends.cudnn.benchmark = held
