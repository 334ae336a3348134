"""The search space that a text stands for."""

from __future__ import annotations

import ast
from collections.abc import Callable
from contextlib import suppress
from importlib import import_module
from typing import Any

from netwright.core.files import read_text
from netwright.core.net import Net
from netwright.errors import SearchError, nearest
from netwright.nets.catalogue import from_json
from netwright.space import registry
from netwright.space.search_space import Space

__all__ = ["keywords", "space_of"]


def space_of(text: str, make: Callable[..., Space] = registry.find) -> Space:
    """The space that a text stands for; `make` makes it of a name and options, a Net or a Space."""
    name, _, rest = text.partition(":")
    if name.endswith(".json"):
        try:
            return make(from_json(read_text(name)))
        except OSError as error:
            raise SearchError(f"{name} cannot be read: {error.strerror}") from None
    if rest and "=" not in rest and name not in registry.names():
        return make(_imported(name, rest))
    given = keywords(rest, "the space")
    takes = registry.options(name, given.get("frame", ""))
    for word in given if takes else ():
        if word not in takes:
            raise nearest(f"option of {name}", word, takes)
    return make(name, **given)


def keywords(text: str, whose: str) -> dict[str, Any]:
    """Options such as `width=8,input=(3,64,64)`: keyword arguments, as Python writes them, texts
    of one word without quotes too; `SearchError` for another text.

    >>> keywords("net=resnet18,input=(3,64,64)", "the space")
    {'net': 'resnet18', 'input': (3, 64, 64)}
    """
    with suppress(ValueError, SyntaxError):
        call = ast.parse(f"space({text})", mode="eval").body
        if isinstance(call, ast.Call) and not call.args:
            return {str(word.arg): _value(word.value) for word in call.keywords}
    raise SearchError(f"options {text!r} of {whose} cannot be read; wanted such as "
                      "width=8,input=(3,64,64)")  # fmt: skip


def _value(node: ast.expr) -> Any:
    """A literal; a name alone is a text."""
    return node.id if isinstance(node, ast.Name) else ast.literal_eval(node)


def _imported(module: str, name: str) -> Space | Net:
    """The space of the user's own code."""
    try:
        value: Any = getattr(import_module(module), name)
    except (ImportError, AttributeError) as error:
        raise SearchError(f"space {module}:{name} cannot be had: {error}") from None
    make: Callable[[], Any] | None = None if isinstance(value, Space | Net) else value
    return make() if make is not None else value
