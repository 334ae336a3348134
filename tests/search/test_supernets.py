"""Searches that train a supernet first, through `nw.search` and the commands."""

from __future__ import annotations

import json
from random import Random

import pytest

import netwright as nw
from netwright.search import Trial
from netwright.search.engine.accuracy import Accuracy
from netwright.search.engine.home import Home
from netwright.search.shared import agreement, differentiable
from netwright.search.strategy import find
from netwright.search.supernets import Ranked, SharedWeights

NAMES = [name for name in nw.strategies() if isinstance(find(name), SharedWeights)]
each = pytest.mark.parametrize("name", NAMES)
TINY = "darts:depth=3,width=2,nodes=2"
SETTINGS = "epochs=2,candidates=6"


def how(name):
    more = ",asks=4" if name == "enas" else ",skips=None" if name.startswith("darts") else ""
    return f"{name}:{SETTINGS}{more}"


def searched(squares, name, **given):
    evaluator = Accuracy(squares, epochs=1)
    space = evaluator.space("darts", depth=3, width=2, nodes=2)
    return nw.search(space, evaluator, **{"strategy": how(name), "trials": 3, **given})


def test_all_four_are_strategies():
    assert NAMES == ["darts", "darts-second-order", "enas", "one-shot"]


@each
def test_the_best_of_a_ranking_are_ordinary_trials(name, squares):
    study = searched(squares, name)
    notes = [trial.note for trial in study.trials]
    scores = [note["shared"] for note in notes]
    assert scores == sorted(scores, reverse=True)
    assert [note["rank"] for note in notes] == sorted({note["rank"] for note in notes})
    assert len({trial.key for trial in study.trials}) == 3
    # Each is trained from nothing, as the evaluator trains the net of any strategy.
    best = study.best
    again = Accuracy(squares, epochs=1)(best.net, seed=best.trial.seed)
    assert again.score == best.score
    assert [t.code for t in searched(squares, name).trials] == [t.code for t in study.trials]


def test_budgets_are_kept(squares):
    free = searched(squares, "darts")
    costs = sorted([trial.costs["macs"] for trial in free.trials])
    study = searched(squares, "darts", budget=f"macs<={int(costs[1])}")
    assert all(trial.costs["macs"] <= costs[1] for trial in study.trials)


def test_after_the_ranking_nets_are_drawn():
    space = nw.space("nasbench201")
    study = nw.search(space, lambda net: 1.0, trials=4, strategy=Ranked((("333333", 0.5),)))
    assert study.trials[0].code == "333333"
    assert [trial.note.get("from") for trial in study.trials] == [None, *["random"] * 3]


@each
def test_what_it_cannot_search_is_told_before_anything_is_trained(name, squares):
    images = Accuracy(squares, epochs=1)
    for space, evaluator, wanted in (
        ("darts", lambda net: 1.0, "trains a supernet on labelled images, got an evaluator"),
        ("nasbench201", images, "shares weights in spaces of cells, got nasbench201; take one"),
        (nw.space("darts"), images, r"input=\(1, 8, 8\) and classes=2"),
    ):
        with pytest.raises(nw.SearchError, match=wanted):
            nw.search(space, evaluator, strategy=name, trials=1)
    if name.startswith("darts"):
        with pytest.raises(nw.SearchError, match="read two different states, got enas"):
            nw.search("enas", images, strategy=name)
    with pytest.raises(nw.SearchError, match="wanted epochs and candidates of at least 1"):
        find(f"{name}:epochs=0")


def test_a_supernet_keeps_to_its_share_of_the_time(squares):
    evaluator = Accuracy(squares, epochs=1)
    space = evaluator.space("darts", depth=3, width=2, nodes=2)
    lines = []
    learnt = find("one-shot:epochs=5000,candidates=2").prepare(space, evaluator, seconds=2.0,
                                                                tell=lines.append)  # fmt: skip
    epochs = len(learnt["history"])
    assert 1 <= epochs < 5000
    assert learnt["stopped"] == f"its time: {epochs} of 5,000 epochs"
    assert len([line for line in lines if line.startswith("supernet  epoch ")]) == epochs


def test_a_study_trains_its_supernet_once(run, squares, tmp_path, monkeypatch):
    words = ["search", TINY, squares, "--epochs", 1, "--random", 3, "--out", tmp_path / "s",
             "--strategy", f"one-shot:{SETTINGS}"]  # fmt: skip
    code, out, err = run(*words, "--trials", 4)
    assert code == 0, err
    assert "supernet  epoch 2  loss " in err
    assert "supernet: 2 epochs in " in out
    with Home(tmp_path / "s").opened() as ledger:
        record, trials = ledger.record, ledger.trials()
    assert [trial.note.get("from") for trial in trials] == [None, None, "random", None]
    tau, count = agreement(trials, record["learnt"]["of"])
    assert count == 3
    assert f"{tau:+.2f} over 3 nets" in out
    assert "Rank correlation of shared weights" in (tmp_path / "s" / "report.html").read_text()
    # Gone on with, and joined, by what the study keeps.
    monkeypatch.setattr("netwright.search.shared.single_path.one_shot", None)
    code, out, err = run(*words, "--trials", 5, "--json")
    state = json.loads(out)
    assert (code, state["complete"], state["supernet"]["epochs"]) == (0, 5, 2)
    assert "supernet  epoch" not in err
    assert run("work", tmp_path / "s")[1] == "s: 0 trials here; 5 trials\n"
    assert record["learnt"]["ranking"][0] == [trials[0].code, trials[0].note["shared"]]


