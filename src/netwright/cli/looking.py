"""What the looks of the command line share: their images, what is printed and written."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import click

from netwright.cli import complete
from netwright.cli.options import Command
from netwright.cli.output import columns, echo, echo_json, say
from netwright.cli.subjects import model_options, subject_of, subjects_of
from netwright.cli.waiting import waiting
from netwright.core.text import plain

if TYPE_CHECKING:
    from netwright.look.result import Look

__all__ = ["data_of", "each", "files_of", "once"]

Compute = Callable[..., Any]

LISTED = 8
"""Items of a list that are printed."""


def files_of(images: Sequence[str]) -> list[str]:
    """Files as given, and the images in folders."""
    from netwright.cli.predict import image_files

    return [str(path) for path in image_files(tuple(images))]


def data_of(images: Sequence[str]) -> Any:
    """Images that a look passes over: files and folders of them, or one data set as `fit` takes."""
    if len(images) == 1:
        return images[0]
    return files_of(images)


def result_options(command: Command) -> Command:
    """The options of where results are written."""
    for option in (
        click.option("--svg", is_flag=True, help="figures as SVG, not PNG"),
        click.option("--out", default="looks", metavar="FOLDER",
                     help="where figures and data (.npz) are written (looks)",
                     shell_complete=complete.files),
    ):  # fmt: skip
        command = option(command)
    return model_options(command)


def each(name: str) -> Callable[[Compute], click.Command]:
    """A command whose function takes a subject, an image and `tell`, and the options of its own;
    it is called for every image, until Ctrl-C.
    """

    def decorate(function: Compute) -> click.Command:
        @wraps(function)
        def command(images: tuple[str, ...], **options: Any) -> None:
            from netwright.look.pace import Pace

            looked, shared, own = _split(options)
            files = files_of(images)
            stems = _stems(name, files)
            results: list[tuple[str, Look]] = []
            with Pace(len(files)) as pace:
                for file, stem in pace.over(zip(files, stems, strict=True)):
                    with waiting(f"{name} of {Path(file).name}", quiet=shared["quiet"]) as tell:
                        result = function(looked, file, tell, **own)
                    _save(result, Path(shared["out"], stem), shared)
                    results.append((file, result))
            _report(name, shared, results, pace.note("images"))

        images = click.argument("images", nargs=-1, required=True, shell_complete=complete.files)
        return click.command(name)(result_options(images(command)))

    return decorate


def once(
    name: str, images: bool | None = True, beside: str = ""
) -> Callable[[Compute], click.Command]:
    """The same of a function that is called once, with the images as they were given; without
    any where `images` is False, and with any number where it is None. Where other models may
    stand `beside`, it is given all by what was typed.
    """

    def decorate(function: Compute) -> click.Command:
        @wraps(function)
        def command(images: tuple[str, ...] = (), **options: Any) -> None:
            looked, shared, own = _split(options)
            with waiting(name, quiet=shared["quiet"]) as tell:
                result = function(looked, images, tell, **own)
            _save(result, Path(shared["out"], name), shared)
            _report(name, shared, [("", result)])

        if images is not False:
            argument = click.argument("images", nargs=-1, required=bool(images),
                                      shell_complete=complete.files)  # fmt: skip
            command = argument(command)
        if beside:
            command = click.option("--beside", "others", multiple=True, metavar=beside,
                                   help="another model; may be given again",
                                   shell_complete=complete.nets)(command)  # fmt: skip
        return click.command(name)(result_options(command))

    return decorate


def _split(options: dict[str, Any]) -> tuple[Any, dict[str, Any], dict[str, Any]]:
    """The subject, or the subjects where there may be others, the options that all looks have,
    and those of one.
    """
    keys = ("model", "weights", "input", "mean", "std")
    text, *how = (options[key] for key in keys)
    others = options.pop("others", None)
    looked = subject_of(text, *how) if others is None else subjects_of([text, *others], *how)
    every = (*keys, "out", "svg", "as_json", "quiet")
    shared = {key: options.pop(key) for key in every}
    return looked, shared, options


def _stems(name: str, files: Sequence[str]) -> list[str]:
    """A name for what is written of each image, none twice."""
    stems, counts = list[str](), dict[str, int]()
    for file in files:
        stem = f"{name}-{Path(file).stem}"
        counts[stem] = counts.get(stem, 0) + 1
        stems.append(stem if counts[stem] == 1 else f"{stem}-{counts[stem]}")
    return stems


def _save(result: Look, stem: Path, shared: dict[str, Any]) -> None:
    end = ".svg" if shared["svg"] else ".png"
    written = result.save(stem.with_name(stem.name + end))
    if not shared["quiet"]:
        say(f"wrote {os.fspath(written[0])} and {written[1].name}")


def _report(
    name: str, shared: dict[str, Any], results: Sequence[tuple[str, Look]],
    remarks: Sequence[str] = (),
) -> None:  # fmt: skip
    facts = [(file, result.facts()) for file, result in results]
    if shared["as_json"]:
        records = [{**({"image": file} if file else {}), **fact} for file, fact in facts]
        echo_json({"model": shared["model"], "look": name, "results": records})
    else:
        echo("\n\n".join(_text(file, fact) for file, fact in facts))
    notes = [note for _, fact in facts for note in fact.get("notes", ())]
    for note in dict.fromkeys([*remarks, *notes]):
        say(f"note {plain(note)}")


def _text(file: str, facts: dict[str, Any]) -> str:
    """Facts as lines: numbers and names together, tables of what has parts."""
    from netwright.report.table import text_table

    plainly = [f"{key} {_shown(value)}" for key, value in facts.items()
               if key != "notes" and value is not None and not _has_parts(value)]  # fmt: skip
    lines = [plain("  ".join([*([file] if file else []), *plainly]))]
    for key, value in facts.items():
        if not _has_parts(value) or not value:
            continue
        rows = _rows(key, value)
        head = list(rows[0])
        cells = [[plain(_shown(row.get(word))) for word in head] for row in rows]
        lines += ["", *text_table(head, cells, width=columns())]
    return "\n".join(lines)


def _rows(key: str, parts: Any) -> list[dict[str, Any]]:
    """The rows of a table of what a fact has parts of, the first column called `key`."""
    if isinstance(parts, list):
        return cast("list[dict[str, Any]]", parts)
    pairs = cast("dict[str, Any]", parts).items()
    return [{key: name, **(inner if isinstance(inner, dict) else {"": inner})}
            for name, inner in pairs]  # fmt: skip


def _has_parts(value: Any) -> bool:
    return isinstance(value, dict) or (
        isinstance(value, list) and isinstance(next(iter(cast("list[Any]", value)), None), dict)
    )


def _shown(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:.4g}"
    if isinstance(value, list | tuple):
        items = [*cast("Sequence[Any]", value)]
        more = f" and {len(items) - LISTED} more" if len(items) > LISTED else ""
        return ", ".join(map(_shown, items[:LISTED])) + more
    return str(value)
