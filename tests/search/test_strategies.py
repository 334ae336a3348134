"""One kit for every strategy, found by itself."""

from __future__ import annotations

import random
import statistics
from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace

import pytest

import netwright as nw
from netwright import Choice, ConvNormAct, Identity, Net, Sequential
from netwright.core.plan import Plan
from netwright.search.engine.beside import Beside, at_random
from netwright.search.fronts import front
from netwright.search.loop import ask
from netwright.search.optuna_samplers import _studies
from netwright.search.strategy import Exhausted, Strategy, find
from netwright.search.study import Study
from netwright.search.supernets import SharedWeights
from netwright.search.trial import Trial

CELLS = nw.space("nasbench201")
TINY = nw.space(Net(Sequential(a=Choice(ConvNormAct(8), Identity()), b=ConvNormAct(Choice(4, 8)),
                               c=ConvNormAct(Choice(2, 4, 6)), pool=nw.GlobalAvgPool(),
                               fc=nw.Linear(3)), (3, 8, 8), "tiny"))  # fmt: skip
each = pytest.mark.parametrize(
    "name", [name for name in nw.strategies() if not isinstance(find(name), SharedWeights)]
)


def score(code: str) -> float:
    """A made-up accuracy: better with convolutions near the output, and with few pools."""
    worth = {"0": 0.0, "1": 1.0, "2": 2.0, "3": 3.0, "4": -1.0}
    key = CELLS.canonical(code)
    return sum(worth[digit] * (i + 1) for i, digit in enumerate(key)) - 2 * (key[3] == key[5])


def evaluate(net: Net, fidelity: float = 1.0) -> float:
    return score(CELLS.code(net)) * fidelity


def study_of(name: str, trials: int = 70, seed: int = 0, space: nw.Space = CELLS) -> Study:
    return nw.search(space, evaluate, trials=trials, strategy=name, seed=seed)


def asked(study: Study) -> list[tuple[str, float]]:
    return [(trial.code, trial.fidelity) for trial in study.trials]


@each
def test_no_function_is_evaluated_twice(name: str) -> None:
    study = study_of(name)
    assert len(study.trials) == 70
    assert len({(trial.key, trial.fidelity) for trial in study.trials}) == 70
    assert all(trial.key == CELLS.canonical(trial.code) for trial in study.trials)
    assert all(trial.state == "complete" for trial in study.trials)


@each
def test_what_is_asked_follows_from_the_seed_and_the_trials(name: str) -> None:
    long, short, other = study_of(name), study_of(name, 40), study_of(name, 40, seed=1)
    assert asked(long)[:40] == asked(short) != asked(other)
    # A worker that knows nothing but the trials asks the same.
    how = find(name)
    for number in (0, 11, 40, 69):
        _studies.clear()
        trials = [Trial.from_json(trial.to_json()) for trial in long.trials[:number]]
        proposal = ask(CELLS, how, trials, 0, number)
        assert (proposal.code, proposal.fidelity) == asked(long)[number]


@each
def test_several_workers_ask_different_functions(name: str) -> None:
    how, trials = find(name), list(study_of(name, 30).trials)
    for number in range(30, 38):
        proposal = ask(CELLS, how, trials, 0, number)
        key, note = CELLS.canonical(proposal.code), {"note": proposal.note}
        trials.append(
            Trial(number, proposal.code, key, "", fidelity=proposal.fidelity, record=note)
        )
    assert len({(trial.key, trial.fidelity) for trial in trials}) == 38
    assert trials[-1].state == "running"


@each
def test_failed_trials_are_passed_over(name: str) -> None:
    def fails(net: Net, fidelity: float = 1.0) -> float:
        if CELLS.code(net)[0] in "012":
            raise MemoryError("out of memory")
        return evaluate(net, fidelity)

    study = nw.search(CELLS, fails, trials=50, strategy=name)
    failed = [trial for trial in study.trials if trial.state == "failed"]
    assert failed
    assert {trial.reason for trial in failed} == {"no memory left"}
    assert len({(trial.key, trial.fidelity) for trial in study.trials}) == 50
    assert study.best.code[0] in "34"


@each
def test_a_search_of_failures_goes_on(name: str) -> None:
    def fails(net: Net, fidelity: float = 1.0) -> float:
        return float("nan")

    study = nw.search(CELLS, fails, trials=25, strategy=name)
    assert len({trial.key for trial in study.trials}) == 25
    assert {trial.reason for trial in study.trials} == {
        "the evaluator returned nan, wanted a finite number"
    }
    with pytest.raises(nw.SearchError, match="no trial of 25 is complete; the last failed"):
        _ = study.best


