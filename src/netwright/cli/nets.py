"""`netwright nets`: what there is to choose from."""

from __future__ import annotations

import inspect
from typing import Any

import click

from netwright.cli.common import echo, echo_json
from netwright.core.plan import Plan
from netwright.core.shape import show
from netwright.errors import nearest
from netwright.registry import Entry, entry, names

__all__ = ["command"]


@click.command("nets")
@click.argument("pattern", default="*")
@click.option("--json", "as_json", is_flag=True, help="names, inputs, totals and papers as JSON")
def command(pattern: str, as_json: bool) -> None:
    """Nets whose names match PATTERN, such as 'resnet*': input, costs, paper.

    With one exact name: also its options and what they are when not given.
    """
    found = names(pattern)
    if not found:
        raise nearest("net", pattern, names())
    made = [(entry(name), entry(name)().plan()) for name in found]
    if as_json:
        echo_json([_record(known, plan) for known, plan in made])
        return
    echo(_table(made))
    if found == [pattern]:
        echo("\n" + _details(made[0][0]))


def _table(made: list[tuple[Entry, Plan]]) -> str:
    from netwright.report.layers import field_text
    from netwright.report.numbers import exact
    from netwright.report.table import text_table

    rows = [
        [
            known.name,
            show(known.input),
            exact(plan.params),
            exact(plan.macs),
            field_text(plan.field) if plan.field else "all",
            f"{known.paper.title} ({known.paper.year})",
        ]
        for known, plan in made
    ]
    head = ["net", "input", "params", "MACs", "field", "paper"]
    return "\n".join(line.rstrip() for line in text_table(head, rows, (0, 1, 5)))


def _details(known: Entry) -> str:
    paper = known.paper
    where = f", arXiv:{paper.arxiv}" if paper.arxiv else ""
    options = [f"  {name}={_said(value)}" for name, value in _options(known).items()]
    return "\n".join([
        f"{paper.authors}: {paper.title}, {paper.year}{where}",
        "",
        inspect.getdoc(known.make) or known.name,
        "",
        "options:",
        *options,
    ])  # fmt: skip


def _options(known: Entry) -> dict[str, Any]:
    parameters = inspect.signature(known.make).parameters
    return {name: known.options.get(name, p.default) for name, p in parameters.items()}


def _said(value: Any) -> str:
    return value.__name__ if isinstance(value, type) else repr(value)


def _record(known: Entry, plan: Plan) -> dict[str, Any]:
    from netwright.report.record import totals_record

    paper = known.paper
    return {
        "name": known.name,
        "input": list(known.input),
        "output": list(plan.output),
        **totals_record(plan),
        "options": {name: _said(value) for name, value in _options(known).items()},
        "paper": {"title": paper.title, "authors": paper.authors, "year": paper.year,
                  "arxiv": paper.arxiv},
    }  # fmt: skip
