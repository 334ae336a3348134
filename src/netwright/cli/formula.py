"""`netwright formula WHAT`: what it costs where sizes are symbols."""

from __future__ import annotations

import re
from typing import Any

import click

from netwright.cli.code import is_code
from netwright.cli.complete import specs
from netwright.cli.loading import is_run, load_net
from netwright.cli.options import json_option
from netwright.cli.output import echo, echo_json, say
from netwright.core.kinds import shown
from netwright.core.net import Net
from netwright.core.spec import Spec
from netwright.core.text import plain
from netwright.errors import ShapeError, SpecError
from netwright.symbols.expression import read
from netwright.symbols.formulas import (
    COUNTS,
    Formula,
    formula,
    halving,
    latex,
    ratios,
    sizes,
    symbol,
)

__all__ = ["command"]

NAMES = {"params": "params", "macs": "MACs", "ops": "other ops", "activations": "activations"}


@click.command("formula")
@click.argument("what", shell_complete=specs)
@click.option(
    "--input",
    metavar="C,H,W",
    help="sizes, such as 4*C,H,W; else C,H,W, or what halves exactly for a net",
)
@click.option("--over", metavar="WHAT", help="also the ratios to another unit, block or net",
              shell_complete=specs)  # fmt: skip
@click.option("--latex", "as_latex", is_flag=True, help="formulas as LaTeX, with --json too")
@json_option
def command(what: str, input: str | None, over: str | None, as_latex: bool, as_json: bool) -> None:
    """Formulas of parameters, MACs and other operations of WHAT.

    WHAT is a net (see `netwright nets`), a file written by `Net.to_json`, or a unit, block
    or wiring such as 'Conv(N, K, bias=False)'; names that are no spec are symbols. 'same'
    padding is the default, as everywhere.
    """
    spec = _read(what)
    shape = _shape(input, spec)
    costs = _costs(spec, shape, given=input is not None)
    others = formula(_read(over), shape) if over else None
    write = latex if as_latex else str
    if as_json:
        record = _record(what, costs, write)
        if over and others:
            record["over"] = _record(over, others, write)
            record["ratios"] = {k: write(v) for k, v in ratios(costs, others).items()}
        echo_json(record)
        return
    echo(_text(what, costs, write))
    if over and others:
        echo("\n" + _text(over, others, write) + f"\n\n{what} / {over}")
        parts = [(NAMES[name], write(value)) for name, value in ratios(costs, others).items()]
        echo(_lines(parts))


def _costs(spec: Spec | Net, shape: Any, *, given: bool) -> Formula:
    """The formulas; of a net that has none of its sizes, at those it has."""
    try:
        return formula(spec, shape)
    except ShapeError as error:
        if given or not isinstance(spec, Net):
            raise
        say(f"at the net's own sizes: {error}")
        return formula(spec, spec.input)


def _read(text: str) -> Spec | Net:
    from netwright.nets.registry import names

    if text.endswith(".json") or text in names() or is_code(text) or is_run(text):
        return load_net(text)
    if text.isidentifier() and text[0].islower():
        return load_net(text)  # says which nets are near
    spec = read(text, symbol)
    if not isinstance(spec, Spec):
        raise SpecError(f"{shown(text)} is neither a net nor a spec such as 'Conv(N, 3)'")
    return spec


def _shape(text: str | None, spec: Spec | Net) -> Any:
    if text:
        by = "x" if re.fullmatch(r"[0-9x]+", text) else ","
        return sizes([word.strip() for word in text.split(by)])
    return halving(spec) if isinstance(spec, Net) else sizes(("C", "H", "W"))


def _text(what: str, costs: Formula, write: Any) -> str:
    sides = [" x ".join(map(str, shape)) for shape in (costs.input, costs.output)]
    head = f"{plain(what)}  {' -> '.join(sides)}"
    return head + "\n" + _lines([(NAMES[name], write(getattr(costs, name))) for name in COUNTS])


def _lines(pairs: list[tuple[str, str]]) -> str:
    room = max(map(len, NAMES.values()))
    return "\n".join(f"  {name.ljust(room)}  {text}" for name, text in pairs)


def _record(what: str, costs: Formula, write: Any) -> dict[str, Any]:
    counts = {name: write(getattr(costs, name)) for name in COUNTS}
    return {"what": what, "input": [write(size) for size in costs.input],
            "output": [write(size) for size in costs.output], **counts}  # fmt: skip
