"""Trials that workers share: who claims what, and what becomes of those who are killed."""

from __future__ import annotations

import math
import multiprocessing
import os
import re
import signal
import subprocess
import sys
import threading
import time
from contextlib import ExitStack
from dataclasses import replace
from functools import partial

import pytest

import netwright as nw
from evaluators import LOG, logged, score
from netwright.errors import SearchError
from netwright.search.engine.identity import identity
from netwright.search.engine.journal import mend
from netwright.search.engine.ledger import KILLED, Ledger
from netwright.search.engine.processes import _undisturbed, work_together
from netwright.search.engine.shared import search_shared
from netwright.search.engine.storage import Place, shown
from netwright.search.engine.summary import summary
from netwright.search.engine.worker import Plan, _Turn, work
from netwright.search.strategy import find

SPACE = nw.space("nasbench201")


def plan(trials=20, evaluator=score, strategy="random", **more):
    return Plan(SPACE, find(strategy), evaluator, trials=trials, **more)


@pytest.fixture
def ledger(tmp_path):
    place = Place(str(tmp_path / "study.journal"), "study", print)
    return Ledger.opened(place, {"identity": identity(SPACE, score)})


def again(ledger):
    """The same study as another process opens it."""
    place = ledger.place
    return Ledger.opened(Place(place.where, place.study, print))


def ended(trial, value=0.5):
    return replace(trial, state="complete", score=value)


@pytest.mark.parametrize("strategy", ["random", "evolution", "default"])
def test_a_search_that_is_kept_is_the_search_in_memory(tmp_path, strategy):
    memory = nw.search(SPACE, score, trials=14, strategy=strategy, seed=3)
    file = tmp_path / "a" / "study.journal"
    for trials in (5, 14):  # stopped, and gone on with
        kept = nw.search(SPACE, score, trials=trials, strategy=strategy, seed=3, storage=file)
    assert [(t.code, t.score, t.seed) for t in kept.trials] == [
        (t.code, t.score, t.seed) for t in memory.trials
    ]
    assert nw.from_json(kept.trials[4].record["net"]) == SPACE.net(kept.trials[4].code)


def test_what_others_evaluate_is_taken(ledger):
    with ExitStack() as alive:
        claims = []
        for worker in ("a", "b", "c"):
            alive.enter_context(ledger.place.locks.present(worker))
            claims.append(again(ledger).claim(worker, _Turn(plan())))
        assert len({claim.trial.key for claim in claims}) == 3
        assert [claim.trial.number for claim in claims] == [0, 1, 2]
        assert [trial.state for trial in ledger.trials()] == ["running"] * 3


def test_a_killed_workers_trial_is_made_once_more(ledger):
    with ledger.place.locks.present("a"):
        first = ledger.claim("a", _Turn(plan()))
    second = again(ledger).claim("b", _Turn(plan()))
    assert (second.trial, second.kills) == (first.trial, 1)
    third = ledger.claim("c", _Turn(plan()))  # b was killed too
    assert (third.trial.number, third.kills) == (1, 0)
    failed = ledger.trials()[0]
    assert (failed.state, failed.reason) == ("failed", KILLED)


def test_a_trial_that_was_given_back_does_not_count_as_killed(ledger):
    for _ in range(3):
        with ledger.place.locks.present("a"):
            claim = ledger.claim("a", _Turn(plan()))
            assert (claim.trial.number, claim.kills) == (0, 0)
            ledger.give_back(claim)
    assert ledger.trials() == []


def test_kills_are_counted_whatever_was_given_back(ledger):
    turns = ((0, True), (0, False), (1, True), (1, False))
    for worker, (kills, back) in zip("acde", turns, strict=True):
        with ledger.place.locks.present(worker):
            claim = ledger.claim(worker, _Turn(plan()))
            assert (claim.trial.number, claim.kills) == (0, kills)
            if back:
                ledger.give_back(claim)
    assert ledger.claim("b", _Turn(plan())).trial.number == 1
    assert ledger.trials()[0].reason == KILLED


@pytest.mark.parametrize("repeated", [False, True])
def test_what_a_worker_brings_late_is_kept_once(ledger, repeated):
    late = ledger.claim("a", _Turn(plan()))  # never shows that it lives
    other = again(ledger).claim("b", _Turn(plan()))
    assert other.trial == late.trial
    if repeated:
        ledger.end(other, ended(other.trial, 0.25))
    ledger.end(late, ended(late.trial, 0.75))
    ledger.end(late, ended(late.trial, 0.75))  # the confirmation was lost
    (trial,) = again(ledger).trials()
    assert (trial.state, trial.score) == ("complete", 0.25 if repeated else 0.75)
    assert len(ledger.place.storage.get_all_trials(ledger.study)) == 3


