"""The command `search` before anything is searched: what there is, and what was forgotten."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

import netwright as nw
from netwright.cli import main
from netwright.cli import search as command
from netwright.search.engine.summary import summary, summary_text

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    """Exit code, output and errors of `netwright search`."""

    def call(*words: object) -> tuple[int, str, str]:
        with pytest.raises(SystemExit) as stop:
            main(["search", *map(str, words)])
        return (int(stop.value.code or 0), *capsys.readouterr())

    return call


def test_alone_it_lists_spaces_and_strategies(run: Run) -> None:
    code, out, _ = run()
    assert code == 0
    names = [line.split()[0] for line in out.splitlines() if line]
    assert {*nw.spaces(), *nw.strategies()} <= {*names}
    assert "default                 as bayesian" in out
    assert max(map(len, out.splitlines())) <= 100
    record = json.loads(run("--json")[1])
    assert sorted(record["spaces"]) == nw.spaces()
    assert sorted(record["strategies"]) == nw.strategies()
    assert all({**record["spaces"], **record["strategies"]}.values())


@pytest.mark.parametrize(("words", "wanted"), [
    (["--trials", 5], "--trials without SPACE; wanted SPACE and DATA, or --show"),
    (["nasbench201", "--trials", 5, "--random", 3],
     "--trials and --random without DATA: a search needs images, as in netwright search nasb"),
    (["nasbench201", "--strategy", "nope"], "--strategy without DATA"),
    (["nope"], "no space is called 'nope'; there are: .*; `netwright search`, or nw.spaces"),
    (["mine.py:make"], "name its code as mine:make"),
])  # fmt: skip
def test_what_was_forgotten_is_told(run: Run, words: list[object], wanted: str) -> None:
    code, out, err = run(*words)
    assert (code, out, err.count("\n")) == (2, "", 1)
    with pytest.raises(nw.NetwrightError, match=wanted):
        raise nw.NetwrightError(err)


def test_a_space_alone_is_described_within_a_budget(run: Run) -> None:
    code, out, _ = run("nasbench201:width=4", "--budget", "macs<=2M", "--seed", 3, "--json")
    assert code == 0
    assert json.loads(out)["macs"] <= 2e6


@pytest.mark.parametrize(("space", "folder"), [
    ("nasbench201:width=4", "nasbench201-pics"),
    ("nets/mine.json", "mine-pics"),
    ("own.spaces:make", "own.spaces-make-pics"),
    ("own.spaces:wide:width=4", "own.spaces-wide-pics"),
])  # fmt: skip
def test_studies_are_called_by_space_and_data(
    run: Run, space: str, folder: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun: list[str] = []
    monkeypatch.setattr(command, "_search", lambda *given: begun.append(given[2]))
    assert run(space, "data/pics.npz")[0] == 0
    assert begun == [f"searches/{folder}"]


def test_options_of_a_strategy_are_shown_as_its_own() -> None:
    for text, such in (("evolution:population", "population=20,tournament=10,ages=True"),
                       ("random:3", "none: it has no settings")):  # fmt: skip
        with pytest.raises(nw.SearchError, match=f"cannot be read; wanted such as {such}"):
            nw.search("nasbench201", lambda net: 1, strategy=text)


def test_more_trials_than_wanted_are_no_part_of_them() -> None:
    trials = nw.search("nasbench201", lambda net: 1, trials=2, strategy="random").trials
    record = {"identity": {"space": "s", "data": "d"}}
    for wanted, said in ((1, "2 trials: "), (2, "2 of 2 trials: "), (None, "2 trials: ")):
        text = summary_text(summary("study", {**record, "trials": wanted}, trials))
        assert text.splitlines()[1].startswith(said)
    assert "\n1 trial: 1 complete" in summary_text(summary("study", record, trials[:1]))
