"""What a shell completes: nets, run folders, rules, files and the values of options.

`_NETWRIGHT_COMPLETE=bash_source netwright` prints the script that asks for it (also zsh, fish).
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from pathlib import Path
from typing import Any

import click
from click.shell_completion import CompletionItem

from netwright.cli.loading import is_run

__all__ = ["budgets", "files", "nets", "recipes", "rules", "runs", "spaces", "specs",
           "strategies", "values", "weights"]  # fmt: skip

Items = list[CompletionItem[Any]]
Completion = Callable[[click.Context, click.Parameter, str], Items]


def values(words: Callable[[], Collection[str]]) -> Completion:
    """Completes one of the words that `words` gives when it is asked."""

    def complete(ctx: click.Context, param: click.Parameter, incomplete: str) -> Items:
        return _items(words(), incomplete)

    return complete


def _items(words: Iterable[str], incomplete: str) -> Items:
    return [CompletionItem(word) for word in words if word.startswith(incomplete)]


def files(ctx: click.Context, param: click.Parameter, incomplete: str) -> Items:
    """Leaves it to the shell, which knows files best."""
    return [CompletionItem(incomplete, type="file")]


def nets(ctx: click.Context, param: click.Parameter, incomplete: str) -> Items:
    """Names of nets, `.json` files and run folders that begin so; any file where none does."""
    from netwright.nets.registry import names

    near = [path for path in _inside(incomplete) if path.endswith(".json") or is_run(path)]
    return _items([*names(), *near], incomplete) or files(ctx, param, incomplete)


def specs(ctx: click.Context, param: click.Parameter, incomplete: str) -> Items:
    """Nets, units and blocks."""
    from netwright.core.spec import SPECS
    from netwright.nets.catalogue import load

    load()
    words = [f"{name}(" for name in sorted(SPECS)] if incomplete[:1].isupper() else []
    return _items(words, incomplete) or nets(ctx, param, incomplete)


def runs(ctx: click.Context, param: click.Parameter, incomplete: str) -> Items:
    """Run folders that begin so; any folder where none does."""
    near = [path for path in _inside(incomplete) if is_run(path)]
    return _items(near, incomplete) or [CompletionItem(incomplete, type="dir")]


def weights(ctx: click.Context, param: click.Parameter, incomplete: str) -> Items:
    """Names of public weights; any file where none begins so."""
    from netwright.weights.index import names

    return _items(names(), incomplete) or files(ctx, param, incomplete)


def spaces(ctx: click.Context, param: click.Parameter, incomplete: str) -> Items:
    """Names of search spaces; any file where none begins so."""
    from netwright.space.registry import names

    return _items(names(), incomplete) or files(ctx, param, incomplete)


def strategies(ctx: click.Context, param: click.Parameter, incomplete: str) -> Items:
    """Names of search strategies."""
    from netwright.search.strategy import names

    return _items(names(), incomplete)


def recipes(ctx: click.Context, param: click.Parameter, incomplete: str) -> Items:
    """Names of recipes; any file where none begins so."""
    from netwright.train.recipe import RECIPES

    return _items(RECIPES, incomplete) or files(ctx, param, incomplete)


def rules(ctx: click.Context, param: click.Parameter, incomplete: str) -> Items:
    """Names of rules, with a colon where arguments follow."""
    from netwright.rules.registry import names, usage

    return _items([name + ":" * usage(name)[0].startswith(f"{name}:") for name in names()],
                  incomplete)  # fmt: skip


def budgets(ctx: click.Context, param: click.Parameter, incomplete: str) -> Items:
    """The next bound of a budget."""
    start, comma, last = incomplete.rpartition(",")
    return [CompletionItem(f"{start}{comma}{name}<=") for name in ("params", "macs", "memory")
            if name.startswith(last.strip())]  # fmt: skip


def _inside(incomplete: str) -> list[str]:
    """Files and folders that begin so."""
    start, slash, last = incomplete.rpartition("/")
    try:
        paths = sorted(Path(f"{start}{slash}" or ".").iterdir())
    except OSError:
        return []
    return [f"{start}{slash}{path.name}" for path in paths if path.name.startswith(last)]
