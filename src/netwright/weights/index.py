"""The public weights that are known for registered nets: names, files, preprocessing."""

from __future__ import annotations

import csv
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from functools import cache
from importlib.resources import files

__all__ = ["Known", "known", "names"]


UNNAMED = "none named for weights; torchvision's code is BSD-3-Clause"
"""What torchvision says of its weights: that they may have terms of their own."""


@dataclass(frozen=True)
class Known:
    """Weights of a registered net, under the `licence` that their library tells, `facts` being
    what it says of the images.
    """

    net: str
    library: str
    model: str
    tag: str = ""
    file: str = ""
    licence: str = ""
    facts: dict[str, str] = field(default_factory=dict, hash=False)

    @property
    def name(self) -> str:
        """What `build(weights=...)` takes: `torchvision/resnet50.IMAGENET1K_V2`."""
        return f"{self.library}/{self.model}" + (f".{self.tag}" if self.tag else "")


def names(pattern: str = "*") -> list[str]:
    """Names of the weights of every net whose name matches a shell pattern, sorted.

    >>> names("densenet121")[:2]
    ['timm/densenet121.ra_in1k', 'timm/densenet121.tv_in1k']
    """
    return sorted({weights.name for weights in known(pattern)})


def known(pattern: str = "*") -> tuple[Known, ...]:
    """What is known of the weights of every net whose name matches, in the order of the tables.

    >>> known("efficientnet_lite0")[0].licence
    'Apache-2.0'
    """
    return tuple(weights for weights in _tables() if fnmatchcase(weights.net, pattern))


@cache
def _tables() -> tuple[Known, ...]:
    entries: list[Known] = []
    for row in _rows("torchvision.csv"):
        place = (row["model"], row["tag"], row["file"])
        entries.append(Known(row["net"], "torchvision", *place, UNNAMED, row))
    for row in _rows("timm.csv"):
        place = (row["net"], "timm", row["model"])
        entries += [Known(*place, tag, licence=row["licence"]) for tag in row["tags"].split()]
    for row in _rows("packages.csv"):
        place = (row["model"], "", row["file"])
        entries.append(Known(row["net"], "package", *place, row["licence"], row))
    return tuple(entries)


def _rows(name: str) -> list[dict[str, str]]:
    text = files("netwright.weights").joinpath(name).read_text(encoding="utf-8")
    return list(csv.DictReader(text.splitlines()))
