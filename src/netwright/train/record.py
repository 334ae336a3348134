"""What the JSON files of a run folder must say before anything is done with them."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from math import isfinite
from pathlib import Path
from typing import Any

from netwright.core.files import read_text
from netwright.errors import RunError

__all__ = [
    "CANDIDATE",
    "CHECKPOINT",
    "EPOCH",
    "IMAGES",
    "METRICS",
    "RUN",
    "read_json",
    "require",
    "text_of",
]

Rule = tuple[str, Callable[[Any], bool]]


def _whole(low: int, high: int) -> Rule:
    return (f"a whole number from {low} to {high}",
            lambda value: type(value) is int and low <= value <= high)  # fmt: skip


def _number(low: float, high: float) -> Rule:
    return (f"a number from {low:g} to {high:g}",
            lambda value: type(value) in (int, float) and low <= value <= high)  # fmt: skip


def _list(words: str, item: Callable[[Any], bool], most: int = 10**7) -> Rule:
    return (f"a list of {words}",
            lambda value: isinstance(value, list) and 0 < len(value) <= most
            and all(map(item, value)))  # fmt: skip


def _or_null(rule: Rule) -> Rule:
    words, holds = rule
    return f"{words}, or null", lambda value: value is None or holds(value)


def _finite(value: Any) -> bool:
    return type(value) in (int, float) and isfinite(value)


def _text(value: Any) -> bool:
    return isinstance(value, str)


MANY = 2**53
TEXT: Rule = ("text", _text)
FLAG: Rule = ("true or false", lambda value: isinstance(value, bool))
SHARE, COUNT = _number(0, 1), _whole(0, MANY)
CHANNELS = _list("at most 4 numbers", _finite, most=4)

RUN: Mapping[str, Rule] = {
    "began": TEXT,
    "settings.data": TEXT,
    "settings.budget": TEXT,
    "settings.minutes": _number(0, MANY),
    "settings.seed": COUNT,
    "data.classes": _list("names", _text),
    "data.fingerprint": TEXT,
    "job.why": ("a list of sentences", lambda value: isinstance(value, list)),
    "job.costs": ("a list of numbers", lambda value: all(map(_finite, value))),
    "job.epochs": _or_null(_whole(1, 10**6)),
    "job.seed": COUNT,
    "job.precision": ("fp32 or bf16", lambda value: value in ("fp32", "bf16")),
    "job.recipe.batch": _whole(1, 2**20),
}
"""What is read of run.json by a run that goes on."""

IMAGES: Mapping[str, Rule] = {
    "data.classes": _list("names", _text),
    "preprocessing.size": _whole(1, 1024),
    "preprocessing.channels": _whole(1, 4),
    "preprocessing.mean": CHANNELS,
    "preprocessing.std": _list("at most 4 numbers above 0", lambda v: _finite(v) and v > 0, 4),
    "preprocessing.range": _list("two numbers", _finite, most=2),
}
"""What is read of run.json by a run that predicts."""

METRICS: Mapping[str, Rule] = {
    "winner": TEXT,
    "net.name": TEXT,
    "net.params": COUNT,
    "net.macs": COUNT,
    "net.memory": COUNT,
    "test.accuracy": SHARE,
    "test.images": COUNT,
    "test.interval": _list("two shares", _finite, most=2),
}
"""What is read of metrics.json."""

CHECKPOINT: Mapping[str, Rule] = {
    "belongs": TEXT,
    "spent": _number(0, MANY),
    "history": ("a list of epochs", lambda value: isinstance(value, list)),
}
"""What is read of a checkpoint, beside the tensors."""

EPOCH: Mapping[str, Rule] = {
    "trial": TEXT,
    "epoch": COUNT,
    "train_loss": ("a number", _finite),
    "val_loss": ("a number", _finite),
    "val_accuracy": SHARE,
}
"""What is read of every epoch of its history."""

CANDIDATE: Mapping[str, Rule] = {
    "name": TEXT, "reason": TEXT, "params": COUNT, "macs": COUNT, "memory": COUNT,
    "field": COUNT, "last_map": COUNT,
}  # fmt: skip
"""What the report reads of every row of candidates.json."""


def require(
    record: Any, rules: Mapping[str, Rule], path: Path, hint: str = "begin a new run"
) -> None:
    """Holds a record against rules; `RunError` names the first field that is missing or wrong."""
    for name, (words, holds) in rules.items():
        value = record
        for word in name.split("."):
            if not isinstance(value, dict) or word not in value:
                raise RunError(f"{path} has no {name}, wanted {words}; {hint}")
            value = value[word]
        if not holds(value):
            raise RunError(f"{path}: {name} is {_shown(value)}, wanted {words}; {hint}")


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."


def read_json(path: Path) -> Any:
    """The JSON of a file in a run folder; `RunError` where there is none."""
    try:
        return json.loads(text_of(path))
    except (ValueError, RecursionError) as error:
        raise RunError(f"{path} cannot be read: it is no JSON ({error})") from None


def text_of(path: Path) -> str:
    """The text of a file in a run folder; `RunError` where there is none."""
    folder = path.parent
    try:
        return read_text(path)
    except (FileNotFoundError, NotADirectoryError):
        what = f"it has no {path.name}" if folder.is_dir() else "no such folder"
        raise RunError(f"{folder} is no run folder: {what}") from None
    except OSError as error:
        raise RunError(f"{path} cannot be read: {error.strerror}") from None
    except ValueError:
        raise RunError(f"{path} cannot be read: it is no text") from None
