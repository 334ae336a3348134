"""Kills workers of a search at random instants, and restarts its database; counts what is lost.

    python bench/search_kills.py [KILLS] [RESTARTS]

First a journal: four workers, KILLS times SIGKILL to one of them. Then PostgreSQL, started here on
the loopback: four workers and RESTARTS restarts, every second one as in a crash. Afterwards every
trial must be there once, and have been evaluated again at most once a kill.
"""

from __future__ import annotations

import multiprocessing
import os
import random
import signal
import sys
import tempfile
import threading
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

import netwright as nw
from evaluators import LOG, logged
from netwright.search.engine.ledger import KILLED
from netwright.search.engine.shared import search_shared
from netwright.search.engine.worker import Plan
from netwright.search.strategy import find
from postgres import Server

WORKERS = 4
TRIALS_A_KILL = 12


def kill(kills: int, killed: list[int], over: threading.Event) -> None:
    while len(killed) < kills and not over.wait(random.uniform(0.2, 1.2)):
        alive = [child for child in multiprocessing.active_children() if child.is_alive()]
        if alive:
            victim = random.choice(alive)
            os.kill(victim.pid, signal.SIGKILL)
            killed.append(victim.pid)


def restart(restarts: int, done: list[int], server: Server, over: threading.Event) -> None:
    while len(done) < restarts and not over.wait(random.uniform(2, 4)):
        server.stop(signal.SIGQUIT if len(done) % 2 else signal.SIGINT)
        time.sleep(random.uniform(0.2, 2))
        server.start()
        done.append(server.port)


def disturbed(where: str, trials: int, name: str, disturb: threading.Thread,
              over: threading.Event) -> None:  # fmt: skip
    plan = Plan(nw.space("nasbench201"), find("random"), logged, trials=trials)
    log = Path(os.environ[LOG])
    log.write_text("")
    ended = dict[int, float | None]()

    def progress(trial) -> None:
        assert trial.number not in ended, "told twice"
        if not ended:  # the search has begun
            disturb.start()
        ended[trial.number] = trial.score

    began = time.monotonic()
    study = search_shared(plan, name="random", storage=where, study=name, workers=WORKERS,
                          progress=progress, tell=lambda line: print("  ", line))  # fmt: skip
    seconds = time.monotonic() - began
    over.set()
    disturb.join()
    assert len({trial.key for trial in study.trials}) == len(study.trials) == trials
    lost = {number for number, score in ended.items()
            if study.trials[number].score != score}  # fmt: skip
    assert not lost, lost
    twice = sum(trial.reason == KILLED for trial in study.trials)
    evaluations = len(log.read_text().split())
    print(f"{name}: {trials} trials in {seconds:.0f} s, none lost; {evaluations} evaluations "
          f"begun, {twice} trials failed because their workers were killed twice")  # fmt: skip


def main() -> None:
    kills, restarts = (int(word) for word in [*sys.argv[1:], "40", "5"][:2])
    with tempfile.TemporaryDirectory() as home:
        os.environ[LOG] = str(Path(home, "log"))
        killed, over = list[int](), threading.Event()
        thread = threading.Thread(target=kill, args=(kills, killed, over))
        if kills:
            disturbed(str(Path(home, "j")), TRIALS_A_KILL * kills, "journal", thread, over)
            print(f"   {len(killed)} kills", flush=True)
        if not restarts:
            return
        server = Server()
        server.start()
        try:
            done, over = list[int](), threading.Event()
            thread = threading.Thread(target=restart, args=(restarts, done, server, over))
            disturbed(server.url, 60 * restarts, "postgres", thread, over)
            print(f"   {len(done)} restarts")
        finally:
            server.close()


if __name__ == "__main__":
    main()
