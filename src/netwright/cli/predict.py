"""`netwright predict RUN images...`: classes of images, from a run."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from netwright.cli.complete import files, runs
from netwright.cli.options import as_count, asked_option, json_option
from netwright.cli.output import echo, echo_json, say
from netwright.cli.waiting import waiting
from netwright.core.machine import need_memory
from netwright.errors import DataError
from netwright.report.numbers import counted

if TYPE_CHECKING:
    from netwright.train.run import Prediction, Run

__all__ = ["command", "image_files"]

PIXELS = 2**22
"""Pixels of images, brought to size, that are held in memory at a time."""


@click.command("predict")
@click.argument("run", shell_complete=runs)
@click.argument("images", nargs=-1, required=True, shell_complete=files)
@click.option(
    "--top", callback=as_count, default="5", metavar="N", help="classes to print an image (5)"
)
@asked_option
@json_option
def command(run: str, images: tuple[str, ...], top: int, precision: str, as_json: bool) -> None:
    """Classes of IMAGES, files or folders of them, with probabilities, the likeliest first.

    RUN is a folder that `netwright fit` left. Files that cannot be read are listed and
    skipped; when none can be read the exit code is 2.
    """
    need_memory()
    with waiting("loading PyTorch"):
        from netwright.speed.allocation import reused_memory
        from netwright.train.run import Run

    opened = Run.load(run)
    _ = opened.net  # says now, not after reading images, when the run is not finished
    paths = list(image_files(images))
    predictions: dict[Path, Prediction] = {}
    unreadable: list[str] = []
    notes: list[str] = []
    together = max(1, PIXELS // opened.preprocessing.blank.size)
    with reused_memory(), waiting("reading images") as advance:
        for start in range(0, len(paths), together):
            advance(start, len(paths))
            part = paths[start : start + together]
            predictions |= _predicted(opened, part, precision, unreadable, notes)
    if as_json:
        records = [
            {"image": str(path), "class": one.label,
             "top": [{"class": name, "probability": round(p, 6)} for name, p in one.top(top)]}
            for path, one in predictions.items()
        ]  # fmt: skip
        echo_json({"run": str(opened.path), "images": records, "unreadable": unreadable,
                   "notes": notes})  # fmt: skip
    else:
        for path, one in predictions.items():
            echo(f"{path}  " + "  ".join(f"{name} {100 * p:.1f}%" for name, p in one.top(top)))
    for note in notes:
        say(f"note {note}")
    for fault in unreadable:
        say(f"skipped {fault}")
    if not predictions:
        say(f"netwright: none of {counted(len(paths), 'image')} could be read")
        sys.exit(2)


def image_files(given: tuple[str, ...]) -> Iterator[Path]:
    """Files as given, and the images in folders."""
    from netwright.data.folder import inside
    from netwright.data.reading import SUFFIXES, is_image

    for word in given:
        if not word:
            raise DataError("an image has an empty name; wanted files or folders of them")
        path = Path(word)
        if os.path.isdir(path):  # noqa: PTH112  Path's raises for long names
            inner = [Path(p) for p in inside(path) if is_image(p, path)]
            if not inner:
                raise DataError(f"no image under {path}; looked for {' '.join(sorted(SUFFIXES))}")
            yield from inner
        else:
            yield path


def _predicted(
    run: Run, paths: list[Path], precision: str, unreadable: list[str], notes: list[str]
) -> dict[Path, Prediction]:
    import numpy as np

    pixels: dict[Path, np.ndarray] = {}
    for path in paths:
        try:
            pixels[path] = run.preprocessing.image(path, notes)
        except DataError as error:
            unreadable.append(str(error))
    if not pixels:
        return {}
    answers = run.predict_pixels(np.stack([*pixels.values()]), precision=precision)
    return dict(zip(pixels, answers, strict=True))
