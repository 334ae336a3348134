"""Labelled images: read, looked at, brought to one size, split."""

from netwright.lazy import lazy

lazy(
    __name__,
    {
        "dataset": "Dataset load",
        "found": "Found",
        "image": "Preprocessing",
    },
)
