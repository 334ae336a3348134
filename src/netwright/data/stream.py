"""Images that are decoded when they are needed: by worker processes, ahead of the training."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from netwright.data.image import Preprocessing
from netwright.data.listing import Reader, reason
from netwright.errors import DataError

__all__ = ["Memory", "Stream", "default_workers"]

AHEAD = 4
"""Batches that each worker has ready."""


class Memory:
    """Images (N, H, W, C) of uint8, decoded once, or signals (N, C, L); on the device that
    trains.
    """

    def __init__(self, pixels: np.ndarray, device: torch.device) -> None:
        self.pixels = _channels_first(torch.from_numpy(pixels)).contiguous().to(device)

    def __len__(self) -> int:
        return len(self.pixels)

    def stream(self, batches: Iterable[Tensor]) -> Iterator[Tensor]:
        """The images of each batch of indices."""
        for indices in batches:
            yield self.pixels[indices.to(self.pixels.device)]


@dataclass
class Stream:
    """Images that worker processes decode; memory does not grow with their number.

    Arguments:
        reader: reads image i.
        indices: the images of this source, as the reader counts.
        preprocessing: the size and the crop.
        workers: processes; 0 decodes in this one.
    """

    reader: Reader
    indices: np.ndarray
    preprocessing: Preprocessing
    workers: int
    faults: dict[int, str] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.indices)

    def stream(self, batches: Iterable[Tensor]) -> Iterator[Tensor]:
        """The images of each batch of indices, decoded ahead, in the order asked for.

        One that cannot be read is black; `faults` says which and why.
        """
        wanted = [[int(self.indices[i]) for i in batch.tolist()] for batch in batches]
        loader = DataLoader(
            _Decoding(self.reader, self.preprocessing),
            batch_sampler=wanted,  # type: ignore[arg-type]
            collate_fn=_stacked,
            num_workers=self.workers,
            prefetch_factor=AHEAD if self.workers else None,
            worker_init_fn=_outlasts_terms,
            generator=torch.Generator(),  # its seeds for workers leave the global one alone
        )
        for pixels, faults in loader:
            self.faults.update(faults)
            yield pixels


def _outlasts_terms(worker: int) -> None:
    """A SIGTERM to all processes is for the one that began them, which ends its workers in order;
    they end by themselves where it is gone.
    """
    signal.signal(signal.SIGTERM, signal.SIG_IGN)


class _Decoding(Dataset[tuple[np.ndarray, int, str]]):
    def __init__(self, reader: Reader, preprocessing: Preprocessing) -> None:
        self.reader, self.preprocessing = reader, preprocessing

    def __getitem__(self, i: int) -> tuple[np.ndarray, int, str]:
        try:
            return self.reader.read(i, self.preprocessing, []), i, ""
        except DataError as error:
            return self.preprocessing.blank, i, reason(error)


def _stacked(images: list[tuple[np.ndarray, int, str]]) -> tuple[Tensor, dict[int, str]]:
    pixels = torch.from_numpy(np.stack([pixels for pixels, _, _ in images]))
    return _channels_first(pixels), {i: fault for _, i, fault in images if fault}


def _channels_first(pixels: Tensor) -> Tensor:
    return pixels.permute(0, 3, 1, 2) if pixels.ndim == 4 else pixels


def default_workers() -> int:
    """As many processes as this one may use cores."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
