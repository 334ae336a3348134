"""`netwright recipes`: the ways of training there are, one as JSON, or what two differ in."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, cast

import click

from netwright.cli import complete
from netwright.cli.options import json_option
from netwright.cli.output import columns, echo, echo_json
from netwright.core.machine import need_memory
from netwright.errors import RecipeError

if TYPE_CHECKING:
    from netwright.train.recipe import Recipe

__all__ = ["command"]

HEAD = ("recipe", "optimiser", "rate", "batch", "schedule", "augmentation", "for")


@click.command("recipes")
@click.argument("names", nargs=-1, metavar="[NAME|FILE]...", shell_complete=complete.recipes)
@json_option
def command(names: tuple[str, ...], as_json: bool) -> None:
    """Ways to train a net: all of them; one as JSON; or the fields in which two differ.

    `netwright fit DATA --recipe FILE` takes such JSON, whole or in part: fields that are not there
    are those of the recipe that "base" names. In Python: nw.fit(..., recipe=nw.train.Recipe(...)).
    """
    need_memory()
    from netwright.train.recipe import RECIPES, read

    if len(names) > 2:
        raise RecipeError(f"{len(names)} recipes; wanted none for a list, one, or two to compare")
    recipes = [read(name) for name in names]
    if not recipes:
        _tell_all([*RECIPES.values()], as_json)
    elif len(recipes) == 1:
        click.echo(json.dumps(recipes[0].to_json(), indent=2))
    else:
        _tell_change(recipes[0], recipes[1], as_json)


def _tell_all(recipes: list[Recipe], as_json: bool) -> None:
    """A line a recipe."""
    from netwright.report.table import text_table
    from netwright.train.recipe import ABOUT

    if as_json:
        listed = [{"for": ABOUT[recipe.name], **recipe.to_json()} for recipe in recipes]
        echo_json({"recipes": listed})
        return
    rows = [[recipe.name, recipe.optimiser, f"{recipe.rate:g}", str(recipe.batch), recipe.schedule,
             _operations(recipe), ABOUT[recipe.name]] for recipe in recipes]  # fmt: skip
    echo("\n".join(text_table(HEAD, rows, (0, 1, 4, 5, 6), width=columns(), spare=(5, 4))))


def _operations(recipe: Recipe) -> str:
    return ", ".join(row["operation"] for row in recipe.to_json()["operations"])


def _tell_change(before: Recipe, after: Recipe, as_json: bool) -> None:
    """A line a field that differs."""
    change = before.differing(after)
    change.pop("name", None)
    if as_json:
        fields = {word: {"before": old, "after": new} for word, (old, new) in change.items()}
        echo_json({"before": before.name, "after": after.name, "fields": fields})
        return
    from netwright.report.table import text_table

    rows = [[word, _text(old), _text(new)] for word, (old, new) in change.items()]
    lines = text_table(("field", before.name, after.name), rows, (0, 1, 2), width=columns())
    echo("\n".join(lines) if rows else "no difference")


def _text(value: Any) -> str:
    """A field as people write it: operations by name, with what is said of them."""
    if not isinstance(value, list):
        return f"{value:g}" if isinstance(value, float) else json.dumps(value).strip('"')
    return ", ".join(map(_item, cast("list[Any]", value))) or "none"


def _item(value: Any) -> str:
    if not isinstance(value, dict):
        return _text(value)
    words: dict[str, Any] = {**value}
    name = words.pop("operation")
    given = ", ".join(f"{word}={_text(what)}" for word, what in words.items())
    return f"{name}({given})" if given else name
