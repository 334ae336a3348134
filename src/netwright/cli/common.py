"""What the commands share: nets and shapes from text, options, output."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Collection
from functools import wraps
from shutil import get_terminal_size
from typing import TYPE_CHECKING, Any, TypeVar

import click

from netwright.cli import complete
from netwright.core.net import Net
from netwright.core.plan import ALIASES, DTYPES
from netwright.core.shape import Shape, show
from netwright.errors import CodecError, NetwrightError, ShapeError, SpecError, TraceError

if TYPE_CHECKING:
    from netwright.core.plan import Plan
    from netwright.drawing.html import Page

__all__ = [
    "as_count",
    "as_inputs",
    "as_shape",
    "as_types",
    "classes_option",
    "columns",
    "dtype_option",
    "echo",
    "echo_json",
    "file_option",
    "form_options",
    "input_option",
    "is_run",
    "json_option",
    "load_net",
    "load_plan",
    "net_argument",
    "nets_argument",
    "plan_options",
    "reads",
    "save",
    "tell_change",
    "terminal",
]

DIGITS = 18
"""The longest whole number that an option takes."""
Command = TypeVar("Command", bound=Callable[..., Any])


def as_shape(ctx: click.Context, param: click.Parameter, value: str | None) -> Shape | None:
    """The callback of an option such as `3x224x224` or `3, 224, 224`; `ShapeError` else."""
    if value is None:
        return None
    words = [word.strip() for word in value.lower().replace("x", ",").split(",")]
    if not all(map(_positive, words)):
        raise ShapeError(f"{param.opts[0]} {value!r} is no shape; wanted sizes such as 3x224x224")
    return tuple(int(word) for word in words)


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
    if not _positive(value):
        limit = f" and at most {DIGITS} digits" if len(value) > DIGITS else ""
        raise SpecError(f"{param.opts[0]} {value!r} is not a whole number of at least 1{limit}")
    return int(value)


def reads(read: Callable[[str], int]) -> Callable[..., int | None]:
    """The callback of an option whose text `read` turns into a number; its error names it."""

    def callback(ctx: click.Context, param: click.Parameter, value: str | None) -> int | None:
        try:
            return None if value is None else read(value)
        except NetwrightError as error:
            raise type(error)(f"{param.opts[0]}: {error}") from None

    return callback


def _positive(word: str) -> bool:
    return word.isascii() and word.isdigit() and len(word) <= DIGITS and int(word) > 0


net_argument = click.argument("net", shell_complete=complete.nets)
nets_argument = click.argument("nets", nargs=-1, required=True, shell_complete=complete.nets)
json_option = click.option("--json", "as_json", is_flag=True, help="the result as JSON")
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
    return os.path.exists(os.path.join(path, "run.json"))  # noqa: PTH110, PTH118  no text is too long


def _in_run(path: str) -> str:
    """The file of the net in a run folder; any other path as it is."""
    if not is_run(path):
        return path
    file = os.path.join(path, "net.json")  # noqa: PTH118
    if not os.path.exists(file):  # noqa: PTH110
        raise NetwrightError(f"the run in {path} is not finished, it has no net yet; "
                              "`netwright fit` with --resume goes on with it")  # fmt: skip
    return file


def _read(path: str) -> str:
    from netwright.core.files import read_text

    try:
        return read_text(path, pipes=True)
    except OSError as error:
        raise NetwrightError(f"cannot read {path}: {error.strerror}") from None
    except ValueError:
        raise NetwrightError(f"cannot read {path}: this is no text") from None


def terminal() -> tuple[int | None, bool]:
    """Columns to write and whether to write bold: no limit and plain where it is a file, as many
    as COLUMNS says where it is set.
    """
    if sys.stdout is None or not sys.stdout.isatty():
        columns = os.environ.get("COLUMNS", "")
        return int(columns) if _positive(columns) else None, False
    plain = os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb"
    return get_terminal_size().columns, not plain


def columns(most: int | None = None) -> int | None:
    """Columns to write, at most so many."""
    width, _ = terminal()
    return width if most is None else min(width or most, most)


def echo(text: str) -> None:
    """Print, with `?` for what the terminal cannot show."""
    coding = getattr(sys.stdout, "encoding", None) or "utf-8"
    click.echo(text.encode(coding, "replace").decode(coding), color=True)


def echo_json(record: dict[str, Any]) -> None:
    """Print a record as JSON; the first key says by which schema its keys are meant."""
    from netwright.report.record import SCHEMA

    click.echo(json.dumps({"schema": SCHEMA, **record}, indent=2))


def tell_change(before: Net, after: Net, as_json: bool, out: str | None) -> None:
    """Print what changed between two nets, and write the new one."""
    from netwright.core.diff import diff
    from netwright.report.changes import diff_record, diff_text

    made = diff(before, after)
    if as_json:
        echo_json(diff_record(made))
    else:
        echo(diff_text(made, columns()))
    if out is not None:
        save(after.to_json(indent=2) + "\n", out)


def save(page: Page | str, path: str) -> None:
    """Write a page, or any text, and say so."""
    from netwright.core.files import write_text

    try:
        write_text(path, page if isinstance(page, str) else page.render())
    except OSError as error:
        raise NetwrightError(f"cannot write {path}: {error.strerror}") from None
    click.echo(f"wrote {path}", err=True)
