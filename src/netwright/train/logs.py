"""Records of a run in TensorBoard and MLflow, beside its own in CSV and JSON."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from shutil import rmtree
from time import time
from typing import TYPE_CHECKING, Any

from netwright.core.files import write_text
from netwright.errors import RunError
from netwright.train.record import read_json, text_of
from netwright.train.watch import Epoch, Watch

if TYPE_CHECKING:
    from netwright.data.dataset import Dataset
    from netwright.train.approach import Approach
    from netwright.train.job import Job
    from netwright.train.run import Run

__all__ = ["Mlflow", "TensorBoard", "Together", "logged"]

CURVES = ("train_loss", "val_loss", "val_accuracy")
"""What of every epoch is recorded."""
RESULTS = ("accuracy", "top5", "macro_f1", "loss", "calibration_error")
"""What of the test is recorded."""
BOARD, TRACKED = "tensorboard", "mlflow.json"
"""The folder of TensorBoard's files in a run folder, and which run MLflow knows it as."""
EXPERIMENT = "netwright"
UNFIT = re.compile(r"[^\w\-./: ]")
"""What names of MLflow cannot hold."""


def logged(watch: Watch, names: str) -> Watch:
    """A watch that hears what `watch` does and records it, by the names of `Settings.log`;
    `RunError` where a library is missing.
    """
    wanted = names.split(",")
    watches = [watch]
    if "tensorboard" in wanted:
        watches.append(TensorBoard())
    if "mlflow" in wanted:
        watches.append(Mlflow(watch.say))
    return Together(watches) if len(watches) > 1 else watch


class Together(Watch):
    """Several watches as one."""

    def __init__(self, watches: Sequence[Watch]) -> None:
        self.watches = watches

    def say(self, text: str) -> None:
        for watch in self.watches:
            watch.say(text)

    def data(self, dataset: Dataset) -> None:
        for watch in self.watches:
            watch.data(dataset)

    def planned(self, job: Job) -> None:
        for watch in self.watches:
            watch.planned(job)

    def begun(self, run: Run) -> None:
        for watch in self.watches:
            watch.begun(run)

    def epoch(self, trial: Approach, epoch: Epoch) -> None:
        for watch in self.watches:
            watch.epoch(trial, epoch)

    def step(self, what: str, share: float, left: float) -> None:
        for watch in self.watches:
            watch.step(what, share, left)

    def finished(self, run: Run) -> None:
        for watch in self.watches:
            watch.finished(run)

    def close(self) -> None:
        for watch in self.watches:
            watch.close()


def _curves(row: dict[str, Any]) -> list[tuple[str, float]]:
    """What is recorded of an epoch; nothing of validation where its images are learnt from."""
    return [(name, row[name]) for name in CURVES if row[name] is not None]


class TensorBoard(Watch):
    """Curves of every trial in RUN/tensorboard; `tensorboard --logdir RUN` shows them.

    A run that goes on is written anew from its log, so that no epoch is there twice or missing.
    """

    def __init__(self) -> None:
        try:
            from torch.utils.tensorboard import SummaryWriter
        except ImportError:
            raise _missing("tensorboard") from None
        self._open: Any = SummaryWriter
        self._writer: Any = None
        self._written: set[tuple[str, int]] = set()

    def begun(self, run: Run) -> None:
        folder = run.path / BOARD
        rmtree(folder, ignore_errors=True)
        self._writer = self._open(str(folder))
        self._writer.add_text("settings", _as_table(run.record["settings"]))
        for row in _rows(run.path):
            self._write(row["trial"], row["epoch"], row)

    def epoch(self, trial: Approach, epoch: Epoch) -> None:
        self._write(trial.name, epoch.epoch, epoch.row)

    def _write(self, trial: str, step: int, row: dict[str, Any]) -> None:
        """An epoch, unless it is there already."""
        if (trial, step) not in self._written:
            for name, value in _curves(row):
                self._writer.add_scalar(f"{name}/{trial}", value, step)
            self._writer.flush()
            self._written.add((trial, step))

    def finished(self, run: Run) -> None:
        for row in _rows(run.path):
            self._write(row["trial"], row["epoch"], row)
        for name, value in _results(run):
            self._writer.add_scalar(name, value, 0)

    def close(self) -> None:
        if self._writer is not None:
            self._writer.close()
            self._writer = None


