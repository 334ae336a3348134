"""The search loop, its trials and what it says of faults."""

from __future__ import annotations

import json
import math
import subprocess
import sys
import time
from fractions import Fraction

import numpy as np
import pytest

import netwright as nw
from netwright.core.plan import Plan
from netwright.errors import SearchError
from netwright.search import Evaluation, Proposal, Strategy, Study, Trial
from netwright.search.fronts import front
from netwright.search.loop import search

SPACE = nw.space("nasbench201")


def digits(net: nw.Net) -> float:
    return sum(map(int, SPACE.code(net)))


def test_a_function_of_nets_is_all_that_a_search_needs() -> None:
    study = nw.search(SPACE, digits, trials=30, strategy="default", seed=0)
    assert [trial.number for trial in study.trials] == list(range(30))
    scores = [trial.score for trial in study.trials]
    assert study.best.score == max(scores) == digits(study.best.net)
    assert study.best.code == SPACE.code(study.best.net)
    assert study.curve() == [max(scores[: i + 1]) for i in range(30)]
    assert study.stopped == "30 trials"
    assert all(trial.hash == SPACE.net(trial.code).hash for trial in study.trials)


def test_the_package_searches_when_it_is_called() -> None:
    assert nw.search is sys.modules["netwright.search"]
    assert len(nw.search(SPACE, digits, trials=3, strategy="random").trials) == 3
    assert nw.space("nasbench201") is SPACE
    assert nw.spaces("nasbench201") == ["nasbench201"]
    assert {"default", "random", "evolution", "tpe"} <= {*nw.strategies()}


def test_a_table_is_an_evaluator_in_a_line() -> None:
    table = {code: float(code[0]) for code in SPACE.codes()}
    study = nw.search("nasbench201", lambda net: table[SPACE.code(net)], trials=12)
    assert study.best.score == max(table[trial.code] for trial in study.trials)


def test_what_an_evaluator_returns_beside_the_score_is_kept() -> None:
    def curve(net: nw.Net, seed: int) -> Evaluation:
        return Evaluation(0.5, {"curve": [0.1, 0.5], "seed": seed})

    study = nw.search(SPACE, curve, trials=2, strategy="random")
    for trial in study.trials:
        assert trial.record["curve"] == [0.1, 0.5]
        assert trial.record["seed"] == trial.seed
    assert study.trials[0].seed != study.trials[1].seed


@pytest.mark.parametrize(("returned", "reason"), [
    (math.nan, "the evaluator returned nan, wanted a finite number"),
    (-math.inf, "the evaluator returned -inf, wanted a finite number"),
    (None, "the evaluator returned None, wanted a number"),
    ("0.5", "the evaluator returned '0.5', wanted a number"),
    (True, "the evaluator returned True, wanted a number"),
    (np.True_, "the evaluator returned np.True_, wanted a number"),
    (np.ones(2), "the evaluator returned array([1., 1.]), wanted a number"),
    (10**400, f"the evaluator returned 1{'0' * 76}..., wanted a number"),
    (ValueError("two\nlines"), "ValueError: two lines"),
    (MemoryError(), "no memory left"),
    (nw.ShapeError("does not fit"), "does not fit"),
])  # fmt: skip
def test_a_failed_trial_says_why_in_a_line(returned: object, reason: str) -> None:
    def evaluator(net: nw.Net) -> object:
        if isinstance(returned, Exception):
            raise returned
        return returned

    trial = nw.search(SPACE, evaluator, trials=1, strategy="random").trials[0]
    assert (trial.state, trial.score, trial.reason) == ("failed", None, reason)
    assert trial.seconds >= 0


@pytest.mark.parametrize("score", [1, Fraction(1, 2), np.float32(0.5), np.array(0.5)])
def test_numbers_of_any_kind_are_scores(score: object) -> None:
    for returned in (score, Evaluation(score)):
        study = nw.search(SPACE, lambda net, said=returned: said, trials=1)
        assert (study.best.score, type(study.best.score)) == (float(score), float)


def test_an_evaluator_may_report_where_nothing_is_kept() -> None:
    def evaluator(net: nw.Net, report, limit) -> float:
        report(1, 0.25)
        return limit

    assert nw.search(SPACE, evaluator, trials=1, limit=60).best.score == 60


def test_a_space_is_a_text_with_options_too() -> None:
    study = nw.search("nasbench201:width=8", lambda net: -net.plan().macs, "macs<=10M", trials=5)
    assert study.best.net == nw.space("nasbench201", width=8).net(study.best.code)
    assert str(study.space.budget) == "macs<=10000000"
    assert all(trial.costs["macs"] <= 10e6 for trial in study.trials)


