"""Every black-box strategy against tables of nets that others trained, and against made-up ones.

python bench/nas_replay.py [--seeds 100] [--trials 300] [--strategies default,tpe]
                           [--tables cifar100] [--jobs 1] [--csv ../shared/data/nasbench201.csv.gz]

A run asks `trials` nets of `nasbench201` one after the other and is told the validation accuracy
of one training of each, drawn by the run and the net, so that all strategies of a run meet the
same noise. Regret is the best mean accuracy of the table less the mean accuracy of the net with
the best score told so far, in points. Differences to Optuna's TPE, or to the first strategy where
it is not asked for, are paired by run, with 95% intervals.
`optuna tpe` and `optuna nsga2` are Optuna alone, which evaluates functions again; `all` is told the
score of every net, more than which no strategy can know.

The made-up tables ask whether a strategy only knows one landscape: `additive` sums a number an
edge and operation, `pairs` one of every two edges (rugged), `cheap` prefers nets that do little,
`sizes` are widths and depths of a net of five stages, best in the middle.
"""

from __future__ import annotations

import argparse
import csv
import gzip
import random as rng
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from itertools import combinations
from pathlib import Path

import optuna

import netwright as nw
from netwright.core.choice import Choice
from netwright.space.search_space import Space

CHECKPOINTS = (50, 100, 150, 300)
CSV = Path(__file__).parents[1] / "../shared/data/nasbench201.csv.gz"
Table = dict[str, list[float]]


def measured(path: Path, data: str) -> Table:
    """Code -> the accuracies of its trainings on CIFAR-10 or CIFAR-100."""
    with gzip.open(path, "rt") as file:
        rows = list(csv.DictReader(file))
    names = [name for name in rows[0] if name.startswith(f"{data}_seed")]
    return {row["code"]: [float(row[name]) for name in names if row[name]] for row in rows}


def sizes() -> Space:
    """Widths and depths of five stages: 32,768 nets."""
    choices = [Choice(*range(8, 72, 8)) for _ in range(5)]
    stages = [nw.Stage(nw.ConvNormAct(width), 1) for width in choices]
    net = nw.Net(nw.Sequential(*stages, pool=nw.GlobalAvgPool(), fc=nw.Linear(10)),
                 (3, 16, 16), "sizes")  # fmt: skip
    return nw.space(net)


def made_up(name: str, space: Space) -> Callable[[str], float]:
    """A function of codes that gives the mean score of a net."""
    random = rng.Random(name)
    count, options = len(space.digits), max(len(digit.options) for digit in space.digits)
    if name == "additive":
        worth = [[random.gauss(0, 1) for _ in range(options)] for _ in range(count)]
        return lambda code: sum(
            worth[i][choice] for i, choice in enumerate(space.choices(space.canonical(code)))
        )
    if name == "pairs":
        pair = {
            key: [[random.gauss(0, 1) for _ in range(options)] for _ in range(options)]
            for key in combinations(range(count), 2)
        }

        def rugged(code: str) -> float:
            choices = space.choices(space.canonical(code))
            return sum(worth[choices[i]][choices[j]] for (i, j), worth in pair.items()) / 3

        return rugged
    if name == "cheap":
        return lambda code: -((space.totals(space.canonical(code)).macs / 5e7 - 0.6) ** 2) * 3
    best = [random.uniform(0, options - 1) for _ in range(count)]
    return lambda code: (
        -sum(
            (0.5 + i / 4) * abs(choice - best[i]) ** 1.5 / 4
            for i, choice in enumerate(space.choices(code))
        )
    )


class Task:
    """A space and what is told of its nets: two to three noisy scores each."""

    def __init__(self, name: str, path: Path) -> None:
        self.name = name
        self.space = sizes() if name == "sizes" else nw.space("nasbench201")
        if name.startswith("cifar"):
            table = measured(path, name)
            self.told = table.__getitem__
            self.mean = {code: statistics.fmean(row) for code, row in table.items()}.__getitem__
            self.best = max(map(self.mean, table))
        else:
            self.mean = made_up(name, self.space)
            self.told = lambda code: [
                self.mean(code) + rng.Random(f"{name}{code}{i}").gauss(0, 0.2) for i in range(3)
            ]
            self.best = max(map(self.mean, self.space.codes()))

    def query(self, code: str, seed: int) -> float:
        """The score of one training."""
        return rng.Random(f"{seed}-{code}").choice(self.told(code))

    def regrets(self, told: list[tuple[str, float]]) -> list[float]:
        """The regret at every checkpoint."""
        ends = [end for end in CHECKPOINTS if end <= len(told)]
        return [self.best - self.mean(max(told[:end], key=lambda one: one[1])[0]) for end in ends]


