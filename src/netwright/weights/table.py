"""What other libraries call the weights of a net: tables of patterns, and how they are read.

A table has one rule a line; the first that matches wins.

    stage{i}.{j}   features.stage{i}.unit{j+1}   a prefix of our key, and of theirs
    .body.{x}      .{x}                          the rest behind the prefixes above, if it matches
    .reduce        -                             nothing stands for it there
    norm = bn                                    single words of what is still left, anywhere
    head.fc1       pre_logits.fc1     7x7        their weight is a convolution with that kernel
    head.conv      output.fc          flat       their weight is dense, ours a 1x1 convolution

`{i}`, `{j}`, `{k}`, `{l}` are numbers, any other name is a word between dots, `{x=se}` that word
alone. On their side stand `{j+1}`, `{2i-1}`, `{j:bcd}` (the letter at place j; `{j:0.0,1.0}` with
commas the word there), `{#x}` (the place of part x among its neighbours), and three numbers of
where the key is: `{n}` blocks begun so far (`stage2.0` is one), `{part}` of the net's parts,
`{row}` of the plan.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, cached_property

from torch import Tensor

from netwright.core.net import Net

__all__ = ["Place", "Table", "Where", "read"]

NUMBERS = frozenset("ijkl")
BLOCK = re.compile(r"(stage\d+|body)\.\d+(?=\.)")


@dataclass(frozen=True)
class Place:
    """Where a weight of ours is in another library: its key, and the kernel of a convolution
    that holds it there; 0 where their weight is dense and ours a 1x1 convolution.
    """

    key: str
    kernel: int | None = None

    def shape(self, ours: tuple[int, ...]) -> tuple[int, ...]:
        """The shape it has there."""
        if self.kernel is None:
            return ours
        if self.kernel == 0:
            return ours[:2]
        *out, last = ours
        return (*out, last // self.kernel**2, self.kernel, self.kernel)

    def ours(self, theirs: Tensor) -> Tensor:
        """Their tensor in our shape."""
        if self.kernel is None or theirs.dim() < 2:
            return theirs
        return theirs[..., None, None] if self.kernel == 0 else theirs.flatten(-3)


@dataclass(frozen=True)
class _Rule:
    pattern: re.Pattern[str]
    theirs: str
    kernel: int | None = None


@dataclass(frozen=True)
class Table:
    """Rules in groups, prefixes and what is behind them, and words."""

    groups: tuple[tuple[list[_Rule], list[_Rule]], ...]
    words: Mapping[str, str]

    def place(self, key: str, where: Where) -> Place | None:
        """Their key for ours; None where no rule matches."""
        for heads, tails in self.groups:
            head = _first(heads, key)
            if head:
                rule, match = head
                rest = key[match.end() :]
                theirs, kernel = _filled(rule.theirs, match, _At(where, key)), rule.kernel
                tail = _first(tails, rest)
                if tail:
                    rule, inner = tail
                    theirs += _filled(rule.theirs, inner, _At(where, key, match.end()))
                    rest, kernel = rest[inner.end() :], rule.kernel
                shaped = rest in ("", ".weight")
                return Place(theirs + self.spoken(rest), kernel if shaped else None)
        return None

    def spoken(self, rest: str) -> str:
        """Words one by one."""
        return ".".join(self.words.get(word, word) for word in rest.split("."))


def _first(rules: list[_Rule], text: str) -> tuple[_Rule, re.Match[str]] | None:
    matched = ((rule, rule.pattern.match(text)) for rule in rules)
    return next(((rule, match) for rule, match in matched if match), None)


class Where:
    """Places of keys in a net, counted over the rows of its plan."""

    def __init__(self, net: Net) -> None:
        self.paths = [row.path for row in net.plan().rows]

    @cached_property
    def rows(self) -> dict[str, int]:
        return {path: i for i, path in enumerate(self.paths)}

    @cached_property
    def children(self) -> dict[str, dict[str, int]]:
        """Path -> its parts -> their places."""
        parts: dict[str, dict[str, int]] = {"": {}}
        for path in self.paths:
            above = ""
            for word in path.split("."):
                siblings = parts.setdefault(above, {})
                siblings.setdefault(word, len(siblings))
                above = f"{above}.{word}" if above else word
        return parts

    @cached_property
    def begun(self) -> dict[str, int]:
        """Part or block -> blocks begun when it begins, itself included."""
        begun: dict[str, int] = {}
        blocks = 0
        for path in self.paths:
            block = BLOCK.match(path)
            name = block[0] if block else path.partition(".")[0]
            if name not in begun:
                blocks += block is not None
                begun[name] = blocks
        return begun


@dataclass(frozen=True)
class _At:
    """A key, and where in it the piece begins that is being translated."""

    where: Where
    key: str
    offset: int = 0

    def number(self, name: str) -> int:
        part = self.key.partition(".")[0]
        if name == "part":
            return self.where.children[""][part]
        if name == "row":
            return self.where.rows[self.key.rpartition(".")[0]]
        block = BLOCK.match(self.key)
        return self.where.begun[block[0] if block else part]

    def rank(self, start: int, name: str) -> int:
        """The place of the part `name`, which begins at `start`, among its neighbours."""
        above = self.key[: self.offset + start].rstrip(".")
        return self.where.children[above][name]


_BLANK = re.compile(r"\{(#?)(\d*)([a-z]+)([+-]\d+)?(?::([^}]+))?\}")


def _filled(theirs: str, match: re.Match[str], at: _At) -> str:
    given = match.groupdict()

    def value(blank: re.Match[str]) -> str:
        rank, factor, name, offset, choice = blank.groups()
        if rank:
            return str(at.rank(match.start(name), given[name]) + int(offset or 0))
        if name in given and name not in NUMBERS:
            return given[name]
        number = int(given[name]) if name in given else at.number(name)
        number = int(factor or 1) * number + int(offset or 0)
        if not choice:
            return str(number)
        return (choice.split(",") if "," in choice else choice)[number]

    return _BLANK.sub(value, theirs)


def _pattern(ours: str) -> re.Pattern[str]:
    def group(blank: re.Match[str]) -> str:
        name, word = blank.groups()
        inner = word or (r"\d+" if name in NUMBERS else r"[^.]+")
        return f"(?P<{name}>{inner})"

    body = re.sub(r"\\\{(\w+)(?:=(\w+))?\\\}", group, re.escape(ours))
    return re.compile(body + r"(?=\.|$)")


@cache
def read(text: str) -> Table:
    """The table of a text."""
    groups: list[tuple[list[_Rule], list[_Rule]]] = []
    words: dict[str, str] = {}
    for line in filter(str.strip, text.splitlines()):
        ours, theirs, *shape = line.split()
        if theirs == "=":
            words[ours] = shape[0]
            continue
        kernel = None if not shape else 0 if shape[0] == "flat" else int(shape[0].split("x")[0])
        rule = _Rule(_pattern(ours), "" if theirs == "-" else theirs, kernel)
        if ours.startswith("."):
            groups[-1][1].append(rule)
        elif groups and not groups[-1][1]:
            groups[-1][0].append(rule)
        else:
            groups.append(([rule], []))
    return Table(tuple(groups), words)
