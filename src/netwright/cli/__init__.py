"""The command line: one thin module a command, loaded when it is called."""

from __future__ import annotations

import os
import sys
from importlib import import_module
from typing import Any

import click

from netwright import __version__
from netwright.cli.examples import shown
from netwright.core.machine import out_of_memory
from netwright.core.text import plain
from netwright.errors import NetwrightError, nearest

__all__ = ["COMMANDS", "Commands", "main"]

COMMANDS = {
    "summary": "the table of a net: shapes, costs, receptive fields",
    "compare": "nets side by side",
    "nets": "the nets there are, by cost, year or error",
    "show": "the story of a net: what is new, a diagram, errors, variants",
    "formula": "costs where sizes are symbols",
    "advise": "what in a net does little for its cost, and what mends it",
    "source": "a net as PyTorch source that needs netwright no more",
    "rewrite": "a net after named rules, and what that costs",
    "scale": "a net as large as a budget lets it be",
    "check": "whether nets keep within a budget, as an exit code",
    "diff": "what changed between two nets, and what it costs",
    "calibrate": "measure this machine, so that plans tell latency",
    "bench": "how long nets take here, measured and predicted",
    "fit": "learn to tell your images apart",
    "recipes": "the ways of training there are, and what two differ in",
    "search": "try nets of a space on your images, and keep the best",
    "work": "one more machine for a search",
    "predict": "classes of images, from a run",
    "evaluate": "how good runs are on labelled images",
    "compare-runs": "whether one run is better than another",
    "look": "what a net sees, where and why: maps, patches, images made, a page",
}
"""Name and short help of every command; `netwright.cli.NAME` holds `command`, `-` being `_`."""


class Commands(click.Group):
    """A group that imports a command's module when it is asked for, and tells near names."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            if ctx.resilient_parsing:  # a shell asks what may follow
                return None
            raise nearest("command", cmd_name, COMMANDS)
        command = import_module(f"netwright.cli.{cmd_name.replace('-', '_')}").command
        command.epilog = shown(cmd_name)
        return command

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt:  # click's own exit code for it, 1, is an answer of `check`
            _say("\nstopped")
            ctx.exit(130)
        except click.UsageError as error:
            raise _misused(error, ctx) from None

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        try:
            return super().parse_args(ctx, args)
        except click.UsageError as error:
            raise _misused(error, ctx) from None

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


def _misused(error: click.UsageError, ctx: click.Context) -> Exception:
    """A mistake in how a command was called, as all others are told; help stays help."""
    if isinstance(error, click.exceptions.NoArgsIsHelpError):
        return error
    text = " ".join(error.format_message().split()).removesuffix(".")
    called = ctx.command_path, ctx.invoked_subcommand or ""
    command = error.ctx.command_path if error.ctx else " ".join(called).strip()
    return NetwrightError(f"{text[:1].lower()}{text[1:]}; see {command} --help")


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__)
def group() -> None:
    """Convolutional networks as values: measure, compare, train.

    A NET is a name (`netwright nets` lists them), a file that --out or `Net.to_json` wrote, a
    folder that `netwright fit` left, or `package.module:factory` in your own code. Results go
    to stdout, all else to stderr; exit codes are 0, 1 where `check` says no, 2 for mistakes, 70
    for faults of netwright itself.
    """


FAULT = 70
"""The exit code of a fault of our own, EX_SOFTWARE of sysexits.h."""


def main(arguments: list[str] | None = None) -> Any:
    """Run the command line. Mistakes of the user, and files that cannot be read or written,
    end in one line and exit code 2; anything else that is raised is a fault of ours, which
    shows its traceback where NETWRIGHT_DEBUG is set.
    """
    code = 2
    try:
        return group.main(arguments, prog_name="netwright")
    except NetwrightError as error:
        fault = str(error)
    except OSError as error:
        fault = ": ".join(str(part) for part in (error.filename, error.strerror or error) if part)
    except Exception as error:
        if os.environ.get("NETWRIGHT_DEBUG"):
            raise
        fault, code = _fault(error)
    _say("netwright: " + plain(fault, keep="\n"))
    sys.exit(code)


def _say(text: str) -> None:
    """As `say`, which is loaded late: help pages need no net."""
    from netwright.cli.output import say

    say(text)


def _fault(error: Exception) -> tuple[str, int]:
    """What to say of an exception that nobody raised on purpose, and the exit code."""
    if out_of_memory(error):
        return "no memory left; try less at once, such as a smaller --batch, --size or --input", 2
    what = f"{type(error).__name__}: {error}".splitlines()[0][:200]
    ask = f"this is a fault of netwright, please report: {what} (NETWRIGHT_DEBUG=1 shows where)"
    return ask, FAULT
