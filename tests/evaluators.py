"""Scores that other processes can import."""

from __future__ import annotations

import os
import time
from pathlib import Path

from netwright.core.net import Net

LOG = "NETWRIGHT_TEST_LOG"
"""Names the file that every evaluation adds a line to."""


def score(net: Net) -> float:
    """A number that differs from net to net and needs no time."""
    return int(net.hash, 16) % 10_007 / 10_007


def logged(net: Net) -> float:
    """The same after a while; writes down that it was asked."""
    with Path(os.environ[LOG]).open("a", encoding="utf-8") as log:
        log.write(f"{net.hash}\n")
    time.sleep(0.15)
    return score(net)
