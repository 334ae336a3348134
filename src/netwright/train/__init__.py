"""The main job: fit a net to labelled images within a budget and a time."""

from netwright.core.lazy import lazy

lazy(
    __name__,
    {
        "fitting": "fit resume",
        "recipe": "RECIPES Recipe",
        "run": "Prediction Run",
        "settings": "Settings",
        "watch": "Watch",
    },
)
