"""One process a run folder, and a way on after a kill at any write."""

from __future__ import annotations

import errno
import fcntl
import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from socket import gethostname

import pytest

from netwright.core import files
from netwright.core.files import leftovers
from netwright.core.lock import LOCK, claimed
from netwright.errors import RunError
from netwright.train import Run, Watch, fit, resume
from netwright.train.fitting import _planned
from squares import TINY, write_squares

NUMBERS = ("metrics.json", "metrics.jsonl", "weights.safetensors", "net.json", "predictions.csv")
HOLD = """
import sys, time
from pathlib import Path
from netwright.core.lock import claimed
with claimed(Path(sys.argv[1])):
    print("in", flush=True)
    time.sleep(60)
"""


@pytest.fixture
def holder(tmp_path):
    """Another process that has claimed tmp_path / "run"."""
    process = subprocess.Popen([sys.executable, "-c", HOLD, tmp_path / "run"],
                               stdout=subprocess.PIPE, text=True)  # fmt: skip
    assert process.stdout.readline() == "in\n"
    yield process
    process.kill()
    process.wait()
    process.stdout.close()


def refused(folder, said):
    with pytest.raises(RunError, match=said), claimed(folder):
        pass


def test_a_folder_is_for_one_at_a_time(tmp_path):
    with claimed(tmp_path / "a" / "run"):
        refused(tmp_path / "a" / "run", f"in use by process {os.getpid()} on {gethostname()}")
        (tmp_path / "a" / "run" / "kept").touch()
    assert [path.name for path in (tmp_path / "a" / "run").iterdir()] == ["kept"]
    with claimed(tmp_path / "a" / "run"):
        pass


def test_what_was_made_and_stays_empty_goes(tmp_path):
    (tmp_path / "there").mkdir()
    for folder in (tmp_path / "a" / "b" / "run", tmp_path / "there"):
        with pytest.raises(ZeroDivisionError), claimed(folder):
            raise ZeroDivisionError
    assert [path.name for path in tmp_path.iterdir()] == ["there"]


def test_the_lock_of_a_process_that_was_killed_counts_for_nothing(tmp_path, holder):
    refused(tmp_path / "run", f"in use by process {holder.pid} on")
    holder.send_signal(signal.SIGKILL)
    holder.wait()
    assert (tmp_path / "run" / LOCK).exists()
    with claimed(tmp_path / "run"):
        pass
    assert not (tmp_path / "run" / LOCK).exists()


def test_file_systems_without_locks(tmp_path, holder, monkeypatch):
    """There the file says whose it is."""

    def refuse(descriptor, how):
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(fcntl, "flock", refuse)
    refused(tmp_path / "run", f"in use by process {holder.pid} on")
    with claimed(tmp_path / "other"):
        refused(tmp_path / "other", "in use")
    holder.kill()
    holder.wait()
    with claimed(tmp_path / "run"):
        pass
    (tmp_path / "run").mkdir(exist_ok=True)
    for strange in ("", "no word", f"{2**22 + 5} elsewhere", "1 2 3"):
        (tmp_path / "run" / LOCK).write_text(strange)
        refused(tmp_path / "run", r"if that process is gone, remove .*\.lock")


def test_a_lock_that_was_let_go_in_between_is_not_taken_for_ours(tmp_path, monkeypatch):
    """The file that was locked is not the one that the next process would find."""
    flock, path = fcntl.flock, tmp_path / LOCK

    def late(descriptor, how):
        monkeypatch.setattr(fcntl, "flock", flock)
        path.unlink()
        flock(descriptor, how)

    monkeypatch.setattr(fcntl, "flock", late)
    with claimed(tmp_path):
        refused(tmp_path, "in use")


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    return tmp_path_factory.mktemp("claim")


@pytest.fixture(scope="module")
def images(home):
    return write_squares(home / "squares", 8)


class Counts:
    """Files that are written, until one at which the process dies."""

    def __init__(self, last=0, *, renamed=False):
        self.names, self.last, self.renamed, self.dead = [], last, renamed, False


class KilledError(BaseException):
    """Stands for SIGKILL: nothing that the process would still do happens."""


def dying(patch, counts):
    unlink, rmdir, replace, sync = Path.unlink, Path.rmdir, Path.replace, os.fsync

    def die():
        counts.dead = True
        raise KilledError

    def written(descriptor):
        sync(descriptor)
        counts.names.append(None)
        if len(counts.names) == counts.last and not counts.renamed:
            die()

    def renamed(path, target):
        counts.names[-1] = Path(target).name
        made = replace(path, target)
        if len(counts.names) == counts.last:
            die()
        return made

    patch.setattr(files.os, "fsync", written)
    patch.setattr(Path, "replace", renamed)
    patch.setattr(Path, "unlink", lambda *a, **k: None if counts.dead else unlink(*a, **k))
    patch.setattr(Path, "rmdir", lambda *a: None if counts.dead else rmdir(*a))


