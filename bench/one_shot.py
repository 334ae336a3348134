"""Whether DARTS (first order) and ENAS find better cells than chance, on a part of CIFAR-10.

    python bench/one_shot.py [--minutes 60] [--jobs 1] [--seeds 2] [--csv build/one_shot.csv]
                             [--small]

Both search the space of DARTS with shared weights, on halves of the training images. The cell that
each finds is held against 8 others: of 5,000 at random those whose MACs are nearest to its own. All
are trained from nothing on the training images, by the trainer of `fit` in the same way, with
`seeds` seeds; the accuracy is that on validation images, which no search has seen. Trainings are
kept in a CSV and searches beside it, so that the same command goes on where it was broken off.
"""

from __future__ import annotations

import json
import random as rng
import time
from functools import partial
from pathlib import Path
from statistics import fmean, stdev
from typing import Any, NamedTuple

import torch
from trainings import BUILD, Settings, Trainings, accuracy, parser, trainings

import netwright as nw
from netwright.core.files import write_text
from netwright.search.shared.differentiable import darts
from netwright.search.shared.images import RECIPE, Shared, halves
from netwright.search.shared.single_path import enas
from netwright.space.search_space import Space
from netwright.train.begin import part_of
from netwright.train.recipe import RECIPES

DRAWN = 5000


class Size(NamedTuple):
    """How large the nets and how long the searches are.

    settings: of the trainings from nothing
    depth, width: of the nets
    others: nets at random beside each searched one
    searches: by name
    """

    settings: Settings
    depth: int
    width: int
    others: int
    searches: dict[str, partial[Shared]]


ALONE = RECIPES["resnet"].but(name="one-shot", batch=64, average="ema", keep=0.98)
WHOLE = Size(Settings(ALONE, train=4000, val=2000, epochs=6, size=16), 5, 4, 8,
             {"darts": partial(darts, epochs=12, rate=3e-3),  # of alphas: few steps have to do
              "enas": partial(enas, epochs=20, asks=100)})  # fmt: skip
SMALL = Size(Settings(ALONE, train=120, val=100, epochs=1, size=8), 3, 2, 3,
             {"darts": partial(darts, epochs=1),
              "enas": partial(enas, epochs=1, asks=4, batch=2, candidates=2)})  # fmt: skip


def searched(name: str, table: Trainings, size: Size, path: Path) -> dict[str, Any]:
    """The code that a search chose, why it ended, and its seconds; from the file if it is there."""
    search, shape = size.searches[name], f"{size.depth} cells of {size.width} channels"
    key = f"{name} {search.keywords}, {shape}, {table.how}"
    results = json.loads(path.read_text()) if path.exists() else {}
    if key not in results:
        evaluator, begun = accuracy(size.settings), time.process_time()
        images = part_of(evaluator.dataset, "train", evaluator.preprocessing)
        own, other = halves(images)
        result = search(table.space, own, other, recipe=RECIPE.suited(len(own)))
        results[key] = {"code": table.space.canonical(result.code), "stopped": result.stopped,
                        "seconds": round(time.process_time() - begun)}  # fmt: skip
        write_text(path, json.dumps(results, indent=1))
    return results[key]


def others(space: Space, code: str, count: int) -> list[str]:
    """Codes at random, in canonical form, whose nets have as many MACs as that of another."""
    random, macs = rng.Random(code), space.totals(code).macs
    codes = {space.canonical(space.sample(random)) for _ in range(DRAWN)} - {code}
    return sorted(codes, key=lambda one: (abs(space.totals(one).macs - macs), one))[:count]


def row(name: str, table: Trainings, code: str, rivals: list[str], seeds: int) -> str:
    """A searched net beside its rivals, in a row of a table."""
    own, scores = table.row(code, seeds), [table.row(rival, seeds) for rival in rivals]
    if not own or not all(scores):
        return f"| {name} | not trained in time; the same command goes on |"
    value, means = fmean(own), [fmean(score) for score in scores]
    verdict = "better" if value > fmean(means) else "NOT better"
    rank = 1 + sum(mean > value for mean in means)
    macs = [table.space.totals(one).macs / 1e6 for one in (code, *rivals)]
    return (f"| {name} | {macs[0]:.2f} M | {value:.2f}% | {min(macs[1:]):.2f} to "
            f"{max(macs[1:]):.2f} M | {fmean(means):.2f}% ± {stdev(means):.2f} | {max(means):.2f}% "
            f"| {rank} of {len(means) + 1} | {verdict} than the mean |")  # fmt: skip


def main() -> None:
    given = parser(__doc__, BUILD / "one_shot.csv").parse_args()
    size, seeds = (SMALL, 1) if given.small else (WHOLE, given.seeds)
    ends = time.monotonic() + 60 * given.minutes
    side = size.settings.size
    space = nw.space("darts", depth=size.depth, width=size.width, input=(3, side, side), drop=0.0)
    print("| search | MACs | accuracy | MACs of others | their mean | best | rank | |")
    print("| --- | ---: | ---: | ---: | ---: | ---: | ---: | --- |", flush=True)
    with trainings(given.csv, space, size.settings, given.jobs) as table:
        notes = list[str]()
        for name in size.searches:
            result = searched(name, table, size, given.csv.with_suffix(".json"))
            code, rivals = result["code"], others(space, result["code"], size.others)
            pairs = ((one, seed) for seed in range(seeds) for one in (code, *rivals))
            table.fill(pairs, ends)
            print(row(name, table, code, rivals, seeds), flush=True)
            notes.append(f"{name}: {code}, {result['stopped']}, {result['seconds']} s")
        print("\n" + "\n".join([*notes, table.summary(), table.versions]))


if __name__ == "__main__":
    torch.set_num_threads(1)
    main()
