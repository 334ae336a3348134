"""Motifs of motifs (Liu et al. 2018, arXiv:1711.00436)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from itertools import product
from typing import ClassVar

from netwright.blocks.conv import conv_norm_act
from netwright.blocks.edge_cell import cell_edges, live_edges
from netwright.blocks.motif import PRIMITIVES, Motif, MotifCell, leads
from netwright.blocks.separable import SeparableConv
from netwright.core.net import Net
from netwright.core.shape import Shape
from netwright.core.spec import Spec
from netwright.core.wiring import Sequential
from netwright.errors import nearest
from netwright.nets.heads import pooled
from netwright.space.canonical import Dag, canonical, flattened, placed, pruned
from netwright.space.chain import Chain, summed
from netwright.space.reading import ReadSpace, part
from netwright.space.registry import named
from netwright.space.search_space import Digit, Digits
from netwright.space.totals import Totals
from netwright.units.activation import ReLU
from netwright.units.norm import BatchNorm

__all__ = ["Hierarchical"]

NONE, IDLE = "none", "identity"


@named("hierarchical")
class Hierarchical(ReadSpace):
    """A graph of `top` nodes, each of whose edges is one of `motifs` graphs of `nodes` nodes, each
    of whose edges is one of six primitives; or none (section 2 of the paper, three levels).

    The first digits are the edges of the motifs, one after another, the others the motifs on the
    edges of the top graph, counted from 1; 0 is none. The net is that of the paper's search: a
    3x3 stem, three times the cell and a 3x3 separable convolution, the first two of stride 2 and
    twice the width each, a pooled head.

    Two codes are one function where the graphs are, once dead edges and identities are gone:
    whatever the order of nodes and motifs, and what stands in motifs that no edge takes.

    >>> Hierarchical().size == 7**36 * 7**10
    True
    >>> small = Hierarchical(motifs=1, nodes=3, top=2, primitives=("conv_1x1", "identity"))
    >>> small.size, len({small.canonical(code) for code in small.codes()})
    (54, 8)
    """

    sound: ClassVar[bool] = True

    def __init__(self, motifs: int = 6, nodes: int = 4, top: int = 5, width: int = 16,
                 classes: int = 10, input: Shape = (3, 32, 32),
                 primitives: tuple[str, ...] = tuple(PRIMITIVES)) -> None:  # fmt: skip
        for name in primitives:
            if name not in PRIMITIVES:
                raise nearest("primitive", name, PRIMITIVES)
        self.nodes, self.top = nodes, top
        self.width, self.classes, self.input = width, classes, input
        self.primitives = (NONE, *primitives)
        self.inner, self.outer = (cell_edges(n * (n - 1) // 2) for n in (nodes, top))
        self._chain = Chain()
        digits = [Digit(f"motif {i} edge {a}-{b}", self.primitives)
                  for i in range(1, motifs + 1) for a, b in self.inner]  # fmt: skip
        digits += [Digit(f"edge {a}-{b}", tuple(range(motifs + 1))) for a, b in self.outer]
        super().__init__("hierarchical", digits)

    def _levels(self, choices: Digits) -> tuple[list[tuple[str, ...]], Digits]:
        """The motifs' edges by name, and the motifs on the edges of the top graph."""
        end, step = len(choices) - len(self.outer), len(self.inner)
        names = [self.primitives[choice] for choice in choices[:end]]
        return [tuple(names[i : i + step]) for i in range(0, end, step)], choices[end:]

    def _cell(self, choices: Digits) -> MotifCell:
        motifs, edges = self._levels(choices)
        return MotifCell(tuple(motifs), edges, self.width)

    def legal(self, choices: Digits) -> bool:
        motifs, edges = self._levels(choices)
        lives = [leads(names) for names in motifs]
        return bool(live_edges(tuple(["motif" if i and lives[i - 1] else NONE for i in edges])))

    def _written(self) -> Iterator[str]:
        """All codes in order, but for those of motifs none of which leads anywhere."""
        end = len(self.digits) - len(self.outer)
        options = [range(len(digit.options)) for digit in self.digits]
        for first in product(*options[:end]):
            motifs, _ = self._levels((*first, *[0] * len(self.outer)))
            if any(map(leads, motifs)):
                yield from (self.write((*first, *last)) for last in product(*options[end:]))

    def build(self, choices: Digits) -> Net:
        return Net(self._net(self._cell(choices)), self.input, f"{self.name}-{self.write(choices)}")

    def _net(self, cell: MotifCell) -> Spec:
        """Figure 2 of the paper, the small one, of three cells."""
        parts: dict[str, Spec] = {"stem": conv_norm_act(self.width)}
        for i in range(3):
            parts[f"cell{i + 1}"] = MotifCell(cell.motifs, cell.edges, self.width * 2**i)
            parts[f"down{i + 1}"] = self._down(i)
        return Sequential(**parts, head=pooled(self.classes))

    def _down(self, i: int) -> Spec:
        """What follows cell `i`."""
        width, stride = (self.width * 2 ** (i + 1), 2) if i < 2 else (self.width * 4, 1)
        return SeparableConv(width, 3, stride, between=False, norm=BatchNorm(), act=ReLU())

    def totals(self, code: str) -> Totals:
        """Sums over the edges of the cells, each motif planned once at every width it is given."""
        motifs, edges = self._levels(self.choices(code))
        x, stem = self._chain.part(self.input, "stem", lambda: conv_norm_act(self.width))
        costs = [stem]
        for i in range(3):
            x, own = self._cell_totals(x, motifs, edges, self.width * 2**i)
            costs += own
            x, down = self._chain.part(x, ("down", i), partial(self._down, i))
            costs.append(down)
        return summed([*costs, self._chain.part(x, "head", lambda: pooled(self.classes))[1]])

    def _cell_totals(
        self, x: Shape, motifs: Sequence[tuple[str, ...]], edges: Digits, width: int
    ) -> tuple[Shape, list[Totals]]:
        """The shape that a cell makes of `x`, and what each of its edges costs."""
        names = dict(zip(self.outer, [motifs[i - 1] if i else () for i in edges], strict=True))
        channels, costs = {0: x[0]}, list[Totals]()
        words = tuple(["motif" if leads(motif) else NONE for motif in names.values()])
        for a, b, _ in live_edges(words):
            channels[b] = channels.get(b, 0) + channels[a]
            key = (names[a, b], width)
            costs.append(self._chain.part((channels[a], *x[1:]), key, partial(Motif, *key))[1])
        return (channels[self.top - 1], *x[1:]), costs

    def parsed(self, net: Net) -> list[int]:
        cell = part(net, MotifCell, "cell1")
        names = [name for motif in cell.motifs for name in motif]
        return [*[self.primitives.index(name) for name in names], *cell.edges]

    def reduced(self, choices: Digits) -> Digits:
        motifs, edges = self._levels(choices)
        forms = [self._form(names) for names in motifs]
        kinds = sorted({form for form in forms if form is not None})
        word = {form: f"{place:03}" for place, form in enumerate(kinds)}
        names = [word[form] if motif and (form := forms[motif - 1]) is not None else NONE
                 for motif in edges]  # fmt: skip
        cell = _graph(names, self.outer, self.top, idle="")
        if cell is None:
            return choices
        used = sorted({name for reads in cell[0] for name, _ in reads})
        nodes = [tuple([(f"{used.index(name):03}", a) for name, a in reads]) for reads in cell[0]]
        top = placed(canonical(nodes, cell[1]), self.top, "")
        assert top is not None  # without identities nothing needs room
        code = [self.primitives.index(name) for name in used for name in kinds[int(name)]]
        code += [0] * (len(motifs) * len(self.inner) - len(code))
        return (*code, *[int(top[edge]) + 1 if edge in top else 0 for edge in self.outer])

    def _form(self, names: Sequence[str]) -> tuple[str, ...] | None:
        """The edges that stand for all motifs that are the same graph; None where it is none."""
        graph = _graph(names, self.inner, self.nodes, idle=IDLE)
        if graph is None:
            return None
        edges = placed(canonical(*flattened(graph, IDLE)), self.nodes, IDLE)
        assert edges is not None  # the motif itself has room
        return tuple([edges.get(edge, NONE) for edge in self.inner])


def _graph(
    names: Sequence[str], edges: Sequence[tuple[int, int]], nodes: int, idle: str
) -> Dag | None:
    reads: list[list[tuple[str, int]]] = [[] for _ in range(nodes)]
    for (a, b), name in zip(edges, names, strict=True):
        reads[b].append((name, a))
    return pruned([tuple(own) for own in reads[1:]], (nodes - 1,), zero=NONE, idle=idle)
