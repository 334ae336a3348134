"""What a study is of: what all its sessions, here and on other machines, have in common."""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import sha256
from typing import Any

from netwright.space.search_space import Space

__all__ = ["SPLIT", "difference", "identity"]

SPLIT = "split seed"
"""What evaluators that split images by a seed call it."""


def identity(space: Space, evaluator: object) -> dict[str, str]:
    """The space, its budget, and what the evaluator says of itself by its method `identity`: a
    text about its data, or several by name.
    """
    code = space.within("").example()
    choices = repr((space.digits, space.net(code).hash))
    digest = sha256(choices.encode()).hexdigest()[:12]
    own: Any = getattr(evaluator, "identity", None)
    words = own() if callable(own) else "a function"
    return {"space": f"{space.name} ({digest})", "budget": str(space.budget) or "none",
            **(words if isinstance(words, dict) else {"data": str(words)})}  # fmt: skip


def difference(begun: Mapping[str, str], got: Mapping[str, str]) -> str:
    """The first thing in which two differ, with what it is in both; empty where they are alike.

    >>> difference({"space": "mobile", "epochs": "10"}, {"space": "mobile", "epochs": "3"})
    'epochs 10, got 3'
    """
    for word in {**begun, **got}:
        before, now = begun.get(word, "unknown"), got.get(word, "unknown")
        if before != now:
            return f"{word} {_short(before)}, got {_short(now)}"
    return ""


def _short(text: str) -> str:
    return text if len(text) <= 80 else f"{text[:77]}..."