def test_a_claim_whose_confirmation_is_lost_is_the_same_claim(ledger, monkeypatch):
    create, lost = ledger.place.storage.create_new_trial, [OSError(5, "gone"), None]

    def fails_once(*arguments):
        made = create(*arguments)
        if error := lost.pop(0):
            raise error
        return made

    monkeypatch.setattr(ledger.place.storage, "create_new_trial", fails_once)
    with ledger.place.locks.present("a"):
        claim = ledger.claim("a", _Turn(plan()))
        assert [trial.number for trial in ledger.trials()] == [claim.trial.number] == [0]


def test_a_line_that_was_cut_off_is_left_out(ledger, tmp_path):
    work(plan(3), ledger)
    file = tmp_path / "study.journal"
    whole = file.read_bytes()
    for tail in (b'{"op_code": 4, "study', b"\0" * 70_000, b"x" * 65_536 + b"y"):
        file.write_bytes(whole + tail)
        assert len(again(ledger).trials()) == 3  # read as it is
        mend(file)
        assert file.read_bytes() == whole
    file.write_bytes(whole + b'{"op')
    work(plan(5), again(ledger))
    assert len(again(ledger).trials()) == 5
    file.write_bytes(b"no newline")
    mend(file)
    assert file.read_bytes() == b""


def test_progress_of_a_running_trial_is_seen(ledger):
    with ledger.place.locks.present("a"):
        claim = ledger.claim("a", _Turn(plan()))
        ledger.report(claim, 1, 0.1)
        ledger.report(claim, 2, 0.3)
        assert again(ledger).trials()[0].record["curve"] == [0.1, 0.3]


def test_another_study_is_refused(tmp_path):
    file = tmp_path / "study.journal"
    nw.search(SPACE, score, trials=2, strategy="random", storage=file, study="s")
    way = "; begin another study, by another study= or storage=$"
    for space, more, differing in (
        (nw.space("nasbench201", depth=1), {}, "other options of the space nasbench201, such as"),
        (nw.space("darts"), {}, "space nasbench201 .*, got darts"),
        (SPACE, {"budget": "params<=1M"}, "budget none, got params<=1000000"),
    ):
        with pytest.raises(SearchError, match=f"was begun with {differing}.*{way}"):
            nw.search(space, score, trials=2, strategy="random", storage=file, study="s", **more)
    nw.search(nw.space("nasbench201", depth=1), score, trials=2, storage=file, study="other")


def other(net):
    return 1 - score(net)


def raised_by(power):
    return lambda net: score(net) ** power


class Scored:
    def __call__(self, net):
        return score(net)


def counting():
    asked, count = [], 0

    def evaluator(net):
        nonlocal count
        count += 1
        asked.append(net.hash)
        return evaluator and score(net)

    return evaluator


def test_functions_are_told_apart_and_known_again():
    def named(evaluator):
        return identity(SPACE, evaluator)["data"]

    assert named(score) == "evaluators.score"
    assert named(other) == f"{other.__module__}.other"
    assert named(Scored()) == f"{other.__module__}.Scored"
    assert named(partial(other, 2)) == f"{other.__module__}.other (2)"
    different = [lambda net: 1.0, lambda net: 2.0, lambda net: net.hash, raised_by(1), raised_by(2),
                 lambda net, add=1: score(net) + add, lambda net, add=2: score(net) + add,
                 lambda net: net.hash in {"a", "b"}]  # fmt: skip
    assert len({named(one) for one in different}) == len(different)
    assert named(lambda net: 1.0) == named(different[0])
    assert named(raised_by(2)) == named(raised_by(2))
    mine = counting()
    before = named(mine)
    nw.search(SPACE, mine, trials=2, strategy="random")
    assert named(mine) == before == named(counting())


SCRIPT = """
import netwright as nw
from netwright.search.engine.identity import identity

def make(words):
    def local(net):
        return net.name in words or net.name in {"e", "f", "g"} or (lambda: 3)()
    return local

def score(net):
    return 1.0

for one in (make(frozenset("abcd")), score, lambda net: 1.0):
    print(identity(nw.space("nasbench201"), one)["data"])
"""


def test_a_script_that_runs_again_has_the_same_functions(tmp_path):
    (tmp_path / "mine.py").write_text(SCRIPT)
    told = [subprocess.run([sys.executable, tmp_path / "mine.py"], capture_output=True, text=True,
                           check=True, env={**os.environ, "PYTHONHASHSEED": seed}).stdout
            for seed in ("1", "2")]  # fmt: skip
    assert told[0] == told[1]
    assert re.fullmatch(r"mine\.make\.<locals>\.local \(\w{12}\)\nmine\.score\n"
                        r"mine\.<lambda> \(\w{12}\)\n", told[0])  # fmt: skip


