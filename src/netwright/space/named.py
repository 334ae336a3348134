"""The search space that a text or a net stands for: `nw.space`."""

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


def space_of(
    space: str | Space | Net, make: Callable[..., Space] = registry.find, **options: Any
) -> Space:
    """The search space that a text stands for, or that of a net with choices in it (`Choice`).

    space: a text is a name, with options as in `nasbench201:width=8` if need be, a `.json` file of
        a net with choices, or `module:name` of your own code; a `Space` stays what it is
    make: makes it of a name and options, a Net or a Space
    options: those of a space by its name, as keywords

    Raises `UnknownName` with near names, of spaces and of options; `SpecError` for an option of
    another kind; `SearchError` for a text that cannot be read.

    >>> space = space_of("nasbench201:width=8")
    >>> space.size, space.net("432121").plan().rows[0].output
    (15625, (8, 32, 32))
    """
    if not isinstance(space, str):
        return make(space, **options)
    name, _, rest = space.partition(":")
    if rest and name not in registry.names() and not name.endswith(".json") and is_code(space):
        return make(_imported(space), **options)
    written = keywords(rest, "the space")
    if twice := ", ".join(sorted(written.keys() & options.keys())):
        raise SearchError(f"{twice} of {space} is given twice, in the text and as a keyword")
    return make(_read(name) if name.endswith(".json") else name, **written, **options)


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
