"""`netwright evaluate RUN DATA`: a run, or several together, on labelled images."""

from __future__ import annotations

from typing import Any

import click

from netwright.cli.complete import runs as run_folders
from netwright.cli.complete import values
from netwright.cli.options import (
    asked_option,
    file_option,
    json_option,
    quiet_option,
    split_option,
)
from netwright.cli.output import echo, echo_json, save
from netwright.cli.waiting import waiting

__all__ = ["command"]

VIEWS = ("run", "plain", "mirrored", "ten-crop", "multi-scale")
"""Those of `train.evaluation`, which would load PyTorch."""


@click.command("evaluate")
@click.argument("runs", nargs=-1, required=True, metavar="RUN... DATA",
                shell_complete=run_folders)  # fmt: skip
@split_option
@click.option(
    "--views",
    default="run",
    metavar="HOW",
    shell_complete=values(lambda: VIEWS),
    help=f"what is averaged of an image: {', '.join(VIEWS)} (run)",
)
@click.option("--corrupt", is_flag=True, help="accuracy on noise, blur and other bad photos too")
@asked_option
@file_option("--html", "write a page with charts and the worst mistakes too")
@json_option
@quiet_option
def command(
    runs: tuple[str, ...],
    split: str,
    views: str,
    corrupt: bool,
    precision: str,
    html: str | None,
    as_json: bool,
    quiet: bool,
) -> None:
    """How good RUN is on the labelled images in DATA: accuracy with its interval, each class,
    calibration, the worst mistakes.

    DATA is as `fit` takes it; its classes must be among those of the run. Several runs of the
    same classes are taken as one: their probabilities are averaged. Of images that a run was
    fitted to only the test part is asked about, unless --split says otherwise.
    """
    from netwright.data.dataset import load
    from netwright.errors import DataError
    from netwright.train.evaluation import evaluate, robustness
    from netwright.train.run import Run
    from netwright.train.unseen import asked

    *names, data = runs
    if not names:
        raise DataError(f"wanted RUN and DATA, got {data} alone")
    opened = [Run.load(name) for name in names]
    dataset = load(data, learn=False)
    images = asked(opened, dataset, split)
    with waiting("evaluating", quiet=quiet) as tell:
        result = evaluate(opened, dataset, images=images, views=views, precision=precision,
                          tell=tell)  # fmt: skip
    record: dict[str, Any] = {"runs": names, "data": data, "views": views, **result.scores()}
    if not split and len(images) < dataset.size():
        record["note"] = (f"of {dataset.size()} images only the test part, which was not learnt "
                          "from; --split all takes all")  # fmt: skip
    if corrupt:
        with waiting("bad photos", quiet=quiet) as tell:
            record["corrupted"] = robustness(
                opened, dataset, images=images, precision=precision, tell=tell
            )
    record["worst"] = result.worst()
    if html:
        from netwright.train.evaluation_page import evaluation_page

        save(evaluation_page(record, result, dataset), html)
    if as_json:
        echo_json(record)
    else:
        echo(_text(record, result.mistakes(8)))


def _bounds(record: dict[str, Any], name: str) -> str:
    low, high = record["intervals"][name]
    return f"{low:.3f} to {high:.3f}"


def _text(record: dict[str, Any], mistakes: list[dict[str, Any]]) -> str:
    from netwright.report.table import text_table

    low, high = (f"{100 * bound:.1f}" for bound in record["interval"])
    right = f"{100 * record['accuracy']:.2f}% of {record['images']} images right"
    error = f"calibration error {100 * record['calibration_error']:.1f}%"
    figures = [f"{words} {record[name]:.4f} ({_bounds(record, name)})"
               for words, name in (("macro F1", "macro_f1"), ("log loss", "loss"))]  # fmt: skip
    lines = [record["note"]] if "note" in record else []
    lines += [
        f"{right} (95% interval {low} to {high}%)",
        f"{', '.join(figures)}, {error}",
    ]
    if "top5" in record:
        lines.append(f"among the first five: {100 * record['top5']:.2f}%")
    there = [row for row in record["classes"] if row["images"]]
    rows = [[row["class"], str(row["images"]), *(f"{row[word]:.3f}" for word in
             ("precision", "recall", "f1"))] for row in there]  # fmt: skip
    lines += ["", *text_table(["class", "images", "precision", "recall", "F1"], rows)]
    if "corrupted" in record:
        rows = [[name, *(f"{100 * value:.1f}%" for value in values)]
                for name, values in record["corrupted"].items()]  # fmt: skip
        lines += ["", *text_table(["corruption", "weak", "medium", "strong"], rows)]
    if mistakes:
        lines += ["", "worst mistakes"]
        lines += [f"  {row['image']}: {row['class']} taken for {row['predicted']} "
                  f"({100 * row['probability']:.0f}%)" for row in mistakes]  # fmt: skip
    return "\n".join(lines)
