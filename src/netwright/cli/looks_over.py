"""The looks that pass over several images, a command each."""

from __future__ import annotations

from typing import Any

import click

from netwright import look
from netwright.cli.look_options import (
    count_option,
    layer_option,
    layers_option,
    paths_of,
    seconds_option,
    seed_option,
)
from netwright.cli.looking import data_of, once

__all__ = ["OVER"]


@once("top-patches")
@layers_option
@count_option("--count", 9, "patches of each channel")
@click.option("--beside", metavar="METHOD", help="a map of each unit beside, such as deconvnet")
@seconds_option
def top_patches(
    looked: look.Subject, images: tuple[str, ...], tell: Any, layers: tuple[str, ...], count: int,
    beside: str | None, seconds: float | None,
) -> Any:  # fmt: skip
    """The pieces of images that excite each channel most."""
    data = look.images_of(data_of(images))
    return look.top_patches(looked, data, paths_of(looked, data[0], layers), count,
                            beside=beside, seconds=seconds, tell=tell)  # fmt: skip


@once("sparsity")
@layers_option
@seconds_option
def sparsity(
    looked: look.Subject, images: tuple[str, ...], tell: Any, layers: tuple[str, ...],
    seconds: float | None,
) -> Any:  # fmt: skip
    """How often channels answer over images, and which never do."""
    return look.sparsity(looked, data_of(images), layers or None, seconds=seconds, tell=tell)


@once("shift", beside="WHAT")
@layer_option
@count_option("--most", 8, "pixels that images are moved by at most")
@click.option("--border", default="reflect", metavar="HOW", help="reflect, roll or zero (reflect)")
@seconds_option
def shift(
    models: dict[str, Any], images: tuple[str, ...], tell: Any, layer: str | None, most: int,
    **options: Any,
) -> Any:  # fmt: skip
    """How the output changes when images are moved.

    The model, and WHAT stands beside it, may also be a unit such as 'MaxPool(2)' or
    'BlurPool(3, 2)'.
    """
    return look.shift(models, data_of(images), most, layer, tell=tell, **options)


@once("sensitivity")
@click.option("--change", "changes", multiple=True, metavar="NAME",
              help="blur, noise, texture, shape, contrast; may be given again (all)")  # fmt: skip
@seed_option
@seconds_option
def sensitivity(
    looked: look.Subject, images: tuple[str, ...], tell: Any, changes: tuple[str, ...],
    **options: Any,
) -> Any:  # fmt: skip
    """What it says of images that are blurred, noisy, without texture or contrast."""
    how: dict[str, Any] = {"changes": changes} if changes else {}
    return look.sensitivity(looked, data_of(images), tell=tell, **options, **how)


@once("separability")
@layers_option
@count_option("--most", 1000, "images at most, drawn at random")
@seed_option
@seconds_option
def separability(
    looked: look.Subject, images: tuple[str, ...], tell: Any, layers: tuple[str, ...],
    **options: Any,
) -> Any:  # fmt: skip
    """How well classes can be told apart layer by layer, of a labelled data set."""
    return look.separability(looked, data_of(images), layers or None, tell=tell, **options)


OVER = (top_patches, sparsity, shift, sensitivity, separability)
"""In the order in which they are listed."""
