"""Records of runs in TensorBoard and MLflow, read back by the libraries themselves."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest
from mlflow import MlflowClient, MlflowException
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from netwright.errors import RunError, UnknownName
from netwright.train import Run, Watch, fit, resume
from netwright.train import trials as room
from netwright.train.logs import Mlflow, TensorBoard
from netwright.train.surroundings import surroundings
from squares import TINY, write_squares

pytestmark = pytest.mark.filterwarnings("ignore::FutureWarning:mlflow")
WORDS = {"budget": TINY, "epochs": 2, "transfer": "none"}
CURVES = ("train_loss", "val_loss", "val_accuracy")


@pytest.fixture(scope="module")
def images(tmp_path_factory):
    return write_squares(tmp_path_factory.mktemp("logs") / "squares", 8)


@pytest.fixture
def server(tmp_path, monkeypatch):
    """A folder in which MLflow keeps its runs."""
    monkeypatch.setenv("MLFLOW_ALLOW_FILE_STORE", "true")
    monkeypatch.setenv("MLFLOW_TRACKING_URI", (tmp_path / "mlruns").as_uri())
    return tmp_path / "mlruns"


def rows(run):
    lines = (run.path / "metrics.jsonl").read_text().splitlines()
    return [json.loads(line) for line in lines]


def curves(folder):
    """(step, value) of every scalar that TensorBoard shows."""
    board = EventAccumulator(str(folder)).Reload()
    tags = {tag: board.Scalars(tag) for tag in board.Tags()["scalars"]}
    return {tag: [(event.step, pytest.approx(event.value, rel=1e-5)) for event in events]
            for tag, events in tags.items()}  # fmt: skip


def wanted(run, form):
    """(epoch, value) of every curve of a run's own log."""
    found = {}
    for row in rows(run):
        for name in CURVES:
            found.setdefault(form(row["trial"], name), []).append((row["epoch"], row[name]))
    return found


def broken_off(images, out, log):
    """A run with a log that stops in its third epoch, then goes on."""
    real, told = room.Trials._tell, []

    def tell(self, *rest):
        real(self, *rest)
        told.append(1)
        if len(told) == 3:
            raise KeyboardInterrupt

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(room.Trials, "_tell", tell)
        with pytest.raises(KeyboardInterrupt):
            fit(images, out=out, log=log, **WORDS)


def test_both_hold_what_the_log_of_the_run_holds(images, tmp_path, server):
    run = fit(images, out=tmp_path / "run", log="tensorboard,mlflow", **WORDS)
    board = curves(run.path / "tensorboard")
    for tag, points in wanted(run, lambda trial, name: f"{name}/{trial}").items():
        assert board[tag] == points
    assert board["test/accuracy"] == [(0, run.metrics["test"]["accuracy"])]
    client = MlflowClient()
    known = client.search_runs([client.get_experiment_by_name("netwright").experiment_id])
    (only,) = known
    assert only.info.status == "FINISHED"
    assert only.data.params["budget"] == TINY
    assert only.data.params["fingerprint"] == run.record["data"]["fingerprint"]
    assert only.data.metrics["test/accuracy"] == run.metrics["test"]["accuracy"]
    for name, points in wanted(run, lambda trial, name: f"{trial}/{name}").items():
        kept = client.get_metric_history(only.info.run_id, name)
        assert [(point.step, point.value) for point in kept] == points
    assert {f.path for f in client.list_artifacts(only.info.run_id)} == {
        "run.json", "metrics.json", "report.html"}  # fmt: skip


def test_a_run_that_goes_on_is_recorded_as_one(images, tmp_path, server):
    broken_off(images, tmp_path / "run", "tensorboard,mlflow")
    client = MlflowClient()
    experiment = client.get_experiment_by_name("netwright").experiment_id
    assert client.search_runs([experiment])[0].info.status == "KILLED"
    run = resume(tmp_path / "run")
    board = curves(run.path / "tensorboard")
    for tag, points in wanted(run, lambda trial, name: f"{name}/{trial}").items():
        assert board[tag] == points
    (only,) = client.search_runs([experiment])
    assert only.info.status == "FINISHED"
    for name, points in wanted(run, lambda trial, name: f"{trial}/{name}").items():
        kept = client.get_metric_history(only.info.run_id, name)
        assert [(point.step, point.value) for point in kept] == points


