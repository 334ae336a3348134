"""Spaces of a registered net whose options are the choices: RegNets, random wiring."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from functools import cached_property, partial
from itertools import groupby
from math import log
from typing import Any, ClassVar

from netwright.blocks.conv import conv_norm_act
from netwright.blocks.mobile import rounded
from netwright.blocks.random_graph import (
    BarabasiAlbert,
    Edges,
    ErdosRenyi,
    RandomGraph,
    WattsStrogatz,
)
from netwright.blocks.regnet import RegNetBlock
from netwright.blocks.stage import Stage
from netwright.core.net import Net
from netwright.core.shape import Shape
from netwright.errors import SpecError, UnknownName
from netwright.nets.heads import pooled
from netwright.nets.registry import entry
from netwright.nets.regnet import quantised_line
from netwright.space.chain import Chain, Part
from netwright.space.registry import named
from netwright.space.search_space import Digit, Digits, Space
from netwright.space.totals import Totals

__all__ = ["OptionSpace", "RandWireSpace", "RegNetSpace"]


class OptionSpace(Space):
    """The nets of a registered net's function, some of whose options are chosen.

    Nets are read by their names: those of this space, and registered ones with these options.

    name: of the space
    frame: a registered net of the function
    digits: the choices, each called like an option
    input: what the nets are given, where not what the frame is
    options: other options of the function

    >>> space = OptionSpace("blocks", "resnet18", [Digit("classes", (10, 100))])
    >>> space.net("1").plan().output, space.code(space.net("0"))
    ((100,), '0')
    """

    def __init__(self, name: str, frame: str, digits: Sequence[Digit],
                 input: Shape | None = None, **options: Any) -> None:  # fmt: skip
        self.frame, self.input, self.options = entry(frame), input, options
        if given := {digit.name for digit in digits} & {*options}:
            raise SpecError(f"{name}: {', '.join(sorted(given))} cannot be given: the codes choose")
        super().__init__(name, digits)

    def given(self, choices: Digits) -> dict[str, Any]:
        """The options that the choices stand for."""
        return {digit.name: digit.options[choice]
                for digit, choice in zip(self.digits, choices, strict=True)}  # fmt: skip

    def chosen(self, given: dict[str, Any]) -> Digits:
        """The inverse of `given`; `ValueError` or `KeyError` where an option is none of ours."""
        return tuple([digit.options.index(given[digit.name]) for digit in self.digits])

    def build(self, choices: Digits) -> Net:
        net = self.frame(self.input, **{**self.options, **self.given(choices)})
        return net.but(name=f"{self.name}-{self.write(choices)}")

    def read(self, net: Net) -> Digits:
        choices: Digits | None = None
        with suppress(SpecError, UnknownName, ValueError, KeyError):
            if net.name.startswith(f"{self.name}-"):
                choices = self.choices(net.name[len(self.name) + 1 :])
            else:
                other = entry(net.name)
                choices = self.chosen({**_defaults(other.make), **other.options})
        if choices is None or not self.legal(choices) or self.build(choices).spec != net.spec:
            raise SpecError(f"{net.name} is no net of {self.name}, which are read by their names")
        return choices


def _defaults(make: Any) -> dict[str, Any]:
    """The options of a function that have a default."""
    import inspect

    return {
        name: parameter.default for name, parameter in inspect.signature(make).parameters.items()
    }


GROUPS = (8, 16, 24, 32, 40, 48, 56, 64, 72, 80, 88, 96, 104, 112, 120, 128, 168, 232)


@named("regnet")
class RegNetSpace(OptionSpace):
    """RegNetX and RegNetY: depth, first width, slope, step and group width of the quantised line
    of `netwright.nets.regnet.quantised_line`, of nets with four stages (Radosavovic et al. 2020,
    arXiv:2003.13678, section 3.3).

    Lines that are quantised and rounded to the same widths and groups are one function.

    >>> import netwright as nw
    >>> space, net = RegNetSpace(), nw.net("regnet_x_400mf")
    >>> space.net(space.code(net)).hash == net.hash
    True
    """

    sound: ClassVar[bool] = True

    def __init__(self, frame: str = "regnet_x_400mf", input: Shape | None = None,
                 **options: Any) -> None:  # fmt: skip
        super().__init__(
            "regnet",
            frame,
            [
                Digit("depth", tuple(range(8, 33)), ordered=True),
                Digit("width", tuple(range(8, 329, 8)), ordered=True),
                Digit("slope", tuple(range(8, 129)), ordered=True),
                Digit("hundredths", tuple(range(100)), ordered=True),
                Digit("step", tuple([i / 100 for i in range(150, 301)]), ordered=True),
                Digit("group_width", GROUPS, ordered=True),
                Digit("se", (0.0, 0.25)),
            ],
            input,
            **options,
        )
        self._chain = Chain()

    def given(self, choices: Digits) -> dict[str, Any]:
        given = super().given(choices)
        slope = given["slope"] + given.pop("hundredths") / 100
        return {**given, "slope": round(slope, 2)}

    def chosen(self, given: dict[str, Any]) -> Digits:
        slope = round(100 * given["slope"])
        return super().chosen({**given, "slope": slope // 100, "hundredths": slope % 100})

    def _line(self, given: dict[str, Any]) -> list[int]:
        return quantised_line(given["depth"], given["width"], given["slope"], given["step"])

    def legal(self, choices: Digits) -> bool:
        return len({*self._line(self.given(choices))}) == 4

    def totals(self, code: str) -> Totals:
        """Sums over stages, of which the first block and the others are planned once."""
        given = self.given(self.choices(code))
        parts: list[Part] = [("stem", lambda: conv_norm_act(32, 3, 2))]
        for width, blocks in groupby(self._line(given)):
            group = min(given["group_width"], width)
            block = RegNetBlock(rounded(width, group), group, 1, given["se"])
            rest = len(list(blocks)) - 1
            parts.append(((block, "first"), partial(replace, block, stride=2)))
            if rest:
                parts.append(((block, rest), partial(Stage, block, rest)))
        parts.append(("head", lambda: pooled(self.options.get("classes", 1000))))
        return self._chain.totals(self.input or self.frame.input, parts)

    def reduced(self, choices: Digits) -> Digits:
        given = self.given(choices)
        blocks = _grouped(self._line(given), given["group_width"])
        options = {digit.name: digit.options for digit in self.digits}
        for group in GROUPS:
            for width in options["width"]:
                if _grouped([width], group) != blocks[:1]:
                    continue
                for step in options["step"]:
                    slope = self._slope(blocks, group, width, step)
                    if slope is not None:
                        least = {"group_width": group, "width": width, "step": step, "slope": slope}
                        return self.chosen({**given, **least})
        raise AssertionError(f"no line of {self.name} is that of {choices}")  # its own is one

    def _slope(
        self, blocks: list[tuple[int, int]], group: int, width: int, step: float
    ) -> float | None:
        """The least slope, of those in the space, whose line has these blocks."""
        whole = self.digits[2].options
        low, high = float(whole[0]), whole[-1] + 0.99
        top = round(log(2 * blocks[-1][0] / width) / log(step)) + 1
        wide = [
            _grouped([max(8, 8 * round(width * step**k / 8))], group)[0] for k in range(top + 1)
        ]
        for place, block in enumerate(blocks[1:], 1):
            powers = [k for k, own in enumerate(wide) if own == block]
            if not powers:
                return None
            low = max(low, width * (step ** (powers[0] - 0.5) - 1) / place)
            high = min(high, width * (step ** (powers[-1] + 0.5) - 1) / place)
        for hundredths in range(max(100 * whole[0], int(100 * low) - 1), int(100 * high) + 2):
            slope = hundredths / 100
            if slope < whole[-1] + 1:
                line = quantised_line(len(blocks), width, slope, step)
                if _grouped(line, group) == blocks:
                    return slope
        return None


def _grouped(line: list[int], group: int) -> list[tuple[int, int]]:
    """Width and groups' width of every block, as the net rounds them."""
    pairs = [(width, min(group, width)) for width in line]
    return [(rounded(width, own), own) for width, own in pairs]


