"""The model that a look is given on the command line, its weights and its images' size."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from netwright.cli import complete
from netwright.cli.options import Command, as_shape, json_option, quiet_option
from netwright.cli.output import say
from netwright.core.machine import need_memory
from netwright.core.net import Net
from netwright.core.shape import Shape, show
from netwright.core.spec import SPECS, Spec
from netwright.errors import LookError, SpecError

if TYPE_CHECKING:
    from netwright.data.image import Preprocessing
    from netwright.look.picture import Subject

__all__ = [
    "as_channels",
    "as_numbers",
    "as_target",
    "as_unit",
    "model_options",
    "subject_of",
    "subjects_of",
    "with_random",
]

CALL = re.compile(r"(?s)[A-Z]\w*(\(.*\))?")
"""What a unit such as `MaxPool(2)` looks like."""


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
    looked = subject(model.eval())  # nobody trains here
    given = _preprocessing(model, looked, input, mean, std)
    return subject(model, given)


def subjects_of(
    texts: Sequence[str], weights: str, input: Shape | None, mean: Sequence[float] | None,
    std: Sequence[float] | None,
) -> dict[str, Any]:  # fmt: skip
    """By what was typed, the models to be looked at beside each other: the first as `subject_of`
    has it, with the weights; runs keep their images' size. A unit is given images as the first
    model is; where there are none but units, it is the unit itself, to be built for any image.
    """
    from netwright.cli.loading import is_run

    twice = next((text for text in texts if texts.count(text) > 1), None)
    if twice is not None:
        raise LookError(f"{twice} is there twice; wanted different models beside each other")
    units = {text: unit for text in texts if (unit := _unit(text)) is not None}
    models = dict[str, Any](units)
    for place, text in enumerate(texts):
        if text not in units:
            how = (None, None, None) if place and is_run(text) else (input, mean, std)
            models[text] = subject_of(text, "" if place else weights, *how)
    given = next((models[text].preprocessing for text in texts if text not in units), None)
    for text, unit in units.items():
        models[text] = _alone(unit, given or _of_shape(input, mean, std))
    return {text: models[text] for text in texts}


def _unit(text: str) -> Spec | None:
    """The unit, or more of them, that a text such as `MaxPool(2)` calls; None for another text."""
    from netwright.cli.loading import is_run
    from netwright.nets.catalogue import load
    from netwright.symbols.expression import read

    if CALL.fullmatch(text) is None or is_run(text):
        return None
    load()
    spec = read(text) if "(" in text or text in SPECS else None
    return spec if isinstance(spec, Spec) else None


def _alone(unit: Spec, given: Preprocessing | None) -> Any:
    """A unit as a net of its own, for images that go through that; else as it is."""
    from netwright.look.picture import subject

    if given is None:
        return unit
    return subject(Net(unit, given.shape, type(unit).__name__).build(seed=0).eval(), given)


def with_random(text: str, looked: Subject) -> dict[str, Subject]:
    """The same net with random weights, and as it is."""
    import torch

    from netwright.look.picture import Subject

    net = getattr(looked.model, "net", None)
    if not isinstance(net, Net):
        raise LookError(f"nobody knows the first weights of {text}; wanted a model --beside it")
    fresh = net.build(seed=0)
    pairs = zip(fresh.parameters(), looked.model.parameters(), strict=True)
    if all(torch.equal(*pair) for pair in pairs):
        raise LookError(f"{text} has random weights; wanted --weights, or a model --beside it")
    return {f"{text}, random weights": Subject(fresh, looked.preprocessing), text: looked}


def _built(net: Net, weights: str) -> Any:
    from netwright.weights.local import at_hand

    chosen = weights or next(iter(at_hand(net.name)), None)
    if chosen is None:
        say(f"note {net.name} has random weights; --weights gives it trained ones")
        return net.build(seed=0)
    if not weights:
        say(f"note weights {chosen}")
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
) -> Preprocessing | None:  # fmt: skip
    """What images go through: what the weights say, else what the options and the net do."""
    net = getattr(model, "net", None)
    shape = input or (net.input if isinstance(net, Net) else None)
    if looked.preprocessing is not None and not (input or mean or std):
        return None
    return _of_shape(shape, mean, std, looked.preprocessing)


def _of_shape(
    shape: Shape | None, mean: Sequence[float] | None, std: Sequence[float] | None,
    own: Preprocessing | None = None,
) -> Preprocessing | None:  # fmt: skip
    from netwright.data.image import Preprocessing

    if shape is None and not (mean or std):
        return None
    if shape is None or len(shape) != 3 or shape[1] != shape[2]:
        what = f"not {show(shape)}" if shape else "which --input says"
        raise LookError(f"images are brought to squares such as 3x224x224, {what}")
    channels, size = shape[0], shape[1]
    middle = tuple(mean or (own.mean if own else (0.5,) * channels))
    spread = tuple(std or (own.std if own else (0.25,) * channels))
    if len(middle) != channels or len(spread) != channels:
        raise LookError(f"--mean and --std want {channels} numbers each")
    if own is None and not (mean and std):
        say("note nobody says how images are normalised: mean "
            f"{middle[0]:g}, deviation {spread[0]:g} were taken")  # fmt: skip
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
