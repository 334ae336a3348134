"""Whether scores of untrained nets rank them better than counting multiply-adds.

python bench/zero_cost.py [cells] [path of nasbench201.csv.gz]

Spearman's correlation with the mean validation accuracy on NAS-Bench-201: of cells at random, and
of as many from the best tenth. Nets have one cell a stage. `all edges` counts dead ones too.
"""

from __future__ import annotations

import random
import sys
from pathlib import Path
from statistics import fmean

from nas_replay import CSV, measured
from scipy.stats import spearmanr

from netwright.search.untrained import SCORES, zero_cost
from netwright.space.nasbench201 import OPERATIONS, NasBench201

WORK = {"conv_1x1": 1, "conv_3x3": 9}


def main(count: int, path: Path) -> None:
    """Prints a row a data set and a part of the cells."""
    space = NasBench201(depth=1)
    names = ["macs", *SCORES]
    print("| data | cells | all edges | " + " | ".join(names) + " |")
    print("| --- | --- |" + " ---: |" * (len(names) + 1))
    for data in ("cifar10", "cifar100"):
        mean = {code: fmean(row) for code, row in measured(path, data).items()}
        order = sorted(mean, key=lambda code: -mean[code])
        for part, codes in (("all", order), ("best tenth", order[: len(order) // 10])):
            some = random.Random(0).sample(codes, count)
            truth = [mean[code] for code in some]
            plain = [sum(WORK.get(OPERATIONS[int(digit)], 0) for digit in code) for code in some]
            columns = [plain, *[[zero_cost(space.net(c), name) for c in some] for name in names]]
            cells = [f"{spearmanr(column, truth).statistic:.2f}" for column in columns]
            print(f"| {data} | {part} | " + " | ".join(cells) + " |", flush=True)


if __name__ == "__main__":
    main(int(sys.argv[1]) if sys.argv[1:] else 100, Path(sys.argv[2]) if sys.argv[2:] else CSV)