def replay(task: Task, strategy: str, seed: int, trials: int) -> list[float]:
    """The regrets of one run."""
    if strategy == "all":
        told = [(code, task.query(code, seed)) for code in task.space.codes()]
        best = max(told, key=lambda one: one[1])[0]
        return [task.best - task.mean(best) for end in CHECKPOINTS if end <= trials]
    if strategy.startswith("optuna "):
        return task.regrets(list(alone(task, strategy, seed, trials)))
    space = task.space
    study = nw.search(space, lambda net: task.query(space.code(net), seed), trials=trials,
                      strategy=strategy, seed=seed)  # fmt: skip
    assert len({trial.key for trial in study.trials}) == trials
    return task.regrets([(trial.code, trial.score) for trial in study.trials])


def alone(task: Task, strategy: str, seed: int, trials: int) -> Iterator[tuple[str, float]]:
    """What Optuna asks without us."""
    samplers = optuna.samplers
    sampler = samplers.TPESampler if strategy.endswith("tpe") else samplers.NSGAIISampler
    study = optuna.create_study(direction="maximize", sampler=sampler(seed=seed))
    digits = task.space.digits
    for _ in range(trials):
        trial = study.ask()
        code = task.space.write(
            [trial.suggest_int(digit.name, 0, len(digit.options) - 1) if digit.ordered
             else trial.suggest_categorical(digit.name, range(len(digit.options)))
             for digit in digits]
        )  # fmt: skip
        score = task.query(code, seed)
        study.tell(trial, score)
        yield code, score


def interval(values: list[float]) -> float:
    """Half of the 95% interval of a mean."""
    return 1.96 * statistics.stdev(values) / len(values) ** 0.5


def part(job: tuple[str, Path, str, list[int], int]) -> list[list[float]]:
    """The regrets of some runs, in a process."""
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    name, path, strategy, seeds, trials = job
    task = _task(name, path)
    return [replay(task, strategy, seed, trials) for seed in seeds]


_tasks: dict[str, Task] = {}


def _task(name: str, path: Path) -> Task:
    if name not in _tasks:
        _tasks[name] = Task(name, path)
    return _tasks[name]


def main(words: list[str]) -> None:
    """Prints a table a task."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=100)
    parser.add_argument("--trials", type=int, default=300)
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--csv", type=Path, default=CSV)
    parser.add_argument("--tables", default="cifar100,cifar10,additive,pairs,cheap,sizes")
    parser.add_argument("--strategies", default="default,ridge,tpe,optuna tpe,nsga2,optuna nsga2,"
                        "local-search,evolution,progressive,ppo,random")  # fmt: skip
    given = parser.parse_args(words)
    tables = given.tables.split(",")
    if not given.csv.exists():
        print(f"{given.csv} is missing; made-up tables only")
        tables = [name for name in tables if not name.startswith("cifar")]
    ends = [end for end in CHECKPOINTS if end <= given.trials]
    for name in tables:
        order = given.strategies.split(",")
        order.sort(key=lambda strategy: strategy != "optuna tpe")
        print(f"\n{name}: regret, {given.seeds} runs; in brackets less that of `{order[0]}`\n")
        print("| strategy | " + " | ".join(map(str, ends)) + " | s a run |")
        print("| --- |" + " ---: |" * (len(ends) + 1), flush=True)
        base: list[list[float]] = []
        for strategy in order:
            begun = time.perf_counter()
            seeds = [list(range(i, given.seeds, given.jobs)) for i in range(given.jobs)]
            jobs = [(name, given.csv, strategy, some, given.trials) for some in seeds]
            if given.jobs == 1:
                rows = part(jobs[0])
            else:
                with ProcessPoolExecutor(given.jobs) as pool:
                    parts = list(pool.map(part, jobs))
                rows = [parts[i % given.jobs][i // given.jobs] for i in range(given.seeds)]
            base = base or rows
            cells = list[str]()
            for i in range(len(ends)):
                apart = [row[i] - other[i] for row, other in zip(rows, base, strict=True)]
                mean = statistics.fmean([row[i] for row in rows])
                text = f"{statistics.fmean(apart):+.2f} ± {interval(apart):.2f}"
                cells.append(f"{mean:.2f}" + (f" ({text})" if rows is not base else ""))
            seconds = (time.perf_counter() - begun) * given.jobs / given.seeds
            print(f"| {strategy} | " + " | ".join(cells) + f" | {seconds:.1f} |", flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