@each
def test_the_budget_is_kept(name: str) -> None:
    study = nw.search(CELLS, evaluate, trials=30, strategy=name, budget="macs<=60M, params<=400k")
    for trial in study.trials:
        plan = CELLS.net(trial.code).plan()
        assert plan.macs <= 60e6
        assert plan.params <= 400e3
        assert trial.costs == {"params": plan.params, "macs": plan.macs}


@each
def test_a_space_is_searched_to_its_end(name: str) -> None:
    def small(net: Net, fidelity: float = 1.0) -> float:
        return net.plan().params * fidelity

    study = nw.search(TINY, small, trials=200, strategy=name)
    whole = [trial for trial in study.trials if trial.fidelity == 1]
    if not find(name).fidelities:
        assert {trial.key for trial in whole} == {TINY.canonical(code) for code in TINY.codes()}
        assert "is left to evaluate" in study.stopped
        assert study.best.score == max(small(TINY.net(code)) for code in TINY.codes())
    assert len({(trial.key, trial.fidelity) for trial in study.trials}) == len(study.trials)


@each
def test_constant_scores_are_no_trouble(name: str) -> None:
    def constant(net: Net, fidelity: float = 1.0) -> int:
        return 1

    study = nw.search(CELLS, constant, trials=40, strategy=name)
    assert len({(trial.key, trial.fidelity) for trial in study.trials}) == 40


@each
def test_every_strategy_is_documented_and_refuses_other_settings(name: str) -> None:
    how = find(name)
    assert isinstance(how, Strategy)
    assert type(how).__doc__
    assert hash(how) == hash(find(name))
    with pytest.raises(nw.SearchError, match="has no setting 'depth'"):
        find(name, depth=3)


@pytest.mark.parametrize("name", nw.strategies())
def test_settings_of_another_kind_are_refused(name: str) -> None:
    assert find(str(find(name))) == find(name)
    for setting in vars(find(name)):
        wanted = rf"strategy {name}: {setting} is {{}}, wanted"
        with pytest.raises(nw.SearchError, match=wanted):
            find(name, **{setting: {}})


@pytest.mark.parametrize("text", [
    "reinforce:batch=0", "ppo:hidden=0", "ppo:rate=-1", "progressive:beam=0", "nsga2:population=0",
    "evolution:population=3", "hyperband:factor=1", "one-shot:candidates=0",
])  # fmt: skip
def test_settings_nobody_can_search_by_are_refused_by_name(text: str) -> None:
    with pytest.raises(nw.SearchError) as error:
        find(text)
    assert str(error.value).startswith(f"{text.partition(':')[0]}:")


@pytest.mark.parametrize("name", ["nsga2", "parego"])
def test_costs_that_no_trial_has_are_named(name: str) -> None:
    with pytest.raises(nw.SearchError, match="has no cost 'watts'; it has: macs, params"):
        nw.search(CELLS, evaluate, trials=20, strategy=find(name, costs=("watts",)))


