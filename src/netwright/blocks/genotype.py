"""Genotypes: what a search over cells finds, as data.

A cell computes states. States 0 and 1 are the maps it is given: of the cell before the last,
and of the last. Every node adds one state, the sum of operations on states before it; some
states side by side are the cell's output (Zoph et al. 2017, arXiv:1707.07012, section 3).
"""

from __future__ import annotations

from typing import Any, cast

from netwright.blocks.edge import OPERATIONS
from netwright.core.spec import Value
from netwright.errors import SpecError, nearest

__all__ = ["CellGenotype", "Genotype"]

INPUTS = 2
"""States that a cell is given."""


class CellGenotype(Value):
    """The nodes of a cell and the states that its output concatenates.

    A node is one or more pairs (operation, state), such as `("sep_conv_3x3", 0)`; `concat`
    None stands for the states that no node reads.

    Raises `SpecError` for unknown operations, for states that are not there yet, and for
    nodes whose state nobody reads.

    >>> cell = CellGenotype(((("sep_conv_3x3", 0), ("identity", 1)), (("max_pool_3x3", 2),)))
    >>> print(cell)
    2 = sep_conv_3x3(0) + identity(1)
    3 = max_pool_3x3(2)
    out = 3
    """

    nodes: tuple[tuple[tuple[str, int], ...], ...]
    concat: tuple[int, ...] | None = None

    def check(self) -> None:
        if not _filled(self.nodes):
            raise SpecError(f"CellGenotype: nodes is {self.nodes!r}, wanted one or more nodes")
        for state, node in enumerate(self.nodes, INPUTS):
            if not _filled(node):
                raise SpecError(f"CellGenotype: node {state} is {node!r}, wanted one or more "
                                "pairs of an operation and a state")  # fmt: skip
            for pair in node:
                self._check_pair(state, pair)
        self._check_concat()

    def _check_pair(self, state: int, pair: Any) -> None:
        operation, source = pair
        if operation not in OPERATIONS:
            raise SpecError(f"CellGenotype: node {state}: "
                            f"{nearest('operation', str(operation), OPERATIONS)}")  # fmt: skip
        if source >= state:
            raise SpecError(f"CellGenotype: node {state} reads state {source!r}, "
                            f"there are 0 to {state - 1}")  # fmt: skip

    def _check_concat(self) -> None:
        states = range(INPUTS + len(self.nodes))
        concat = self.concat
        if concat is not None and not (
            _filled(concat) and len({*concat}) == len(concat) and all(s in states for s in concat)
        ):
            raise SpecError(f"CellGenotype: concat is {concat!r}, wanted different states "
                            f"from 0 to {states[-1]}")  # fmt: skip
        if lost := {*self._unread()} - {*self.output}:
            raise SpecError(f"CellGenotype: nobody reads node {min(lost)}, and concat leaves it "
                            f"out; leave out the node or add {min(lost)} to concat")  # fmt: skip

    def _unread(self) -> tuple[int, ...]:
        """Nodes whose state no other node reads."""
        read = {source for node in self.nodes for _, source in node}
        return tuple([s for s in range(INPUTS, INPUTS + len(self.nodes)) if s not in read])

    @property
    def output(self) -> tuple[int, ...]:
        """The states that the output concatenates."""
        return self._unread() if self.concat is None else self.concat

    def __str__(self) -> str:
        lines = [
            f"{state} = {' + '.join(f'{operation}({source})' for operation, source in node)}"
            for state, node in enumerate(self.nodes, INPUTS)
        ]
        return "\n".join([*lines, f"out = {', '.join(map(str, self.output))}"])


class Genotype(Value):
    """Two cells: the `normal` one, which keeps the size of its maps, and the `reduction` one,
    which halves it.
    """

    normal: CellGenotype
    reduction: CellGenotype

    def __str__(self) -> str:
        return f"normal\n{self.normal}\nreduction\n{self.reduction}"


def _filled(value: Any) -> bool:
    """Whether it is a tuple of at least one item."""
    return isinstance(value, tuple) and len(cast("tuple[Any, ...]", value)) > 0
