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
    "ASKED",
    "CANDIDATE",
    "CHECKPOINT",
    "EPOCH",
    "FINE_TUNE",
    "FINISHED",
    "IMAGES",
    "JOB",
    "METRICS",
    "RUN",
    "SAMPLE",
    "SIGNALS",
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


def _bounds(value: Any) -> bool:
    return (
        isinstance(value, list)
        and len(value) == 2
        and all(map(_finite, value))
        and value[0] < value[1]
    )


def _text(value: Any) -> bool:
    return isinstance(value, str)


MANY = 2**53
TEXT: Rule = ("text", _text)
FLAG: Rule = ("true or false", lambda value: isinstance(value, bool))
SHARE, COUNT = _number(0, 1), _whole(0, MANY)

RUN: Mapping[str, Rule] = {
    "began": TEXT,
    "settings.data": TEXT,
    "settings.budget": TEXT,
    "settings.minutes": _number(0, MANY),
    "settings.epochs": _or_null(_whole(1, MANY)),
    "settings.seed": COUNT,
    "settings.size": _or_null(_whole(8, 2**20)),
    "data.classes": _list("names", _text),
    "data.fingerprint": TEXT,
}
"""What every run.json says."""

IMAGES: Mapping[str, Rule] = {
    "preprocessing.size": _whole(1, 4096),
    "preprocessing.channels": ("1 or 3", lambda value: type(value) is int and value in (1, 3)),
    "preprocessing.mean": _list("numbers", _finite),
    "preprocessing.std": _list("numbers above 0", lambda value: _finite(value) and value > 0),
    "preprocessing.range": ("two numbers, the smaller first", _bounds),
    "preprocessing": ("a mean and a deviation for every channel", lambda value: (
        len(value["mean"]) == len(value["std"]) == value["channels"])),
}  # fmt: skip
"""What run.json says of the images of a run that predicts."""

SIGNALS: Mapping[str, Rule] = {
    **IMAGES,
    "preprocessing.size": _whole(1, 2**20),
    "preprocessing.channels": _whole(1, 2**20),
    "preprocessing.map": FLAG,
}
"""The same of a run that predicts signals."""

ASKED: Mapping[str, Rule] = {"temperature": _number(1e-6, 1e6), "mirrored": FLAG,
                              "shifted": FLAG}  # fmt: skip
"""What run.json says of how the net of a run that predicts is asked, if it is not older."""

JOB: Mapping[str, Rule] = {
    "job.why": ("a list of sentences", lambda value: isinstance(value, list)),
    "job.backbones": ("a list of nets", lambda value: isinstance(value, list)),
    "job.transfer": TEXT,
    "job.approaches": ("a list of nets", lambda value: isinstance(value, list)),
    "job.costs": ("a list of numbers, none below 0", lambda value: (
        isinstance(value, list) and all(_finite(cost) and cost >= 0 for cost in value))),
    "job.epochs": _or_null(_whole(1, 10**6)),
    "job.seed": COUNT,
    "job.folds": _whole(1, 100),
    "job.precision": ("auto, fp32 or bf16", lambda value: value in ("auto", "fp32", "bf16")),
    "job.recipe": ("a recipe", lambda value: isinstance(value, dict)),
    "job": ("a cost for every net", lambda value: (
        len(value["approaches"]) == len(value["costs"]))),
}  # fmt: skip
"""What run.json says of what a run is to do, which goes on."""

FINE_TUNE: Mapping[str, Rule] = {
    "approach": ("a net", lambda value: isinstance(value, dict)),
    "folds": _whole(1, 100),
}
"""What is read of how a run is to fine-tune."""

SAMPLE: Mapping[str, Rule] = {"images": COUNT, "mirrored": FLAG}
"""What is read of the images whose features are computed."""

FINISHED: Mapping[str, Rule] = {"seconds": _number(0, MANY)}
"""What run.json says more of a run that is finished."""

METRICS: Mapping[str, Rule] = {
    "winner": TEXT,
    "net.name": TEXT,
    "net.params": COUNT,
    "net.macs": COUNT,
    "net.memory": COUNT,
    "test.accuracy": SHARE,
    "test.images": COUNT,
    "test.interval": ("two numbers, the smaller first", _bounds),
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
