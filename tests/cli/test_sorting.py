"""`--sort` and `--markdown` of `summary` and `compare`."""

from __future__ import annotations

import csv
import json
from io import StringIO

import pytest

import netwright as nw
from netwright.cli import main


@pytest.fixture
def said(capsys):
    """Exit code, output and errors of a command."""

    def run(*arguments):
        with pytest.raises(SystemExit) as stop:
            main([str(argument) for argument in arguments])
        out, err = capsys.readouterr()
        return stop.value.code or 0, out, err

    return run


def test_layers_are_sorted_by_what_they_cost(said):
    rows = list(csv.DictReader(StringIO(said("summary", "alexnet", "--csv", "--sort", "macs")[1])))
    macs = [int(row["macs"]) for row in rows]
    assert macs == sorted((row.macs for row in nw.net("alexnet").plan()), reverse=True)
    stages = said("summary", "resnet18", "--depth", 1, "--sort", "params")[1].splitlines()
    assert [line.split()[0] for line in stages[4:10]] == [
        "stage4", "stage3", "stage2", "head", "stage1", "stem",
    ]  # fmt: skip
    in_order = said("summary", "lenet5", "--sort", "run")[1].splitlines()[4:]
    assert [line.split()[0] for line in in_order[: len(nw.net("lenet5").plan())]] == [
        row.path for row in nw.net("lenet5").plan()
    ]


def test_compare_sorts_and_keeps_the_first_as_reference(said):
    names = ["resnet50", "lenet5", "vgg16"]
    lines = said("compare", *names, "--sort", "params", "--markdown")[1].splitlines()
    assert [line.split("|")[1].strip() for line in lines[2:5]] == ["lenet5", "resnet50", "vgg16"]
    record = json.loads(said("compare", *names, "--sort", "macs", "--json")[1])
    assert [net["name"] for net in record["nets"]] == ["lenet5", "resnet50", "vgg16"]
    assert record["nets"][1]["ratios"]["macs"] == 1
    table = said("compare", *names, "--sort", "field")[1].splitlines()
    assert [line.split()[0] for line in table[2:5]] == ["lenet5", "vgg16", "resnet50"]


def test_a_summary_as_markdown(said):
    out = said("summary", "lenet5", "--markdown", "--fit", "1GB")[1]
    lines = out.splitlines()
    assert lines[0] == "## lenet5 1x32x32"
    assert [line.split("|")[1].strip() for line in lines if line.startswith("| ")][2:-1] == [
        row.path for row in nw.net("lenet5").plan()
    ]
    assert "- **params:** 61,706" in out
    assert "- **fits:** a batch of" in out


@pytest.mark.parametrize(("command", "column"), [("summary", "mac"), ("compare", "run")])
def test_unknown_columns_are_told(said, command, column):
    code, out, err = said(command, "lenet5", "--sort", column)
    assert (code, out) == (2, "")
    assert err.startswith(f"netwright: no column to sort by is called {column!r}")
