"""The main job from images to a run folder, and how it goes on after a break."""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from time import strftime
from typing import Any

import torch
from torch import distributed

import netwright
from netwright.core.files import write_text
from netwright.core.kinds import shown
from netwright.data.dataset import Dataset, load
from netwright.data.hub import is_table
from netwright.data.source import source_of
from netwright.errors import RunError
from netwright.report.numbers import counted
from netwright.speed.allocation import reused_memory
from netwright.speed.machine import machine
from netwright.train.batches import Place
from netwright.train.decide import decide
from netwright.train.finish import finish, unheeded
from netwright.train.folder import default_out, owned, resumable, sweep, unbegun
from netwright.train.job import Job
from netwright.train.lines import Lines
from netwright.train.logs import logged
from netwright.train.outcome import Clock
from netwright.train.processes import (
    ELASTIC,
    agreed,
    first_then_others,
    here,
    processes,
    restarted,
)
from netwright.train.record import CANDIDATE, JOB, read_json, require
from netwright.train.run import SCHEMA, Run
from netwright.train.settings import Settings, written
from netwright.train.surroundings import surroundings
from netwright.train.trials import Trials
from netwright.train.watch import Watch

__all__ = ["Settings", "deterministic", "fit", "resume"]

ENDING = 0.05
"""Share of the time that is kept for the test and the report."""


@reused_memory()
def fit(
    data: Any,
    *,
    out: str | Path | None = None,
    watch: Watch | bool | None = None,
    search: bool = False,
    **settings: Any,
) -> Run:
    """Fits a net to labelled images within a time; the run folder it leaves.

    Arguments:
        data: `FOLDER/class/*.jpg|png`, the same under train/, val/ and test/, a table, an `.npz`,
            tar shards, `hf:NAME`, or a data set of Hugging Face `datasets`.
        out: a folder that is not there yet; runs/NAME if not given.
        watch: hears how far it is; True prints it to stderr, with what was chosen and why.
        search: whether the net, its size and its recipe are searched on the images first; the
            search is kept in a folder beside `out`.
        settings: as of `Settings`: `minutes`, `budget`, `net`, `weights`, `transfer`, `recipe`,
            `epochs`, `size`, `seed`, `precision`, `workers`, `log`.

    The same seed gives the same numbers on the same machine with as many threads. Under
    `torchrun` all processes train one net. Raises `DataError`, `BudgetError`, `RecipeError`,
    `WeightsError` or `RunError`.
    """
    settings = written(settings)
    wanted = Settings(source_of(data), **settings)
    if search:
        if is_table(data):
            raise RunError("the trials of a search read the images by themselves, got a data set "
                           "in memory; give the folder that its save_to_disk writes")  # fmt: skip
        from netwright.search.engine.automl import fit_by_search

        return fit_by_search(data, out or default_out(data), watch=_heeded(watch), **settings)[0]
    if out is not None and not str(out):
        raise RunError("the run folder has an empty name; wanted one that is not there yet")
    folder = default_out(data) if out is None else Path(out)
    with processes() as place:
        if agreed(not place.rank and _is_ours(folder)):
            return _resumed(folder, data, watch, {})
        watch, clock = _heard(watch, place, wanted), _clock(wanted)
        with owned(folder, place, watch):
            if not place.rank:
                if not unbegun(folder):
                    raise RunError(f"{folder} exists already; go on with --resume, or choose "
                                   "another --out")  # fmt: skip
                sweep(folder)
            dataset = load(data, seed=wanted.seed, workers=wanted.workers)
            planned = list[dict[str, Any]]()
            if not place.rank:
                planned = _begun(folder, wanted, dataset, watch)
            if place.world > 1:
                distributed.barrier()
            run = Run.load(folder)
            job = Job.from_json(run.record["job"])
            _check_processes(job, place)
            watch.planned(job)
            return _work(run, job, dataset, watch, clock, planned)


def _is_ours(folder: Path) -> bool:
    """Whether there is a run that these processes have begun, before `torchrun` restarted them."""
    if ELASTIC not in os.environ or not resumable(folder):
        return False
    begun = Run.load(folder).record.get("surroundings", {})
    return restarted(begun.get("variables", {}).get(ELASTIC, ""))


def _begun(
    folder: Path, settings: Settings, dataset: Dataset, watch: Watch
) -> list[dict[str, Any]]:
    """Settles what is to be done and writes it down; the nets that were planned."""
    watch.data(dataset)
    job, proposal = decide(settings, dataset)
    planned = [candidate.to_json() for candidate in proposal.planned] if proposal else []
    write_text(folder / "candidates.json", json.dumps(planned, indent=1))
    write_text(folder / "run.json", json.dumps(_record(settings, dataset, job), indent=1))
    return planned


