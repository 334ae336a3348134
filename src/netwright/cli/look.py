"""`netwright look`: what a net sees, where and why."""

from __future__ import annotations

import os
from difflib import get_close_matches
from typing import Any

import click

from netwright.cli.complete import files
from netwright.cli.looking import files_of
from netwright.cli.looks import LOOKS
from netwright.cli.output import echo_json, save
from netwright.cli.subjects import model_options, subject_of
from netwright.cli.waiting import waiting
from netwright.errors import nearest

__all__ = ["Looks", "command"]

PAGE = "page"


class Looks(click.Group):
    """A group whose commands may be left out: then it is the page."""

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        name = args[0]
        if name in self.commands:
            return super().resolve_command(ctx, args)
        if not os.path.exists(name) and get_close_matches(name, LOOKS, cutoff=0.75):  # noqa: PTH110  Path's raises for long names
            raise nearest("look", name, LOOKS)
        return PAGE, self.commands[PAGE], args


@click.group("look", cls=Looks,
             subcommand_metavar="[LOOK] RUN|NET|module:factory IMAGE...")  # fmt: skip
def command() -> None:
    """Look inside a net: which pixels speak for a class, what layers make of an image, what
    excites them, how far their units see.

    `netwright look RUN|NET|module:factory IMAGE...` makes a page with all looks that suit;
    `netwright look LOOK RUN|NET|module:factory IMAGE...` makes one, as figures (PNG, SVG) and data
    (NPZ). Ctrl-C stops those that take long with what there is.
    """


@click.command(PAGE)
@model_options
@click.argument("images", nargs=-1, required=True, shell_complete=files)
@click.option("--html", default="look.html", metavar="FILE", shell_complete=files,
              help="where the page is written (look.html)")  # fmt: skip
@click.option("--seconds", type=float, default=120.0, metavar="N", help="time for all of it (120)")
def page(
    images: tuple[str, ...], html: str, seconds: float, model: str, weights: str, input: Any,
    mean: Any, std: Any, as_json: bool, quiet: bool,
) -> None:  # fmt: skip
    """A page with all looks that suit the model and the images."""
    looked = subject_of(model, weights, input, mean, std)
    chosen = files_of(images)
    from netwright.look.page import look_page

    with waiting("looking", quiet=quiet) as tell:
        whole = look_page(looked, chosen, title=model, seconds=seconds, tell=tell)
    save(whole, html)
    if as_json:
        echo_json({"model": model, "look": PAGE, "page": html, "images": chosen})


for one in (page, *LOOKS.values()):
    command.add_command(one)
