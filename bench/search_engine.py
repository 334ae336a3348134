"""What the engine of a search costs a trial: everything but the evaluation.

    python bench/search_engine.py [TRIALS]

Bar: at most 50 ms a trial with four workers. The evaluator does nothing, so that the workers wait
for each other as much as they ever can. The time to start the processes is left out: it runs from
the first trial that ends to the last.
"""

from __future__ import annotations

import sys
import tempfile
from datetime import datetime
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

import netwright as nw
from evaluators import score
from netwright.search.engine.ledger import Ledger
from netwright.search.engine.shared import search_shared
from netwright.search.engine.storage import Place
from netwright.search.engine.worker import Plan
from netwright.search.strategy import find
from postgres import Server, binaries


def seconds_a_trial(where: str, trials: int, workers: int) -> float:
    name = f"study-{workers}"
    plan = Plan(nw.space("nasbench201"), find("random"), score, trials=trials)
    search_shared(plan, name="random", storage=where, study=name, workers=workers)
    with Ledger.opened(Place(where, name, print)) as ledger:
        entries = ledger.place.storage.get_all_trials(ledger.study, deepcopy=False)
    ends: list[datetime] = sorted(entry.datetime_complete for entry in entries)
    first = trials // 4  # by then all workers are there
    return (ends[-1] - ends[first]).total_seconds() / (trials - 1 - first)


def main() -> None:
    trials = int(sys.argv[1]) if len(sys.argv) > 1 else 400
    print("| storage | workers | ms a trial |\n| --- | ---: | ---: |")
    with tempfile.TemporaryDirectory() as home:
        for workers in (1, 4):
            taken = seconds_a_trial(str(Path(home, f"j{workers}")), trials, workers)
            print(f"| journal | {workers} | {1000 * taken:.1f} |", flush=True)
    if binaries() is None:
        return
    server = Server()
    server.start()
    try:
        for workers in (1, 4):
            taken = seconds_a_trial(server.url, trials, workers)
            print(f"| PostgreSQL | {workers} | {1000 * taken:.1f} |", flush=True)
    finally:
        server.close()


if __name__ == "__main__":
    main()