GRAPHS = (
    *[WattsStrogatz(k, p / 4) for k in (2, 4, 6, 8) for p in (1, 2, 3, 4)],
    *[ErdosRenyi(p / 10) for p in (1, 2, 3, 4, 6, 8)],
    *[BarabasiAlbert(m) for m in (1, 2, 3, 4, 5, 6, 7, 8)],
)


@named("randwire")
class RandWireSpace(OptionSpace):
    """Randomly wired nets: one of three kinds of random graphs with its parameters, and the seed
    that draws it (Xie et al. 2019, arXiv:1904.01569, table 2).

    Graphs with the same edges are one function, whatever drew them; which of a thousand
    numbers of 32 nodes are the same graph is not asked.

    >>> import netwright as nw
    >>> space, net = RandWireSpace(), nw.net("randwire_ws_small")
    >>> space, space.net(space.code(net)).hash == net.hash
    (<space randwire: 1,080 codes of 2 choices>, True)
    """

    sound: ClassVar[bool] = True

    def __init__(self, frame: str = "randwire_ws_small", graphs: Sequence[RandomGraph] = GRAPHS,
                 seeds: int = 36, input: Shape | None = None, **options: Any) -> None:  # fmt: skip
        digits = [Digit("graph", tuple(graphs)), Digit("seed", tuple(range(seeds)))]
        super().__init__("randwire", frame, digits, input, **options)

    def _drawn(self, choices: Digits) -> tuple[Edges, ...]:
        """The edges of every stage; `SpecError` where no graph is connected."""
        given = {**_defaults(self.frame.make), **self.frame.options, **self.options}
        graph, seed = self.given(choices).values()
        return tuple([graph.connected(nodes, seed + i) for i, nodes in enumerate(given["nodes"])])

    def legal(self, choices: Digits) -> bool:
        try:
            self._drawn(choices)
        except SpecError:
            return False
        return True

    def reduced(self, choices: Digits) -> Digits:
        return self._first.get(self._drawn(choices), choices)

    @cached_property
    def _first(self) -> dict[tuple[Edges, ...], Digits]:
        """Edges -> the first choices that draw them."""
        first = dict[tuple[Edges, ...], Digits]()
        for graph in range(len(self.digits[0].options)):
            for seed in range(len(self.digits[1].options)):
                if self.legal((graph, seed)):
                    first.setdefault(self._drawn((graph, seed)), (graph, seed))
        return first
