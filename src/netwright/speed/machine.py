"""The machine that is measured, and the files in which its measurements are kept.

They are JSON in the user's cache folder; one that is missing or broken counts as empty.
"""

from __future__ import annotations

import json
import platform
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from time import perf_counter, thread_time, time
from typing import Any

from netwright.core.files import cache_folder, read_text, write_text

__all__ = ["device_name", "file_of", "machine", "read", "remembered", "timed", "write"]

QUIET = 0.9
"""Where a measurement had less than this share of the time on a processor, others had the rest."""
OLD = 30 * 86400
"""Seconds after which a measurement is made again."""


def device_name() -> str:
    """The name of the graphics card that nets run on, or of the processor."""
    import torch

    if torch.cuda.is_available():
        return torch.cuda.get_device_name()
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
        names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
        return names[0]
    except (OSError, IndexError):
        return platform.processor() or "cpu"


def machine() -> dict[str, Any]:
    """What the speed and the last bits of the results depend on."""
    import torch

    return {
        "device": device_name(),
        "threads": torch.get_num_threads(),
        "system": f"{platform.system()} {platform.machine()}",
        "torch": torch.__version__,
    }


def timed(run: Callable[[], object]) -> float:
    """Seconds of a call, which waits for what it computes."""
    began = perf_counter()
    run()
    return perf_counter() - began


def file_of(name: str) -> Path:
    """Where the measurements of that name are kept."""
    return cache_folder() / f"{name}.json"


def read(name: str) -> dict[str, Any]:
    """The measurements of that name; none where the file is missing or broken."""
    try:
        record = json.loads(read_text(file_of(name)))
    except (OSError, ValueError, RecursionError):
        return {}
    return record if isinstance(record, dict) else {}


def write(name: str, record: dict[str, Any]) -> Path:
    """Keeps the measurements of that name, and says where; `OSError` where it cannot."""
    write_text(file_of(name), json.dumps(record, indent=1))
    return file_of(name)


def remembered(
    name: str,
    key: str,
    measure: Callable[[], Any],
    is_valid: Callable[[Any], bool],
    cost: Callable[[Any], float] = float,
) -> Any:
    """What is kept under `key`; measured, and kept, where there is nothing valid.

    What was measured beside other work, or long ago, is measured again, and what costs least of
    both is kept: others on the machine only add to what a measurement takes.
    """
    record = {own: value for own, value in read(name).items() if _is_kept(value, is_valid)}
    before = record.get(key)
    if before is not None and not before["busy"] and 0 <= time() - before["when"] < OLD:
        return before["value"]
    wall, own = perf_counter(), thread_time()
    value = measure()
    busy = thread_time() - own < QUIET * (perf_counter() - wall)
    if before is not None and cost(before["value"]) <= cost(value):
        value = before["value"]
    record[key] = {"value": value, "busy": busy, "when": int(time())}
    with suppress(OSError):  # with nowhere to keep it the next run measures again
        write(name, record)
    return value


def _is_kept(entry: Any, is_valid: Callable[[Any], bool]) -> bool:
    """Whether an entry of a file is one that we wrote."""
    return (isinstance(entry, dict) and {*entry} == {"value", "busy", "when"}
            and isinstance(entry["busy"], bool) and isinstance(entry["when"], int)
            and is_valid(entry["value"]))  # fmt: skip
