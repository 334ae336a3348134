"""Measurements that are kept: what is measured again, and what then counts."""

from __future__ import annotations

import json
from time import perf_counter, sleep, time

import pytest

from netwright.speed import machine
from netwright.speed.machine import file_of, read, remembered, write

DAY = 86400


@pytest.fixture(autouse=True)
def _own_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


def alone():
    """Work that has a processor for itself."""
    until = perf_counter() + 0.05
    while perf_counter() < until:
        pass


def beside_others():
    """Work that waits for a processor half of the time."""
    alone()
    sleep(0.1)


def asked(value, work=alone, cost=float):
    """What is remembered when a measurement would give `value`, and whether there was one."""
    calls = []

    def measure():
        work()
        calls.append(1)
        return value

    kept = remembered("steps", "net", measure, lambda value: isinstance(value, float), cost)
    return kept, bool(calls)


@pytest.fixture
def quiet(monkeypatch):
    """Takes every measurement for one that was alone, however busy this machine is."""
    monkeypatch.setattr(machine, "QUIET", 0.0)


def test_what_was_measured_alone_is_kept(quiet):
    assert asked(2.0) == (2.0, True)
    assert asked(1.0) == (2.0, False)


def test_waiting_for_a_processor_is_noticed():
    asked(2.0, lambda: sleep(0.1))
    assert read("steps")["net"]["busy"] is True


@pytest.mark.parametrize(("later", "kept"), [(1.0, 1.0), (3.0, 2.0)])
def test_what_was_measured_beside_others_is_measured_again_and_the_least_counts(
    monkeypatch, later, kept
):
    asked(2.0, beside_others)
    monkeypatch.setattr(machine, "QUIET", 0.0)
    assert asked(later) == (kept, True)
    assert asked(0.1) == (kept, False)


def test_busy_again_the_least_counts_still():
    assert asked(2.0, beside_others) == (2.0, True)
    assert asked(3.0, beside_others) == (2.0, True)
    assert asked(1.0, beside_others) == (1.0, True)


@pytest.mark.parametrize("when", [time() - 31 * DAY, time() + DAY], ids=["old", "to come"])
def test_what_is_old_is_measured_again(quiet, when):
    write("steps", {"net": {"value": 2.0, "busy": False, "when": round(when)}})
    assert asked(3.0) == (2.0, True)
    assert asked(1.0) == (2.0, False)


@pytest.mark.parametrize(
    "entry",
    [2.0, None, {"value": 2.0}, {"value": "2", "busy": False, "when": 1},
     {"value": 2.0, "busy": 0, "when": 1}],
)  # fmt: skip
def test_entries_of_others_are_measured_anew(quiet, entry):
    write("steps", {"net": entry, "other": {"value": 5.0, "busy": False, "when": 1}})
    assert asked(3.0) == (3.0, True)
    assert read("steps")["other"]["value"] == 5.0


def test_the_cost_decides_between_measurements(quiet):
    file_of("steps").parent.mkdir(parents=True, exist_ok=True)
    entry = {"value": 2.0, "busy": True, "when": int(time())}
    file_of("steps").write_text(json.dumps({"net": entry}))
    assert asked(3.0, cost=lambda value: -value) == (3.0, True)
