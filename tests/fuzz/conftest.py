"""What every fuzzer has: numbered random cases, each within a time and a memory.

In the suite a fuzzer runs the few cases it asks for. `make fuzz` sets NETWRIGHT_FUZZ_SECONDS,
the time of all fuzzers together, and each goes on until its share is spent. A failure says the
number of its case; NETWRIGHT_FUZZ_CASE=NUMBER runs that one alone.
"""

from __future__ import annotations

import os
import resource
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from random import Random
from types import FrameType

import pytest

SECONDS = 60
"""The longest a case may take, on a busy machine."""
MEMORY = 3 * 2**30
"""Bytes that a case may add to those of the process."""

Case = Callable[[Random], object]
Fuzz = Callable[[int, Case], None]


class TooLong(BaseException):
    """A case takes longer than it may; a BaseException, so that nothing takes it for its own."""


@pytest.fixture
def fuzz(request: pytest.FixtureRequest) -> Fuzz:
    """`fuzz(200, case)` calls `case(random)` 200 times, or for as long as there is time."""

    def run(count: int, case: Case) -> None:
        for number in _numbers(count, _share(request)):
            try:
                with _bounded():
                    case(Random(number))
            except BaseException as error:
                error.add_note(f"in case {number}: NETWRIGHT_FUZZ_CASE={number} runs it alone")
                raise

    return run


def _share(request: pytest.FixtureRequest) -> float:
    """Seconds that a fuzzer has: of those given to every worker an equal part."""
    total = float(os.environ.get("NETWRIGHT_FUZZ_SECONDS", "0"))
    workers = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
    here = Path(__file__).parent
    fuzzers = [
        item
        for item in request.session.items
        if here in item.path.parents and "fuzz" in getattr(item, "fixturenames", ())
    ]
    return total * workers / max(len(fuzzers), workers)


def _numbers(count: int, seconds: float) -> Iterator[int]:
    if one := os.environ.get("NETWRIGHT_FUZZ_CASE"):
        yield int(one)
        return
    end = time.monotonic() + seconds
    number = 0
    while number < count or time.monotonic() < end:
        yield number
        number += 1


@contextmanager
def _bounded() -> Iterator[None]:
    """Within the time and memory of a case."""

    def late(signum: int, frame: FrameType | None) -> None:
        raise TooLong(f"over {SECONDS} seconds")

    before = signal.signal(signal.SIGALRM, late)
    soft, hard = resource.getrlimit(resource.RLIMIT_AS)
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    resource.setrlimit(resource.RLIMIT_AS, (pages * resource.getpagesize() + MEMORY, hard))
    signal.alarm(SECONDS)
    try:
        yield
    finally:
        signal.alarm(0)
        resource.setrlimit(resource.RLIMIT_AS, (soft, hard))
        signal.signal(signal.SIGALRM, before)
