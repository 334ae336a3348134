"""NAS-Bench-201's space: a cell of six edges, 15 times in a net for CIFAR."""

from __future__ import annotations

from collections import Counter
from functools import cache
from itertools import product
from typing import Any, ClassVar, TypeAlias

from netwright.blocks.conv import conv_norm
from netwright.blocks.edge_cell import EdgeCell, cell_edges, live_edges
from netwright.core.net import Net
from netwright.core.shape import Shape
from netwright.core.spec import Spec
from netwright.core.wiring import Sequential, Sum
from netwright.errors import SpecError
from netwright.nets.heads import pooled
from netwright.space.registry import named
from netwright.space.search_space import Digit, Digits, Space
from netwright.units.activation import ReLU
from netwright.units.conv import Conv
from netwright.units.norm import BatchNorm
from netwright.units.pool import AvgPool

__all__ = ["OPERATIONS", "NasBench201", "expression"]

OPERATIONS = ("none", "skip_connect", "conv_1x1", "conv_3x3", "avg_pool_3x3")
"""What an edge can do, in the order of the digits of a code."""
NONE, SKIP = 0, 1
EDGES = cell_edges(6)
PATHS = [path for length in range(4) for path in product((2, 3, 4), repeat=length)]
"""The sequences of operations that a path through a cell can have (White et al. 2019, BANANAS,
arXiv:1910.11858)."""
WORK = {"skip_connect": 0, "avg_pool_3x3": 1, "conv_1x1": 10, "conv_3x3": 100}
"""What an operation costs beside another, roughly."""

Expression: TypeAlias = tuple[tuple[Any, ...], ...]
"""A sum: its terms in order, each (operation, sum it is applied to); () is the cell's input."""


@named("nasbench201")
class NasBench201(Space):
    """The cells of NAS-Bench-201 (Dong & Yang 2020, arXiv:2001.00326) in its net for CIFAR.

    Digit i of a code is the operation on edge i of 0-1, 0-2, 1-2, 0-3, 1-3, 2-3: none, skip,
    1x1 or 3x3 convolution (ReLU, convolution, normalisation), or average pool. The net is a 3x3
    stem, three stages of `depth` cells with a residual block of stride 2 before the second and
    the third, which double the width, and a pooled head.

    Two cells are one function where the sums of paths that they compute are the same: 4,930 of
    15,625 (6,466 where zeros are not taken out of sums). As in the paper's own count, a value used
    twice is the same as two made alike; of such cells the one that shares least stands for all.

    >>> space = NasBench201()
    >>> net = space.net("432121")
    >>> net.plan().output, space.code(net)
    ((10,), '432121')
    >>> space.canonical("100030"), space.canonical("301123")
    ('000300', '330123')
    """

    sound: ClassVar[bool] = True

    def __init__(self, width: int = 16, depth: int = 5, classes: int = 10,
                 input: Shape = (3, 32, 32)) -> None:  # fmt: skip
        names = [f"{i}-{j}" for i, j in EDGES]
        super().__init__("nasbench201", [Digit(name, OPERATIONS) for name in names])
        self.depth, self.input = depth, input
        self._empty = _skeleton(width, classes)

    def build(self, choices: Digits) -> Net:
        cell = EdgeCell(tuple([OPERATIONS[choice] for choice in choices]))
        stage = Sequential(*[cell] * self.depth)
        spec = self._empty.put(stage1=stage, stage2=stage, stage3=stage)
        return Net(spec, self.input, f"{self.name}-{self.write(choices)}")

    def read(self, net: Net) -> Digits:
        cell = _cell(net)
        operations = cell.operations if cell is not None else ()
        choices = tuple([OPERATIONS.index(what) for what in operations if what in OPERATIONS])
        if len(choices) != len(EDGES) or self.build(choices).but(name=net.name) != net:
            raise SpecError(f"{net.name} is no net of {self.name}, or has another width, depth or "
                            "number of classes")  # fmt: skip
        return choices

    def reduced(self, choices: Digits) -> Digits:
        return _representatives()[expression(choices)]

    def described(self, choices: Digits) -> tuple[float, ...]:
        """How often each sequence of operations leads from the input to the output."""
        counts = Counter(_paths(expression(choices)))
        return tuple([float(counts[path]) for path in PATHS])


def _cell(net: Net) -> EdgeCell | None:
    """The cell of a net of cells; None in another net."""
    stage = dict(net.spec.parts).get("stage1") if isinstance(net.spec, Sequential) else None
    cell = stage[0] if isinstance(stage, Sequential) and len(stage) else None
    return cell if isinstance(cell, EdgeCell) else None


def _skeleton(width: int, classes: int) -> Sequential:
    """The net of figure 1 of the paper, its stages empty."""
    return Sequential(
        stem=conv_norm(width, 3),
        stage1=Sequential(),
        reduce1=_reduction(2 * width),
        stage2=Sequential(),
        reduce2=_reduction(4 * width),
        stage3=Sequential(),
        norm=BatchNorm(),
        act=ReLU(),
        head=pooled(classes),
    )


def _reduction(width: int) -> Spec:
    """The residual block between stages: activations first, a mean on its shortcut."""
    body = Sequential(
        act1=ReLU(), conv1=conv_norm(width, 3, 2), act2=ReLU(), conv2=conv_norm(width, 3)
    )
    return Sum(body=body, shortcut=Sequential(pool=AvgPool(2), conv=Conv(width, 1, bias=False)))


def expression(choices: Digits) -> Expression:
    """What a cell computes, as a sum of operations on sums: equal for cells that compute the
    same. Skips hand on their terms, edges from nothing have none, and terms go in order.

    >>> expression((0, 1, 3, 2, 0, 0)), expression((0, 0, 0, 2, 0, 1))
    (((2, ((),)),), ((2, ((),)),))
    """
    a, b, c, d, e, f = choices
    x: Expression = ((),)
    one = _sum((a, x))
    two = _sum((b, x), (c, one))
    return _sum((d, x), (e, one), (f, two))


def _sum(*edges: tuple[int, Expression]) -> Expression:
    terms = list[tuple[Any, ...]]()
    for operation, value in edges:
        if not value or operation == NONE:
            continue
        if operation == SKIP:
            terms.extend(value)
        else:
            terms.append((operation, value))
    return tuple(sorted(terms))


def _paths(value: Expression, behind: Digits = ()) -> list[Digits]:
    """The sequences of operations, without skips, by which the input reaches a value."""
    if value == ((),):
        return [behind]
    return [path for term in value for path in (
        _paths(term[1], (term[0], *behind)) if term else [behind])]  # fmt: skip


@cache
def _representatives() -> dict[Expression, Digits]:
    """What cells compute -> the cell of those that compute it which shares least, and then the one
    of the fewest edges.
    """
    best = dict[Expression, tuple[tuple[int, int, Digits], Digits]]()
    for choices in product(range(len(OPERATIONS)), repeat=len(EDGES)):
        live = live_edges(tuple([OPERATIONS[choice] for choice in choices]))
        work = sum(WORK[what] for _, _, what in live)
        rank = (-work, sum(choice != NONE for choice in choices), choices)
        key = expression(choices)
        if key not in best or rank < best[key][0]:
            best[key] = rank, choices
    return {key: choices for key, (_, choices) in best.items()}
