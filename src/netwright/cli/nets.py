"""`netwright nets`: what there is to choose from."""

from __future__ import annotations

import gc
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from netwright.cli.complete import values
from netwright.cli.options import file_option, form_options, reads
from netwright.cli.output import columns, echo, echo_json, save, say
from netwright.cli.waiting import waiting
from netwright.core.cost import CONVENTION
from netwright.core.plan import Plan
from netwright.errors import nearest
from netwright.nets.published import CATEGORIES, Published
from netwright.nets.registry import Entry, entry, names
from netwright.space.budget import count

if TYPE_CHECKING:
    from netwright.drawing.overview import NetFacts

__all__ = ["Listed", "command"]


class Listed(NamedTuple):
    """A net of the list, and its plan."""

    net: Entry
    plan: Plan

    @property
    def field(self) -> Any:
        """The largest size of its receptive field; None where it has no map."""
        return max(self.plan.field.size) if self.plan.field and self.plan.field.size else None

    @property
    def errors(self) -> tuple[float | None, float | None]:
        """Its main published errors in per cent, top-1 and top-5."""
        for row in self.net.published:
            return row.top1_error, row.top5_error
        return None, None


SORTS: dict[str, Callable[[Listed], Any]] = {
    "name": lambda one: one.net.name,
    "params": lambda one: one.plan.params,
    "macs": lambda one: one.plan.macs,
    "field": lambda one: one.field,
    "year": lambda one: one.net.paper.year,
    "error": lambda one: one.errors[0],
}


def _bound(name: str, about: str) -> Callable[[Any], Any]:
    return click.option(name, callback=reads(count), metavar="N", help=about)


@click.command("nets")
@click.argument("pattern", default="*", shell_complete=values(names))
@click.option("--category", metavar="WORD", help="of this kind, such as attention or multi-path",
              shell_complete=values(lambda: [word.lower() for word in CATEGORIES]))  # fmt: skip
@_bound("--max-params", "at most so many parameters, such as 10M")
@_bound("--min-params", "at least so many parameters")
@_bound("--max-macs", "at most so many multiply-adds, such as 1.5G")
@_bound("--min-macs", "at least so many multiply-adds")
@click.option("--sort", default="name", metavar="COLUMN", help=f"by {', '.join(SORTS)} (top-1)",
              shell_complete=values(lambda: SORTS))  # fmt: skip
@form_options(json="exact totals, options, papers, errors", csv="costs and errors as CSV",
              markdown="the list as Markdown")  # fmt: skip
@file_option("--html", "write a page with charts and sources instead")
def command(
    pattern: str,
    category: str | None,
    max_params: int | None,
    min_params: int | None,
    max_macs: int | None,
    min_macs: int | None,
    sort: str,
    form: str | None,
    html: str | None,
) -> None:
    """Nets whose names match PATTERN, such as 'resnet*': input, costs, receptive field, year,
    and the errors that were published, in per cent.

    `netwright show NET` tells more of one of them.
    """
    matching = names(pattern)
    if not matching:
        raise nearest("net", pattern, names())
    if sort not in SORTS:
        raise nearest("column to sort by", sort, SORTS)
    if category is not None:
        from netwright.nets.published import category as named

        word = named(category).casefold()
        matching = [name for name in matching if word in entry(name).category.casefold()]
    listed = [
        one
        for one in _planned(matching)
        if _within(one.plan.params, min_params, max_params)
        and _within(one.plan.macs, min_macs, max_macs)
    ]
    key = SORTS[sort]
    listed.sort(key=lambda one: (key(one) is None, key(one)))
    if html:
        from netwright.drawing.overview import overview_page
        from netwright.nets.published import ilsvrc

        contest = [(f"{one.year} {one.entry}", one.top5_error, one.source) for one in ilsvrc()]
        save(overview_page([*map(_facts, listed)], CATEGORIES, contest), html)
    if form == "json":
        from netwright.cli.show import net_record

        echo_json({"convention": CONVENTION, "nets": [net_record(*one) for one in listed]})
    elif form == "csv":
        from netwright.report.record import csv_text

        click.echo(csv_text([_facts(one)._asdict() for one in listed]), nl=False)
    elif not html:
        if listed:
            echo(_table(listed, form))
        else:
            say("netwright: no net is like that")


def _planned(nets: list[str]) -> list[Listed]:
    """The nets with their plans, a hundred thousand rows that all stay: to look for garbage
    among them would take a third of the time.
    """
    listed = list[Listed]()
    gc.disable()
    try:
        with waiting("planning") as advance:
            for name in nets:
                advance(len(listed), len(nets))
                listed.append(Listed(entry(name), entry(name)().plan()))
    finally:
        gc.enable()
    return listed


def _within(value: int, least: int | None, most: int | None) -> bool:
    return (least is None or value >= least) and (most is None or value <= most)


def _facts(one: Listed) -> NetFacts:
    from netwright.drawing.overview import NetFacts
    from netwright.report.layers import field_text

    plan, paper = one.plan, one.net.paper
    main = one.net.published[0] if one.net.published else Published("")
    return NetFacts(
        one.net.name,
        one.net.input,
        plan.params,
        plan.macs,
        field_text(plan.field) if plan.field else "all",
        paper.year,
        main.top1_error,
        main.top5_error,
        main.dataset,
        main.category,
        main.source,
        paper.title,
    )


def _table(listed: list[Listed], form: str | None) -> str:
    from netwright.drawing.overview import HEAD, cells

    rows = [cells(_facts(one)) for one in listed]
    if form == "markdown":
        from netwright.report.markdown import markdown_table

        return markdown_table(HEAD, rows, (0, 1))
    from netwright.report.table import text_table

    return "\n".join(text_table(HEAD, rows, (0, 1), width=columns(), spare=(7, 1, 5, 4, 6, 3)))
