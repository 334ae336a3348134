"""`netwright check NET --budget ...`: does it fit; for scripts and CI."""

from __future__ import annotations

import sys
from typing import Any

import click

from netwright.cli.complete import budgets
from netwright.cli.loading import load_plan
from netwright.cli.options import json_option, nets_argument, plan_options
from netwright.cli.output import columns, echo, echo_json
from netwright.core.shape import Shape
from netwright.errors import BudgetError

__all__ = ["command"]


@click.command("check")
@nets_argument
@click.option("--budget", "bounds", required=True, metavar="BOUNDS", shell_complete=budgets,
              help="such as 'params<=5M, macs<=300M, memory<=64MB'")  # fmt: skip
@plan_options
@json_option
def command(
    nets: tuple[str, ...],
    bounds: str,
    input: Shape | None,
    input_dtype: Any,
    run: bool,
    batch: int,
    dtype: str,
    as_json: bool,
) -> None:
    """Exit with 0 if all NETS keep within the budget, with 1 if one does not.

    Each of NETS is a name (see `netwright nets`), a file written by `Net.to_json`, or
    `package.module:factory`. `memory` is of inference: weights and the activations' peak.
    """
    from netwright.report.advice import KEYS
    from netwright.report.numbers import UNITS, human, human_bytes
    from netwright.report.table import text_table, wrapped
    from netwright.space.budget import Budget

    budget = Budget.parse(bounds)
    if not budget.bounds():
        raise BudgetError("--budget has no bound; wanted some, such as 'params<=5M, macs<=300M'")
    plans = [
        load_plan(net, input, dtype=dtype, batch=batch, input_dtype=input_dtype, run=run)
        for net in nets
    ]
    records = [
        {
            "name": plan.name,
            **{KEYS.get(bound, bound): getattr(plan, bound) for bound in budget.bounds()},
            "broken": [KEYS.get(bound, bound) for bound in budget.broken(plan)],
            "partial": list(plan.partial),
        }
        for plan in plans
    ]
    if as_json:
        bounds_ = {KEYS.get(name, name): bound for name, bound in budget.bounds().items()}
        echo_json({"budget": bounds_, "nets": records})
    else:
        write = {"memory": human_bytes}
        rows = [
            [
                plan.name,
                *[
                    write.get(bound, human)(getattr(plan, bound), even=True)
                    for bound in budget.bounds()
                ],
                ", ".join(f"{name} is too much" for name in budget.broken(plan)) or "fits",
            ]
            for plan in plans
        ]
        head = ["net", *budget.bounds(), budget.describe()]
        lines = text_table(head, rows, (0, len(head) - 1), width=columns())
        echo("\n".join([*lines, "", *wrapped(UNITS, columns())]))
    if any(record["broken"] for record in records):
        sys.exit(1)