@pytest.mark.parametrize("name", ["nsga2:population=8", "parego"])
def test_latency_is_minimised_as_it_is_predicted(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def span(macs: float) -> float:
        return 1e-9 * macs**0.5

    how = Beside(find(name, costs=("latency",)))
    monkeypatch.setattr(Plan, "latency", lambda plan: None)
    with pytest.raises(nw.SearchError, match="run `netwright calibrate` first"):
        nw.search(CELLS, evaluate, trials=20, strategy=how)
    monkeypatch.setattr(Plan, "latency", lambda plan: SimpleNamespace(seconds=span(plan.macs)))
    study = nw.search(CELLS, evaluate, trials=20, strategy=how)
    assert all(trial.costs["latency"] == span(trial.costs["macs"]) for trial in study.trials)
    assert len(front(study.trials, ["latency"])) >= 2


def noisy(code: str, seed: int) -> float:
    return score(code) + random.Random(f"{seed}-{code}").gauss(0, 1.0)


@pytest.mark.parametrize(
    "name", ["default", "ridge", "local-search", "evolution", "hierarchical-evolution", "nsga2"]
)
def test_strategies_beat_random_on_a_noisy_table(name: str) -> None:
    def regret(strategy: str, seed: int) -> float:
        study = nw.search(CELLS, lambda net: noisy(CELLS.code(net), seed), trials=60,
                          strategy=strategy, seed=seed)  # fmt: skip
        return -score(study.best.code)

    apart = [regret(name, seed) - regret("random", seed) for seed in range(6)]
    mean, error = statistics.fmean(apart), statistics.stdev(apart) / 6**0.5
    assert mean + 2 * error < 0


@pytest.mark.parametrize(("name", "first"), [
    ("evolution", 20), ("hierarchical-evolution", 20), ("nsga2", 10), ("pareto", 10),
])  # fmt: skip
def test_a_search_of_usual_length_is_at_random_for_a_fifth_at_most(name: str, first: int) -> None:
    """A population that is given is as it is given."""
    for text, trials, drawn in ((name, 100, first), (f"{name}:population=30", 40, 30)):
        found = at_random(study_of(text, trials).trials)
        assert [trial.number for trial in found] == list(range(drawn))


def test_the_oldest_dies() -> None:
    how = find("evolution", population=10, tournament=10)
    study = nw.search(CELLS, evaluate, trials=60, strategy=how)
    for trial in study.trials[10:]:
        parent = study.trials[trial.record["note"]["parent"]]
        alive = study.trials[trial.number - 10 : trial.number]
        assert parent in alive
        assert parent.score == max(one.score for one in alive)


def test_a_child_is_one_mutation_away() -> None:
    study = study_of("evolution", 80)
    apart = [
        len(set(enumerate(CELLS.choices(trial.code)))
            - set(enumerate(CELLS.choices(study.trials[trial.record["note"]["parent"]].code))))
        for trial in study.trials[20:]
    ]  # fmt: skip
    assert statistics.median(apart) == 1  # a canonical code may be further away than its function


def test_rungs_hold_the_best_of_those_below() -> None:
    how = find("successive-halving", factor=2, least=1 / 4)
    study = nw.search(CELLS, evaluate, trials=60, strategy=how)
    rungs = {share: [t for t in study.trials if t.fidelity == share] for share in (0.25, 0.5, 1)}
    assert len(rungs[0.25]) > len(rungs[0.5]) > len(rungs[1]) > 0
    for below, above in pairwise(rungs.values()):
        worth = sorted([score(trial.code) for trial in below])
        for trial in above:
            assert trial.key in {other.key for other in below}
            assert score(trial.code) >= worth[len(worth) // 4]


def test_the_first_rung_is_an_epoch() -> None:
    class Epochs:
        """An evaluator that says how many epochs a whole training has."""

        epochs = 10

        def __call__(self, net: nw.Net, fidelity: float) -> float:
            asked.append(max(1, round(fidelity * self.epochs)))
            return evaluate(net)

    asked = list[int]()
    study = nw.search(CELLS, Epochs(), trials=30, strategy="hyperband")
    assert {*asked} == {1, 3, 10}
    twice = [(trial.key, epochs) for trial, epochs in zip(study.trials, asked, strict=True)]
    assert len(twice) == len({*twice})


def test_halving_goes_on_with_the_trials_of_others(tmp_path: Path) -> None:
    file = tmp_path / "study.journal"
    nw.search(CELLS, evaluate, trials=6, strategy="random", storage=file)
    study = nw.search(CELLS, evaluate, trials=20, strategy="hyperband", storage=file)
    assert len(study.trials) == 20
    assert len({(trial.key, trial.fidelity) for trial in study.trials}) == 20


def test_hyperband_wants_an_evaluator_that_takes_parts() -> None:
    with pytest.raises(nw.SearchError, match="takes `fidelity`"):
        nw.search(CELLS, lambda net: 1.0, trials=3, strategy="hyperband")


@pytest.mark.parametrize("name", ["pareto", "parego"])
def test_fronts_are_better_than_those_of_random(name: str) -> None:
    def volume(study: Study) -> float:
        """The area under the front: score above 0, MACs below the largest."""
        front, area, before = study.front("macs"), 0.0, 2.3e8
        for trial in front:  # from the highest score
            area += max(0, trial.score) * (before - trial.costs["macs"])
            before = trial.costs["macs"]
        return area

    wins = [volume(study_of(name, 60, seed)) > volume(study_of("random", 60, seed))
            for seed in range(3)]  # fmt: skip
    assert sum(wins) >= 2


@pytest.mark.parametrize("name", ["random", "evolution", "default", "ridge"])
def test_a_space_too_large_to_know_is_searched_to_its_end(name: str) -> None:
    """What fits in it is so little that draws at random miss the last ones."""
    bounded = CELLS.within("params<=76K")
    assert bounded.functions is None
    keys = {bounded.canonical(code) for code in bounded.codes()}
    study = nw.search(bounded, lambda net: net.plan().params, trials=100, strategy=name)
    assert {trial.key for trial in study.trials} == keys
    assert "is left to evaluate" in study.stopped


def test_exhausted_says_where() -> None:
    trials = list(nw.search(TINY, lambda net: 1.0, trials=200, strategy="random").trials)
    with pytest.raises(Exhausted, match=r"of tiny is left .* after 12; take another space$"):
        ask(TINY, find("random"), trials, 0, len(trials))
    with pytest.raises(Exhausted, match=r"of tiny within macs ≤ 1G is left .*, or a wider budget$"):
        ask(TINY.within("macs<=1G"), find("random"), trials, 0, len(trials))
