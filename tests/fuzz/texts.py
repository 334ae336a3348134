"""Random values and texts that nobody would write, for every fuzzer."""

from __future__ import annotations

from random import Random
from typing import Any

from netwright.errors import NetwrightError

NAMES = (
    "a", "0", "1", "00", "self", "net", "input", "input0", "join", "class", "None", "nn", "torch",
    "x y", "a.b", "", "_a", "²", "\ufb01", '"""', "'''#", '"+boom()+"', "y=1;boom()#", "\\",
    "\x1b[31m", "\n", "\x00", "\ud800", "\u202e", "<b>", "]]>", "{boom()}", "%s", "../../x",
    "a" * 5000,
)  # fmt: skip
"""Names of parts and nets."""
NUMBERS = (
    -(10**30), -1, 0, 1, 2, 3, 5, 7, 16, 64, 224, 2**16, 2**31, 2**63, 10**20, 10**400,
    -0.5, 0.0, 0.5, 1.0, 1.5, 1e308, 5e-324, float("inf"), float("nan"),
)  # fmt: skip


def value(random: Random, depth: int = 0) -> Any:
    """A value of JSON: a number, a text, a list of some, nested; or none."""
    kind = random.randrange(8 if depth < 4 else 6)
    if kind < 3:
        return random.choice(NUMBERS)
    if kind == 3:
        return random.choice(NAMES)
    if kind == 4:
        return random.choice((True, False, None))
    if kind == 5:
        return random.choice(("same", "valid", "full", "mean", "max", "zeros", "first"))
    if kind == 6:
        return [value(random, depth + 1) for _ in range(random.randrange(4))]
    return {random.choice(NAMES): value(random, depth + 1) for _ in range(random.randrange(3))}


def deep(depth: int, core: Any = None) -> list[Any]:
    """Lists in lists."""
    nest = [core]
    for _ in range(depth):
        nest = [nest]
    return nest


def is_told(error: NetwrightError) -> None:
    """A message is short, and can be printed."""
    message = str(error)
    assert len(message) < 4000, message[:200]
    assert message.replace("\n", "").isprintable(), ascii(message)
