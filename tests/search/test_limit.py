"""What is broken off by an alarm leaves no trace in what comes after it."""

from __future__ import annotations

import pytest
import torch

from netwright.search.engine.limit import TimeOver, limited


def wrong_modes(before: bool) -> None:
    torch.set_grad_enabled(not before)
    torch.set_autocast_enabled("cpu", not before)
    raise TimeOver


def no_gradients_for_ever() -> None:
    while True:
        with torch.no_grad():
            pass


@pytest.mark.parametrize("before", [True, False])
def test_modes_are_those_of_before_though_the_alarm_rings_in_the_end_of_a_block(before):
    with torch.set_grad_enabled(before), torch.autocast("cpu", enabled=before):
        with pytest.raises(TimeOver), limited(60):
            wrong_modes(before)
        assert torch.is_grad_enabled() == before
        assert torch.is_autocast_enabled("cpu") == before


def test_gradients_are_recorded_after_alarms_at_any_instant():
    for _ in range(100):
        with pytest.raises(TimeOver), limited(1e-3):
            no_gradients_for_ever()
        assert torch.is_grad_enabled()