def test_what_was_never_told_is_recorded_at_the_end(images, tmp_path, server):
    """Linear models have a row in the log, and no epoch; nothing is there twice."""
    run = fit(images, out=tmp_path / "run", **WORDS)
    row = {
        "trial": "net-probe",
        "epoch": 0,
        "train_loss": 1.5,
        "val_loss": 0.5,
        "val_accuracy": 0.75,
    }
    file = run.path / "metrics.jsonl"
    board, tracker = TensorBoard(), Mlflow(lambda line: None)
    for watch in (board, tracker):
        watch.begun(run)
    file.write_text(file.read_text() + json.dumps(row) + "\n")
    for watch in (board, tracker):
        watch.finished(run)
        watch.close()
    shown = curves(run.path / "tensorboard")
    for tag, points in wanted(run, lambda trial, name: f"{name}/{trial}").items():
        assert shown[tag] == points
    name = json.loads((run.path / "mlflow.json").read_text())
    kept = MlflowClient().get_metric_history(name, "net-probe/val_accuracy")
    assert [(point.step, point.value) for point in kept] == [(0, 0.75)]


def test_records_change_no_number(images, tmp_path, server):
    plain = fit(images, out=tmp_path / "plain", **WORDS)
    logged = fit(images, out=tmp_path / "logged", log="tensorboard", **WORDS)
    for name in ("weights.safetensors", "metrics.jsonl", "metrics.json"):
        assert (plain.path / name).read_bytes() == (logged.path / name).read_bytes()


def test_a_run_outlives_mlflow(images, tmp_path, server, monkeypatch):
    """A server that is gone is told once, and everything is in the run folder."""
    watch, told = Watch(), []
    watch.say = told.append

    def gone(self, *rest, **more):
        raise MlflowException("no route to host")

    monkeypatch.setattr(MlflowClient, "log_batch", gone)
    run = fit(images, out=tmp_path / "run", log="mlflow", watch=watch, **WORDS)
    assert run.finished
    said = [
        line for line in told if "mlflow records no more of this run (no route to host)" in line
    ]
    assert len(said) == 1


def test_a_library_that_is_missing_is_told_at_once(images, tmp_path, monkeypatch):
    for name in ("mlflow", "tensorboard"):
        missing = {"mlflow": "mlflow", "tensorboard": "torch.utils.tensorboard"}[name]
        with monkeypatch.context() as patch:
            patch.setitem(sys.modules, missing, None)
            with pytest.raises(RunError, match=rf"log is '{name}', .* 'netwright\[records\]'"):
                fit(images, out=tmp_path / "run", log=name, **WORDS)
    with pytest.raises(UnknownName, match="tensorboard"):
        fit(images, out=tmp_path / "run", log="tensorbord", **WORDS)
    assert not (tmp_path / "run").exists()


def test_what_a_run_was_started_with_is_kept(images, tmp_path, monkeypatch):
    git = ["git", "-c", "user.name=a", "-c", "user.email=a@b.c"]
    home = tmp_path / "home"
    home.mkdir()
    (home / "own.py").write_text("1")
    for words in (["init", "-q"], ["add", "."], ["commit", "-qm", "one"]):
        subprocess.run([*git, *words], cwd=home, check=True)
    monkeypatch.chdir(home)
    commit = subprocess.run([*git, "rev-parse", "HEAD"], capture_output=True, text=True,
                            check=True).stdout.strip()  # fmt: skip
    assert surroundings()["git"] == {"commit": commit, "changed": []}
    (home / "own.py").write_text("2")
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    monkeypatch.setenv("SECRET_TOKEN", "xyzzy")
    run = fit(images, out=tmp_path / "run", **WORDS | {"epochs": 1})
    kept = Run.load(run.path).record["surroundings"]
    assert kept["git"] == {"commit": commit, "changed": ["own.py"]}
    assert kept["variables"]["OMP_NUM_THREADS"] == "1"
    assert kept["folder"] == str(home)
    assert kept["packages"]["torch"]
    assert all(word in kept["command"] for word in sys.orig_argv[-1:])
    assert "xyzzy" not in json.dumps(run.record)
    monkeypatch.chdir(tmp_path)
    assert surroundings()["git"] is None
