"""Rectangles and lines in a plane: what layouts make and drawings are made from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

__all__ = ["Corners", "Mark", "Scene", "Wire"]

LETTER = 6.2
"""Width of a letter of the words at a line."""

Corners = tuple[tuple[float, float], ...]


class Mark(NamedTuple):
    """A rectangle, and what it stands for."""

    x: float
    y: float
    width: float
    height: float
    what: Any


class Wire(NamedTuple):
    """A line through corners, the words at its start, and whether it ends in an arrow."""

    corners: Corners
    words: str
    arrow: bool


@dataclass(frozen=True)
class Scene:
    """What is drawn in a rectangle, and where lines come in at its top and leave at its bottom.

    `says` are the words at the lines that leave. Arrows point into one that is `closed`; into
    another, lines go on.
    """

    width: float = 0.0
    height: float = 0.0
    inlets: tuple[float, ...] = (0.0,)
    outlets: tuple[float, ...] = (0.0,)
    says: tuple[str, ...] = ("",)
    marks: tuple[Mark, ...] = ()
    wires: tuple[Wire, ...] = ()
    closed: bool = False

    @property
    def reach(self) -> float:
        """Its width with the words at the lines that leave it."""
        ends = [
            x + 9 + LETTER * len(words) for x, words in zip(self.outlets, self.says, strict=True)
        ]
        return max([self.width, *ends])

    def drawn(self, x: float, y: float) -> tuple[tuple[Mark, ...], tuple[Wire, ...]]:
        """Its marks and wires, when its corner stands at (x, y)."""
        marks = tuple([mark._replace(x=mark.x + x, y=mark.y + y) for mark in self.marks])
        wires = tuple([
            wire._replace(corners=tuple([(a + x, b + y) for a, b in wire.corners]))
            for wire in self.wires
        ])  # fmt: skip
        return marks, wires