@pytest.fixture(scope="module")
def whole(home, images):
    """A run that was never killed, and the names of the files it wrote."""
    counts = Counts()
    with pytest.MonkeyPatch.context() as patch:
        dying(patch, counts)
        run = fit(images, budget=TINY, out=home / "whole", epochs=1)
    assert counts.names[:2] == ["candidates.json", "run.json"]
    assert counts.names[-1] == "metrics.json"
    return run, counts.names


def numbers(run):
    return {name: (run.path / name).read_bytes() for name in NUMBERS}


@pytest.mark.parametrize("renamed", [False, True])
@pytest.mark.parametrize("place", [1, 2, 3, 4, -6, -3, -1, 0])
def test_a_kill_at_any_write_leaves_a_way_on(home, images, whole, place, renamed):
    run, names = whole
    last = place if place > 0 else len(names) + place
    out, counts = home / f"{last}{renamed}", Counts(last, renamed=renamed)
    with pytest.MonkeyPatch.context() as patch:
        dying(patch, counts)
        with pytest.raises(KilledError):
            fit(images, budget=TINY, out=out, epochs=1)
    assert (out / LOCK).exists()
    assert len([*leftovers(out), *leftovers(out / "checkpoints")]) == (not renamed)
    if (out / "run.json").exists():
        with pytest.raises(RunError, match="exists already; go on with --resume"):
            fit(images, budget=TINY, out=out, epochs=1)
        done = resume(out)
    else:
        with pytest.raises(RunError, match="leave out --resume to begin it again"):
            resume(out)
        done = fit(images, budget=TINY, out=out, epochs=1)
    assert numbers(done) == numbers(run)
    assert sorted(path.name for path in out.iterdir()) == sorted(
        path.name for path in run.path.iterdir()
    )


def test_what_was_lost_of_the_candidates_costs_a_part_of_the_report_only(home, images, whole):
    out, counts, watch, told = home / "candidates", Counts(5), Watch(), []
    watch.say = told.append
    with pytest.MonkeyPatch.context() as patch:
        dying(patch, counts)
        with pytest.raises(KilledError):
            fit(images, budget=TINY, out=out, epochs=1)
    (out / "candidates.json").write_text("[{")
    done = resume(out, watch=watch)
    assert numbers(done) == numbers(whole[0])
    assert any("the report will not list the nets that were not trained" in line for line in told)
    assert "Nets to choose from" not in (out / "report.html").read_text()
    assert "Nets to choose from" in (whole[0].path / "report.html").read_text()
    for text in ('{"name": "x"}', '[{"name": 3}]', "[3]"):
        (out / "candidates.json").write_text(text)
        assert _planned(out / "candidates.json", watch) == []


def test_a_folder_of_somebody_else_is_left_alone(tmp_path, images):
    """Even when its names look like ours."""
    for name in ("metrics.json", ".notes.txt.12.tmp", "checkpoints/best.pt"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("mine")
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(RunError, match="exists already"):
        fit(images, budget=TINY, out=tmp_path, epochs=1)
    with pytest.raises(RunError, match=r"it has no run\.json"):
        resume(tmp_path)
    assert sorted(tmp_path.rglob("*")) == before


def test_where_a_run_cannot_be(tmp_path, images, monkeypatch):
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    for out, said in ((tmp_path / "loop", "levels of symbolic links"), ("", "an empty name"),
                      (images / "red" / "00.png", "File exists"),
                      (images / "red" / "00.png" / "x", "Not a directory"),
                      (tmp_path / ("n" * 300), "File name too long")):  # fmt: skip
        with pytest.raises(RunError, match=said) as caught:
            fit(images, budget=TINY, out=out, epochs=1)
        assert "\n" not in str(caught.value)


def test_a_folder_that_becomes_read_only_can_be_gone_on_with(home, images, whole):
    out = home / "readonly"
    counts = Counts(5)

    def refuse(descriptor):
        counts.names.append(None)
        if len(counts.names) > 5:
            raise OSError(errno.EROFS, "Read-only file system", str(out / "checkpoints"))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(files.os, "fsync", refuse)
        with pytest.raises(RunError, match=r"Read-only .* make it writable, then go on with --res"):
            fit(images, budget=TINY, out=out, epochs=1)
    assert numbers(resume(out)) == numbers(whole[0])


@pytest.mark.slow
def test_two_fits_started_at_once(tmp_path, images):
    out = tmp_path / "run"
    command = [sys.executable, "-m", "netwright", "fit", str(images), "--budget", TINY,
               "--epochs", "1", "--out", str(out), "--quiet"]  # fmt: skip
    both = [subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
            for _ in range(2)]  # fmt: skip
    said = {process.pid: process.communicate(timeout=120) for process in both}
    assert sorted(process.returncode for process in both) == [0, 2]
    winner, loser = sorted(both, key=lambda process: process.returncode)
    fault = said[loser.pid][1]
    assert fault.count("\n") == 1
    assert f"{out} is in use by process {winner.pid} on" in fault or "exists already" in fault
    run = Run.load(out)
    names = {row["name"] for row in json.loads((out / "candidates.json").read_text())}
    assert run.net.name in names
    assert run.predict([next(images.rglob("*.png"))])[0].label in run.classes
