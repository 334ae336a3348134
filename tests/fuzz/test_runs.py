"""Run folders with something wrong in them are read and gone on with, or refused in one line."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from random import Random

import pytest
from mutations import broken, is_one_line, tampered

from netwright.errors import NetwrightError
from netwright.train import Run, Watch, fit, resume
from squares import TINY, write_squares


class Enough(BaseException):
    """An epoch was trained."""


class Breaks(Watch):
    """Ends a run after its next epoch."""

    def epoch(self, trial, epoch):
        raise Enough


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    return tmp_path_factory.mktemp("runs")


@pytest.fixture(scope="module")
def images(home):
    return write_squares(home / "squares", 6)


@pytest.fixture(scope="module")
def finished(home, images):
    return fit(images, budget=TINY, out=home / "finished", epochs=1).path


@pytest.fixture(scope="module")
def begun(home, images):
    with pytest.raises(Enough):
        fit(images, budget=TINY, out=home / "begun", epochs=1, watch=Breaks())
    return home / "begun"


def spoilt(run: Path, out: Path, random: Random) -> None:
    """A copy of a run in which a file is changed, lost, or another one."""
    shutil.rmtree(out, ignore_errors=True)
    shutil.copytree(run, out)
    files = sorted(path for path in out.rglob("*") if path.is_file())
    path = random.choice(files)
    records = [path for path in files if path.suffix == ".json"]
    match random.randrange(8):
        case 0:
            path.write_bytes(broken(path.read_bytes(), random))
        case 1:
            path.unlink()
        case 2:
            path.write_bytes(random.choice(files).read_bytes())
        case _:
            path = random.choice(records)
            path.write_text(json.dumps(tampered(json.loads(path.read_text()), random)))


def answered(work: Callable[[], object]) -> bool:
    """Whether it was done; a refusal is one line."""
    try:
        work()
    except NetwrightError as error:
        is_one_line(error)
        return False
    return True


def test_finished_runs(fuzz, tmp_path, finished, images):
    image, fine = next(images.rglob("*.png")), list[bool]()

    def case(random: Random) -> None:
        out = tmp_path / "run"
        spoilt(finished, out, random)

        def used() -> None:
            run = Run.load(out)
            assert run.metrics["test"]["images"] >= 0
            (prediction,) = run.predict([image])
            assert prediction.label in run.classes
            assert resume(out, images).finished

        fine.append(answered(used))

    fuzz(150, case)
    assert any(fine) or len(fine) < 50


def test_runs_to_go_on_with(fuzz, tmp_path, begun, images):
    def case(random: Random) -> None:
        out, before = tmp_path / "run", {tmp_path / "run"}
        spoilt(begun, out, random)
        with suppress(Enough):
            answered(lambda: resume(out, images, watch=Breaks()))
        assert set(tmp_path.iterdir()) == before

    fuzz(60, case)
