"""What was published about the nets of the registry: what is new in them, category, errors."""

from __future__ import annotations

from collections.abc import Iterator
from csv import DictReader
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from netwright.errors import UnknownName

__all__ = ["CATEGORIES", "Contest", "Published", "category", "contribution", "ilsvrc", "published"]

CATEGORIES = (
    "Spatial exploitation",
    "Depth",
    "Multi-path",
    "Width",
    "Feature-map exploitation",
    "Channel boosting",
    "Attention",
)
"""By which idea a net is better than those before it (Khan et al. 2019, arXiv:1901.06032)."""


@dataclass(frozen=True)
class Published:
    """The errors of a net on a data set, in per cent, None where they are not known.

    `category` is one of `CATEGORIES`, or several joined by " + "; `source` says whose errors
    these are: a paper and where in it they stand, a library and the name of its weights, or a
    repository's README. Papers are named by the year of their first version and quoted in the
    current one, unless the row says otherwise.
    """

    category: str
    dataset: str = ""
    top1_error: float | None = None
    top5_error: float | None = None
    source: str = ""


@dataclass(frozen=True)
class Contest:
    """An entry of the ImageNet challenge, and its top-5 error on the test images in per cent."""

    year: int
    entry: str
    top5_error: float
    source: str


@cache
def _tables() -> dict[str, tuple[Published, ...]]:
    tables: dict[str, tuple[Published, ...]] = {}
    for row in _rows("published.csv"):
        figures = Published(
            row["category"], row["dataset"], _number(row["top1_error"]),
            _number(row["top5_error"]), row["source"],
        )  # fmt: skip
        tables[row["name"]] = (*tables.get(row["name"], ()), figures)
    return tables


@cache
def _contributions() -> dict[str, str]:
    return {row["title"]: row["contribution"] for row in _rows("contributions.csv")}


def _rows(file: str) -> Iterator[dict[str, str]]:
    text = (files("netwright.nets") / file).read_text(encoding="utf-8")
    return DictReader(text.splitlines())


def _number(cell: str) -> float | None:
    return float(cell) if cell else None


def published(name: str) -> tuple[Published, ...]:
    """What was published about the net of that name, a row a data set, the main one first.

    >>> published("resnet110_cifar10_a")[0].top1_error
    6.43
    """
    return _tables().get(name, ())


def contribution(title: str) -> str:
    """What is new in the paper of that title, in a sentence or two; empty where nobody said.

    >>> contribution("Wide Residual Networks").partition(" learn")[0]
    'Residual nets with fewer blocks of many more channels'
    """
    return _contributions().get(title, "")


def ilsvrc() -> list[Contest]:
    """Entries of the ImageNet challenge, by year.

    >>> ilsvrc()[0].entry, ilsvrc()[0].top5_error
    ('SuperVision (AlexNet)', 16.42)
    """
    return [
        Contest(int(row["year"]), row["entry"], float(row["top5_error"]), row["source"])
        for row in _rows("ilsvrc.csv")
    ]


def category(text: str) -> str:
    """The category that has `text` in its name, whatever the case.

    Raises `UnknownName` with the seven when there is not exactly one.

    >>> category("attention")
    'Attention'
    """
    fitting = [name for name in CATEGORIES if text.casefold() in name.casefold()]
    if len(fitting) != 1:
        fits = "several categories fit" if fitting else "no category fits"
        raise UnknownName(f"{fits} {text!r}; there are: {', '.join(CATEGORIES)}")
    return fitting[0]
