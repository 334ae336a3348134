"""Labelled images: listed, looked at, split, decoded, augmented."""

from netwright.core.lazy import lazy

lazy(
    __name__,
    {
        "dataset": "Dataset load",
        "image": "Preprocessing",
        "listing": "Listing",
        "survey": "Survey survey",
    },
)
