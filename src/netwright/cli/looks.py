"""One command a look: its options, and the call. `netwright.look` says what each computes."""

from __future__ import annotations

from typing import Any

import click

from netwright import look
from netwright.cli.complete import values
from netwright.cli.looking import data_of, each, files_of, once
from netwright.cli.options import as_count
from netwright.cli.subjects import as_channels, as_target, as_unit
from netwright.errors import LookError

__all__ = ["LOOKS"]

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


def _paths(looked: look.Subject, image: Any, layers: tuple[str, ...]) -> list[str]:
    """The layers asked for, or several over the depth."""
    from netwright.look.page import depths

    if layers:
        return [*layers]
    return depths(look.layers(looked.model, looked.picture(image).x.shape[1:]))


@each("attribute")
@method_option
@target_option
@layer_option
@click.option("--unit", callback=as_channels, metavar="C,Y,X", help="a unit of the layer instead")
@click.option("--check", is_flag=True, help="hold the map against random weights, other classes")
@seed_option
def attribute(
    looked: look.Subject, image: str, tell: Any, method: str, target: str | None,
    layer: str | None, unit: list[int] | None, check: bool, seed: int,
) -> Any:  # fmt: skip
    """Which pixels speak for a class, or for a unit."""
    return look.attribute(looked, image, method, as_target(looked, target), layer, seed=seed,
                          unit=tuple(unit) if unit else None, check=check)  # fmt: skip


@each("trust")
@method_option
@target_option
@layer_option
@count_option("--steps", 6, "how many times more weights are made random")
@seed_option
def trust(
    looked: look.Subject, image: str, tell: Any, method: str, target: str | None,
    layer: str | None, steps: int, seed: int,
) -> Any:  # fmt: skip
    """Whether a map changes with the weights and with the class."""
    return look.trust(looked, image, method, as_target(looked, target), layer, steps=steps,
                      seed=seed)  # fmt: skip


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
    return look.activations(looked, image, _paths(looked, image, layers))


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
    path = layer or _paths(looked, image, ())[-1]
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
@click.option("--samples", callback=as_count, default="16", metavar="N",
              help="images of noise where no images are given (16)")  # fmt: skip
@seed_option
def field(
    looked: look.Subject, images: tuple[str, ...], tell: Any, layer: str | None,
    unit: tuple[int, int] | None, samples: int, seed: int,
) -> Any:  # fmt: skip
    """What a unit can see, and what it does see."""
    if layer is None:
        raise LookError("wanted --layer PATH")
    shown = [looked.picture(file) for file in files_of(images)] if images else None
    given = looked.preprocessing
    shape = (given.channels, given.size, given.size) if given else None
    return look.field(looked, layer, unit, images=shown, shape=shape, samples=samples, seed=seed)


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
    return look.top_patches(looked, data, _paths(looked, data[0], layers), count,
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


@once("shift")
@layer_option
@count_option("--most", 8, "pixels that images are moved by at most")
@click.option("--border", default="reflect", metavar="HOW", help="reflect, roll or zero (reflect)")
@seconds_option
def shift(
    looked: look.Subject, images: tuple[str, ...], tell: Any, layer: str | None, most: int,
    **options: Any,
) -> Any:  # fmt: skip
    """How the output changes when images are moved."""
    return look.shift(looked, data_of(images), most, layer, tell=tell, **options)


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


LOOKS: dict[str, click.Command] = {
    str(command.name): command
    for command in (attribute, occlusion, trust, activations, dream, maximise, filters, gabors,
                    field, top_patches, sparsity, shift, sensitivity, separability)
}  # fmt: skip
"""Name -> command."""
