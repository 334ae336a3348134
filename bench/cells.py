"""A table of cells of NAS-Bench-201's kind, trained on a part of CIFAR-10, and a search on it.

    python bench/cells.py [--minutes 60] [--jobs 1] [--seeds 2] [--csv bench/cells.csv] [--small]
    python bench/cells.py --search [--trials 30] [--runs 2] ...

Nets have 8 channels and three cells a stage, and get images of 16 pixels; with one cell a stage
cells differed no more than seeds did. Cells are drawn at random, no function twice, and each is
trained with `seeds` seeds. The table is accepted if seeds agree: Spearman's correlation between
them is at least 0.9. Beside it stands that with the accuracies of NAS-Bench-201 itself. The table
is kept with the code, so that it grows: the same command goes on where the last one ended.

`--search` compares the default strategy with random search by real trainings, whose rows go into
the same table: `trials` nets, a training each, `runs` times; what each run chose is then trained
with the other seeds as well.
"""

from __future__ import annotations

import random as rng
import time
from collections.abc import Iterator
from itertools import combinations, islice, takewhile
from pathlib import Path
from statistics import fmean

import numpy as np
from nas_replay import CSV, interval, measured
from scipy.stats import spearmanr
from trainings import Settings, Trainings, parser, trainings

import netwright as nw
from netwright.core.net import Net
from netwright.space.nasbench201 import NasBench201
from netwright.space.search_space import Space
from netwright.train.recipe import RECIPES

RECIPE = RECIPES["resnet"].but(name="cells", batch=64, average="ema", keep=0.98)
SETTINGS = Settings(RECIPE, train=10000, val=5000, epochs=5, size=16)
SMALL = Settings(RECIPE, train=250, val=100, epochs=1, size=8)
DEPTH = 3
WANTED, FEW = 0.9, 4
OVER = "the time is over; the same command goes on"
CHECKPOINTS = (5, 10, 20, 30)


def drawn(space: Space, seed: int = 0) -> Iterator[str]:
    """Codes at random in canonical form, none twice, until there are no others."""
    random, there = rng.Random(seed), set[str]()
    while len(there) < len(space.functions or ()):
        code = space.canonical(space.sample(random))
        if code not in there:
            there.add(code)
            yield code


def agreement(rows: np.ndarray) -> float:
    """Spearman's correlation between two seeds (cells, seeds), the mean over all pairs."""
    pairs = combinations(rows.T, 2)
    return fmean([float(spearmanr(one, other).statistic) for one, other in pairs])


def resampled(rows: np.ndarray, times: int = 1000) -> tuple[float, float]:
    """The 95% interval of the agreement, by bootstrap over cells."""
    random = np.random.default_rng(0)
    values = [agreement(rows[random.integers(0, len(rows), len(rows))]) for _ in range(times)]
    low, high = np.nanquantile(values, (0.025, 0.975))
    return float(low), float(high)


def report(table: Trainings, seeds: int) -> None:
    """What the cells say up to the first that is not trained with all seeds; those that a search
    asked for are better than others, and do not count.
    """
    cells = takewhile(lambda code: table.row(code, seeds), drawn(table.space))
    rows = {code: table.row(code, seeds) for code in cells}
    print(f"{table.summary()}\n{table.versions}")
    if len(rows) < 3 or seeds < 2:
        print(f"{len(rows)} cells with {seeds} seeds: too few to compare")
        return
    scores = np.array([*rows.values()])
    means, noise = scores.mean(1), scores.var(1, ddof=1).mean() ** 0.5
    value, (low, high) = agreement(scores), resampled(scores)
    verdict = "accepted" if value >= WANTED else "NOT accepted"
    print(f"{len(rows)} cells with {seeds} seeds: accuracy {means.mean():.1f}% on average, "
          f"deviation {means.std(ddof=1):.2f} of cells, {noise:.2f} of seeds")  # fmt: skip
    print(f"Spearman between seeds {value:.3f}, 95% interval {low:.3f} to {high:.3f}, wanted "
          f"{WANTED}: {verdict}")  # fmt: skip
    if CSV.exists():
        paper = measured(CSV, "cifar10")
        truth = [fmean(paper[code]) for code in rows]
        print(f"Spearman with NAS-Bench-201's own {spearmanr(means, truth).statistic:.3f}")


def searched(
    table: Trainings, strategy: str, seed: int, trials: int, ends: float
) -> tuple[list[float], str]:
    """The best accuracy so far after every trial of a search, and the code it chose."""

    def score(net: Net) -> float:
        code = table.space.canonical(table.space.code(net))
        table.fill([(code, 0)], ends)
        value = table.score(code, 0)
        if value is None:
            raise SystemExit(OVER)
        return value

    study = nw.search(table.space, score, trials=trials, strategy=strategy, seed=seed)
    return study.curve(), table.space.canonical(study.best.code)


def compare(table: Trainings, seeds: int, trials: int, runs: int, ends: float) -> None:
    """The default strategy beside random search."""
    marks = sorted({mark for mark in CHECKPOINTS if mark < trials} | {trials})
    print(f"Best of one training each after so many trials, and what was chosen with {seeds - 1} "
          f"other seeds; mean of {runs} runs\n")  # fmt: skip
    print("| strategy | " + " | ".join(map(str, marks)) + " | chosen |")
    print("| --- |" + " ---: |" * (len(marks) + 1))
    for strategy in ("default", "random"):
        curves, chosen = list[list[float]](), list[float]()
        for run in range(runs):
            curve, code = searched(table, strategy, run, trials, ends)
            table.fill([(code, seed) for seed in range(seeds)], ends)
            curves.append(curve)
            if not table.row(code, seeds):
                raise SystemExit(OVER)
            chosen.append(fmean(table.row(code, seeds)[1:]))
        cells = [f"{fmean([curve[mark - 1] for curve in curves]):.2f}" for mark in marks]
        last = f"{fmean(chosen):.2f} ± {interval(chosen):.2f}"
        print(f"| {strategy} | " + " | ".join([*cells, last]) + " |", flush=True)
    print(f"\n{table.summary()}\n{table.versions}")


def main() -> None:
    options = parser(__doc__, Path(__file__).with_name("cells.csv"))
    options.add_argument("--search", action="store_true")
    options.add_argument("--trials", type=int, default=30)
    options.add_argument("--runs", type=int, default=2)
    given = options.parse_args()
    if given.search and min(given.seeds, given.runs) < 2:
        options.error("a search is compared over at least two runs and two seeds")
    settings = SMALL if given.small else SETTINGS
    ends = time.monotonic() + 60 * given.minutes
    space = NasBench201(width=8, depth=DEPTH, input=(3, settings.size, settings.size))
    with trainings(given.csv, space, settings, given.jobs) as table:
        if given.search:
            compare(table, given.seeds, given.trials, given.runs, ends)
        else:
            cells = islice(drawn(space), FEW if given.small else None)
            table.fill(((code, seed) for code in cells for seed in range(given.seeds)), ends)
            report(table, given.seeds)


if __name__ == "__main__":
    main()
