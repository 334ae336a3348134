"""The machine that is measured, and the files in which its measurements are kept.

They are JSON in the user's cache folder; one that is missing or broken counts as empty.
"""

from __future__ import annotations

import json
import platform
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from netwright.core.files import cache_folder, read_text, write_text

__all__ = ["device_name", "file_of", "machine", "read", "remembered", "write"]


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
    name: str, key: str, measure: Callable[[], Any], is_valid: Callable[[Any], bool]
) -> Any:
    """What is kept under `key`; measured, and kept, where there is nothing valid."""
    record = {own: value for own, value in read(name).items() if is_valid(value)}
    if key not in record:
        record[key] = measure()
        with suppress(OSError):  # with nowhere to keep it the next run measures again
            write(name, record)
    return record[key]