def test_names_of_the_package_stay_what_they_are() -> None:
    names = ["front", "search", "zero_cost"]
    script = (
        "import netwright as nw, pkgutil; nw.search('nasbench201', nw.search.zero_cost, trials=1)\n"
        f"print([type(getattr(nw.search, name)).__name__ for name in {names}])"
    )
    said = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True,
                          check=True)  # fmt: skip
    assert said.stdout == f"{['function'] * 3}\n"


def test_a_record_that_no_storage_can_keep_is_a_failed_trial() -> None:
    trial = nw.search(SPACE, lambda net: Evaluation(0.5, {"net": net}), trials=1).trials[0]
    assert trial.state == "failed"
    assert trial.reason.startswith("the evaluator's record is none for JSON: Object of type Net")


@pytest.mark.parametrize("strategy", ["local-search", "random", "hyperband"])
def test_a_note_of_the_evaluator_does_not_stand_for_the_strategys(strategy: str) -> None:
    def noted(net: nw.Net, fidelity: float) -> Evaluation:
        return Evaluation(fidelity * digits(net), {"note": "mine", "epochs": 3})

    plain = nw.search(SPACE, lambda net, fidelity: fidelity * digits(net), trials=14,
                      strategy=strategy)  # fmt: skip
    study = nw.search(SPACE, noted, trials=14, strategy=strategy)
    assert [trial.code for trial in study.trials] == [trial.code for trial in plain.trials]
    assert [trial.note for trial in study.trials] == [trial.note for trial in plain.trials]
    assert all(trial.record["epochs"] == 3 for trial in study.trials)


def test_interrupting_is_no_failure() -> None:
    def interrupted(net: nw.Net) -> float:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        nw.search(SPACE, interrupted, trials=1, strategy="random")


def test_a_search_ends_by_the_clock() -> None:
    study = nw.search(SPACE, digits, minutes=0.002, strategy="random")
    assert len(study.trials) >= 1
    assert study.stopped == "0.002 minutes are over"


@pytest.mark.parametrize(("given", "why"), [
    ({"trials": 0}, "trials is 0, wanted an integer"),
    ({"trials": 2.5}, "trials is 2.5"),
    ({"minutes": -1}, "minutes is -1, wanted a number above 0"),
    ({"limit": 0}, "limit is 0, wanted a number above 0"),
    ({"workers": 0}, "workers is 0, wanted an integer of at least 1"),
    ({"strategy": "tep"}, "no strategy is called 'tep'; near: tpe"),
    ({"budget": "macs<=1k"}, "no net of nasbench201 keeps to macs ≤ 1K; the nearest, .* = 7.78M"),
    ({"budget": "speed<=3"}, "'speed'; there are: field, latency, macs, memory, params"),
    ({"strategy": 3}, "strategy is 3, wanted the name of one, as nw.strategies"),
    ({"strategy": Strategy}, "strategy is <class .*wanted the name of one"),
    ({"space": "nasbench"}, "no space is called 'nasbench'; near: nasbench201"),
    ({"evaluator": 3}, "the evaluator is 3, wanted a function of a net"),
    ({"space": nw.net("lenet5")}, "lenet5 has no choice in it"),
])  # fmt: skip
def test_wrong_arguments_are_told_in_a_line(given: dict[str, object], why: str) -> None:
    arguments = {"space": SPACE, "evaluator": digits, **given}
    with pytest.raises(nw.NetwrightError, match=why) as error:
        nw.search(**arguments)
    assert "\n" not in str(error.value)


def test_a_bound_of_latency_wants_a_machine_that_is_calibrated(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(Plan, "latency", lambda plan: None)
    with pytest.raises(
        nw.NetwrightError, match=r"^a bound of latency.*`netwright calibrate` first"
    ):
        nw.search(SPACE, digits, "latency<=1ms", trials=2)


def test_a_strategy_of_ones_own() -> None:
    class InOrder(Strategy):
        def ask(self, space, trials, random) -> Proposal:
            return Proposal(space.write(space.choices(f"00000{len(trials)}")))

    study = nw.search(SPACE, digits, trials=5, strategy=InOrder())
    assert [trial.code for trial in study.trials] == [f"00000{i}" for i in range(5)]
    assert study.strategy == "InOrder"


def test_trials_are_json() -> None:
    for trial in nw.search(SPACE, digits, trials=4).trials:
        assert Trial.from_json(trial.to_json()) == trial
        assert json.loads(trial.to_json())["state"] == "complete"


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"number": 1}', "null"])
def test_other_texts_are_no_trials(text: str) -> None:
    with pytest.raises(SearchError):
        Trial.from_json(text)


def test_scores_belong_to_complete_trials() -> None:
    for state, score in [("complete", None), ("failed", 0.5), ("complete", math.nan), ("ok", None)]:
        with pytest.raises(SearchError):
            Trial(0, "0", "0", "", score, state)


