"""Spaces of nets to choose from; no third-party import."""

from netwright.core.lazy import lazy

lazy(
    __name__,
    {
        "budget": "Budget",
        "families": "FAMILIES grid small",
    },
)
