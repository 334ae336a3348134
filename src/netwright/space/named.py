"""The search space that a text stands for."""

from __future__ import annotations

import ast
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from netwright.core.code import imported, is_code, result_of
from netwright.core.files import read_text
from netwright.core.kinds import shown
from netwright.core.net import Net
from netwright.errors import NetwrightError, SearchError
from netwright.nets.catalogue import from_json
from netwright.space import registry
from netwright.space.search_space import Space

__all__ = ["keywords", "space_of"]


def space_of(text: str, make: Callable[..., Space] = registry.find) -> Space:
    """The space that a text stands for; `make` makes it of a name and options, a Net or a Space."""
    name, _, rest = text.partition(":")
    if name.endswith(".json"):
        return make(_read(name), **keywords(rest, "the space"))
    if rest and name not in registry.names() and is_code(text):
        return make(_imported(text))
    return make(name, **keywords(rest, "the space"))


def keywords(text: str, whose: str, such: str = "width=8,input=(3,64,64)") -> dict[str, Any]:
    """Options such as `width=8,input=(3,64,64)`: keyword arguments, as Python writes them, texts
    of one word without quotes too; `SearchError` for another text, which names some as `such`.

    >>> keywords("net=resnet18,input=(3,64,64)", "the space")
    {'net': 'resnet18', 'input': (3, 64, 64)}
    """
    with suppress(ValueError, SyntaxError):
        call = ast.parse(f"space({text})", mode="eval").body
        if isinstance(call, ast.Call) and not call.args:
            return {str(word.arg): _value(word.value) for word in call.keywords}
    raise SearchError(f"options {text!r} of {whose} cannot be read; wanted such as {such}")


def _value(node: ast.expr) -> Any:
    """A literal; a name alone is a text."""
    return node.id if isinstance(node, ast.Name) else ast.literal_eval(node)


def _read(file: str) -> Net:
    """The net in a file."""
    try:
        return from_json(read_text(file))
    except OSError as error:
        raise SearchError(f"{file} cannot be read: {error.strerror}") from None
    except ValueError as error:  # no text, or none of a net
        raise SearchError(f"{file} holds no net with choices: {error}") from None


def _imported(text: str) -> Space | Net:
    """The space of the user's own code."""
    try:
        value = imported(text)
        if callable(value) and not isinstance(value, Space | Net):
            value = result_of(text, value)
    except NetwrightError as error:
        raise SearchError(f"space {text} cannot be had: {error}") from error
    if not isinstance(value, Space | Net):
        raise SearchError(f"{text} gives {shown(value, 80)}, wanted a Space, a Net with choices, "
                          "or a function that makes one")  # fmt: skip
    return value
