"""The macro space: a chain of layers with skip connections between any two."""

from __future__ import annotations

from functools import cached_property, partial
from typing import ClassVar

from netwright.blocks.conv import conv_norm_act
from netwright.blocks.edge import Edge
from netwright.core.graph import Graph, Node
from netwright.core.join import Cat
from netwright.core.net import Net
from netwright.core.shape import Shape
from netwright.core.spec import Spec
from netwright.core.wiring import Sequential
from netwright.errors import SpecError
from netwright.nets.heads import pooled
from netwright.space.chain import Chain, summed
from netwright.space.reading import ReadSpace, part
from netwright.space.registry import named
from netwright.space.search_space import Digit, Digits
from netwright.space.totals import Totals
from netwright.units.pool import MaxPool

__all__ = ["OPERATIONS", "MacroSpace"]

OPERATIONS = ("conv_3x3", "conv_5x5", "sep_conv_3x3", "sep_conv_5x5", "avg_pool_3x3",
              "max_pool_3x3")  # fmt: skip
"""The six operations of ENAS's macro space."""


@named("macro")
class MacroSpace(ReadSpace):
    """`layers` layers in a row, each one of six operations, that read the one before them and any
    earlier ones side by side (Zoph & Le 2016, arXiv:1611.01578; Pham et al. 2018,
    arXiv:1802.03268, section 2.3).

    A code has, layer after layer, the operation and a digit an earlier layer but the last: 1 where
    it is read too. All layers are `width` channels wide; a max pool halves the maps after a third
    and two thirds of the layers, also on the way to those that read them later. No two codes are
    one function: the chain leaves no other order, and every operation changes what it is given.

    >>> MacroSpace().size == 6**12 * 2**55
    True
    """

    sound: ClassVar[bool] = True

    def __init__(self, layers: int = 12, width: int = 36, classes: int = 10,
                 input: Shape = (3, 32, 32)) -> None:  # fmt: skip
        if type(layers) is not int or layers < 1:
            raise SpecError(f"macro: layers is {layers!r}, wanted an integer of at least 1")
        self.layers, self.width, self.classes, self.input = layers, width, classes, input
        self._chain = Chain()
        digits = list[Digit]()
        for layer in range(1, layers + 1):
            digits.append(Digit(f"layer {layer}", OPERATIONS))
            digits += [Digit(f"skip {i}-{layer}", (False, True)) for i in range(1, layer - 1)]
        super().__init__("macro", digits)

    def build(self, choices: Digits) -> Net:
        digits, parts = iter(choices), dict[str, Spec]()
        parts["stem"] = conv_norm_act(self.width)
        for layer in range(1, self.layers + 1):
            edge = Edge(OPERATIONS[next(digits)], self.width)
            skips = [i for i in range(1, layer - 1) if next(digits)]
            before = [f"layer{layer - 1}"] if layer > 1 else ["stem"]
            reads = [*[f"layer{i}" for i in skips], *before]
            names = [self._halved(parts, name, layer) for name in reads]
            whole = Sequential(cat=Cat(), operation=edge) if len(names) > 1 else edge
            parts[f"layer{layer}"] = Node(whole, *names)
        graph = Graph(**parts, head=pooled(self.classes))
        return Net(graph, self.input, f"{self.name}-{self.write(choices)}")

    def totals(self, code: str) -> Totals:
        """Sums over layers, each operation planned once at every width and size it is given."""
        digits, costs = iter(self.choices(code)), [self._stem[1]]
        halved = set[tuple[int, int]]()
        for layer in range(1, self.layers + 1):
            operation, third = OPERATIONS[next(digits)], self._third(layer)
            reads = [layer - 1, *[i for i in range(1, layer - 1) if next(digits)]]
            halved |= {(i, t) for i in reads for t in range(self._third(max(i, 1)), third)}
            x = (self.width * len(reads), *self._maps[third][0][1:])
            edge = partial(Edge, operation, self.width)
            costs.append(self._chain.part(x, operation, edge)[1])
        costs += [self._maps[third][1] for _, third in halved]
        x = self._maps[self._third(self.layers)][0]
        costs.append(self._chain.part(x, "head", lambda: pooled(self.classes))[1])
        return summed(costs)

    @cached_property
    def _stem(self) -> tuple[Shape, Totals]:
        return self._chain.part(self.input, "stem", lambda: conv_norm_act(self.width))

    @cached_property
    def _maps(self) -> list[tuple[Shape, Totals]]:
        """The maps of every third of the layers, and what it costs to halve one."""
        maps, x = list[tuple[Shape, Totals]](), self._stem[0]
        for _ in range(self._third(self.layers)):
            y, cost = self._chain.part(x, "pool", lambda: MaxPool(2))
            maps.append((x, cost))
            x = y
        return [*maps, (x, Totals())]

    def _halved(self, parts: dict[str, Spec], name: str, layer: int) -> str:
        """What layer `layer` reads of an earlier one, at the size of its own map."""
        number = 0 if name == "stem" else int(name.removeprefix("layer"))
        pools = range(self._third(max(number, 1)), self._third(layer))
        for third in pools:
            pooled_name = f"{name}_{third + 1}"
            parts.setdefault(pooled_name, Node(MaxPool(2), name if third == pools[0] else
                                               f"{name}_{third}"))  # fmt: skip
        return f"{name}_{pools[-1] + 1}" if pools else name

    def _third(self, layer: int) -> int:
        """0, 1 or 2: how often the map of a layer is halved."""
        return 3 * (layer - 1) // self.layers

    def parsed(self, net: Net) -> list[int]:
        choices, nodes = list[int](), dict(part(net, Graph).parts)
        for layer in range(1, self.layers + 1):
            node, name = nodes[f"layer{layer}"], f"layer{layer}"
            inputs = node.inputs if isinstance(node, Node) else ()
            alone = isinstance(node, Node) and isinstance(node.part, Edge)
            edge = part(net, Edge, name) if alone else part(net, Edge, name, "operation")
            reads = {source.partition("_")[0] for source in inputs}
            choices.append(OPERATIONS.index(edge.operation))
            choices += [int(f"layer{i}" in reads) for i in range(1, layer - 1)]
        return choices
