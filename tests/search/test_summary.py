"""What is said of a study: what is best, what the search gained, in which numbers."""

from __future__ import annotations

import json
import re
from dataclasses import replace

import pytest

import netwright as nw
from netwright.cli import main
from netwright.cli.searching import Progress
from netwright.search import Trial
from netwright.search.engine.beside import Beside, at_random, best_of, proposed
from netwright.search.engine.page import study_page
from netwright.search.engine.summary import curves, gain, summary, summary_text
from netwright.search.fronts import front
from netwright.search.strategy import find
from netwright.search.study import Study, best_trial
from netwright.search.supernets import SharedWeights
from netwright.search.timing import contenders, timed

CELLS = nw.space("nasbench201")
TRAINED = {"recipe": {}, "whole": 3}
"""What the record of a trial has that was trained on images for three epochs."""


def trial(number, score, macs=10, *, fidelity=1.0, epochs=3, trained=True, code="333333", **note):
    record = {"note": note, "net": CELLS.net(code).to_json()}
    if trained:
        record |= {**TRAINED, "epochs": epochs}
    costs = {"macs": macs, "params": 5}
    return Trial(number, code, str(number), str(number), score, "complete", costs=costs,
                 fidelity=fidelity, record=record)  # fmt: skip


def told(trials, record=None, stopped=""):
    record = {"identity": {"space": "mine", "data": "pics"}, "trials": 12, **(record or {})}
    return summary_text(summary("mine", record, trials, stopped))


SHORT = [trial(0, 0.4, fidelity=1 / 3, epochs=1), trial(1, 0.9, 5, fidelity=1 / 3, epochs=1)]
MIXED = [*SHORT, trial(2, 0.5, 20), trial(3, 0.45, 10)]


def test_short_trainings_are_not_compared_with_whole_ones():
    study = Study(CELLS, "hyperband", 0, MIXED)
    assert (study.best.trial.number, study.best.share) == (2, 1.0)
    assert [one.number for one in study.front("macs")] == [2, 3]
    assert study.curve() == [0.5, 0.5]
    assert {one.number for one in contenders(MIXED, lambda one: CELLS.net(one.code))} <= {2, 3}
    assert [one.number for one in timed(MIXED, dict.fromkeys("0123", 0.1))] == [2, 3]
    latency = {"setting": "a machine", "seconds": dict.fromkeys("0123", 0.1)}
    text = told(MIXED, {"latency": latency})
    assert "best: trial 2, 50.00% on validation, " in text
    assert "90.00%" not in text
    assert "after" not in text


def test_what_is_best_of_short_trainings_says_so():
    study = Study(CELLS, "hyperband", 0, SHORT)
    assert (study.best.score, study.best.share) == (0.9, 1 / 3)
    assert "best: trial 1, 90.00% on validation after 1 of 3 epochs, " in told(SHORT)
    assert summary("mine", {}, SHORT)["best"]["training"] == "1 of 3 epochs"
    assert "accuracy on validation after 1 of 3 epochs" in study_page("s", {}, SHORT).render()
    alone = [trial(0, 4099.0, fidelity=1 / 4, trained=False)]
    assert "best: trial 0, 4099 after 25% of the training, " in told(alone)


def test_epochs_are_what_makes_a_training_long():
    """Small shares of a few epochs are one epoch all."""
    trials = [trial(0, 0.7, fidelity=1 / 27, epochs=1), trial(1, 0.6, fidelity=1 / 3, epochs=1)]
    assert best_trial(trials).number == 0
    assert best_trial([*trials, trial(2, 0.5)]).number == 2
    asked = [trial(0, 0.7, fidelity=0.1, trained=False), trial(1, 0.6, fidelity=0.3, trained=False)]
    assert best_trial(asked).number == 1


def test_progress_keeps_to_the_longest_training(capsys):
    progress = Progress(4, None, quiet=False)
    for one in MIXED[1:]:
        progress(one)
    lines = [line.rpartition("  ")[0] for line in capsys.readouterr().err.splitlines()]
    assert lines == [
        "trial 1  333333  90.00% after 1 of 3 epochs  best 90.00% after 1 of 3 epochs",
        "trial 2  333333  50.00%  best 50.00%",
        "trial 3  333333  45.00%  best 50.00%",
    ]


def test_the_table_of_a_page_says_how_long_nets_were_trained():
    mixed, whole = (study_page("s", {}, some).render() for some in (MIXED, MIXED[2:]))
    assert mixed.index("trial 3: ") < mixed.index("trial 1: ")  # after all that were trained whole
    assert "1 of 3 epochs" in mixed
    assert "<th>training" not in whole
    assert "1 of 3 epochs" not in whole


