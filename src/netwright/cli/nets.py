"""`netwright nets`: what there is to choose from."""

from __future__ import annotations

import gc
from collections.abc import Callable
from typing import Any, NamedTuple

import click

from netwright.cli.common import echo, echo_json
from netwright.core.plan import Plan
from netwright.core.shape import show
from netwright.errors import NetwrightError, nearest
from netwright.registry import Entry, entry, names

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


def _count(ctx: click.Context, param: click.Parameter, value: str | None) -> int | None:
    """The callback of an option such as 10M."""
    if value is None:
        return None
    from netwright.space.budget import count

    try:
        return count(value)
    except NetwrightError as error:
        raise type(error)(f"{param.opts[0]}: {error}") from None


def _bound(name: str, about: str) -> Callable[[Any], Any]:
    return click.option(name, callback=_count, metavar="N", help=about)


@click.command("nets")
@click.argument("pattern", default="*")
@click.option("--category", metavar="WORD", help="of this kind, such as attention or multi-path")
@_bound("--max-params", "at most so many parameters, such as 10M")
@_bound("--min-params", "at least so many parameters")
@_bound("--max-macs", "at most so many multiply-adds, such as 1.5G")
@_bound("--min-macs", "at least so many multiply-adds")
@click.option("--sort", default="name", metavar="COLUMN", help=f"by {', '.join(SORTS)} (top-1)")
@click.option("--json", "as_json", is_flag=True, help="exact totals, options, papers, errors")
def command(
    pattern: str,
    category: str | None,
    max_params: int | None,
    min_params: int | None,
    max_macs: int | None,
    min_macs: int | None,
    sort: str,
    as_json: bool,
) -> None:
    """Nets whose names match PATTERN, such as 'resnet*': input, costs, receptive field, year,
    and the errors that were published, in per cent.

    `netwright show NET` tells more of one of them.
    """
    found = names(pattern)
    if not found:
        raise nearest("net", pattern, names())
    if sort not in SORTS:
        raise nearest("column to sort by", sort, SORTS)
    if category is not None:
        from netwright.published import category as named

        word = named(category).casefold()
        found = [name for name in found if word in entry(name).category.casefold()]
    listed = [
        one
        for one in _planned(found)
        if _within(one.plan.params, min_params, max_params)
        and _within(one.plan.macs, min_macs, max_macs)
    ]
    key = SORTS[sort]
    listed.sort(key=lambda one: (key(one) is None, key(one)))
    if as_json:
        from netwright.cli.show import net_record

        echo_json([net_record(*one) for one in listed])
    else:
        echo(_table(listed) if listed else "no net is like that")


def _planned(found: list[str]) -> list[Listed]:
    """The nets with their plans, a hundred thousand rows that all stay: to look for garbage
    among them would take a third of the time.
    """
    gc.disable()
    try:
        return [Listed(entry(name), entry(name)().plan()) for name in found]
    finally:
        gc.enable()


def _within(value: int, least: int | None, most: int | None) -> bool:
    return (least is None or value >= least) and (most is None or value <= most)


def _table(listed: list[Listed]) -> str:
    from netwright.report.layers import field_text
    from netwright.report.numbers import human
    from netwright.report.table import text_table

    rows = [
        [
            one.net.name,
            show(one.net.input),
            human(one.plan.params),
            human(one.plan.macs),
            field_text(one.plan.field) if one.plan.field else "all",
            str(one.net.paper.year),
            *["" if error is None else f"{error:.2f}" for error in one.errors],
        ]
        for one in listed
    ]
    head = ["net", "input", "params", "MACs", "field", "year", "top-1", "top-5"]
    return "\n".join(line.rstrip() for line in text_table(head, rows, (0, 1)))
