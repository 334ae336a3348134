"""The main job: fit a net to labelled images within a budget and a time."""

from netwright.core.lazy import lazy

lazy(
    __name__,
    {
        "fitting": "Settings fit resume",
        "run": "Prediction Run",
        "watch": "Watch",
    },
)
