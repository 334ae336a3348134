"""What searches with shared weights have in common: halves of the images, time, results."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from time import monotonic
from typing import Any

import torch
from torch import nn

from netwright.core.net import Net
from netwright.data.augment import Flip, Shift
from netwright.errors import SearchError
from netwright.report.numbers import counted
from netwright.space.search_space import Space
from netwright.train.batches import Images
from netwright.train.learner import Learner
from netwright.train.recipe import Recipe

__all__ = ["RECIPE", "Progress", "Shared", "ending", "epochs_within", "evaluated", "halves",
           "need_counts", "some"]  # fmt: skip

RECIPE = Recipe("darts", rate=0.025, decay=3e-4, batch=64, warmup=0.0, smoothing=0.0, clip=5.0,
                operations=(Shift(), Flip()))  # fmt: skip
"""How shared weights learn (Liu et al. 2018, arXiv:1806.09055, appendix A.1)."""
Progress = Callable[[dict[str, Any]], None]


@dataclass(frozen=True)
class Shared:
    """What a search with shared weights came to.

    space: that was searched
    shared: what the shared weights say of nets, by their codes, the best first
    history: a row an epoch
    stopped: why it ended
    """

    space: Space
    shared: dict[str, float]
    history: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    stopped: str = ""

    @property
    def code(self) -> str:
        """The code of the net it chose."""
        return next(iter(self.shared))

    @property
    def net(self) -> Net:
        """The net it chose, to be trained from nothing."""
        return self.space.net(self.code)


def need_counts(**counts: int) -> None:
    """`SearchError` where one of them is below 1, before anything is trained."""
    for name, count in counts.items():
        if count < 1:
            raise SearchError(f"{name} is {count}, wanted at least 1")


def epochs_within(
    seconds: float, learner: Learner, planned: int, first: int = 0
) -> Iterator[int]:  # fmt: skip
    """The epochs of a learner from the first that is left, one or more in all: fewer than planned
    where they would take longer than the time, as those before them took, so that its schedule ends
    with the last.
    """
    began, epoch = monotonic(), first
    while epoch < learner.epochs:
        yield epoch
        epoch += 1
        each = max(1e-9, monotonic() - began) / (epoch - first)
        learner.epochs = max(epoch, int(min(planned, first + seconds / each)))


def ending(learner: Learner, planned: int) -> str:
    """Why a learner that was to train so many epochs trains no more."""
    done = learner.epochs
    if done == planned:
        return counted(done, "epoch")
    return f"its time: {done} of {counted(planned, 'epoch')}"


def halves(images: Images, share: float = 0.5, seed: int = 0) -> tuple[Images, Images]:
    """The images in two parts at random: for weights and for architectures."""
    count = len(images)
    order = torch.randperm(count, generator=torch.Generator().manual_seed(seed))
    first = min(max(1, round(share * count)), count - 1)
    if count < 2:
        raise SearchError(f"{count} images cannot be parted; weights and architecture learn from "
                          "different ones")  # fmt: skip
    return images.part(order[:first].numpy()), images.part(order[first:].numpy())


def some(images: Images, count: int, seed: int) -> Images:
    """So many of the images at random; all where there are no more."""
    order = torch.randperm(len(images), generator=torch.Generator().manual_seed(seed))
    return images.part(order[:count].numpy())


def evaluated(model: nn.Module, images: Images, batch: int = 256) -> float:
    """Accuracy on images, normalised by the moments of each batch: running ones are of no single
    net where weights are shared. They stay as they are.
    """
    model.train()
    right = count = 0
    batches = list(torch.arange(len(images)).split(batch))
    buffers = {name: value.clone() for name, value in model.named_buffers()}
    with torch.no_grad():
        for own, pixels in zip(batches, images.source.stream(batches), strict=True):
            outputs = model(images.normalised(pixels))
            right += int((outputs.argmax(1) == images.labels[own.to(images.labels.device)]).sum())
            count += len(own)
        for name, value in model.named_buffers():
            value.copy_(buffers[name])
    return right / max(count, 1)