class Mlflow(Watch):
    """A run of the experiment `netwright`, wherever MLFLOW_TRACKING_URI or MLflow's default says;
    a run that goes on is the same run there. Training does not end where MLflow fails: that is
    told, and the run folder has everything.
    """

    def __init__(self, tell: Callable[[str], None]) -> None:
        try:
            import mlflow  # type: ignore[import-not-found]
            import mlflow.entities  # type: ignore[import-not-found]
        except ImportError:
            raise _missing("mlflow") from None
        self._mlflow, self._tell = mlflow, tell
        self._client: Any = None
        self._run, self._steps = "", dict[str, int]()

    @contextmanager
    def _guarded(self) -> Generator[None]:
        """What MLflow raises ends its records, not the run."""
        try:
            yield
        except (self._mlflow.MlflowException, OSError) as error:
            self._run = ""
            first = (str(error).splitlines() or [type(error).__name__])[0]
            self._tell(f"mlflow records no more of this run ({first[:200]}); its folder has all")

    def begun(self, run: Run) -> None:
        with self._guarded():
            self._client = self._mlflow.MlflowClient()
            self._run = self._kept(run) or self._new(run)
            for row in _rows(run.path):
                self._write(row["trial"], row["epoch"], row)

    def _kept(self, run: Run) -> str:
        """The run that was begun there, if it is there."""
        file = run.path / TRACKED
        if not file.exists():
            return ""
        name = str(read_json(file))
        try:
            return str(self._client.get_run(name).info.run_id)
        except self._mlflow.MlflowException:
            return ""

    def _new(self, run: Run) -> str:
        there = self._client.get_experiment_by_name(EXPERIMENT)
        experiment = there.experiment_id if there else self._client.create_experiment(EXPERIMENT)
        name = str(self._client.create_run(experiment, run_name=run.path.name).info.run_id)
        write_text(run.path / TRACKED, json.dumps(name))
        words = {**run.record["settings"], "fingerprint": run.record["data"]["fingerprint"]}
        param = self._mlflow.entities.Param
        rows = [param(word, str(value)[:500]) for word, value in words.items()]
        self._client.log_batch(name, params=rows)
        return name

    def epoch(self, trial: Approach, epoch: Epoch) -> None:
        with self._guarded():
            self._write(trial.name, epoch.epoch, epoch.row)

    def _write(self, trial: str, step: int, row: dict[str, Any]) -> None:
        """An epoch, unless it is there already."""
        if not self._run:
            return
        own = UNFIT.sub("_", trial)
        if trial not in self._steps:
            there = self._client.get_metric_history(self._run, f"{own}/{CURVES[0]}")
            self._steps[trial] = max((metric.step for metric in there), default=-1)
        if step > self._steps[trial]:
            self._log({f"{own}/{name}": value for name, value in _curves(row)}, step)
            self._steps[trial] = step

    def _log(self, values: dict[str, float], step: int) -> None:
        now, metric = int(1000 * time()), self._mlflow.entities.Metric
        rows = [metric(name, value, now, step) for name, value in values.items()]
        self._client.log_batch(self._run, metrics=rows)

    def finished(self, run: Run) -> None:
        with self._guarded():
            if self._run:
                for row in _rows(run.path):
                    self._write(row["trial"], row["epoch"], row)
                self._log(dict(_results(run)), 0)
                for name in ("run.json", "metrics.json", "report.html"):
                    self._client.log_artifact(self._run, str(run.path / name))
                self._end("FINISHED")

    def close(self) -> None:
        with self._guarded():
            self._end("KILLED")

    def _end(self, status: str) -> None:
        if self._run:
            self._client.set_terminated(self._run, status)
        self._run = ""


def _missing(name: str) -> RunError:
    return RunError(f"log is {name!r}, which is not installed; try pip install "
                    "'netwright[records]'")  # fmt: skip


def _rows(folder: Path) -> Iterator[dict[str, Any]]:
    """The epochs, and linear models, that a run's own log holds."""
    if (folder / "metrics.jsonl").exists():
        for line in text_of(folder / "metrics.jsonl").splitlines():
            row = json.loads(line) if line else {}
            if all(name in row for name in ("trial", "epoch", *CURVES)):
                yield row


def _results(run: Run) -> Iterator[tuple[str, float]]:
    test = run.metrics["test"]
    for name in RESULTS:
        if name in test:
            yield f"test/{name}", float(test[name])


def _as_table(record: dict[str, Any]) -> str:
    rows = "\n".join(f"| {name} | {value} |" for name, value in record.items())
    return f"| setting | value |\n|---|---|\n{rows}"
