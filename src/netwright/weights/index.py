"""The public weights that are known for registered nets: names, files, preprocessing."""

from __future__ import annotations

import csv
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from functools import cache
from importlib.resources import files

__all__ = ["Known", "known", "names"]


@dataclass(frozen=True)
class Known:
    """Weights of a registered net, `facts` being what their library says of the images."""

    net: str
    library: str
    model: str
    tag: str
    file: str = ""
    facts: dict[str, str] = field(default_factory=dict, hash=False)

    @property
    def name(self) -> str:
        """What `build(weights=...)` takes: `torchvision/resnet50.IMAGENET1K_V2`."""
        return f"{self.library}/{self.model}.{self.tag}"


def names(room: str = "weights", pattern: str = "*") -> list[str]:
    """Names of the weights of every net whose name matches a shell pattern, sorted.

    >>> names("weights", "densenet121")[:2]
    ['timm/densenet121.ra_in1k', 'timm/densenet121.tv_in1k']
    """
    return sorted({held.name for held in known() if fnmatchcase(held.net, pattern)})


@cache
def known() -> tuple[Known, ...]:
    """All of them, in the order of the tables."""
    found = [
        Known(row["net"], "torchvision", row["model"], row["tag"], row["file"], row)
        for row in _rows("torchvision.csv")
    ]
    for row in _rows("timm.csv"):
        found += [Known(row["net"], "timm", row["model"], tag) for tag in row["tags"].split()]
    return tuple(found)


def _rows(name: str) -> list[dict[str, str]]:
    text = files("netwright.weights").joinpath(name).read_text(encoding="utf-8")
    return list(csv.DictReader(text.splitlines()))