def test_a_gain_is_over_as_many_nets_at_random():
    drawn = [trial(i, score, **{"from": "random"}) for i, score in enumerate((0.2, 0.6, 0.7))]
    own = [trial(i, score) for i, score in enumerate((0.1, 0.5, 0.3, 0.5), 3)]
    trials = [
        *drawn,
        *own,
        trial(7, 0.9, fidelity=0.5, epochs=1),
        trial(8, 0.4, **{"from": "default"}),
    ]
    assert (at_random(trials), proposed(trials)) == (drawn, own)
    gains = gain(trials)
    assert gains["random"] == pytest.approx(best_of([0.1, 0.5, 0.3, 0.5], 3) - 0.7)
    assert gains["default"] == pytest.approx(0.3)
    text = told(trials)
    assert "-20.00 points over random search, each the best of 3 nets" in text
    assert "+30.00 points over the default" in text
    assert curves(trials) == {
        "search": [(1, 0.1), (2, 0.5), (3, 0.5), (4, 0.5)],
        "random": [(n, pytest.approx(best_of([0.2, 0.6, 0.7], n))) for n in (1, 2, 3)],
    }


def test_no_gain_is_told_where_all_nets_are_random_ones():
    trials = [trial(i, 0.1 * i, **{"from": "random"}) for i in range(3)]
    assert gain(trials) == {}
    text = told(trials)
    assert "points over" not in text
    assert "so far the strategy has drawn nets at random only" in text
    assert "at random only" not in told([trial(0, 0.5)])
    assert "Against random search" in study_page("s", {}, trials).render()


STARTS = {
    "default": 10, "bayesian": 10, "parego": 10, "tpe": 10, "nsga2": 10, "pareto": 10,
    "ridge": 20, "evolution": 20, "hierarchical-evolution": 20, "progressive": 25,
    "local-search": 10, "random": 60,
    # Of these even the first nets are their own.
    "reinforce": 0, "ppo": 0, "hyperband": 0, "successive-halving": 0,
}  # fmt: skip


@pytest.mark.parametrize(
    "name", [name for name in nw.strategies() if not isinstance(find(name), SharedWeights)]
)
def test_what_a_strategy_draws_before_it_knows_anything_is_noted(name):
    def score(net, fidelity=1.0):
        return fidelity * sum(map(int, CELLS.code(net)))

    study = nw.search(CELLS, score, trials=60, strategy=name)
    drawn = [one.note.get("from") == "random" for one in study.trials]
    start = min(STARTS[name], 60)
    assert drawn == [True] * start + [False] * (60 - start)


def test_a_search_without_scores_from_images_speaks_of_no_percent():
    trials = [trial(0, 4099.0, trained=False, **{"from": "random"}), trial(1, 3.5, trained=False)]
    text, page = told(trials), study_page("mine", {}, trials).render()
    assert "best: trial 0, 4099, " in text
    assert "-4096 over random search" in text
    for words in ("%", "points", "validation"):
        assert words not in text
    assert "Score against cost" in page
    for words in ("on validation", "validation error", "error in %", "4099.00%", "lucky"):
        assert words not in page
    assert "4099" in page


def test_a_study_of_a_function_is_shown_as_it_is(tmp_path, capsys):
    journal = tmp_path / "j.journal"
    nw.search(CELLS, lambda net: float(net.plan().params), trials=3, storage=journal, study="mine")
    with pytest.raises(SystemExit):
        main(["search", "--show", "mine", "--storage", str(journal), "--json"])
    state = json.loads(capsys.readouterr().out)
    with pytest.raises(SystemExit):
        main(["search", "--show", "mine", "--storage", str(journal)])
    out = capsys.readouterr().out
    assert f"best: trial {state['best']['trial']}, {state['best']['score']:.0f}, " in out
    assert state["accuracy"] is False
    assert "%" not in out


def test_of_equals_the_cheaper_is_best():
    trials = [trial(0, 0.6, 30), trial(1, 0.6, 20), trial(2, 0.6, 20), trial(3, 0.5, 10)]
    best = best_trial(trials)
    assert best.number == 1
    assert front(trials, ["macs"])[0] == best
    text = told(trials)
    assert "best: trial 1, " in text
    assert "cheaper: trial 3, " in text
    assert "trial 2" not in text


def test_a_search_that_ends_early_says_why():
    trials = [trial(0, 0.5)]
    assert "ended: the time is over" in told(trials, stopped="the time is over")
    assert "ended" not in told(trials, {"trials": 1}, "1 trials")
    assert "ended" not in told(trials)


def test_the_cells_of_the_best_net_are_drawn_by_their_operations():
    best = trial(0, 0.5, code="143210")
    page = study_page("mine", {}, [best]).render()
    drawn = page[page.index("Its cell stage1.0:") : page.index("All of it:")]
    texts = re.findall("<text[^>]*>([^<]*)</text>", drawn)
    assert [text for text in texts if re.fullmatch(r"edge\d_\d|.*_.*", text)] == [
        "edge0_1", "skip_connect", "edge0_3", "conv_1x1", "edge1_3", "skip_connect",
    ]  # fmt: skip
    assert page.count("Its cell") == 1
    lenet = {**best.record, "net": nw.net("lenet5").to_json()}
    assert "Its cell" not in study_page("mine", {}, [replace(best, record=lenet)]).render()


def test_random_beside_another_strategy_is_no_proposal():
    study = nw.search(CELLS, lambda net: 1.0, trials=30, strategy=Beside(find("default"), 3))
    assert len(proposed(study.trials)) + len(at_random(study.trials)) == 30
    assert {one.number for one in at_random(study.trials)} >= {*range(10), 11, 14, 29}
