"""Options and arguments that commands share, and what their texts are read as."""

from __future__ import annotations

from collections.abc import Callable, Collection
from functools import wraps
from typing import Any, TypeVar

import click

from netwright.cli import complete
from netwright.cli.output import DIGITS, whole
from netwright.core.plan import ALIASES, DTYPES
from netwright.core.shape import Shape
from netwright.errors import NetwrightError, ShapeError, SpecError

__all__ = [
    "PRECISIONS",
    "Command",
    "as_count",
    "as_inputs",
    "as_shape",
    "as_types",
    "asked_option",
    "classes_option",
    "dtype_option",
    "file_option",
    "form_options",
    "input_option",
    "json_option",
    "net_argument",
    "nets_argument",
    "plan_options",
    "quiet_option",
    "reads",
    "split_option",
]

Command = TypeVar("Command", bound=Callable[..., Any])


def as_shape(ctx: click.Context, param: click.Parameter, value: str | None) -> Shape | None:
    """The callback of an option such as `3x224x224` or `3, 224, 224`; `ShapeError` else."""
    if value is None:
        return None
    sizes = [whole(word.strip()) for word in value.lower().replace("x", ",").split(",")]
    shape = tuple(size for size in sizes if size)
    if len(shape) < len(sizes):
        raise ShapeError(f"{param.opts[0]} {value!r} is no shape; wanted sizes such as 3x224x224")
    return shape


def as_inputs(ctx: click.Context, param: click.Parameter, value: str | None) -> Any:
    """The callback of an option that is a shape, or several joined by `+`, of which a module
    of one's own may take each.
    """
    if value is None or "+" not in value:
        return as_shape(ctx, param, value)
    return tuple(as_shape(ctx, param, word) for word in value.split("+"))


def as_types(ctx: click.Context, param: click.Parameter, value: str | None) -> Any:
    """The callback of an option that is a type, or several joined by `+`, one for each input."""
    return value if value is None or "+" not in value else tuple(value.split("+"))


def as_count(ctx: click.Context, param: click.Parameter, value: str | None) -> int | None:
    """The callback of an option that is a whole number of at least 1; `SpecError` else."""
    if value is None:
        return None
    number = whole(value)
    if number is None:
        limit = f" and at most {DIGITS} digits" if len(value) > DIGITS else ""
        raise SpecError(f"{param.opts[0]} {value!r} is not a whole number of at least 1{limit}")
    return number


def reads(read: Callable[[str], int]) -> Callable[..., int | None]:
    """The callback of an option whose text `read` turns into a number; its error names it."""

    def callback(ctx: click.Context, param: click.Parameter, value: str | None) -> int | None:
        try:
            return None if value is None else read(value)
        except NetwrightError as error:
            raise type(error)(f"{param.opts[0]}: {error}") from None

    return callback


net_argument = click.argument("net", shell_complete=complete.nets)
nets_argument = click.argument("nets", nargs=-1, required=True, shell_complete=complete.nets)
json_option = click.option("--json", "as_json", is_flag=True, help="the result as JSON")
split_option = click.option(
    "--split", default="", metavar="NAME", help="train, val, test or all of DATA (all that is new)",
    shell_complete=complete.values(lambda: ("train", "val", "test", "all")),
)  # fmt: skip
PRECISIONS = ("auto", "fp32", "bf16")
"""Those of `train.settings`, which would load PyTorch."""
asked_option = click.option(
    "--precision", default="fp32", metavar="TYPE", help="fp32, bf16, auto for the faster (fp32)",
    shell_complete=complete.values(lambda: PRECISIONS),
)  # fmt: skip
quiet_option = click.option("--quiet", is_flag=True, help="no progress")
input_option = click.option(
    "--input", callback=as_shape, metavar="CxHxW", help="another input, such as 3x64x64"
)
classes_option = click.option(
    "--classes", callback=as_count, metavar="N", help="another number of classes"
)


def file_option(name: str, about: str) -> Callable[[Command], Command]:
    """An option that is a file to write."""
    return click.option(name, metavar="FILE", shell_complete=complete.files, help=about)


def dtype_option(names: Collection[str], about: str) -> Callable[[Command], Command]:
    """The option that is a type of numbers, one of `names`."""
    return click.option("--dtype", default="float32", metavar="TYPE", help=about,
                        shell_complete=complete.values(lambda: names))  # fmt: skip


def form_options(**about: str) -> Callable[[Command], Command]:
    """Options such as --json and --csv, one at a time; the command gets its name as `form`."""

    def decorate(command: Command) -> Command:
        @wraps(command)
        def one(*args: Any, **options: Any) -> Any:
            forms = [name for name in about if options.pop(f"as_{name}")]
            if len(forms) > 1:
                raise SpecError(f"--{forms[0]} and --{forms[1]} are two forms of one answer; "
                                "wanted one of them")  # fmt: skip
            return command(*args, form=forms[0] if forms else None, **options)

        result: Any = one
        for name, text in reversed(about.items()):
            result = click.option(f"--{name}", f"as_{name}", is_flag=True, help=text)(result)
        return result

    return decorate


def plan_options(command: Command) -> Command:
    """The options that say at which input a net is planned."""
    for option in (
        dtype_option([*DTYPES, *ALIASES], "type of the numbers, such as bf16 (float32)"),
        click.option(
            "--batch",
            callback=as_count,
            default="1",
            metavar="N",
            help="images at once, for the bytes (1)",
        ),
        click.option(
            "--input",
            callback=as_inputs,
            metavar="CxHxW",
            help="another input, such as 3x320x320; several for a module: 3x64x64+10",
        ),
        click.option(
            "--input-dtype",
            callback=as_types,
            metavar="TYPE",
            help="type of a module's input, such as int64 for words; of each: float32+int64",
        ),
        click.option(
            "--run",
            is_flag=True,
            help="run a module, on random numbers, where it asks for the numbers in a tensor",
        ),
    ):
        command = option(command)
    return command
