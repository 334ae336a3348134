"""`netwright show NET`: the story of a net."""

from __future__ import annotations

import inspect
from dataclasses import asdict
from operator import attrgetter
from typing import Any

import click

from netwright.cli.loading import load_net
from netwright.cli.options import file_option, json_option, net_argument
from netwright.cli.output import columns, echo, echo_json, save
from netwright.core.cost import CONVENTION
from netwright.core.plan import Plan
from netwright.nets.published import Published
from netwright.nets.registry import Entry, Paper, entry, family, names
from netwright.report.table import wrapped
from netwright.weights import index

__all__ = ["command", "net_record"]

WIDTH = 100


@click.command("show")
@net_argument
@json_option
@file_option("--svg", "write the block diagram as a picture instead")
@file_option("--html", "write a page with the diagram and charts instead")
def command(net: str, as_json: bool, svg: str | None, html: str | None) -> None:
    """The story of NET: what is new in it and where, its errors as published, a diagram,
    what its stages cost, its variants.

    NET is a name (see `netwright nets`) or a file written by `Net.to_json`, of which there is
    no story, but the rest.
    """
    from netwright.report.outline import outline

    loaded = load_net(net)
    registered = entry(net) if net in names() else None
    plan, tree = loaded.plan(), outline(loaded)
    from netwright.report.totals import totals

    story = _story(registered) if registered else []
    facts = [*totals(plan), *(_variants(registered) if registered else []), _rewrites(net)]
    if svg:
        from netwright.drawing.blocks_svg import block_file

        save(block_file(tree), svg)
    if html:
        from netwright.drawing.pages import story_page

        save(story_page(plan, tree, [*story, *facts]), html)
    if as_json:
        from netwright.report.outline import outline_record

        echo_json({**net_record(registered, plan), "outline": outline_record(tree)})
    if svg or html or as_json:
        return
    from netwright.drawing.diagram import diagram
    from netwright.report.compare import stage_table
    from netwright.report.numbers import UNITS

    width = columns(WIDTH) or WIDTH
    blocks = [
        [loaded.name, *_pairs(story, width)],
        [diagram(tree, width)],
        stage_table(plan, "stage", longest=12, width=width),
        _pairs(facts, width),
        wrapped(f"{CONVENTION} {UNITS}", width),
    ]
    echo("\n\n".join("\n".join(lines) for lines in blocks))


def _pairs(pairs: list[tuple[str, str]], width: int) -> list[str]:
    """Names and texts side by side, long texts in several lines."""
    room = max([len(name) for name, _ in pairs], default=0) + 2
    return [line for name, text in pairs for line in wrapped(name.ljust(room) + text, width, room)]


def _story(registered: Entry) -> list[tuple[str, str]]:
    about = (inspect.getdoc(registered.make) or "").partition("\n\n")[0]
    pairs = [
        ("paper", _cited(registered.paper)),
        ("new", registered.paper.contribution),
        ("design", about.replace("\n", " ")),
        ("category", registered.category),
        *[("error", _errors(row)) for row in registered.published],
    ]
    return [(name, text) for name, text in pairs if text]


def _cited(paper: Paper) -> str:
    where = f", arXiv:{paper.arxiv}" if paper.arxiv else ""
    return f"{paper.title}; {paper.authors}, {paper.year}{where}"


def _errors(row: Published) -> str:
    errors = [(row.top1_error, "top-1"), (row.top5_error, "top-5")]
    text = ", ".join(f"{error:g}% {name}" for error, name in errors if error is not None)
    return f"{text} on {row.dataset} ({row.source})" if text else ""


def _variants(registered: Entry) -> list[tuple[str, str]]:
    given = ", ".join(f"{name}={value}" for name, value in _options(registered).items())
    pairs = [
        ("options", given),
        ("family", ", ".join(family(registered.name))),
        ("weights", _weights(registered.name)),
    ]
    return [(name, text) for name, text in pairs if text]


def _weights(net: str) -> str:
    """What `build(weights=...)` takes, by library and licence: `timm/ a1_in1k, a2_in1k (MIT)`."""
    tags = dict[tuple[str, str], list[str]]()
    for one in sorted(index.known(net), key=attrgetter("name")):
        tags.setdefault((one.library, one.licence), []).append(one.tag or one.model)
    return "; ".join(f"{library}/ {', '.join(names)} ({licence})"
                     for (library, licence), names in tags.items())  # fmt: skip


def _rewrites(net: str) -> tuple[str, str]:
    return "rewrites", f"netwright rewrite {net} RULE...; netwright rewrite --list"


def _options(registered: Entry) -> dict[str, str]:
    """The options of a net's function and what they are for this net, as they are written."""
    parameters = inspect.signature(registered.make).parameters
    values = {name: registered.options.get(name, p.default) for name, p in parameters.items()}
    return {name: v.__name__ if isinstance(v, type) else repr(v) for name, v in values.items()}


def net_record(registered: Entry | None, plan: Plan) -> dict[str, Any]:
    """A net with its totals, and if it is registered what is known about it."""
    from netwright.report.record import totals_record

    record = {
        "name": plan.name,
        "input": list(plan.input),
        "output": list(plan.output),
        **totals_record(plan),
    }
    if registered:
        record |= {
            "options": _options(registered),
            "paper": {**asdict(registered.paper), "contribution": registered.paper.contribution},
            "category": registered.category,
            "published": [asdict(row) for row in registered.published],
            "family": family(registered.name),
            "weights": index.names(pattern=registered.name),
            "licences": {one.name: one.licence for one in index.known(registered.name)},
        }
    return record
