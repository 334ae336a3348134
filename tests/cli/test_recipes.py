"""Recipes are data: listed, shown as JSON that is taken back, and compared."""

from __future__ import annotations

import json

import pytest

from netwright.cli import main
from netwright.train.recipe import ABOUT, RECIPES, Recipe, read


@pytest.fixture
def said(capsys, monkeypatch):
    monkeypatch.delenv("COLUMNS", raising=False)

    def call(*arguments):
        with pytest.raises(SystemExit) as stop:
            main(["recipes", *arguments])
        out, err = capsys.readouterr()
        return stop.value.code or 0, out, err

    return call


def test_all_are_listed_with_what_they_are_for(said):
    code, out, _ = said()
    lines = out.splitlines()[2:]
    assert code == 0
    assert [line.split()[0] for line in lines] == list(RECIPES) == list(ABOUT)
    assert all(line.endswith(ABOUT[name]) for line, name in zip(lines, ABOUT, strict=True))
    rows = json.loads(said("--json")[1])["recipes"]
    assert [row.pop("for") for row in rows] == list(ABOUT.values())
    assert [Recipe.from_json(row) for row in rows] == list(RECIPES.values())


def test_a_narrow_terminal_shows_them_too(said, monkeypatch):
    monkeypatch.setenv("COLUMNS", "60")
    out = said()[1]
    assert max(map(len, out.splitlines())) <= 60
    assert "left out for want of width: schedule, augmentation" in out


@pytest.mark.parametrize("name", RECIPES)
def test_what_is_shown_is_taken_back(said, tmp_path, name):
    file = tmp_path / "own.json"
    file.write_text(said(name)[1])
    assert read(file) == read(str(file)) == read(file.read_text()) == RECIPES[name]
    assert said(name, "--json")[1] == file.read_text() == said(str(file))[1]


def test_what_two_differ_in_is_a_line_a_field(said, tmp_path):
    out = said("fast-small", "airbench")[1]
    assert [line.split() for line in out.splitlines()[2:]] == [
        ["rate", "0.24", "0.17"], ["biases", "1", "1000"], ["batch", "1024", "512"],
    ]  # fmt: skip
    record = json.loads(said("fast-small", "airbench", "--json")[1])
    assert record["fields"]["batch"] == {"before": 1024, "after": 512}
    (tmp_path / "mine.json").write_text('{"base": "classic", "operations": []}')
    out = said("classic", str(tmp_path / "mine.json"))[1]
    assert out.splitlines()[0].split() == ["field", "classic", "mine"]
    assert out.splitlines()[2:] == ["operations  shift(part=0.125), flip(chance=0.5)  none"]
    assert said("classic", "classic")[1] == "no difference\n"


def test_mistakes_are_one_line(said):
    assert said("resnets")[::2] == (
        2, "netwright: no recipe, nor a file is called 'resnets'; near: resnet\n"
    )  # fmt: skip
    code, _, err = said("resnet", "classic", "modern")
    assert (code, err.startswith("netwright: 3 recipes; wanted")) == (2, True)
    code, _, err = said('{"rate": }')
    assert (code, err.startswith("netwright: the recipe cannot be read as JSON")) == (2, True)
