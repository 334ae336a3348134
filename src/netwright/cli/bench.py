"""`netwright bench NET ...`: how long nets take here, measured and predicted."""

from __future__ import annotations

from typing import Any

import click

from netwright.cli.calibrate import running, setting_options
from netwright.cli.loading import load_net
from netwright.cli.options import as_count, input_option, json_option, nets_argument
from netwright.cli.output import columns, echo, echo_json
from netwright.cli.waiting import waiting
from netwright.core.machine import memory, need_memory
from netwright.core.shape import Shape, show
from netwright.errors import BudgetError

__all__ = ["command"]


@click.command("bench")
@nets_argument
@input_option
@click.option("--batch", callback=as_count, default="1", metavar="N", help="images at once (1)")
@setting_options
@json_option
def command(
    nets: tuple[str, ...],
    input: Shape | None,
    batch: int,
    threads: int | None,
    dtype: str,
    channels_last: bool,
    as_json: bool,
) -> None:
    """Milliseconds and images a second of NETS in inference, beside what was predicted.

    Each of NETS is a name (see `netwright nets`) or a file written by `Net.to_json`.
    Predictions are there once `netwright calibrate` was run with the same settings.
    """
    need_memory()
    loaded = [load_net(net, input) for net in nets]
    with waiting("loading PyTorch"):
        from netwright.speed.latency import predict, rates_kept
        from netwright.speed.measure import measured

        how = running(threads, dtype, channels_last)
    rates = next((one for one in rates_kept() if one.setting == how), None)
    records: list[dict[str, Any]] = []
    with waiting("measuring", still=True) as advance:
        for i, net in enumerate(loaded):
            advance(i, len(loaded))
            plan = net.plan(dtype=how.dtype, batch=batch)
            if plan.memory > memory():
                raise BudgetError(
                    f"{net.name} needs {plan.memory:,} bytes for a batch of {batch:,}, "
                    f"this machine has {memory():,}; try a smaller --batch"
                )
            seconds = measured(net, how, batch)
            predicted = predict(plan, rates).seconds if rates else None
            records.append({"name": net.name, "input": list(net.input), "batch": batch,
                            "seconds": seconds, "images_a_second": batch / seconds,
                            "predicted": predicted})  # fmt: skip
    if as_json:
        echo_json({"setting": str(how), "error": rates.error if rates else None, "nets": records})
    else:
        echo(_text(records, str(how), rates.error if rates else None))


def _text(records: list[dict[str, Any]], how: str, error: float | None) -> str:
    from netwright.report.table import text_table, wrapped

    rows = [
        [
            record["name"],
            show(record["input"]),
            f"{1e3 * record['seconds']:.2f}",
            f"{record['images_a_second']:.1f}",
            *(
                [f"{1e3 * record['predicted']:.2f}",
                 f"{record['seconds'] / record['predicted']:.2f}"]
                if record["predicted"] else ["-", "-"]
            ),
        ]
        for record in records
    ]  # fmt: skip
    head = ["net", "input", "ms", "images/s", "predicted ms", "measured / predicted"]
    lines = text_table(head, rows, (0, 1), width=columns(), spare=(1, 5, 3))
    note = f"the prediction's stated error is {100 * error:.0f}%" if error is not None else (
        "no prediction: run `netwright calibrate` with these settings first"
    )  # fmt: skip
    ends = wrapped(f"{how}, batch {records[0]['batch']}; {note}", columns())
    return "\n".join([*lines, "", *ends])
