"""A search with shared weights in a file, after every epoch, from which it goes on."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from netwright.train.checkpoint import read_checkpoint, write_checkpoint

__all__ = ["Part", "Saved"]

Part = tuple[Callable[[], Any], Callable[[Any], object]]
"""What gives the state of a part as a checkpoint can hold it, and what goes back to one."""


class Saved:
    """The parts of a search and its history; those of the file where there is one.

    file: where they are; None keeps nothing
    parts: what has a state, by name
    """

    def __init__(self, file: Path | None, **parts: Part) -> None:
        self.file, self.parts = file, parts
        self.history: list[dict[str, Any]] = []
        if file is not None and file.is_file():
            state = read_checkpoint(file)
            self.history += state["history"]
            for name, (_, restore) in parts.items():
                restore(state[name])

    def add(self, row: dict[str, Any]) -> None:
        """Keeps the state after an epoch, whose row of the history this is."""
        self.history.append(row)
        if self.file is not None:
            state = {name: state() for name, (state, _) in self.parts.items()}
            self.file.parent.mkdir(parents=True, exist_ok=True)
            write_checkpoint(self.file, {**state, "history": self.history})
