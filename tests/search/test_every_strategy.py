"""Every strategy there is, through the command to its end."""

from __future__ import annotations

import json

import pytest

import netwright as nw
from netwright.search.engine.home import Home
from netwright.search.strategy import find
from netwright.search.supernets import SharedWeights

SMALL = ["small", "--budget", "params<=4K, macs<=120K"]
CELLS = ["darts:depth=3,width=2,nodes=2"]


def of(name):
    """Space and strategy of a search that takes seconds."""
    if not isinstance(find(name), SharedWeights):
        return SMALL, name
    return CELLS, f"{name}:epochs=1,candidates=3" + (",asks=2" if name == "enas" else "")


@pytest.mark.slow
@pytest.mark.parametrize("name", nw.strategies())
def test_every_strategy_searches_images_to_its_end_and_is_shown(name, run, squares, tmp_path):
    (space, *budget), strategy = of(name)
    words = ["search", space, squares, *budget, "--strategy", strategy, "--epochs", 2, "--trials",
             3, "--out", tmp_path / "s", "--quiet"]  # fmt: skip
    code, out, err = run(*words)
    assert (code, err) == (0, "")
    assert "3 of 3 trials: 3 complete; " in out
    assert (tmp_path / "s" / "report.html").is_file()
    code, shown, err = run("search", "--show", tmp_path / "s")
    assert (code, err) == (0, "")
    assert shown.splitlines()[0].endswith(strategy)
    state = json.loads(run("search", "--show", tmp_path / "s", "--json")[1])
    assert state["complete"] == 3
    assert (state["supernet"] is not None) == isinstance(find(name), SharedWeights)


def test_a_supernet_follows_a_halving_and_the_other_way_round(run, squares, tmp_path):
    """What one strategy has learnt before the first trial is nothing to the next."""
    words = ["search", *CELLS, squares, "--epochs", 1, "--out", tmp_path / "s", "--quiet"]
    for trials, name in enumerate(("hyperband", "one-shot", "hyperband"), 1):
        code, out, err = run(*words, "--strategy", of(name)[1], "--trials", trials)
        assert (code, err) == (0, "")
        assert ("supernet: 1 epoch in " in out) == (trials > 1)
    with Home(tmp_path / "s").opened() as ledger:
        assert {"least", "ranking"} <= {*ledger.kept("learnt")}
