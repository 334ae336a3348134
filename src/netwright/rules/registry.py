"""The names of rules, and how `widen:2` is read."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from fnmatch import fnmatchcase
from functools import partial
from typing import Any

from netwright.core.lazy import load
from netwright.core.net import Net
from netwright.core.rewrite import Rule
from netwright.core.spec import SPECS, Spec
from netwright.errors import RuleError, SpecError, nearest
from netwright.nets.catalogue import load as load_specs

__all__ = ["find", "named", "names", "rule", "usage"]

NUMBERS = {"int": ((int,), "an integer"), "float": ((int, float), "a number")}
"""What the parameters of rules that are numbers take, by their annotation."""

_changes: dict[str, Callable[..., Net]] = {}


def named(name: str) -> Callable[[Callable[..., Net]], Callable[..., Net]]:
    """Registers the decorated function of a net and a few arguments as a rule."""

    def register(change: Callable[..., Net]) -> Callable[..., Net]:
        _changes[name] = change
        return change

    return register


def _load() -> None:
    load(__name__.rpartition(".")[0])


def names(pattern: str = "*") -> list[str]:
    """Names of all rules that match a shell pattern, sorted.

    >>> names("stem-*")
    ['stem-3x3', 'stem-stride-1']
    """
    _load()
    return sorted(name for name in _changes if fnmatchcase(name, pattern))


def rule(name: str, *arguments: Any) -> Rule:
    """The rule of that name with its arguments.

    Raises `UnknownName` with near names, `RuleError` for arguments it does not take.

    >>> import netwright as nw
    >>> nw.net("resnet18").rewrite(rule("widen", 2)).plan().output
    (1000,)
    """
    _load()
    if name not in _changes:
        raise nearest("rule", name, _changes)
    change = _changes[name]
    takes = list(inspect.signature(change).parameters.values())[1:]
    least = sum(parameter.default is parameter.empty for parameter in takes)
    if not least <= len(arguments) <= len(takes):
        wanted = ", ".join(parameter.name for parameter in takes) or "nothing"
        raise RuleError(f"rule {name} takes {wanted}; got {len(arguments)} arguments")
    for parameter, given in zip(takes, arguments, strict=False):
        numbers = NUMBERS.get(parameter.annotation)
        if numbers and not isinstance(given, numbers[0]):
            raise RuleError(f"{name}: {parameter.name} is {given!r}, wanted {numbers[1]}")

    def changed(net: Net) -> Net:
        try:
            return partial(change, net)(*arguments)
        except (RuleError, SpecError) as error:
            raise type(error)(f"{name}: {error}") from None

    label = ":".join([name, ",".join(map(_word, arguments))]) if arguments else name
    return Rule(label, _about(change), changed)


def usage(name: str) -> tuple[str, str]:
    """How the rule of that name is written, and what it does.

    >>> usage("aux-head")[0]
    'aux-head:PATH[,WEIGHT=0.3]'
    """
    _load()
    text, colon = name, ":"
    for parameter in list(inspect.signature(_changes[name]).parameters.values())[1:]:
        word = colon + parameter.name.upper()
        if parameter.default is not parameter.empty:
            word = f"[{word}={_word(parameter.default)}]"
        text, colon = text + word, ","
    return text, _about(_changes[name])


def _about(change: Callable[..., Net]) -> str:
    """The first paragraph of its docstring."""
    return (inspect.getdoc(change) or "").partition("\n\n")[0].replace("\n", " ")


def find(text: str) -> Rule:
    """The rule that a text such as `no-first-pool`, `widen:1.5` or `act:GELU` names.

    Arguments follow a colon, separated by commas: numbers, paths, or names of units and
    blocks that need no argument of their own.
    """
    name, _, given = text.partition(":")
    return rule(name, *[_argument(word.strip()) for word in given.split(",") if word.strip()])


def _argument(word: str) -> Any:
    for kind in (int, float):
        try:
            return kind(word)
        except ValueError:
            continue
    load_specs()
    if word not in SPECS:
        return word
    try:
        return SPECS[word]()
    except TypeError:
        raise RuleError(f"{word} needs arguments of its own; give it from Python") from None


def _word(value: Any) -> str:
    return type(value).__name__ if isinstance(value, Spec) else str(value)
