"""Built nets beside torchvision's: images a second in inference and training, construction.

Both models run in one process, turn by turn, so that whatever else the machine does meets
both; the ratio of a pair of turns is taken, and the median of the ratios is what counts.
"""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import torch
from torch import nn

import netwright as nw

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
from peers import peer

NETS = {"resnet18": 8, "resnet50": 4, "mobilenet_v2": 8, "densenet121": 4, "efficientnet_b0": 4}
"""Nets that both have, and the batch they are run at."""
TURNS = 9


def turn(action: Callable[[], object]) -> float:
    """Seconds of one call."""
    start = time.perf_counter()
    action()
    return time.perf_counter() - start


def paired(ours: Callable[[], object], theirs: Callable[[], object], turns: int = TURNS):
    """(seconds of ours, of theirs, median of theirs over ours), in turns of changing order."""
    for action in (ours, theirs):
        action()
    pairs: list[tuple[float, float]] = []
    for i in range(turns):
        if i % 2:
            second, first = turn(theirs), turn(ours)
        else:
            first, second = turn(ours), turn(theirs)
        pairs.append((first, second))
    ratio = statistics.median(second / first for first, second in pairs)
    return *(statistics.median(side) for side in zip(*pairs, strict=True)), ratio


def inference(model: nn.Module, x: torch.Tensor) -> Callable[[], object]:
    model.eval()

    def run() -> object:
        with torch.inference_mode():
            return model(x)

    return run


def training(model: nn.Module, x: torch.Tensor) -> Callable[[], object]:
    labels = torch.arange(x.shape[0])
    descent = torch.optim.SGD(model.parameters(), lr=1e-4, momentum=0.9)

    def run() -> object:
        model.train()
        descent.zero_grad()
        nn.functional.cross_entropy(model(x), labels).backward()
        descent.step()

    return run


def speeds() -> list[str]:
    """A Markdown row a net and way."""
    made: list[str] = []
    for name, batch in NETS.items():
        torch.manual_seed(0)
        ours = nw.net(name).build()
        theirs = peer("torchvision", name)
        x = torch.randn(batch, 3, 224, 224)
        for way in (inference, training):
            mine, other, ratio = paired(way(ours, x), way(theirs, x))
            made.append(
                f"| {name} | {way.__name__} | {batch} | {batch / mine:.1f} | "
                f"{batch / other:.1f} | {ratio:.3f}x |"
            )
    return made


def construction() -> list[str]:
    """A Markdown row a net: milliseconds of construction, each with its usual first weights."""
    made: list[str] = []
    for name in NETS:
        ours, theirs = nw.net(name).build, partial(peer, "torchvision", name)
        mine, other, ratio = paired(ours, theirs, 9)
        made.append(f"| {name} | {1e3 * mine:.0f} | {1e3 * other:.0f} | {1 / ratio:.2f}x |")
    return made


if __name__ == "__main__":
    torch.set_num_threads(2)
    print("| net | way | batch | ours images/s | torchvision images/s | ours / torchvision |")
    print("| --- | --- | --- | --- | --- | --- |")
    print("\n".join(speeds()))
    print("\n| net | ours ms | torchvision ms | ours / torchvision |")
    print("| --- | --- | --- | --- |")
    print("\n".join(construction()))
