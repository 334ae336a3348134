"""The options of looks, and what they choose where nothing is said."""

from __future__ import annotations

from typing import Any

import click

from netwright import look
from netwright.cli.complete import values
from netwright.cli.options import as_count
from netwright.cli.subjects import as_channels, as_unit

__all__ = [
    "METHODS",
    "channel_option",
    "count_option",
    "layer_option",
    "layers_option",
    "method_option",
    "paths_of",
    "samples_option",
    "seconds_option",
    "seed_option",
    "target_option",
    "unit_option",
]

METHODS = ("gradcam", "gradcam++", "cam", "gradient", "smoothgrad", "integrated", "guided",
           "deconvnet")  # fmt: skip
"""Those of `look.attribution`, which would load PyTorch."""

method_option = click.option(
    "--method", default="gradcam", metavar="NAME", shell_complete=values(lambda: METHODS),
    help=f"{', '.join(METHODS)}, captum.NAME (gradcam)",
)  # fmt: skip
target_option = click.option("--target", metavar="CLASS", help="class, by name or index (the top)")
layer_option = click.option("--layer", metavar="PATH", help="a layer, as `netwright look RUN "
                            "IMAGE` lists them")  # fmt: skip
layers_option = click.option("--layer", "layers", multiple=True, metavar="PATH",
                             help="a layer; may be given again (some over the depth)")  # fmt: skip
channel_option = click.option("--channel", "channels", callback=as_channels, metavar="N,M|N-M",
                              help="channels of the layer")  # fmt: skip
unit_option = click.option("--unit", callback=as_unit, metavar="ROW,COLUMN", help="one unit")
seed_option = click.option("--seed", type=int, default=0, metavar="N", help="same seed, same (0)")
seconds_option = click.option("--seconds", type=float, metavar="N", help="stop after so long")


def count_option(name: str, default: int | None, about: str) -> Any:
    """An option that is a whole number of at least 1."""
    shown = "" if default is None else f" ({default})"
    return click.option(name, callback=as_count, metavar="N", help=about + shown,
                        default=None if default is None else str(default))  # fmt: skip


samples_option = count_option("--samples", 16, "images of noise where no images are given")


def paths_of(looked: look.Subject, image: Any, layers: tuple[str, ...]) -> list[str]:
    """The layers asked for, or several over the depth."""
    from netwright.look.page import depths

    if layers:
        return [*layers]
    return depths(look.layers(looked.model, looked.picture(image).x.shape[1:]))
