"""The examples run, and show the numbers they are there to show."""

from __future__ import annotations

import importlib
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

FOLDER = Path(__file__).parents[1] / "examples/units"
SCRIPTS = sorted({path.stem for path in FOLDER.glob("*.py")} - {"board", "page"})


@pytest.fixture
def load(monkeypatch):
    """A module of the folder by its name, as a script there would import it."""
    monkeypatch.syspath_prepend(str(FOLDER))
    yield importlib.import_module
    for name in [*SCRIPTS, "board", "page"]:
        sys.modules.pop(name, None)


@pytest.fixture
def told(load, capsys, tmp_path):
    """What an example prints, its pictures written to `tmp_path`."""

    def run(name: str) -> str:
        load(name).main(load("board").Board(tmp_path))
        return capsys.readouterr().out

    return run


def matrix(text: str, name: str) -> list[list[float]]:
    """The matrix printed under that name."""
    found = re.search(rf"^{re.escape(name)}:\n(\[\[.*?\]\])$", text, re.MULTILINE | re.DOTALL)
    assert found, f"no matrix {name!r} in:\n{text}"
    rows = re.findall(r"\[([^\[\]]+)\]", found[1])
    return [[float(number) for number in row.split()] for row in rows]


def picture(folder: Path, name: str) -> np.ndarray:
    with Image.open(folder / f"{name}.png") as image:
        return np.asarray(image.convert("L"), dtype=float)


def test_convolution(told) -> None:
    text = told("convolution")
    result = [[-5, -4, 3, 5], [-10, -2, 2, 3], [0, -2, -4, -7], [-3, -2, -3, -16]]
    assert matrix(text, "result") == result
    assert matrix(text, "convolution") == [[-v for v in row] for row in result]
    assert "(3 + 1 + 2) - (1 + 8 + 2) = -5" in text
    assert "conv2d gives the same: True" in text


def test_matrices(told, tmp_path) -> None:
    text = told("matrices")
    assert matrix(text, "full result") == [[1], [1], [0], [-2]]
    assert matrix(text, "circular result") == [[-1], [1], [0]]
    for error in re.findall(r"largest difference .*: (\S+)$", text, re.MULTILINE):
        assert float(error) < 1e-12
    spectra = re.findall(r"^(?:Fourier|numpy).*?\[(.*)\]$", text, re.MULTILINE)
    assert len(spectra) == 2
    assert spectra[0] == spectra[1]
    assert picture(tmp_path, "doubly_block_circulant__64_x_64").shape == (64, 64)


def test_padding(told, tmp_path) -> None:
    text = told("padding")
    lines = {line.split()[0]: line.replace("|", "").split()[1:]
             for line in text.splitlines() if line.count(" | ") == 2}  # fmt: skip
    assert lines["symmetric"] == ["3", "2", "1", "1", "2", "3", "4", "4", "3", "2"]
    assert lines["reflect"] == ["4", "3", "2", "1", "2", "3", "4", "3", "2", "1"]
    assert lines["circular"] == ["2", "3", "4", "1", "2", "3", "4", "1", "2", "3"]
    assert lines["replicate"] == ["1", "1", "1", "1", "2", "3", "4", "4", "4", "4"]
    assert lines["0.5"] == ["0.5", "0.5", "0.5", "1", "2", "3", "4", "0.5", "0.5", "0.5"]
    assert "numpy.pad agrees (wrap, edge, reflect, symmetric): True" in text
    assert matrix(text, "border='zeros'")[0] == [0.44, 0.67, 0.67, 0.67, 0.67, 0.44]
    assert matrix(text, "border='crop'") == [[1] * 6] * 4
    assert picture(tmp_path, "zeros")[0, 0] == 0
    assert picture(tmp_path, "reflect").std() > 20


def test_box_filter(told, tmp_path) -> None:
    text = told("box_filter")
    assert matrix(text, "mean of 3 x 3") == [
        [0, 10, 20, 30, 30, 30, 20, 10], [0, 20, 40, 60, 60, 60, 40, 20],
        [0, 30, 60, 90, 90, 90, 60, 30], [0, 30, 50, 80, 80, 90, 60, 30],
        [0, 30, 50, 80, 80, 90, 60, 30], [0, 20, 30, 50, 50, 60, 40, 20],
        [10, 20, 30, 30, 30, 30, 20, 10], [10, 10, 10, 0, 0, 0, 0, 0],
    ]  # fmt: skip
    photograph, blurred = picture(tmp_path, "photograph"), picture(tmp_path, "gaussian")
    assert np.abs(np.diff(blurred)).mean() < 0.7 * np.abs(np.diff(photograph)).mean()
    assert np.abs(np.diff(picture(tmp_path, "sharpen"))).mean() > np.abs(np.diff(photograph)).mean()


