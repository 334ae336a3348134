"""NAS-Bench-201's space: a cell of six edges, 15 times in a net for CIFAR."""

from __future__ import annotations

from functools import cache
from itertools import product

from netwright.blocks.conv import conv_norm
from netwright.blocks.edge_cell import EdgeCell, cell_edges
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
WORK = (0, 0, 1, 9, 0)
"""What an operation costs beside another."""

Expression = tuple["Expression | int", ...]
"""A sum: its terms in order, each (operation, sum it is applied to); () is the cell's input."""


@named("nasbench201")
class NasBench201(Space):
    """The cells of NAS-Bench-201 (Dong & Yang 2020, arXiv:2001.00326) in its net for CIFAR.

    Digit i of a code is the operation on edge i of 0-1, 0-2, 1-2, 0-3, 1-3, 2-3: none, skip,
    1x1 or 3x3 convolution (ReLU, convolution, normalisation), or average pool. The net is a 3x3
    stem, three stages of `depth` cells with a residual block of stride 2 before the second and
    the third, which double the width, and a pooled head.

    Two cells are one function where the sums of paths that they compute are the same: 4,930 of
    15,625 (6,466 where zeros are not taken out of sums). As in the paper's own count, a value
    used twice is the same as two made alike.

    >>> space = NasBench201()
    >>> net = space.net("432121")
    >>> net.plan().output, space.code(net)
    ((10,), '432121')
    >>> space.canonical("002012") == space.canonical("000010"), space.canonical("100030")
    (True, '000300')
    """

    def __init__(self, width: int = 16, depth: int = 5, classes: int = 10,
                 input: Shape = (3, 32, 32)) -> None:  # fmt: skip
        names = [f"{i}-{j}" for i, j in EDGES]
        super().__init__("nasbench201", [Digit(name, OPERATIONS) for name in names])
        self.width, self.depth, self.classes, self.input = width, depth, classes, input

    def build(self, choices: Digits) -> Net:
        cell = EdgeCell(tuple([OPERATIONS[choice] for choice in choices]))
        return Net(self._skeleton(cell), self.input, f"nasbench201-{self.write(choices)}")

    def read(self, net: Net) -> Digits:
        try:
            cell = net.spec.part("stage1").part("0")  # type: ignore[attr-defined]
            choices = tuple([OPERATIONS.index(what) for what in cell.operations])
        except (AttributeError, LookupError, ValueError):
            choices = None
        if choices is None or self.build(choices).spec != net.spec:
            raise SpecError(f"{net.name} is no net of {self.name}, or has another width, depth or "
                            "number of classes")  # fmt: skip
        return choices

    def _skeleton(self, cell: Spec) -> Spec:
        """Figure 1 of the paper."""
        parts: dict[str, Spec] = {"stem": conv_norm(self.width, 3)}
        for stage in range(3):
            width = self.width * 2**stage
            if stage:
                parts[f"reduce{stage}"] = _reduction(width)
            parts[f"stage{stage + 1}"] = Sequential(*[cell] * self.depth)
        return Sequential(**parts, norm=BatchNorm(), act=ReLU(), head=pooled(self.classes))

    def reduced(self, choices: Digits) -> Digits:
        return _representatives()[expression(choices)]


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
    terms = list[Expression]()
    for operation, value in edges:
        if not value or operation == NONE:
            continue
        if operation == SKIP:
            terms.extend(value)  # type: ignore[arg-type]
        else:
            terms.append((operation, value))
    return tuple(sorted(terms))


@cache
def _representatives() -> dict[Expression, Digits]:
    """What cells compute -> the cheapest of those that compute it."""
    best = dict[Expression, tuple[int, int, Digits]]()
    for choices in product(range(len(OPERATIONS)), repeat=len(EDGES)):
        work = sum(WORK[choice] for choice in choices)
        rank = (work, sum(choice != NONE for choice in choices), choices)
        known = best.setdefault(expression(choices), rank)
        if rank < known:
            best[expression(choices)] = rank
    return {what: choices for what, (_, _, choices) in best.items()}
