"""A supernet: one net that holds every net of a space of cells; imports torch.

Its cells sum all operations on all states, so it is a net like others, of one large genotype,
built by `Net.build`; what is added are weights of the edges. A net of the space is what remains
where all other edges weigh nothing, and has the same weights under the same names.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, cast

import torch
from torch import Tensor, nn

from netwright.blocks.cell import Cell
from netwright.blocks.genotype import CellGenotype, Genotype
from netwright.core.graph import Graph, Node
from netwright.core.net import Net
from netwright.errors import SearchError
from netwright.space.cells import INPUTS, KINDS, CellSpace, cells_of
from netwright.space.search_space import Space
from netwright.train.learner import device

__all__ = ["Masked", "Mixed", "Supernet"]

Weights = Sequence[float] | Tensor


class Mixed(nn.Module):
    """A node: the sum of all its edges, each times its weight; those of weight 0 are not run.

    edges: the operations, one for each input
    normed: the numbers of the edges behind which a batch norm without weights stands
    """

    def __init__(
        self, edges: Sequence[nn.Module], normed: Sequence[int] = (), width: int = 0
    ) -> None:
        super().__init__()
        for i, edge in enumerate(edges):
            self.add_module(str(i), edge)
        for i in normed:
            self.add_module(f"norm{i}", nn.BatchNorm2d(width, affine=False))
        self.weights: Weights = [1.0] * len(edges)

    def forward(self, *xs: Tensor) -> Tensor:
        total: Any = 0.0
        for i, x in enumerate(xs):
            weight = self.weights[i]
            if isinstance(weight, Tensor) or weight != 0:
                y = self._modules[str(i)](x)  # type: ignore[misc]
                norm = self._modules.get(f"norm{i}")
                total = total + weight * (norm(y) if norm is not None else y)
        return total


class Masked(nn.Module):
    """The states of a cell side by side, those of weight 0 as zeros."""

    def __init__(self, states: int) -> None:
        super().__init__()
        self.weights: Sequence[float] = [1.0] * states

    def forward(self, *xs: Tensor) -> Tensor:
        kept = [x if weight else torch.zeros_like(x)
                for x, weight in zip(xs, self.weights, strict=True)]  # fmt: skip
        return torch.cat(kept, 1)


class Supernet:
    """All nets of a space of cells as one module, `model`.

    space: a `CellSpace`, such as `nw.space("darts", depth=8, width=16)`
    mixed: whether edges are mixed, as in DARTS: batch norms learn nothing then, and pools have
        one too, so that no edge is louder than another by itself; else single nets share weights
    seed: of the first weights

    >>> import netwright as nw
    >>> supernet = Supernet(nw.space("enas", depth=3, width=4))
    >>> supernet.choose("0" * 40)
    >>> supernet.model(torch.zeros(2, 3, 32, 32)).shape
    torch.Size([2, 10])
    """

    def __init__(self, space: Space, *, mixed: bool = False, seed: int = 0) -> None:
        if not isinstance(space, CellSpace):
            raise SearchError(f"weights are shared in spaces of cells, such as darts or enas; "
                              f"{space.name} is none")  # fmt: skip
        self.space = space
        self.edges = [[(name, source) for source in range(state) for name in space.operations]
                      for state in range(INPUTS, INPUTS + space.nodes)]  # fmt: skip
        states = range(INPUTS, INPUTS + space.nodes)
        whole = CellGenotype(tuple([tuple(edges) for edges in self.edges]), tuple(states))
        self.net = self._net(whole, mixed=mixed)
        self.model = self.net.build(seed=seed).to(device())
        self._nodes: dict[tuple[str, int], list[Mixed]] = {}
        self._outs: dict[str, list[Masked]] = {kind: [] for kind in KINDS}
        for name, cell in cells_of(self.net).items():
            self._mix(self.model.get_submodule(name), cell, mixed=mixed)

    def _net(self, whole: CellGenotype, *, mixed: bool) -> Net:
        net = self.space.framed(Genotype(whole, whole), drop=0.0)
        net = net.but(name=f"{self.space.name}-supernet")
        if not mixed:
            return net
        plain = {name: replace(cell, norm=replace(cast("Any", cell.norm), affine=False))
                 for name, cell in cells_of(net).items()}  # fmt: skip
        return replace(net, spec=cast("Graph", net.spec).put(**plain))

    def _mix(self, module: nn.Module, cell: Cell, *, mixed: bool) -> None:
        """Puts weights on the edges and the output of one cell."""
        kind = KINDS[cell.stride - 1]
        for state, edges in enumerate(self.edges, INPUTS):
            node = module.get_submodule(f"node{state}")
            pools = [i for i, (name, _) in enumerate(edges) if mixed and "pool" in name]
            sums = Mixed([node.get_submodule(str(i)) for i in range(len(edges))], pools, cell.width)
            setattr(module, f"node{state}", sums)
            self._nodes.setdefault((kind, state), []).append(sums)
        out = Masked(self.space.nodes)
        setattr(module, "out", out)  # noqa: B010 so is it written for nodes
        self._outs[kind].append(out)

    def weigh(self, kind: str, state: int, weights: Weights) -> None:
        """Weights of the edges of one node, in the order of `edges`, in all cells of that kind."""
        for node in self._nodes.get((kind, state), ()):
            node.weights = weights

    def choose(self, code: str) -> None:
        """Makes the supernet compute what the net of a code does."""
        genotype = self.space.genotype(code)
        for kind, cell in zip(KINDS, (genotype.normal, genotype.reduction), strict=True):
            for state, edges in enumerate(cell.nodes, INPUTS):
                all_edges = self.edges[state - INPUTS]
                self.weigh(kind, state, [float(edges.count(edge)) for edge in all_edges])
            states = range(INPUTS, INPUTS + self.space.nodes)
            for out in self._outs[kind]:
                out.weights = [float(state in cell.output) for state in states]

    def extracted(self, code: str) -> nn.Module:
        """The net of a code, without random drops, as a module of its own with these weights."""
        genotype = self.space.genotype(code)
        net = self.space.framed(genotype, drop=0.0)
        module = net.build(seed=0)
        shared, own = self.model.state_dict(), module.state_dict()
        kept = {key: self._weights(net, genotype, key, shared, value) for key, value in own.items()}
        module.load_state_dict(kept)
        return module

    def _weights(
        self, net: Net, genotype: Genotype, key: str, shared: dict[str, Tensor], own: Tensor
    ) -> Tensor:
        """What stands under a name of the extracted net, of which a convolution or dense unit reads
        only the states that its cells put out.
        """
        cell, _, rest = key.partition(".")
        cells = cells_of(net)
        node = rest.split(".")[0]
        if cell in cells and node.removeprefix("node").isdigit():
            state = int(node.removeprefix("node"))
            number, _, rest = rest.partition(".")[2].partition(".")
            kind = (genotype.normal, genotype.reduction)[cells[cell].stride - 1]
            edge = kind.nodes[state - INPUTS][int(number)]
            place = self.edges[state - INPUTS].index(edge)
            return shared[f"{cell}.{node}.{place}.{rest}"]
        value = shared[key]
        if value.shape == own.shape:
            return value
        if cell in cells:
            inputs = cast("Node", dict(cast("Graph", net.spec).parts)[cell]).inputs
            source = inputs[0 if rest.startswith("before") else 1]
        else:
            source = list(cells)[-1]
        return value[:, self._channels(cells[source], genotype)]

    def _channels(self, cell: Cell, genotype: Genotype) -> Tensor:
        """Which channels of a cell of the supernet its own in the extracted net are."""
        kind = (genotype.normal, genotype.reduction)[cell.stride - 1]
        first = [(state - INPUTS) * cell.width for state in kind.output]
        return torch.cat([torch.arange(start, start + cell.width) for start in first])