@reused_memory()
def resume(
    out: str | Path, data: Any = None, *, watch: Watch | bool | None = None, **given: Any
) -> Run:
    """Goes on with an interrupted run from its last checkpoint, some seconds before the break.

    `watch` is as of `fit`; whatever else is `given` must be as the run was begun with. A finished
    run is returned as it is. Raises `RunError` when the images or settings are not those of the
    run.
    """
    with processes():
        return _resumed(out, data, watch, given)


def _resumed(out: str | Path, data: Any, watch: Watch | bool | None, given: dict[str, Any]) -> Run:
    if str(out) and Path(out).is_dir() and unbegun(Path(out)):
        raise RunError(f"{out} holds no run: it was broken off before its training began; "
                       "leave out --resume to begin it again")  # fmt: skip
    run = Run.load(out)
    settings = _settings(run)
    differing = settings.differing(given)
    if differing:
        begun, got = getattr(settings, differing), written(given)[differing]
        raise RunError(
            f"{run.path} was begun with {differing} {shown(begun, 200)}, got {shown(got, 200)}; "
            "leave it out, or begin a new run with another --out"
        )
    place = here()
    watch, clock = _heard(watch, place, settings), _clock(settings)
    with owned(run.path, place, watch):
        with first_then_others():
            if not place.rank:
                sweep(run.path)
        if run.finished:
            watch.say(f"{run.path} is finished already")
            return run
        planned = _planned(run.path / "candidates.json", watch)
        dataset = run.dataset(data)
        watch.data(dataset)
        require(run.record, JOB, run.path / "run.json")
        job = Job.from_json(run.record["job"])
        job.check(dataset)
        _check_processes(job, place)
        watch.planned(job)
        return _work(run, job, dataset, watch, clock, planned)


def _check_processes(job: Job, place: Place) -> None:
    """Every process needs images of every batch: two, so that they can be mixed."""
    batches = [approach.recipe.batch for approach in job.approaches] or [job.recipe.batch]
    if place.world > 1 and min(batches) < 2 * place.world:
        raise RunError(f"{place.world} processes for batches of {min(batches)} images; wanted at "
                       f"most {min(batches) // 2}, or a recipe with larger batches")  # fmt: skip


def _heard(watch: Watch | bool | None, place: Place, settings: Settings) -> Watch:
    """The first of several processes speaks for all, and keeps the records."""
    return Watch() if place.rank else logged(_heeded(watch), settings.log)


def _heeded(watch: Watch | bool | None) -> Watch:
    """Who is told: whoever was given, lines on stderr for True, else nobody."""
    return Lines() if watch is True else watch or Watch()


def _planned(path: Path, watch: Watch) -> list[dict[str, Any]]:
    """The rows of candidates.json; none, and a word of it, where they cannot be read: only the
    report needs them.
    """
    try:
        rows = read_json(path)
        if not isinstance(rows, list):
            raise RunError(f"{path} is no list of nets")  # noqa: TRY301
        for row in rows:
            require(row, CANDIDATE, path)
    except RunError as error:
        watch.say(f"{error}; the report will not list the nets that were not trained")
        return []
    return rows


def _work(run: Run, job: Job, dataset: Dataset, watch: Watch, clock: Clock,
          planned: Sequence[Mapping[str, Any]]) -> Run:  # fmt: skip
    watch.begun(run)
    # Gradients are recorded within, whoever asks, and afterwards as before, though Ctrl-C came just
    # where a block without them ended.
    with torch.enable_grad(), torch.random.fork_rng(), deterministic():
        trials = Trials(job, dataset, run.path, watch, clock)
        winner = trials.run()
        if trials.cut:
            watch.say("the time is up before the schedule is through; the best net so far is taken")
        elif clock.limit is not None and clock.left > clock.limit / 2:
            why = (
                "with so many images longer training is known to bring little"
                if job.approaches
                else "what is left to try does not fit into the rest, or brings little"
            )
            watch.say(f"done after {clock.spent:.0f} of {clock.limit:.0f} seconds: {why}")
        if dataset.black:
            watch.say(f"{counted(len(dataset.black), 'image')} turned out to be unreadable and "
                      f"counted as black; the first: {dataset.black[0]}")  # fmt: skip
        for reason in unheeded(run, job, winner):
            watch.say(reason)
        watch.say("testing the best net and writing the report")
        with first_then_others():
            if here().rank:
                return Run.load(run.path)
            done = finish(run, trials, winner, dataset, planned)
        watch.finished(done)
        return done


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
        "surroundings": surroundings(),
        "data": dataset.summary(),
        "job": job.to_json(),
        "splits": names,
    }


@contextmanager
def deterministic() -> Generator[None]:
    """CuDNN picks its algorithms without trying; on CPUs nothing has to be done."""
    before = torch.backends.cudnn.deterministic, torch.backends.cudnn.benchmark
    torch.backends.cudnn.deterministic, torch.backends.cudnn.benchmark = True, False
    try:
        yield
    finally:
        torch.backends.cudnn.deterministic, torch.backends.cudnn.benchmark = before