def test_a_kept_study_does_not_answer_for_another_function(tmp_path):
    given = {"trials": 4, "strategy": "random", "storage": tmp_path / "j"}
    nw.search(SPACE, score, **given)
    for another in (other, lambda net: 1.0):
        with pytest.raises(SearchError, match=r"begun with data evaluators\.score, got .*; begin"):
            nw.search(SPACE, another, **given)
    assert len(nw.search(SPACE, score, **given).trials) == 4


def test_a_study_names_the_strategies_that_proposed_its_trials(tmp_path):
    given = {"storage": tmp_path / "j", "study": "s"}
    asked = [(4, "evolution"), (4, "random"), (6, "random"), (6, "default"), (7, "evolution")]
    names = [nw.search(SPACE, score, trials=trials, strategy=name, **given).strategy
             for trials, name in asked]  # fmt: skip
    both = "evolution then random"
    assert names == ["evolution", "evolution", both, both, both]
    with Ledger.opened(Place(str(tmp_path / "j"), "s", print)) as ledger:
        trials = ledger.trials()
        assert summary("s", ledger.record, trials)["strategy"] == both
    assert [trial.record["strategy"] for trial in trials][3:] == ["evolution", "random", "random",
                                                                  "evolution"]  # fmt: skip


def hungry(net):
    raise MemoryError


def broken(net):
    raise ValueError("no\nsuch thing")


@pytest.mark.parametrize(
    ("evaluator", "reason"),
    [(hungry, "no memory left"), (broken, "ValueError: no such thing"),
     (lambda net: math.nan, "nan"), (lambda net: "x", "wanted a number")],
)  # fmt: skip
def test_what_fails_is_a_failed_trial(tmp_path, evaluator, reason):
    study = nw.search(SPACE, evaluator, trials=2, strategy="random", storage=tmp_path / "j")
    assert [trial.state for trial in study.trials] == ["failed"] * 2
    assert all(reason in trial.reason for trial in study.trials)
    with pytest.raises(SearchError, match="no trial of 2 is complete"):
        _ = study.best


def test_a_trial_has_its_time(tmp_path):
    slow = []

    def evaluator(net):
        slow.append(net)
        time.sleep(5 if len(slow) == 1 else 0)
        return 1.0

    study = nw.search(SPACE, evaluator, trials=2, strategy="random", limit=0.2,
                      storage=tmp_path / "j")  # fmt: skip
    assert [trial.state for trial in study.trials] == ["failed", "complete"]
    assert "longer than its 0.2 seconds" in study.trials[0].reason
    assert signal.getitimer(signal.ITIMER_REAL) == (0.0, 0.0)


def test_the_time_of_a_search_gives_the_last_trial_back(tmp_path):
    def evaluator(net):
        time.sleep(0.1 if len(list_of) < 2 or later else 5)
        list_of.append(net)
        return 2.0 if later else 1.0

    list_of, later = [], []
    study = nw.search(SPACE, evaluator, minutes=1 / 60, strategy="random", storage=tmp_path / "j")
    assert len(list_of) == 2  # the third was broken off
    assert study.stopped == "the time is over"
    assert [trial.state for trial in study.trials] == ["complete"] * 2
    later.append(True)
    more = nw.search(SPACE, evaluator, trials=4, strategy="random", storage=tmp_path / "j")
    assert [trial.score for trial in more.trials] == [1.0, 1.0, 2.0, 2.0]


def test_who_joins_does_not_wait_for_others(ledger):
    """Neither alone nor by several processes."""
    with ledger.place.locks.present("other"):
        assert ledger.claim("other", _Turn(plan(1)))
        assert work(plan(1), again(ledger), stay=False) == "1 trial"
        assert work_together(plan(1), again(ledger), 2, stay=False, seconds=60) == "1 trial"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_while_a_process_starts_counts_when_it_has_started(number):
    said = []
    before = {each: signal.signal(each, lambda *_: said.append("interrupted"))
              for each in (signal.SIGINT, signal.SIGTERM)}  # fmt: skip
    try:
        with _undisturbed():
            os.kill(os.getpid(), number)
            said.append("started")
        assert said == ["started", "interrupted"]
        os.kill(os.getpid(), number)
        assert said[2:] == ["interrupted"]
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)


def test_an_evaluator_that_no_process_can_import_is_refused(tmp_path):
    with pytest.raises(SearchError, match="function of a module, no lambda"):
        nw.search(SPACE, lambda net: 1.0, trials=2, workers=2)


def kill_some(kills, killed, over):
    """Kills a worker now and then."""
    while len(killed) < kills and not over.wait(0.7):
        children = [child for child in multiprocessing.active_children() if child.is_alive()]
        if children:
            victim = children[len(killed) % len(children)]
            os.kill(victim.pid, signal.SIGKILL)
            killed.append(victim.pid)


