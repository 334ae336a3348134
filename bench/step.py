"""A training step beside timm's `train.py` and torchvision's reference, and our own modes.

    python bench/step.py [--threads N] [--compile] [--small]

The loops of the peers are those of their scripts, line by line what a step does: forward under
autocast, loss, backward, optimiser, the figures they log. Same net (ResNet-18, the stem and maps
of CIFAR), batch, precision, layout and images, in memory already. All take turns, the medians of
their steps are compared; the processor is named.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

import torch
from torch import nn

import netwright as nw
from netwright.speed.machine import device_name
from netwright.train.learner import Learner
from netwright.train.recipe import Recipe

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
from peers import peer

RECIPE = Recipe(momentum=0.9, decay=5e-4, smoothing=0.0, operations=())
RATE = 0.01
Step = Callable[[], float]


def cifar_stem(model: nn.Module) -> nn.Module:
    """A peer's ResNet for images of 32 pixels."""
    model.conv1, model.maxpool = nn.Conv2d(3, 64, 3, 1, 1, bias=False), nn.Identity()
    return model


def sgd(model: nn.Module) -> torch.optim.Optimizer:
    return torch.optim.SGD(model.parameters(), RATE, 0.9, weight_decay=5e-4, nesterov=True)


def autocast() -> torch.autocast:
    return torch.autocast("cpu", torch.bfloat16)


def timm_step(x: torch.Tensor, labels: torch.Tensor) -> Step:
    """`train_one_epoch` of timm 1.0's train.py with --amp --amp-dtype bfloat16 --channels-last."""
    model = cifar_stem(peer("timm", "resnet18", num_classes=10)).train()
    model = model.to(memory_format=torch.channels_last)
    optimiser, criterion = sgd(model), nn.CrossEntropyLoss()

    def step() -> float:
        with autocast():
            loss = criterion(model(x), labels)
        loss.backward()
        optimiser.step()
        optimiser.zero_grad()
        return loss.item()

    return step


def torchvision_step(x: torch.Tensor, labels: torch.Tensor) -> Step:
    """`train_one_epoch` of torchvision's references/classification, with bf16 for its half."""
    model = cifar_stem(peer("torchvision", "resnet18", num_classes=10)).train()
    model = model.to(memory_format=torch.channels_last)
    optimiser, criterion = sgd(model), nn.CrossEntropyLoss()

    def step() -> float:
        with autocast():
            output = model(x)
            loss = criterion(output, labels)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        with torch.inference_mode():
            right = output.topk(5, 1)[1].t() == labels[None]
            _ = [right[:k].flatten().sum(dtype=torch.float32) for k in (1, 5)]
        return loss.item()

    return step


def resnet() -> nw.Net:
    """The same net in our words."""
    net = nw.net("resnet18", classes=10, input=(3, 32, 32))
    parts = {name: net.spec.part(name) for name in net.spec.names}
    return nw.Net(nw.Sequential(**parts | {"stem": nw.conv_norm_act(64)}), net.input)


def our_step(x: torch.Tensor, labels: torch.Tensor, precision: str) -> Step:
    learner = Learner(resnet().build(seed=0), RECIPE, epochs=1, precision=precision)
    learner.model.train()
    return lambda: float(learner.learn(x, labels, RATE))


def compiled_step(x: torch.Tensor, labels: torch.Tensor, precision: str) -> Step:
    """Ours by `torch.compile`; the first step, which compiles, is taken and timed here."""
    learner = Learner(resnet().build(seed=0), RECIPE, epochs=1, precision=precision)
    learner.model.train().compile()
    began = time.perf_counter()
    learner.learn(x, labels, RATE)
    print(f"compiled in {time.perf_counter() - began:.0f} s ({precision})\n")
    return lambda: float(learner.learn(x, labels, RATE))


def plain_step(x: torch.Tensor, labels: torch.Tensor) -> Step:
    """Our own net as PyTorch trains it when nothing is asked for: fp32, channels first."""
    model = resnet().build(seed=0).train()
    optimiser, criterion = sgd(model), nn.CrossEntropyLoss()
    x = x.contiguous()

    def step() -> float:
        optimiser.zero_grad()
        loss = criterion(model(x), labels)
        loss.backward()
        optimiser.step()
        return loss.item()

    return step


def main() -> None:
    options = argparse.ArgumentParser()
    options.add_argument("--threads", type=int, default=torch.get_num_threads())
    options.add_argument("--compile", action="store_true", help="ours by torch.compile too")
    options.add_argument("--small", action="store_true", help="that the script works, no figures")
    given = options.parse_args()
    torch.set_num_threads(given.threads)
    same = cifar_stem(peer("timm", "resnet18", num_classes=10)).parameters()
    assert resnet().plan().params == sum(parameter.numel() for parameter in same)
    batch, rounds = (8, 2) if given.small else (128, 12)
    x = torch.randn(batch, 3, 32, 32).to(memory_format=torch.channels_last)
    labels = torch.randint(0, 10, (batch,))
    steps = {
        "timm": timm_step(x, labels),
        "torchvision": torchvision_step(x, labels),
        "ours, bf16": our_step(x, labels, "bf16"),
        "ours, fp32": our_step(x, labels, "fp32"),
        "fp32 NCHW": plain_step(x, labels),
    }
    if given.compile:
        steps |= {f"ours, {precision}, compiled": compiled_step(x, labels, precision)
                  for precision in ("bf16", "fp32")}  # fmt: skip
    taken: dict[str, list[float]] = {name: [] for name in steps}
    for _ in range(rounds):
        for name, step in steps.items():
            began = time.perf_counter()
            step()
            taken[name].append(time.perf_counter() - began)
    seconds = {name: median(rows[1:]) for name, rows in taken.items()}
    print(f"{device_name()}, {given.threads} threads, torch {torch.__version__}, batch {batch}")
    for name, own in seconds.items():
        print(f"| {name} | {batch / own:.0f} images/s |")
    ours = seconds["ours, bf16"]
    for name, bar in (("timm", 1.0), ("torchvision", 1.0), ("fp32 NCHW", 2.5)):
        print(f"| ours against {name} | {seconds[name] / ours:.2f}x | at least {bar:g}x |")


if __name__ == "__main__":
    main()
