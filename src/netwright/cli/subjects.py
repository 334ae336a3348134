"""The model that a look is given on the command line, its weights and its images' size."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from netwright.cli import complete
from netwright.cli.options import Command, as_shape, json_option, quiet_option
from netwright.core.machine import need_memory
from netwright.core.net import Net
from netwright.core.shape import Shape, show
from netwright.errors import LookError, SpecError

if TYPE_CHECKING:
    from netwright.look.picture import Subject

__all__ = ["as_channels", "as_numbers", "as_target", "as_unit", "model_options", "subject_of"]


def model_options(command: Command) -> Command:
    """The argument that is a model, and the options that say of which weights and images."""
    options = (
        click.argument("model", metavar="RUN|NET|module:factory", shell_complete=complete.nets),
        click.option("--weights", default="", metavar="NAME|FILE", shell_complete=complete.weights,
                     help="trained weights of NET (those on this machine, if any)"),
        click.option("--input", callback=as_shape, metavar="CxHxW",
                     help="bring images to this size; a module's own are as they come"),
        click.option("--mean", callback=as_numbers, metavar="A,B,C",
                     help="mean of each channel that a module's images are normalised with"),
        click.option("--std", callback=as_numbers, metavar="A,B,C", help="and their deviations"),
        json_option,
        quiet_option,
    )  # fmt: skip
    for option in reversed(options):
        command = option(command)
    return command


def subject_of(
    text: str, weights: str, input: Shape | None, mean: Sequence[float] | None,
    std: Sequence[float] | None,
) -> Subject:  # fmt: skip
    """The model in a run folder, of the registry or in the user's own code, to look into; what
    there is to say of its weights goes to stderr.
    """
    from netwright.cli.code import is_code, load_module
    from netwright.cli.loading import is_run, load_net

    need_memory()
    from netwright.look.picture import subject

    if is_run(text):
        from netwright.train.run import Run

        if weights or input or mean or std:
            raise LookError(f"{text} is a run: it has its weights, and its images their size")
        return subject(Run.load(text))
    model = load_module(text, numbers=True) if is_code(text) else load_net(text)
    if isinstance(model, Net):
        model = _built(model, weights)
    elif weights:
        _load_state(model, weights)
    looked = subject(model)
    given = _preprocessing(model, looked, input, mean, std)
    return subject(model, given)


def _built(net: Net, weights: str) -> Any:
    from netwright.weights.local import at_hand

    chosen = weights or next(iter(at_hand(net.name)), None)
    if chosen is None:
        click.echo(f"note {net.name} has random weights; --weights gives it trained ones", err=True)
        return net.build(seed=0)
    if not weights:
        click.echo(f"note weights {chosen}", err=True)
    return net.build(seed=0, weights=chosen)


def _load_state(module: Any, weights: str) -> None:
    from netwright.errors import WeightsError
    from netwright.weights.source import read_state

    if not Path(weights).exists():
        raise WeightsError(f"{weights}: no such file; a module of your own takes a state_dict")
    try:
        module.load_state_dict(read_state(Path(weights)))
    except RuntimeError as error:
        fault = " ".join(str(error).split())[:160]
        raise WeightsError(f"{weights} does not fit the module: {fault}") from None


def _preprocessing(
    model: Any, looked: Subject, input: Shape | None, mean: Sequence[float] | None,
    std: Sequence[float] | None,
) -> Any:  # fmt: skip
    """What images go through: what the weights say, else what the options and the net do."""
    from netwright.data.image import Preprocessing

    net = getattr(model, "net", None)
    shape = input or (net.input if isinstance(net, Net) else None)
    if looked.preprocessing is not None and not (input or mean or std):
        return None
    if shape is None and not (mean or std):
        return None
    if shape is None or len(shape) != 3 or shape[1] != shape[2]:
        what = f"not {show(shape)}" if shape else "which --input says"
        raise LookError(f"images are brought to squares such as 3x224x224, {what}")
    channels, size = shape[0], shape[1]
    own = looked.preprocessing
    middle = tuple(mean or (own.mean if own else (0.5,) * channels))
    spread = tuple(std or (own.std if own else (0.25,) * channels))
    if len(middle) != channels or len(spread) != channels:
        raise LookError(f"--mean and --std want {channels} numbers each")
    if own is None and not (mean and std):
        click.echo("note nobody says how images are normalised: mean "
                   f"{middle[0]:g}, deviation {spread[0]:g} were taken", err=True)  # fmt: skip
    return Preprocessing(size, channels, middle, spread)


def as_numbers(
    ctx: click.Context, param: click.Parameter, value: str | None
) -> tuple[float, ...] | None:
    """The callback of an option that is numbers with commas between; `SpecError` else."""
    if value is None:
        return None
    try:
        return tuple(float(word) for word in value.split(","))
    except ValueError:
        raise SpecError(f"{param.opts[0]} {value!r} is no list of numbers such as "
                        "0.485,0.456,0.406") from None  # fmt: skip


def as_unit(
    ctx: click.Context, param: click.Parameter, value: str | None
) -> tuple[int, int] | None:
    """The callback of an option that is a place on a map, as 3,5; `SpecError` else."""
    words = [] if value is None else value.split(",")
    if value is None or (len(words) == 2 and all(word.strip().isdecimal() for word in words)):
        return (int(words[0]), int(words[1])) if words else None
    raise SpecError(f"{param.opts[0]} {value!r} is no row and column such as 3,5")


def as_channels(
    ctx: click.Context, param: click.Parameter, value: str | None
) -> list[int] | None:  # fmt: skip
    """The callback of an option that is channels, as 3,8 or 0-15; `SpecError` else."""
    if value is None:
        return None
    channels = list[int]()
    for word in value.split(","):
        first, dash, last = word.strip().partition("-")
        if not (first.isdecimal() and (not dash or last.isdecimal())) or len(word) > 12:
            raise SpecError(f"{param.opts[0]} {value!r} is no list of channels such as 3,8 or 0-15")
        channels += range(int(first), int(last or first) + 1)
        if len(channels) > 100_000:
            raise SpecError(f"{param.opts[0]} {value!r} is more channels than any layer has")
    return channels


def as_target(looked: Subject, value: str | None) -> int | str | None:
    """A class by name where the model names one so, else by index."""
    if value is None or (looked.classes and value in looked.classes) or not value.isdecimal():
        return value
    return int(value)
