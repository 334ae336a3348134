"""Studies that many machines share, in a PostgreSQL server of the tests' own."""

from __future__ import annotations

import re
import shlex
import signal
import threading
import time
from contextlib import closing
from pathlib import Path

import pytest

import netwright as nw
from evaluators import score
from netwright.cli import main
from netwright.search.engine.home import Home
from netwright.search.engine.ledger import Ledger
from netwright.search.engine.locks import PostgresLocks
from netwright.search.engine.shared import search_shared
from netwright.search.engine.storage import Place
from netwright.search.engine.worker import Plan, _Turn, work
from netwright.search.strategy import find
from postgres import Server, binaries

SPACE = nw.space("nasbench201")


@pytest.fixture(scope="module")
def server():
    if binaries() is None:
        pytest.skip("no PostgreSQL here")
    server = Server()
    try:
        server.start()
        yield server
    finally:
        server.close()


def opened(server, name):
    return Ledger.opened(Place(server.url, name, print))


def test_a_study_in_postgres_is_the_search_in_memory(server):
    memory = nw.search(SPACE, score, trials=8, strategy="evolution", seed=5)
    kept = nw.search(SPACE, score, trials=8, strategy="evolution", seed=5, storage=server.url,
                     study="same")  # fmt: skip
    assert [(t.code, t.score) for t in kept.trials] == [(t.code, t.score) for t in memory.trials]
    assert kept.best.net == memory.best.net


def test_a_server_that_goes_away_is_waited_for(server):
    """It is stopped in one trial, and ends as in a crash in another; nothing is lost."""
    asked, lines = [], []

    def evaluator(net):
        asked.append(net.hash)
        if len(asked) in (3, 6):
            server.stop(signal.SIGINT if len(asked) == 3 else signal.SIGQUIT)
            threading.Timer(0.5, server.start).start()
        return score(net)

    plan = Plan(SPACE, find("random"), evaluator, trials=10)
    study = search_shared(plan, name="random", storage=server.url, study="restarts",
                          tell=lines.append)  # fmt: skip
    assert [trial.state for trial in study.trials] == ["complete"] * 10
    assert len(asked) == len({*asked}) == 10
    assert len(lines) >= 4
    assert "postgresql://tester:***@127.0.0.1" in lines[0]
    assert "nothing is lost" in lines[0]
    assert "is back after" in lines[-1]


def test_a_worker_whose_session_ends_is_gone_after_a_while(server):
    place = Place(server.url, "gone", print)
    assert isinstance(place.locks, PostgresLocks)
    place.locks.grace = 0.3
    with Ledger.opened(place, {"identity": {}}) as ledger, opened(server, "gone") as other:
        _lose(ledger, other)


def _lose(ledger, other):
    place = ledger.place
    plan = Plan(SPACE, find("random"), score, trials=3)
    with other.place.locks.present("b"):
        lost = other.claim("b", _Turn(plan))
        assert ledger.claim("a", _Turn(plan)).trial.number == 1  # b lives
        time.sleep(0.4)
        assert not place.locks.gone("b")
    time.sleep(0.1)  # what was seen a moment ago is not looked at again
    assert not place.locks.gone("b")  # it may come back
    time.sleep(0.4)
    again = ledger.claim("a", _Turn(plan))
    assert (again.trial, again.kills) == (lost.trial, 1)


def test_a_lock_that_the_server_forgot_is_taken_again(server, monkeypatch):
    from netwright.search.engine import locks

    monkeypatch.setattr(locks, "PING", 0.1)
    monkeypatch.setattr(locks, "SOON", 0.1)
    places = [Place(server.url, "forgot", print) for _ in range(2)]
    mine, others = (place.locks for place in places)
    others.grace = 1.0
    with closing(places[0]), closing(places[1]), mine.present("a"):
        server.stop()
        server.start()
        until = time.monotonic() + 10
        while place_free(server, others) and time.monotonic() < until:
            time.sleep(0.1)
        assert not others.gone("a")
        assert "a" not in others._free_since


def place_free(server, others):
    """Whether the worker's lock seems to be free, also while our own sessions are being renewed."""
    others.engine.dispose()
    others.gone("a")
    return "a" in others._free_since


def test_studies_of_one_database_do_not_mix(server):
    for name, trials in (("one", 2), ("two", 3)):
        nw.search(SPACE, score, trials=trials, strategy="random", storage=server.url, study=name)
    with opened(server, "one") as ledger:
        assert len(ledger.trials()) == 2
        assert work(Plan(SPACE, find("random"), score, trials=3), ledger) == "3 trials"


def test_a_worker_that_begins_while_the_server_is_away_waits_for_it(server):
    nw.search(SPACE, score, trials=1, strategy="random", storage=server.url, study="later")
    server.stop()
    lines, back = [], threading.Timer(1.0, server.start)
    back.start()
    with closing(Place(server.url, "later", lines.append, wait=True)) as place:
        assert len(Ledger.opened(place).trials()) == 1
    back.join()
    assert re.search("cannot be reached .*refused.*nothing is lost, trying again", lines[0])


def test_work_that_begins_while_the_server_is_away_waits_for_it(server, squares, tmp_path, capsys,
                                                                monkeypatch):  # fmt: skip
    monkeypatch.chdir(tmp_path)

    def run(*words):
        with pytest.raises(SystemExit) as stop:
            main([str(word) for word in words])
        return (stop.value.code or 0, *capsys.readouterr())

    search = ["search", "small", squares, "--budget", "params<=4K, macs<=120K", "--epochs", 1,
              "--trials", 1, "--storage", server.url, "--out", "joined", "--quiet"]  # fmt: skip
    assert run(*search)[0] == 0
    server.stop()
    code, _, err = run("search", "--show", "joined", "--storage", server.url)
    assert (code, err.count("\n")) == (2, 1)  # who looks is told at once
    back = threading.Timer(1.0, server.start)
    back.start()
    code, out, err = run("work", "joined", "--storage", server.url)
    back.join()
    assert (code, out) == (0, "joined: 0 trials here; 1 trial\n")
    assert "refused" in err
    assert "is back after" in err


def test_the_commands_that_a_search_prints_are_of_its_study(server, squares, tmp_path, capsys,
                                                            monkeypatch):  # fmt: skip
    def run(*words):
        with pytest.raises(SystemExit) as stop:
            main([str(word) for word in words])
        assert not stop.value.code, capsys.readouterr().err
        return capsys.readouterr().out

    monkeypatch.chdir(tmp_path)
    url = server.url.replace(":secret", "")
    out = run("search", "small", squares, "--budget", "params<=4K, macs<=120K", "--epochs", 1,
              "--trials", 2, "--storage", url, "--out", "elsewhere/pgs", "--quiet")  # fmt: skip
    export = shlex.split(out.splitlines()[-1])
    assert export == ["export", "netwright", "search", "--export", "pgs", "net.json", "--storage",
                      url]  # fmt: skip
    out = run(*export[2:])
    assert Path("net.json").is_file()
    again = shlex.split(out.splitlines()[2])
    assert again[:2] == ["repeat", "it"]
    assert "on validation then, " in run(*again[3:])
    show = shlex.split(Home("elsewhere/pgs", url).command("--show", "STUDY"))
    assert "2 of 2 trials: 2 complete" in run(*show[1:])
    assert "secret" not in Home("pgs", server.url).command("--show", "STUDY")
