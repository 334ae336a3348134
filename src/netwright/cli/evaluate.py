"""`netwright evaluate RUN DATA`: a run, or several together, on labelled images."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from netwright.cli.common import echo, echo_json, save

if TYPE_CHECKING:
    from netwright.train.evaluation import Evaluation

__all__ = ["command"]


@click.command("evaluate")
@click.argument("runs", nargs=-1, required=True, metavar="RUN... DATA")
@click.option("--split", default="", metavar="NAME", help="train, val or test of DATA (all)")
@click.option(
    "--views",
    default="run",
    metavar="HOW",
    help="what is averaged of an image: run, plain, mirrored, ten-crop, multi-scale (run)",
)
@click.option("--corrupt", is_flag=True, help="accuracy on noise, blur and other bad photos too")
@click.option("--html", metavar="FILE", help="write a page with charts and the worst mistakes")
@click.option("--json", "as_json", is_flag=True, help="the result as JSON")
@click.option("--quiet", is_flag=True, help="no progress")
def command(
    runs: tuple[str, ...],
    split: str,
    views: str,
    corrupt: bool,
    html: str | None,
    as_json: bool,
    quiet: bool,
) -> None:
    """How good RUN is on the labelled images in DATA: accuracy with its interval, each class,
    calibration, the worst mistakes.

    DATA is as `fit` takes it; its classes must be among those of the run. Several runs of the
    same classes are taken as one: their probabilities are averaged.
    """
    from netwright.cli.progress import share_told
    from netwright.data.dataset import load
    from netwright.errors import DataError
    from netwright.train.evaluation import evaluate, robustness
    from netwright.train.run import Run

    *names, data = runs
    if not names:
        raise DataError(f"wanted RUN and DATA, got {data} alone")
    opened = [Run.load(name) for name in names]
    dataset = load(data)
    with share_told("evaluating", quiet=quiet) as tell:
        found = evaluate(opened, dataset, split=split, views=views, tell=tell)
    record: dict[str, Any] = {"runs": names, "data": data, "views": views, **found.scores()}
    if corrupt:
        with share_told("bad photos", quiet=quiet) as tell:
            record["corrupted"] = robustness(opened, dataset, split=split, tell=tell)
    record["worst"] = found.worst()
    if html:
        from netwright.train.evaluation_page import evaluation_page

        save(evaluation_page(record, found, dataset), html)
    if as_json:
        echo_json(record)
    else:
        echo(_text(record, found))


def _text(record: dict[str, Any], found: Evaluation) -> str:
    from netwright.report.table import text_table

    low, high = (f"{100 * bound:.1f}" for bound in record["interval"])
    right = f"{100 * record['accuracy']:.2f}% of {record['images']} images right"
    error = f"calibration error {100 * record['calibration_error']:.1f}%"
    lines = [
        f"{right} (95% interval {low} to {high}%)",
        f"macro F1 {record['macro_f1']:.4f}, log loss {record['loss']:.4f}, {error}",
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
    wrong = found.mistakes(8)
    if wrong:
        lines += ["", "worst mistakes"]
        lines += [f"  {row['image']}: {row['class']} taken for {row['predicted']} "
                  f"({100 * row['probability']:.0f}%)" for row in wrong]  # fmt: skip
    return "\n".join(lines)
