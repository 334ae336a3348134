"""A layout of graphs in layers: what follows stands below, lines go round what is in between.

It knows nothing of nets. The steps are Sugiyama's (1981): layers, order, places, lines.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import NamedTuple

from netwright.drawing.scene import Corners, Mark, Scene, Wire

__all__ = ["Link", "layered"]

GAP = 22.0
"""Between neighbours that are boxes."""

LANE = 12.0
"""Beside a line that passes."""

TRACK = 8.0
"""Between lines across."""

WORDS = 17.0
"""Room below a box for the words at its line."""

HEAD = 13.0
"""Room for the head of an arrow."""

FIRM = 1000.0
"""How much firmer a box stands than a line: beside it, it gives way by less than half a pixel."""

End = tuple[int, int]
"""An item and one of its outlets or inlets."""


class Link(NamedTuple):
    """From an outlet of one item to an inlet of another."""

    source: End
    target: End


def layered(
    items: Sequence[Scene], links: Iterable[Link], inlets: int, outlets: Sequence[End]
) -> Scene:
    """One scene of several, each linked to later ones only.

    The first `inlets` items stand for what comes in; `outlets` is what goes out.
    """
    page = _Page(items, [*links], inlets, outlets)
    page.order()
    page.place()
    return page.scene([items[item].says[outlet] for item, outlet in outlets])


class _Page:
    """Items in layers, and where they stand from left to right.

    Three kinds: those given; `last` and after it the ends of what goes out; `lanes` and after
    it, the lines that pass a layer, items of no width.
    """

    def __init__(
        self, items: Sequence[Scene], links: list[Link], inlets: int, outlets: Sequence[End]
    ) -> None:
        self.inlets, self.last, self.lanes = inlets, len(items), len(items) + len(outlets)
        self.spoken = {link.source for link in links}
        self.items = [*items, *[Scene() for _ in outlets]]
        links = [*links, *[Link(end, (self.last + i, 0)) for i, end in enumerate(outlets)]]
        depth = self._depths(links)
        self.layers: list[list[int]] = [[] for _ in range(max(depth) + 1)]
        for item, level in enumerate(depth):
            self.layers[level].append(item)
        self.steps = [defaultdict[End, list[End]](list) for _ in self.layers[1:]]
        ways = defaultdict[End, list[End]](list)
        for source, target in links:
            ways[source].append(target)
        for source in sorted(ways, reverse=True):
            self._lay(source, ways[source], depth)
        self.at: dict[int, float] = {}

    def _depths(self, links: Iterable[Link]) -> list[int]:
        """Below everything that an item is linked from; what goes out at the end."""
        depth = [int(item >= self.inlets > 0) for item in range(self.last)]
        for source, target in sorted(links, key=lambda link: link.target):
            if target[0] < self.last:
                depth[target[0]] = max(depth[target[0]], depth[source[0]] + 1)
        return depth + [max(depth, default=0) + 1] * (self.lanes - self.last)

    def _lay(self, here: End, ends: list[End], depth: Sequence[int]) -> None:
        """The steps of the line from one outlet to all that it is linked to."""
        level = depth[here[0]]
        while ends:
            reached = [end for end in ends if depth[end[0]] == level + 1]
            ends = [end for end in ends if depth[end[0]] > level + 1]
            if ends:
                lane = (len(self.items), 0)
                self.items.append(Scene())
                self.layers[level + 1].append(lane[0])
                reached.append(lane)
            self.steps[level][here] += reached
            here, level = reached[-1], level + 1

    def order(self) -> None:
        """The order in each layer with the fewest crossings that a few sweeps find."""
        best, fewest = [[*layer] for layer in self.layers], self._crossings()
        for sweep in range(6 if fewest else 0):
            self._sort(down=sweep % 2 == 0)
            if (count := self._crossings()) < fewest:
                best, fewest = [[*layer] for layer in self.layers], count
        self.layers = best

    def _sort(self, *, down: bool) -> None:
        """Every layer between the ends by the middle of what its items are linked to."""
        beside = self._beside(down=down)
        inner = range(1, len(self.layers) - 1)
        for level in inner if down else reversed(inner):
            other = self.layers[level - 1 if down else level + 1]
            place = {item: (float(i), 1.0) for i, item in enumerate(other)}
            middle = {
                item: _mean([place[near] for _, near, _ in beside[item]], 0.0)
                for item in self.layers[level]
            }
            self.layers[level].sort(key=middle.__getitem__)

    def _crossings(self) -> int:
        """How many lines cross between layers."""
        count = 0
        for level, step in enumerate(self.steps):
            above = {item: i for i, item in enumerate(self.layers[level])}
            below = {item: i for i, item in enumerate(self.layers[level + 1])}
            lines = [
                ((above[item], outlet), (below[end], inlet))
                for (item, outlet), ends in step.items()
                for end, inlet in ends
            ]
            count += sum(
                (a < c and d < b) or (c < a and b < d)
                for i, (a, b) in enumerate(lines)
                for c, d in lines[:i]
            )
        return count

    def _beside(self, *, down: bool) -> dict[int, list[tuple[float, int, float]]]:
        """Of every item where it is linked, to which item before (or after), and where that is."""
        neighbours = defaultdict[int, list[tuple[float, int, float]]](list)
        for step in self.steps:
            for (item, outlet), ends in step.items():
                leaves = self.items[item].outlets[outlet]
                for end, inlet in ends:
                    enters = self.items[end].inlets[inlet]
                    if down:
                        neighbours[end].append((enters, item, leaves))
                    else:
                        neighbours[item].append((leaves, end, enters))
        return neighbours

    def place(self) -> None:
        """Items below what they are linked to, and again above, as far as there is room."""
        for sweep in range(6):
            down = sweep % 2 == 0
            beside = self._beside(down=down)
            for layer in self.layers if down else reversed(self.layers):
                self._settle(layer, beside)
        left = min(self.at.values())
        self.at = {item: float(round(x - left)) for item, x in self.at.items()}

    def _settle(self, layer: list[int], beside: dict[int, list[tuple[float, int, float]]]) -> None:
        """The items of a layer as near as can be to where each wants to stand."""
        offsets = [0.0]
        for before, item in pairwise(layer):
            gap = GAP if self._firm(before) and self._firm(item) else LANE
            offsets.append(offsets[-1] + self.items[before].reach + gap)
        wanted = [
            (self._wanted(item, beside[item]) - offset, self._weight(item))
            for item, offset in zip(layer, offsets, strict=True)
        ]
        for item, offset, x in zip(layer, offsets, _rising(wanted), strict=True):
            self.at[item] = x + offset

    def _wanted(self, item: int, near: list[tuple[float, int, float]]) -> float:
        """Where its lines would be straight; a lane that has a place asks lanes only."""
        if item >= self.lanes and item in self.at:
            near = [other for other in near if other[1] >= self.lanes]
        wishes = [(self.at[n] + there - here, self._weight(n)) for here, n, there in near]
        return _mean(wishes, self.at.get(item, 0.0))

    def _firm(self, item: int) -> bool:
        return self.inlets <= item < self.last

    def _weight(self, item: int) -> float:
        return FIRM if self._firm(item) else 1.0

    def scene(self, says: Sequence[str]) -> Scene:
        """The drawing."""
        marks, wires = list[Mark](), list[Wire]()
        paths, y = dict[End, tuple[str, Corners]](), 0.0
        for level, layer in enumerate(self.layers):
            arriving = list[tuple[End, str, Corners]]()
            if level:
                arriving, y = self._across(level - 1, y, paths)
            high = max(self.items[item].height for item in layer)
            for item in layer:
                scene, x = self.items[item], self.at[item]
                top = y + (high - scene.height) / 2
                more = scene.drawn(x, top)
                marks += more[0]
                wires += more[1]
                wires += [
                    Wire((*corners, (x + scene.inlets[inlet], top)), words, scene.closed)
                    for (end, inlet), words, corners in arriving
                    if end == item < self.lanes
                ]
                for i, outlet in enumerate(scene.outlets):
                    words = scene.says[i] if (item, i) in self.spoken else ""
                    paths[item, i] = words, ((x + outlet, top + scene.height),)
            paths |= {end: (words, path) for end, words, path in arriving if end[0] >= self.lanes}
            y += high
        ins = [self.at[item] for item in range(self.inlets)]
        outs = [self.at[item] for item in range(self.last, self.lanes)]
        wide = max(self.at[item] + scene.reach for item, scene in enumerate(self.items))
        return Scene(wide, y, tuple(ins), tuple(outs), tuple(says), tuple(marks), tuple(wires))

    def _across(
        self, level: int, y: float, paths: dict[End, tuple[str, Corners]]
    ) -> tuple[list[tuple[End, str, Corners]], float]:
        """Lines from a layer that ends at `y` to where the next begins, and that place.

        Lines across have a track each; those of one outlet, or to one inlet, share it.
        """
        lines = [(start, end) for start, ends in self.steps[level].items() for end in ends]
        x_of = {start: paths[start][1][-1][0] for start in self.steps[level]}
        x_to = {end: self.at[end[0]] + self.items[end[0]].inlets[end[1]] for _, end in lines}
        bent = [(start, end) for start, end in lines if x_of[start] != x_to[end]]
        fans = [start for start, _ in bent]
        keys = {
            (start, end): (True, start) if fans.count(start) > 1 else (False, end)
            for start, end in bent
        }
        bent.sort(key=lambda line: _turn(x_of[line[0]], x_to[line[1]]))
        tracks = {key: i for i, key in enumerate(dict.fromkeys(keys[line] for line in bent))}
        labelled = any(paths[start][0] for start in x_of if start[0] < self.lanes)
        first = y + (WORDS if labelled else TRACK / 2 if bent else 0)
        closed = any(self.items[end[0]].closed for end in x_to)
        below = first + TRACK * len(tracks) + (HEAD if closed else TRACK)
        lines_below = list[tuple[End, str, Corners]]()
        for start, end in lines:
            words, corners = paths[start]
            if (start, end) in keys:
                row = first + TRACK * (tracks[keys[start, end]] + 0.5)
                corners = (*corners, (x_of[start], row), (x_to[end], row))
            lines_below.append((end, words, corners))
            paths[start] = "", paths[start][1]
        return lines_below, below


def _turn(x: float, to: float) -> tuple[bool, float]:
    """What tracks are sorted by: of lines to the right, the one furthest right is on top."""
    return (True, -x) if to > x else (False, x)


def _rising(wanted: Sequence[tuple[float, float]]) -> list[float]:
    """Numbers that never fall, nearest to the wanted ones by their squares times weights."""
    pools = list[tuple[float, float, int]]()
    for x, weight in wanted:
        pool = (x, weight, 1)
        while pools and pools[-1][0] > pool[0]:
            before, heavy, many = pools.pop()
            both = heavy + pool[1]
            pool = ((before * heavy + pool[0] * pool[1]) / both, both, many + pool[2])
        pools.append(pool)
    return [x for x, _, many in pools for _ in range(many)]


def _mean(values: Sequence[tuple[float, float]], otherwise: float) -> float:
    """The mean of values with their weights."""
    whole = sum(weight for _, weight in values)
    return sum(value * weight for value, weight in values) / whole if whole else otherwise
