"""Labelled images: read, looked at, brought to one size, split."""

from netwright.core.lazy import lazy

lazy(
    __name__,
    {
        "dataset": "Dataset load",
        "found": "Found",
        "image": "Preprocessing",
    },
)
