"""What it costs to look at candidates of a search space before anything is built.

For every space: canonical forms a second, parameters and MACs of nets a second, codes drawn and
held against a budget a second; all in one process and from empty caches, so that the first
candidates pay for what is planned once; seconds are of the processor. `filter`: 100,000 random
codes held against a budget, those that fit in canonical form. `check`: MACs of 1,000 random nets
against PyTorch's FlopCounterMode / 2 on the meta device.

    python bench/search_costs.py [speed|filter|check]
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterable
from random import Random

import netwright as nw

FILTERED = 100_000
NAMES = ("nasbench201", "darts", "nasnet", "enas", "pnas", "amoebanet", "nasbench101",
         "hierarchical", "macro", "mobile", "mbconv", "regnet", "randwire")  # fmt: skip
SMALL = {
    **{name: {"depth": 3, "width": 4} for name in ("darts", "nasnet", "enas", "pnas", "amoebanet")},
    "nasbench201": {"depth": 1}, "nasbench101": {"depth": 1, "width": 32},
    "hierarchical": {"width": 8}, "macro": {"width": 8},
    **{name: {"input": (3, 64, 64)} for name in ("mobile", "mbconv", "regnet", "randwire")},
}  # fmt: skip
"""Options of the nets whose MACs are counted by PyTorch."""


def rate(action: Callable[[str], object], codes: Iterable[str], seconds: float = 1.5) -> float:
    """Calls a second, over as many codes as the time allows."""
    start, count = time.process_time(), 0
    for code in codes:
        action(code)
        count += 1
        if time.process_time() - start > seconds:
            break
    return count / (time.process_time() - start)


def draws(name: str, count: int, seed: int) -> list[str]:
    """Codes of a space, drawn by another object, so that nothing is known of them."""
    space, random = nw.space(name), Random(seed)
    return [space.sample(random) for _ in range(count)]


def row(name: str) -> str:
    """One row of the table of speeds."""
    codes = draws(name, 10_000, 0)
    space = nw.space(name)
    forms = rate(space.canonical, codes)
    cold = rate(space.totals, codes[:5_000])
    warm = rate(space.totals, codes[5_000:])
    macs = sorted(space.totals(code).macs for code in codes[:200])[100]
    bounded, random = nw.space(name).within(f"macs<={macs}"), Random(1)
    fitting = rate(lambda code: bounded.fits(code) and bounded.canonical(code), codes)
    drawn = rate(lambda _: bounded.canonical(bounded.sample(random)), codes)
    figures = " | ".join(f"{figure:,.0f}" for figure in (forms, cold, warm, fitting, drawn))
    return f"| {name} | {space.size:.3g} | {figures} |"


def filtered(name: str) -> str:
    """Seconds to filter many random codes in canonical form against a budget, a new space."""
    space, random = nw.space(name), Random(2)
    macs = sorted(space.totals(space.sample(random)).macs for _ in range(50))[25]
    bounded = nw.space(name).within(f"macs<={macs}")
    start, kept = time.process_time(), set[str]()
    for _ in range(FILTERED):
        code = bounded.write(bounded.arranged(bounded.drawn(random)))
        if bounded.fits(code):
            kept.add(bounded.canonical(code))
    seconds = time.process_time() - start
    return f"{name}: {FILTERED:,} candidates in {seconds:.1f} s, {len(kept):,} functions fit"


def checked(count: int) -> str:
    """MACs of so many random nets, of all spaces in turn, against PyTorch's counter."""
    import torch
    from torch.utils.flop_counter import FlopCounterMode

    spaces = [nw.space(name, **SMALL[name]) for name in NAMES]
    random, wrong = Random(3), list[str]()
    for i in range(count):
        space = spaces[i % len(spaces)]
        code = space.sample(random)
        net = space.net(code)
        with torch.device("meta"):
            model = net.build(init="torch").eval()
        counter = FlopCounterMode(display=False)
        with counter, torch.no_grad():
            model(torch.zeros(1, *net.input, device="meta"))
        if counter.get_total_flops() != 2 * space.totals(code).macs:
            wrong.append(net.name)
    return (
        f"{count - len(wrong)} of {count} random nets have the MACs of FlopCounterMode / 2 {wrong}"
    )


def main() -> None:
    what = sys.argv[1:] or ["speed", "filter", "check"]
    if "speed" in what:
        print("| space | codes | canonical forms/s | costs/s, new | costs/s, then "
              "| filtered/s | drawn within a budget/s |")  # fmt: skip
        print("| --- | ---: | ---: | ---: | ---: | ---: | ---: |")
        for name in NAMES:
            print(row(name), flush=True)
    if "filter" in what:
        for name in ("darts", "nasbench201", "mobile"):
            print(filtered(name), flush=True)
    if "check" in what:
        print(checked(1000))


if __name__ == "__main__":
    main()
