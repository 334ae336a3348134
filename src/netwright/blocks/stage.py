"""Stages: one block, many times."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, cast

from netwright.core.shape import Shape
from netwright.core.spec import Block, Spec
from netwright.core.wiring import Sequential
from netwright.errors import SpecError

__all__ = ["Stage"]


class Stage(Block):
    """`depth` times a block, the first with `stride`: (C, H, W) -> (width, H / s, W / s).

    Rates of stochastic depth (Huang et al. 2016, arXiv:1603.09382) rise in equal steps. A
    stride or rates need a block that has the field.

    block: the block that is repeated
    depth: how many times
    stride: that of the first
    drop: rates of stochastic depth of the first and of the last

    >>> from netwright import MBConv
    >>> Stage(MBConv(24), 2, stride=2).expand((16, 112, 112))
    Sequential(MBConv(24, stride=2), MBConv(24))
    """

    block: Spec
    depth: int
    stride: int = 1
    drop: tuple[float, float] = (0.0, 0.0)

    def check(self) -> None:
        for name in self._changes(0):
            if name not in self.block.field_names:
                raise SpecError(f"Stage: {type(self.block).__name__} has no {name}")
        self._block(0)
        self._block(self.depth - 1)

    def _changes(self, i: int) -> dict[str, Any]:
        changes: dict[str, Any] = {}
        if self.stride != 1 and i == 0:
            changes["stride"] = self.stride
        if any(self.drop):
            first, last = self.drop
            changes["drop"] = first + (last - first) * i / max(1, self.depth - 1)
        return changes

    def _block(self, i: int) -> Spec:
        changes = self._changes(i)
        return replace(cast("Any", self.block), **changes) if changes else self.block

    def expand(self, x: Shape) -> Spec:
        return Sequential(*[self._block(i) for i in range(self.depth)])
