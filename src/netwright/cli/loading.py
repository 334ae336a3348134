"""Nets and plans of what a command is given: names, files, run folders, the user's own code."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from netwright.core.net import Net
from netwright.core.shape import Shape, show
from netwright.errors import CodecError, NetwrightError, ShapeError, SpecError, TraceError

if TYPE_CHECKING:
    from netwright.core.plan import Plan

__all__ = ["is_run", "load_net", "load_plan"]


def load_net(text: str, input: Shape | None = None, classes: int | None = None) -> Net:
    """The net of that name, in that JSON file or run folder, or in the user's own code; at
    another input or number of classes.

    Raises `UnknownName` with near names, `CodecError` for a file that holds no net,
    `SpecError` for code that gives another module.
    """
    from netwright.cli.code import is_code, load_module

    if is_code(text):
        net = load_module(text)
        if not isinstance(net, Net):
            raise SpecError(
                f"{text} is a torch.nn.Module, wanted a netwright.Net; `summary`, `compare` and "
                "`check` take modules too"
            )
        net = net.but(classes=classes) if classes else net
    elif text.endswith(".json") or os.sep in text or is_run(text):
        from netwright.nets.catalogue import from_json

        text = _in_run(text)
        try:
            net = from_json(_read(text))
        except CodecError as error:
            raise CodecError(f"{text}: {error}") from None
        net = net.but(classes=classes) if classes else net
    else:
        from netwright.nets.registry import find

        net = find(text, classes=classes) if classes else find(text)
    net = net.at(_first(net, input)) if input else net
    if not net.plan().rows:
        raise SpecError(f"{text} has no unit: there is nothing to tell of it")
    return net


def _first(net: Net, input: Shape) -> Shape:
    """The shape, which has its channels first; `ShapeError` where they seem to be the last."""
    channels, turned = net.input[0], (input[-1], *input[:-1])
    if len(input) > 2 and input[-1] == channels != input[0]:
        raise ShapeError(f"--input {show(input)} has its channels last; was {show(turned)} meant? "
                         f"{net.name} takes {show(net.input)}")  # fmt: skip
    return input


def load_plan(
    text: str, input: Shape | None, classes: int | None = None, *, dtype: str, batch: int,
    input_dtype: Any = None, run: bool = False,
) -> Plan:  # fmt: skip
    """The plan of a net as `load_net` finds it, or of a module in the user's own code."""
    from netwright.cli.code import is_code

    if not is_code(text):
        if input and isinstance(input[0], tuple):
            raise ShapeError(f"{text} takes one input, got {len(input)}")
        if input_dtype:
            raise SpecError("--input-dtype is for modules of your own code, module:factory")
        return load_net(text, input, classes).plan(dtype=dtype, batch=batch)
    if classes:
        raise SpecError(f"--classes is for nets of the registry; {text} says its own")
    from netwright.cli.waiting import waiting

    with waiting(f"following {text}"):
        return _module_plan(text, input, dtype=dtype, batch=batch, input_dtype=input_dtype, run=run)


def _module_plan(text: str, input: Shape | None, *, dtype: str, batch: int, input_dtype: Any,
                 run: bool) -> Plan:  # fmt: skip
    from netwright.cli.code import load_module
    from netwright.foreign.plan import plan_module

    module = load_module(text, numbers=run)
    if input is None and not isinstance(module, Net):
        raise ShapeError(f"a module does not say its input; give {text} one, as --input 3x224x224")

    def plan(module: Any) -> Plan:
        return plan_module(module, input, name=text, dtype=dtype, batch=batch, values=run,
                           input_dtype=input_dtype)  # fmt: skip

    try:
        return plan(module)
    except (ShapeError, TraceError) as error:
        if len(input or ()) > 2 and input and input[-1] in (1, 3) and input[0] > 4:
            turned = show((input[-1], *input[:-1]))
            asked = f"shapes have their channels first: was --input {turned} meant?"
            error.args = (f"{error.args[0]}; {asked}",)
            raise
        if run or isinstance(module, Net) or isinstance(error, ShapeError):
            raise
    return plan(load_module(text, numbers=True))  # its weights may have the numbers it asks for


def is_run(path: str) -> bool:
    """Whether `netwright fit` wrote that folder."""
    return os.path.isfile(f"{path}/run.json")  # noqa: PTH113  Path's raises for long names


def _in_run(path: str) -> str:
    """The file of the net in a run folder; any other path as it is."""
    if not is_run(path):
        return path
    file = Path(path, "net.json")
    if not file.exists():
        raise NetwrightError(f"the run in {path} is not finished, it has no net yet; "
                              "`netwright fit` with --resume goes on with it")  # fmt: skip
    return str(file)


def _read(path: str) -> str:
    from netwright.core.files import read_text

    try:
        return read_text(path, pipes=True)
    except OSError as error:
        raise NetwrightError(f"cannot read {path}: {error.strerror}") from None
    except ValueError:
        raise NetwrightError(f"cannot read {path}: this is no text") from None