def test_the_front_is_what_nobody_beats() -> None:
    points = [(3, 30), (2, 20), (2, 25), (1, 10), (3, 30), (0, 11), (1, 10)]
    trials = [Trial(i, str(i), str(i), "", float(score), "complete", costs={"macs": cost})
              for i, (score, cost) in enumerate(points)]  # fmt: skip
    best = front(trials, ["macs"])
    assert [trial.number for trial in best] == [0, 1, 3]
    for trial in trials:  # by definition
        beaten = any(
            other.score >= trial.score
            and other.costs["macs"] <= trial.costs["macs"]
            and (other.score, other.costs) != (trial.score, trial.costs)
            for other in trials
        )
        assert beaten != any((trial.score, trial.costs) == (b.score, b.costs) for b in best)
    with pytest.raises(SearchError, match="has no cost 'energy'; it has: macs"):
        front(trials, ["energy"])


def test_latency_is_measured_for_what_may_be_on_the_front(monkeypatch) -> None:
    """Where the latency is not predicted these are the nets that none beats in size."""
    from netwright.speed import latency, measure

    seconds, asked = {}, list[str]()

    def measured(net: nw.Net, how: object, patience: float) -> float:
        asked.append(net.hash)
        return seconds.setdefault(net.hash, 0.001 * (1 + len(seconds) % 3))

    monkeypatch.setattr(latency, "latest", lambda dtype: None)
    monkeypatch.setattr(measure, "measured", measured)
    study = nw.search(SPACE, digits, trials=25, strategy="random")
    best = study.front("latency")
    assert sorted(asked) == sorted(trial.hash for trial in study.front())
    assert best[0].score == study.best.score
    assert all(trial.costs["latency"] == seconds[trial.hash] for trial in best)
    latencies = [trial.costs["latency"] for trial in best]
    assert latencies == sorted(latencies, reverse=True)
    assert len(study.front("latency", "macs")) >= len(best)


def test_predictions_leave_out_what_is_surely_slower(monkeypatch) -> None:
    """Of nets as good, one whose least latency is above the most of another."""
    from netwright.search.timing import contenders
    from netwright.speed import latency

    spans = {"0": (1.0, 2.0), "1": (1.9, 3.0), "2": (2.1, 4.0), "3": (5.0, 9.0)}
    scores = {"0": 0.5, "1": 0.5, "2": 0.4, "3": 0.9}
    nets = {key: SPACE.net(f"33333{key}") for key in spans}
    where = {net.name: key for key, net in nets.items()}
    trials = [Trial(int(key), key, key, "", scores[key], "complete") for key in spans]
    trials.append(Trial(4, "4", "4", "", state="failed"))
    setting = latency.Setting("machine", 1)

    def predicted(plan: nw.Plan, rates: object) -> latency.Latency:
        low, high = spans[where[plan.name]]
        return latency.Latency((low + high) / 2, low, high, setting)

    monkeypatch.setattr(latency, "latest", lambda dtype: object())
    monkeypatch.setattr(latency, "predict", predicted)
    kept = contenders(trials, lambda trial: nets[trial.code])
    assert [trial.number for trial in kept] == [0, 1, 3]


def test_studies_without_a_score_have_no_best() -> None:
    with pytest.raises(SearchError, match="no trial of 0 is complete"):
        _ = Study(SPACE, "random", 0).best
    assert Study(SPACE, "random", 0).front() == []


def test_spaces_and_strategies_load_no_torch() -> None:
    code = (
        "import sys, netwright as nw; nw.spaces(); nw.space('nasbench201').net('432121').plan();"
        "assert not {'torch', 'numpy', 'optuna'} & {*sys.modules}, 'spaces';"
        "nw.strategies(); assert not {'torch', 'optuna'} & {*sys.modules}, 'strategies'"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_the_face_is_the_loop() -> None:
    assert search.__doc__
    assert "no function is evaluated twice" in search.__doc__


def test_the_time_of_a_trial_cannot_be_swallowed() -> None:
    def patient(net: nw.Net) -> float:
        try:
            time.sleep(30)
        except Exception:  # noqa: BLE001 as careless evaluators do
            return 1.0
        return 0.0

    study = nw.search("nasbench201", patient, trials=1, limit=0.2)
    assert [trial.state for trial in study.trials] == ["failed"]
    assert study.trials[0].reason == "it took longer than its 0.2 seconds"


def test_a_study_prints_in_a_line() -> None:
    study = nw.search("nasbench201", lambda net: 0.5, trials=2, strategy="random")
    assert repr(study) == ("<study of nasbench201 by random: 2 trials, 2 complete, "
                           "best score 0.5>")  # fmt: skip