@pytest.mark.slow
def test_workers_that_are_killed_lose_nothing(tmp_path, monkeypatch):
    monkeypatch.setenv(LOG, str(tmp_path / "log"))
    killed, over = [], threading.Event()
    killer = threading.Thread(target=kill_some, args=(3, killed, over))
    place = Place(str(tmp_path / "j"), SPACE.name, print)
    seen = []
    killer.start()
    try:
        study = search_shared(plan(40, logged), name="random", storage=tmp_path / "j", workers=4,
                              progress=seen.append)  # fmt: skip
    finally:
        over.set()
        killer.join()
    assert len(study.trials) == len({trial.key for trial in study.trials}) == 40
    assert {trial.reason for trial in study.trials} <= {"", KILLED}
    assert sorted(trial.number for trial in seen) == [*range(40)]  # each was told once
    evaluations = (tmp_path / "log").read_text().split()
    assert 40 <= len(evaluations) <= 40 + len(killed)
    assert not [*(tmp_path / "j.locks").glob("*.worker")]
    assert len(Ledger.opened(place).trials()) == 40


@pytest.mark.parametrize(
    ("where", "wanted"),
    [("mysql://ada:secret@host/db", "of the kind 'mysql'; wanted a file, or postgresql://"),
     ("postgresql://ada:secret@127.0.0.1:1/db",
      r"postgresql://ada:\*\*\*@127.0.0.1:1/db cannot be reached: .*refused.*nothing is lost"),
     ("postgresql://[/x", "cannot be reached")],
)  # fmt: skip
def test_a_storage_that_cannot_be_had_is_one_line(where, wanted):
    with pytest.raises(SearchError, match=wanted) as told:
        nw.search(SPACE, score, trials=1, storage=where)
    assert "secret" not in str(told.value)
    assert "\n" not in str(told.value)


def test_a_file_that_is_no_journal_is_refused(tmp_path):
    for text in ("hello\nthere\n", "x = 1", '{"a": 1}\n', "[]\n"):
        (tmp_path / "j").write_text(text)
        with pytest.raises(SearchError, match="is no journal of a search"):
            nw.search(SPACE, score, trials=1, storage=tmp_path / "j")
        assert (tmp_path / "j").read_text() == text
        assert [*tmp_path.iterdir()] == [tmp_path / "j"]
    with pytest.raises(SearchError, match="cannot be used as a journal"):
        nw.search(SPACE, score, trials=1, storage=tmp_path)
    with pytest.raises(SearchError, match=r"the folder .*/j/k cannot be made: Not a directory"):
        nw.search(SPACE, score, trials=1, storage=tmp_path / "j" / "k" / "l")


def test_a_damaged_line_of_a_journal_is_named(ledger, tmp_path):
    work(plan(2), ledger)
    file = tmp_path / "study.journal"
    lines = file.read_text().splitlines(keepends=True)
    for damage in ("{\n", "[]\n", "{}\n"):
        file.write_text("".join([*lines[:2], damage, *lines[3:]]))
        with pytest.raises(SearchError, match=r"line 3 is damaged.*`head -n 2` gives the whole"):
            again(ledger)
    file.write_text("".join(lines[:2]))
    assert again(ledger).trials() == []


def test_passwords_are_not_shown():
    assert shown("postgresql://ada@host/db") == "postgresql://ada@host/db"
    assert shown("postgresql://ada:a@b:c@host/db") == "postgresql://ada:***@host/db"
    assert shown("some/file") == "some/file"


def test_a_disk_that_is_full_is_waited_for(ledger, monkeypatch):
    lines, faults = [], [OSError(28, "No space left on device")] * 2
    ledger.place.tell = lines.append
    append = ledger.place.storage._backend.append_logs

    def full(logs):
        if faults:
            raise faults.pop()
        append(logs)

    monkeypatch.setattr(ledger.place.storage._backend, "append_logs", full)
    assert work(plan(2), ledger) == "2 trials"
    assert len(ledger.trials()) == 2
    assert "No space left" in lines[0]
    assert "is back after" in lines[1]


WITHOUT = """
import sys
sys.modules["optuna"] = None
import netwright as nw
from netwright.errors import SearchError
study = nw.search("nasbench201", lambda net: 1.0, trials=2, strategy="random")
assert len(study.trials) == 2
try:
    nw.search("nasbench201", lambda net: 1.0, trials=2, storage="j")
except SearchError as error:
    print(error)
"""


def test_without_optuna_searches_are_in_memory(tmp_path):
    done = subprocess.run([sys.executable, "-c", WITHOUT], cwd=tmp_path, capture_output=True,
                          text=True, check=True)  # fmt: skip
    assert done.stdout == "a study that is kept needs Optuna: pip install 'netwright[search]'\n"
