"""The example of channel boosting: the auxiliary learner learns, then the rest."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[1] / "examples/channel_boosting.py"


@pytest.mark.slow
def test_both_parts_learn_and_the_auxiliary_one_is_kept():
    done = subprocess.run(
        [sys.executable, SCRIPT, "150", "6"], capture_output=True, text=True, check=True
    )
    losses = re.findall(r"([\d.]+) -> ([\d.]+)", done.stdout)
    assert len(losses) == 2
    assert all(float(last) < float(first) for first, last in losses)
    assert "auxiliary learner unchanged: True" in done.stdout
    assert "on 30 other digits" in done.stdout