def test_gabor(told, tmp_path) -> None:
    text = told("gabor")
    assert "(U, V) = (0.2, 0.0); peak of the FFT at (0.200, 0.000) cycles a pixel" in text
    assert float(re.search(r"difference from the formula: (\S+)", text)[1]) < 1e-6
    shares = dict(re.findall(r"^(\d+) degrees +(\S+)%$", text, re.MULTILINE))
    assert max(shares, key=lambda turn: float(shares[turn])) == "90"  # a temple's eaves
    assert sum(map(float, shares.values())) == pytest.approx(100, abs=0.3)
    assert picture(tmp_path, "energy_at_90_degrees").std() > 5


def test_pooling(told, tmp_path) -> None:
    text = told("pooling")
    change = dict(re.findall(r"^(\w+) +(\S+)%$", text, re.MULTILINE))
    assert {"AvgPool", "MaxPool"} <= set(change)
    assert 0 < float(change["AvgPool"]) < float(change["MaxPool"]) < 100
    for name in change:
        assert picture(tmp_path, name).shape == (40, 60)


def test_upsampling(told, tmp_path) -> None:
    text = told("upsampling")
    assert matrix(text, "nearest") == [[1, 1, 2, 2], [1, 1, 2, 2], [3, 3, 4, 4], [3, 3, 4, 4]]
    assert matrix(text, "bilinear") == [
        [1, 1.25, 1.75, 2], [1.5, 1.75, 2.25, 2.5], [2.5, 2.75, 3.25, 3.5], [3, 3.25, 3.75, 4]
    ]  # fmt: skip
    assert matrix(text, "kernel 3, stride 2")[4] == [2, 2, 4, 2, 4, 2, 4, 2, 2]
    assert matrix(text, "kernel 4, stride 2")[4] == [2, 2, 4, 4, 4, 4, 4, 4, 2, 2]
    assert picture(tmp_path, "nearest").shape == (320, 400)


def test_normalisation(told, tmp_path) -> None:
    text = told("normalisation")
    assert re.findall(r"(\d+) of 192 elements: (\d) images, (\d) channels, 8 pos", text) == [
        ("32", "4", "1"), ("48", "1", "6"), ("8", "1", "1"), ("24", "1", "3")
    ]  # fmt: skip
    assert picture(tmp_path, "batch_normalisation").std() > 10


def test_labels(told) -> None:
    text = told("labels")
    assert matrix(text, "smoothed") == [[0.02, 0.02, 0.92, 0.02, 0.02]]
    assert re.search(r"by hand +(\S+)", text)[1] == re.search(r"PyTorch +(\S+)", text)[1]


def test_mlp(told, tmp_path) -> None:
    text = told("mlp")
    rows = re.findall(r"^ (\d)  (\d)  (\d) +(\d) +(\d) +(\d)", text, re.MULTILINE)
    assert [tuple(map(int, row)) for row in rows] == [
        (a, b, a & b, a | b, 1 - (a & b), a ^ b) for a in (0, 1) for b in (0, 1)
    ]
    assert text.count("agrees: True") == 3
    for layers in (1, 2, 3):
        drawn = (tmp_path / f"mlp_{layers}.svg").read_text()
        assert drawn.startswith("<svg ")
        assert drawn.count("z") > 40  # rows of the shape


def test_every_script_is_on_the_page_in_the_readme_and_here(load) -> None:
    assert sorted(load("page").PARTS) == SCRIPTS
    readme = (FOLDER / "README.md").read_text()
    for name in SCRIPTS:
        assert f"`{name}.py`" in readme
        assert f"test_{name}" in globals()


@pytest.mark.slow
def test_the_page_needs_nothing_else(tmp_path) -> None:
    """As a user runs it: another process, another working directory."""
    out = tmp_path / "units.html"
    command = [sys.executable, str(FOLDER / "page.py"), str(out)]
    subprocess.run(command, check=True, capture_output=True, cwd=tmp_path)
    html = out.read_text()
    assert html.count("<h2>") == len(SCRIPTS)
    assert html.count("data:image/png;base64,") > 30
    assert not re.search(r"<script|(?:src|href)=\"(?!data:|#)|url\(", html)
    assert [path.name for path in tmp_path.iterdir()] == ["units.html"]


def test_the_page_says_how_it_is_called() -> None:
    command = [sys.executable, str(FOLDER / "page.py")]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    assert done.returncode == 1
    assert "usage: python examples/units/page.py OUT.html" in done.stderr
