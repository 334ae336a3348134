"""`netwright fit` and `netwright predict` as they are typed."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest
from PIL import Image

from netwright.cli import main
from netwright.train import Watch
from squares import TINY, write_squares


def run(capsys, *words):
    """Exit code, stdout and stderr."""
    with pytest.raises(SystemExit) as caught:
        main([str(word) for word in words])
    said = capsys.readouterr()
    return caught.value.code, said.out, said.err


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    return tmp_path_factory.mktemp("commands")


@pytest.fixture(scope="module")
def images(home):
    return write_squares(home / "squares", 8)


@pytest.fixture(scope="module")
def fitted(home, images):
    with pytest.raises(SystemExit) as caught:
        main(
            [
                "fit",
                str(images),
                "--budget",
                TINY,
                "--epochs",
                "2",
                "--out",
                str(home / "run"),
                "--quiet",
            ]
        )
    assert caught.value.code == 0
    return home / "run"


@pytest.mark.slow
def test_fit_goes_on_where_nobody_reads_any_more(images, tmp_path):
    """As behind `2>&1 | head -1`."""
    words = ["fit", images, "--budget", TINY, "--epochs", "1", "--out", tmp_path / "run"]
    process = subprocess.Popen([sys.executable, "-m", "netwright", *words], text=True,
                               stdout=subprocess.PIPE, stderr=subprocess.STDOUT)  # fmt: skip
    assert process.stdout.readline().startswith("24 images of 3 classes")
    process.stdout.close()
    assert process.wait(timeout=60) == 0
    assert (tmp_path / "run" / "report.html").exists()


def test_fit_tells_its_progress_and_result(capsys, images, tmp_path):
    code, out, err = run(
        capsys, "fit", images, "--budget", TINY, "--epochs", 1, "--out", tmp_path / "r"
    )
    assert code == 0
    assert "of 6 test images right" in out
    assert f"report   {tmp_path / 'r' / 'report.html'}" in out
    assert "24 images of 3 classes, some 12 pixels a side: 15 to train, 3 to val, 6 to test" in err
    assert "epoch 1/1" in err
    assert "left" in err


def test_resume_takes_the_settings_of_the_run(capsys, images, fitted):
    code, out, err = run(capsys, "fit", images, "--out", fitted, "--resume", "--json")
    assert code == 0
    assert json.loads(out)["net"]["params"] <= 5000
    assert "finished already" in err
    code, _, err = run(capsys, "fit", images, "--out", fitted, "--resume", "--seed", 9)
    assert code == 2
    assert err.startswith("netwright: ")
    assert "was begun with seed 0, got 9" in err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--budget", "latency<=3"], "depends on the machine"),
        (["--budget", "params<=7"], "the nearest"),
        (["--minutes", "-1"], "wanted a number above 0"),
        (["--epochs", "0"], "not a whole number of at least 1"),
        (["--size", "2"], "wanted 8 to 1048576"),
        (["--resume"], "is no run folder"),
        (["--seed", "-1"], "wanted 0 to 4294967295"),
    ],
)
def test_mistakes_are_one_line_and_exit_code_2(capsys, images, tmp_path, words, said):
    code, out, err = run(capsys, "fit", images, "--out", tmp_path / "r", "--quiet", *words)
    assert (code, out) == (2, "")
    assert err.startswith("netwright: ")
    assert said in err
    assert err.count("\n") == 1
    assert not (tmp_path / "r").exists()


def test_a_mistake_gives_the_cursor_back(capsys, images, monkeypatch):
    closed: list[str] = []

    class Closes(Watch):
        def close(self):
            closed.append("once")

    monkeypatch.setattr("netwright.cli.progress.progress", lambda quiet: Closes())
    code, _, _ = run(capsys, "fit", images, "--minutes", "nan")
    assert code == 2
    assert closed == ["once"]


def test_predict_files_and_folders(capsys, images, fitted):
    code, out, err = run(
        capsys, "predict", fitted, images / "red" / "00.png", images / "blue", "--top", 2
    )
    assert (code, err) == (0, "")
    lines = out.splitlines()
    assert len(lines) == 9
    assert lines[0].startswith(str(images / "red" / "00.png"))
    assert lines[0].count("%") == 2


def test_predict_lists_what_it_cannot_read(capsys, images, fitted, tmp_path):
    (tmp_path / "no.png").write_bytes(b"no")
    code, out, err = run(
        capsys, "predict", fitted, tmp_path / "no.png", images / "red" / "00.png", "--json"
    )
    assert code == 0
    made = json.loads(out)
    assert [found["image"] for found in made["images"]] == [str(images / "red" / "00.png")]
    assert sum(entry["probability"] for entry in made["images"][0]["top"]) == pytest.approx(
        1, abs=1e-5
    )
    assert "no.png: no image that Pillow knows" in made["unreadable"][0]
    code, out, err = run(capsys, "predict", fitted, tmp_path / "no.png", tmp_path / "gone.png")
    assert (code, out) == (2, "")
    assert "skipped" in err
    assert "none of 2 images could be read" in err


def test_predict_needs_a_finished_run(capsys, images, tmp_path):
    code, _, err = run(capsys, "predict", tmp_path / "gone", images)
    assert code == 2
    assert "is no run folder: no such folder" in err


def test_predict_neither_waits_nor_looks_elsewhere(capsys, images, fitted, tmp_path, monkeypatch):
    """A pipe is not waited for, an empty name is not the current folder."""
    monkeypatch.chdir(images / "red")
    code, out, err = run(capsys, "predict", fitted, "")
    assert (code, out) == (2, "")
    assert err == "netwright: an image has an empty name; wanted files or folders of them\n"
    os.mkfifo(tmp_path / "pipe.png")
    code, out, err = run(capsys, "predict", fitted, tmp_path / "pipe.png", "00.png")
    assert (code, out.count("\n")) == (0, 1)
    assert err == f"skipped {tmp_path / 'pipe.png'}: a folder, pipe or device, wanted a file\n"
    code, out, err = run(capsys, "predict", fitted, tmp_path)
    assert (code, out) == (2, "")
    assert err.startswith(f"netwright: no image under {tmp_path}; looked for .bmp .gif .jfif")


def test_predict_tells_what_it_read_all_the_same(capsys, fitted, tmp_path):
    Image.new("RGB", (16, 16), "red").save(tmp_path / "x.jpg")
    (tmp_path / "x.jpg").write_bytes((tmp_path / "x.jpg").read_bytes()[:-2])
    code, out, err = run(capsys, "predict", fitted, tmp_path / "x.jpg")
    assert (code, out.count("\n")) == (0, 1)
    said = "the file lacks its end marker; all of its pixels are there"
    assert err == f"note {tmp_path / 'x.jpg'}: {said}\n"