def test_who_joins_before_the_supernet_is_trained_is_told_so(run, squares, tmp_path, monkeypatch):
    def stopped(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr(differentiable, "darts", stopped)
    words = ["search", TINY, squares, "--strategy", "darts", "--out", tmp_path / "s"]
    code, _, err = run(*words)
    assert code == 130
    assert "go on with the same command" in err
    code, _, err = run("work", tmp_path / "s")
    assert (code, err.count("\n")) == (2, 1)
    assert "the supernet of darts is not trained yet" in err


def test_a_supernet_that_is_stopped_goes_on(run, squares, tmp_path, monkeypatch):
    from netwright.search import supernets

    def stopped(row):
        if row["epoch"] == 2:
            raise KeyboardInterrupt
        return line(row)

    line = supernets._line
    words = ["search", TINY, squares, "--strategy", "one-shot:epochs=3,candidates=4", "--epochs",
             1, "--trials", 1, "--out", tmp_path / "s"]  # fmt: skip
    monkeypatch.setattr(supernets, "_line", stopped)
    assert run(*words)[0] == 130
    assert len([*(tmp_path / "s" / "trials").glob("supernet-*")]) == 1
    monkeypatch.setattr(supernets, "_line", line)
    code, _, err = run(*words)
    assert code == 0
    assert [f"epoch {n} " in err for n in (1, 2, 3)] == [False, False, True]
    assert not [*(tmp_path / "s" / "trials").glob("supernet-*")]


def test_no_folder_is_made_for_a_search_that_cannot_be(run, squares, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for space, strategy, wanted in (
        ("macro", "darts", "take one such as darts, enas or pnas"),
        (TINY, "darts:epoch=3", "strategy darts has no setting 'epoch'; it has: "),
        (TINY, "darts:3", "options '3' of strategy darts cannot be read"),
    ):
        code, _, err = run("search", space, squares, "--strategy", strategy)
        assert (code, err.count("\n")) == (2, 1)
        assert wanted in err
    assert not [*tmp_path.iterdir()]


def test_agreement_is_of_nets_that_were_ranked():
    def trial(number, score, **note):
        return Trial(number, str(number), str(number), "", score, "complete",
                     record={"note": note})  # fmt: skip

    trials = [trial(0, 0.9, shared=0.5, of="a"), trial(1, 0.2, **{"from": "random"}),
              trial(2, 0.8, shared=0.4, of="a"), trial(3, 0.85, shared=0.3, of="a"),
              trial(4, 0.1, shared=9.0, of="another")]  # fmt: skip
    assert agreement(trials[:2], "a") is None
    assert agreement(trials, "a") == (pytest.approx(1 / 3), 3)


def test_two_supernets_of_a_study_are_kept_apart(run, squares, tmp_path):
    words = ["search", TINY, squares, "--epochs", 1, "--random", 0, "--out", tmp_path / "s"]
    for epochs, trials in ((1, 2), (2, 3)):
        strategy = f"one-shot:epochs={epochs},candidates=6"
        code, out, err = run(*words, "--strategy", strategy, "--trials", trials, "--json")
        assert code == 0, err
    state = json.loads(out)["supernet"]
    assert (state["epochs"], state["compared"], state["tau"]) == (2, 0, None)
    with Home(tmp_path / "s").opened() as ledger:
        assert len({trial.note["of"] for trial in ledger.trials()}) == 2


def test_strengths_rank_the_cells_next_to_the_strongest():
    import torch

    from netwright.search.shared.relaxed import Relaxed, skips_of
    from netwright.search.shared.supernet import Supernet

    space = nw.space("darts", depth=3, width=2, nodes=2, input=(1, 8, 8), classes=2)
    relaxed = Relaxed(Supernet(space, mixed=True))
    with torch.no_grad():
        for alphas in relaxed.alphas:
            alphas.copy_(torch.randn(alphas.shape, generator=torch.Generator().manual_seed(3)))
    ranking = relaxed.ranking(50)
    assert next(iter(ranking)) == relaxed.code()
    assert [*ranking.values()] == sorted(ranking.values(), reverse=True)
    random = Random(0)
    shares = relaxed._shares()
    most = max(relaxed._strength(space.sample(random), shares) for _ in range(300))
    assert most <= ranking[relaxed.code()]
    few = relaxed.ranking(50, skips=0)
    assert all(skips_of(space.genotype(code)) == 0 for code in [*few][1:])
