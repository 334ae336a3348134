"""What looks ask of runs of `fit`, which stands above them in the house."""

from __future__ import annotations

from typing import Protocol, runtime_checkable

from torch import nn

from netwright.data.dataset import Dataset
from netwright.data.image import Preprocessing
from netwright.look.pace import Tell

__all__ = ["Fitted", "Relearnt", "Trained"]


@runtime_checkable
class Trained(Protocol):
    """What looks ask of a run of `fit`."""

    @property
    def classes(self) -> tuple[str, ...]: ...

    @property
    def preprocessing(self) -> Preprocessing: ...

    def model(self) -> nn.Module: ...


class Relearnt(Protocol):
    """A net that was trained on shuffled labels, and its accuracy on them."""

    @property
    def model(self) -> nn.Module: ...

    @property
    def accuracy(self) -> float: ...


@runtime_checkable
class Fitted(Trained, Protocol):
    """What looks ask of a run that knows its images."""

    def dataset(self) -> Dataset: ...

    def shuffled(self, seconds: float, *, seed: int, tell: Tell | None) -> Relearnt: ...
