"""One command a look: its options, and the call. `netwright.look` says what each computes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import click

from netwright import look
from netwright.cli.look_options import (
    channel_option,
    count_option,
    layer_option,
    layers_option,
    method_option,
    paths_of,
    samples_option,
    seconds_option,
    seed_option,
    target_option,
    unit_option,
)
from netwright.cli.looking import each, files_of, once
from netwright.cli.looks_over import OVER
from netwright.cli.subjects import as_channels, as_target, with_random
from netwright.errors import LookError

__all__ = ["LOOKS"]


def _shape(*models: look.Subject) -> tuple[int, ...] | None:
    """What the first of them whose images have a size takes."""
    return next((one.preprocessing.shape for one in models if one.preprocessing), None)


@each("attribute")
@method_option
@target_option
@layer_option
@click.option("--unit", callback=as_channels, metavar="C,Y,X", help="a unit of the layer instead")
@click.option("--check", is_flag=True, help="hold the map against random weights, other classes")
@seed_option
@seconds_option
def attribute(
    looked: look.Subject, image: str, tell: Any, method: str, target: str | None,
    layer: str | None, unit: list[int] | None, **options: Any,
) -> Any:  # fmt: skip
    """Which pixels speak for a class, or for a unit."""
    return look.attribute(looked, image, method, as_target(looked, target), layer, tell=tell,
                          unit=tuple(unit) if unit else None, **options)  # fmt: skip


@each("trust")
@method_option
@target_option
@layer_option
@count_option("--steps", 6, "how many times more weights are made random")
@click.option("--labels", type=float, metavar="SECONDS", help="also hold it against the map of "
              "the run's net, trained for so long on shuffled labels")  # fmt: skip
@seed_option
@seconds_option
def trust(
    looked: look.Subject, image: str, tell: Any, method: str, target: str | None,
    layer: str | None, **options: Any,
) -> Any:  # fmt: skip
    """Whether a map changes with the weights and with the class."""
    return look.trust(looked, image, method, as_target(looked, target), layer, tell=tell,
                      **options)  # fmt: skip


@each("occlusion")
@count_option("--size", 32, "side of the square that covers")
@count_option("--stride", 16, "pixels from one square to the next")
@click.option("--fill", default="mean", metavar="WHAT", help="mean, zero, grey, blur or a number")
@target_option
@seconds_option
def occlusion(
    looked: look.Subject, image: str, tell: Any, size: int, stride: int, fill: str,
    target: str | None, seconds: float | None,
) -> Any:  # fmt: skip
    """What a class loses where the image is covered."""
    colour = float(fill) if fill.replace(".", "", 1).removeprefix("-").isdecimal() else fill
    return look.occlusion(looked, image, size, stride, as_target(looked, target), colour,
                          seconds=seconds, tell=tell)  # fmt: skip


@each("activations")
@layers_option
def activations(
    looked: look.Subject, image: str, tell: Any, layers: tuple[str, ...]
) -> Any:  # fmt: skip
    """What layers make of an image."""
    return look.activations(looked, image, paths_of(looked, image, layers))


@each("dream")
@layer_option
@channel_option
@count_option("--octaves", 4, "sizes at which the image is climbed")
@count_option("--iterations", 10, "steps at each")
@seed_option
@seconds_option
def dream(
    looked: look.Subject, image: str, tell: Any, layer: str | None, channels: list[int] | None,
    **options: Any,
) -> Any:  # fmt: skip
    """An image in which what a layer sees is made stronger."""
    path = layer or paths_of(looked, image, ())[-1]
    return look.dream(looked, image, path, channels, tell=tell, **options)


@once("maximise", images=False)
@layer_option
@channel_option
@target_option
@unit_option
@count_option("--steps", 256, "steps along the gradient")
@count_option("--size", None, "side of the images, in pixels")
@count_option("--copies", 1, "images of each channel, kept unlike")
@seed_option
@seconds_option
def maximise(
    looked: look.Subject, images: tuple[str, ...], tell: Any, layer: str | None,
    channels: list[int] | None, target: str | None, **options: Any,
) -> Any:  # fmt: skip
    """Images made to excite channels of a layer, or a class (--target)."""
    if (layer is None) == (target is None):
        raise LookError("wanted --layer PATH, with or without --channel, or --target CLASS")
    goal = as_target(looked, target) if layer is None else channels
    return look.maximise(looked, layer, goal, tell=tell, **options)


@once("filters", images=False)
@layer_option
def filters(
    looked: look.Subject, images: tuple[str, ...], tell: Any, layer: str | None
) -> Any:  # fmt: skip
    """The kernels of a convolution, the first if not given, and the norms of all."""
    return look.filters(looked, layer)


@once("gabors", images=False)
@layer_option
def gabors(
    looked: look.Subject, images: tuple[str, ...], tell: Any, layer: str | None
) -> Any:  # fmt: skip
    """Gabor functions fitted to the kernels of a convolution."""
    return look.gabors(looked, layer)


@once("field", images=None)
@layer_option
@unit_option
@samples_option
@seed_option
def field(
    looked: look.Subject, images: tuple[str, ...], tell: Any, layer: str | None,
    unit: tuple[int, int] | None, samples: int, seed: int,
) -> Any:  # fmt: skip
    """What a unit can see, and what it does see."""
    if layer is None:
        raise LookError("wanted --layer PATH")
    shown = files_of(images) if images else None
    return look.field(looked, layer, unit, images=shown, shape=_shape(looked), samples=samples,
                      seed=seed)  # fmt: skip


@once("fields", images=None, beside="RUN|NET|module:factory")
@layer_option
@unit_option
@samples_option
@seed_option
def fields(
    models: dict[str, look.Subject], images: tuple[str, ...], tell: Any, layer: str | None,
    unit: tuple[int, int] | None, samples: int, seed: int,
) -> Any:  # fmt: skip
    """What a unit does see in several models.

    Without --beside these are the net with random weights, and the net as it is.
    """
    if layer is None:
        raise LookError("wanted --layer PATH")
    if len(models) == 1:
        models = with_random(*next(iter(models.items())))
    shown = files_of(images) if images else None

    def each() -> Iterator[tuple[str, look.Subject]]:
        for place, pair in enumerate(models.items()):
            tell(place / len(models))
            yield pair

    return look.fields(each(), layer, unit, images=shown, shape=_shape(*models.values()),
                       samples=samples, seed=seed)  # fmt: skip


LOOKS: dict[str, click.Command] = {
    str(command.name): command
    for command in (attribute, occlusion, trust, activations, dream, maximise, filters, gabors,
                    field, fields, *OVER)
}  # fmt: skip
"""Name -> command."""
