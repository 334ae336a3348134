"""Memory that is freed is used again without a fault of a page, and given back at the end."""

from __future__ import annotations

import platform
import resource
from pathlib import Path

import pytest
import torch

from netwright.speed import allocation
from netwright.speed.allocation import reused_memory

BLOCK, LARGER, TIMES = 2**26, 2**28, 4
WHOLE = BLOCK // resource.getpagesize()
"""Pages of a block."""


def faults(size: int = BLOCK) -> int:
    """Pages that the system has to fill for blocks that are written, freed and asked for again."""
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for _ in range(TIMES):
        torch.zeros(size, dtype=torch.uint8)
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before


def least() -> int:
    """The same, once blocks have found their places."""
    return min(faults() for _ in range(12))


def resident() -> int:
    """Pages of memory that the process has."""
    return int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])


pytestmark = pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="settings of glibc")


@reused_memory()
def job() -> int:
    return least()


def failing(size: int) -> None:
    faults(size)
    raise MemoryError


def test_a_freed_block_is_used_again():
    with reused_memory():
        assert least() < WHOLE / 4


def test_an_inner_job_does_not_end_the_outer():
    with reused_memory():
        with reused_memory():
            pass
        assert least() < WHOLE / 4
        assert job() < WHOLE / 4


def test_memory_goes_back_when_the_last_job_ends():
    before = resident()
    with reused_memory():
        faults(LARGER)
        assert resident() > before + WHOLE / 2
    assert resident() < before + WHOLE / 2
    with pytest.raises(MemoryError), reused_memory():
        failing(LARGER)
    assert resident() < before + WHOLE / 2


def test_other_systems_are_left_alone(monkeypatch):
    settings = []
    monkeypatch.setattr(allocation, "_set", lambda _, values: settings.append(values))
    with monkeypatch.context() as other, reused_memory():
        other.setattr("sys.platform", "darwin")
        with reused_memory():
            pass
    assert settings == [allocation.KEEPING, allocation.USUAL]
