"""What dense layers of threshold neurons compute: gates, and shapes cut out of the plane.

python examples/units/mlp.py FOLDER
"""

from __future__ import annotations

from itertools import pairwise
from math import cos, pi, sin

import torch
from board import Board
from torch import nn

import netwright as nw

TITLE = "Threshold neurons"

Point = tuple[float, float]
Neuron = tuple[tuple[float, ...], float]
"""Weights and bias: fires where w x + b >= 0."""
Layers = list[list[Neuron]]

GATES: dict[str, Neuron] = {
    "AND": ((1, 1), -1.5),
    "OR": ((1, 1), -0.5),
    "NAND": ((-1, -1), 1.5),
}
XOR: Layers = [[GATES["OR"], GATES["NAND"]], [GATES["AND"]]]


def fires(layers: Layers, x: tuple[float, ...]) -> tuple[float, ...]:
    """The outputs of the last layer, zeros and ones."""
    for layer in layers:
        x = tuple(
            float(sum(w * v for w, v in zip(weights, x, strict=True)) + bias >= 0)
            for weights, bias in layer
        )
    return x


def half_plane(a: Point, b: Point) -> Neuron:
    """Fires on the line from a to b and to its left."""
    (ax, ay), (bx, by) = a, b
    return (ay - by, bx - ax), ax * by - ay * bx


def convex(corners: list[Point]) -> list[Neuron]:
    """A half-plane an edge of a convex polygon, its corners anticlockwise."""
    return [half_plane(a, b) for a, b in pairwise([*corners, corners[0]])]


def union(polygons: list[list[Point]]) -> Layers:
    """Three layers: the edges of convex polygons, an AND of the edges of each, an OR of all."""
    edges = [convex(corners) for corners in polygons]
    inside: list[Neuron] = [
        (tuple(float(i == j) for j, other in enumerate(edges) for _ in other), 0.5 - len(own))
        for i, own in enumerate(edges)
    ]
    some: Neuron = ((1.0,) * len(polygons), -0.5)
    return [[edge for own in edges for edge in own], inside, [some]]


def ring(count: int, radius: float, turn: float = 0.0) -> list[Point]:
    """`count` points on a circle, the first at the top."""
    angles = [pi / 2 + 2 * pi * (i + turn) / count for i in range(count)]
    return [(radius * cos(angle), radius * sin(angle)) for angle in angles]


def star() -> list[list[Point]]:
    """A five-pointed star as five kites that meet in the middle."""
    tips, notches = ring(5, 0.85), ring(5, 0.35, 0.5)
    return [[(0.0, 0.0), notches[i - 1], tips[i], notches[i]] for i in range(5)]


SHAPES: dict[str, Layers] = {
    "1 layer: a half-plane": [[half_plane((-0.8, -0.6), (0.9, 0.3))]],
    "2 layers: a convex polygon": union([ring(5, 0.8)])[:2],
    "3 layers: any polygon": union(star()),
}


def svg(layers: Layers, side: int = 200, cells: int = 100) -> str:
    """Where a net fires in the square from -1 to 1, and the lines of its first layer."""
    size, runs = 2 / cells, list[str]()
    for row in range(cells):
        y = 1 - (row + 0.5) * size
        fired = [fires(layers, ((i + 0.5) * size - 1, y))[0] > 0 for i in range(cells)]
        edges = [i for i, (a, b) in enumerate(pairwise([False, *fired, False])) if a != b]
        runs += [f"M{a} {row}h{b - a}v1H{a}z" for a, b in zip(edges[::2], edges[1::2], strict=True)]
    lines = "".join(f"M{a[0]:.2f} {a[1]:.2f}L{b[0]:.2f} {b[1]:.2f}"
                    for a, b in (_line(neuron, cells) for neuron in layers[0]))  # fmt: skip
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{side}" height="{side}" '
        f'viewBox="0 0 {cells} {cells}"><path fill="#6fa3d8" d="{"".join(runs)}"/>'
        f'<path stroke="#d2691e" stroke-width="0.4" fill="none" d="{lines}"/>'
        f'<rect width="{cells}" height="{cells}" fill="none" stroke="#888"/></svg>'
    )


def _line(neuron: Neuron, cells: int) -> tuple[Point, Point]:
    """Two points, far outside the picture, of the line where the neuron starts to fire."""
    (u, v), bias = neuron
    length = u * u + v * v
    x, y = -bias * u / length, -bias * v / length
    reach = 2 / length**0.5
    ends = [(x - s * v * reach, y + s * u * reach) for s in (1, -1)]
    first, last = (((px + 1) * cells / 2, (1 - py) * cells / 2) for px, py in ends)
    return first, last


def module(layers: Layers) -> nn.Module:
    """The same net as Netwright builds it, with these weights."""
    widths = tuple(len(layer) for layer in layers)
    spec = nw.Sequential(mlp=nw.MLP(widths, act=nw.Step()), out=nw.Step())
    model = nw.Net(spec, (len(layers[0][0][0]),)).build().double()
    dense = [part for part in model.modules() if isinstance(part, nn.Linear)]
    with torch.no_grad():
        for part, layer in zip(dense, layers, strict=True):
            part.weight.copy_(torch.tensor([weights for weights, _ in layer]))
            part.bias.copy_(torch.tensor([bias for _, bias in layer]))
    return model.eval()


def main(board: Board) -> None:
    """Shows the gates' truth table, and what one, two and three layers cut out."""
    board.say("A neuron that fires where w1 x1 + w2 x2 + b >= 0 is a gate. XOR needs a second "
              "layer: no line parts (0, 1) and (1, 0) from (0, 0) and (1, 1).")  # fmt: skip
    gates: dict[str, Layers] = {name: [[gate]] for name, gate in GATES.items()}
    gates["XOR"] = XOR
    rows = ["x1 x2  " + "".join(f"{name:6}" for name in gates)]
    for x in ((0, 0), (0, 1), (1, 0), (1, 1)):
        outputs = "".join(f"{fires(net, x)[0]:<6g}" for net in gates.values())
        rows.append(f"{x[0]:2} {x[1]:2}  {outputs}")
    board.lines("\n".join(rows))
    board.say("One layer cuts the plane along a line. A second takes the AND of half-planes, a "
              "convex polygon; a third the OR of those, any polygon.")  # fmt: skip
    figures = ""
    for name, layers in SHAPES.items():
        drawn = svg(layers)
        figures += f"<figure>{drawn}<figcaption>{name}</figcaption></figure>"
        points = torch.rand(2000, 2, generator=torch.Generator().manual_seed(0)).double() * 2 - 1
        built = module(layers)(points)[:, 0].tolist()
        same = built == [fires(layers, (x, y))[0] for x, y in points.tolist()]
        widths = ", ".join(str(len(layer)) for layer in layers)
        board.lines(f"{name}\nneurons a layer: {widths}; Netwright's module agrees: {same}")
        if board.folder:
            board.folder.mkdir(parents=True, exist_ok=True)
            (board.folder / f"mlp_{len(layers)}.svg").write_text(drawn + "\n")
    board.pieces.append(f'<div class="gallery">{figures}</div>')


if __name__ == "__main__":
    Board.run(main)
