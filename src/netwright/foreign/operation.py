"""The unit of a row for which the algebra has no class."""

from __future__ import annotations

from netwright.core.spec import Unit

__all__ = ["Operation"]


class Operation(Unit, abstract=True):
    """An operation of a foreign module, known by its name only: `einsum`, `pad`, `roi_pool`.

    Its row says what it took, made and cost; as a unit it can be shown, not built.
    """

    name: str

    @property
    def label(self) -> str:
        return self.name
