"""What there is to search, and by: the names of spaces and strategies."""

from __future__ import annotations

import click
from click.core import ParameterSource

from netwright.cli.output import columns, echo, echo_json
from netwright.errors import SearchError

__all__ = ["list_names", "refuse_beside"]

MOST = 100
"""Columns of a line."""


def list_names(as_json: bool) -> None:
    """Every space and every strategy, in a line each."""
    from netwright.report.table import text_table
    from netwright.search import strategy
    from netwright.space import registry

    spaces = {name: registry.about(name) for name in registry.names()}
    strategies = {name: strategy.about(name) for name in strategy.names()}
    if as_json:
        echo_json({"spaces": spaces, "strategies": strategies})
        return
    tables = [
        text_table((head, "what it is"), rows.items(), (0, 1), width=columns(MOST))
        for head, rows in (("space", spaces), ("strategy", strategies))
    ]
    tables.append(
        ["netwright search SPACE tells more of one; netwright search SPACE DATA searches"]
    )
    echo("\n\n".join(["\n".join(lines) for lines in tables]))


def refuse_beside(allowed: set[str], why: str) -> None:
    """`SearchError` with `why` where the command was given other options than those."""
    context = click.get_current_context()
    given = [option.opts[0] for option in context.command.params
             if context.get_parameter_source(option.name or "") == ParameterSource.COMMANDLINE
             and {*option.opts} - allowed and isinstance(option, click.Option)]  # fmt: skip
    if given:
        raise SearchError(f"{' and '.join(given)} {why}")
