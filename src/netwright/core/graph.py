"""Wiring beyond chains and branches: named graphs, auxiliary heads, shared and frozen weights,
time.
"""

from __future__ import annotations

from typing import Any, Self

from netwright.core.spec import Spec
from netwright.core.wiring import RunPart, Wiring, bundled, streams
from netwright.errors import ShapeError, SpecError, nearest

__all__ = ["Frozen", "Graph", "Node", "Shared", "Tap", "TimeDistributed"]


class Node(Spec):
    """A spec in a `Graph` and the names of the nodes it takes its input from."""

    part: Spec
    inputs: tuple[str, ...]

    def __init__(self, part: Spec, *inputs: str) -> None:
        object.__setattr__(self, "part", part)
        object.__setattr__(self, "inputs", inputs)
        self.__post_init__()

    def arguments(self) -> list[tuple[str | None, Any]]:
        return [(None, self.part), *((None, name) for name in self.inputs)]


class Graph(Wiring):
    """Parts wired by name; a plain spec follows the part before it, the last is the output.

    `input` names what the graph is given, `input0`, `input1`, ... the streams of it where
    there are several. A node with several inputs holds a unit that joins (`Add`, `Cat`,
    `Mul`), a block that does, or wiring of streams.

    >>> from netwright import Add, Conv
    >>> skip = Graph(a=Conv(8, 3), b=Conv(8, 3), out=Node(Add(), "a", "b"))
    >>> skip.names
    ('a', 'b', 'out')
    """

    def check(self) -> None:
        super().check()
        earlier = {"input"}
        if not self.parts:
            raise SpecError("Graph has no node; give it at least one")
        for name, part in self.parts:
            if _is_input(name):
                raise SpecError(f"Graph: {name!r} is what the graph is given; rename the node")
            for source in part.inputs if isinstance(part, Node) else ():
                if source not in earlier and not _is_input(source):
                    raise SpecError(f"Graph: node {name!r} reads {source!r}: "
                                    f"{nearest('node before it', source, earlier)}")  # fmt: skip
            earlier.add(name)

    def part(self, name: str) -> Spec:
        part = super().part(name)
        return part.part if isinstance(part, Node) else part

    def over(self, parts: tuple[tuple[str, Spec], ...]) -> Self:
        old = dict(self.parts)
        kept = [
            (name, Node(part, *node.inputs))
            if isinstance(node := old.get(name), Node) and not isinstance(part, Node)
            else (name, part)
            for name, part in parts
        ]
        return super().over(tuple(kept))

    def flow(self, *xs: Any, run: RunPart) -> Any:
        values: dict[str, Any] = {"input": list(xs)}
        values |= {f"input{i}": x for i, x in enumerate(xs)}
        last, reads = "input", self.reads()
        last_reader = {source: name for name, sources in reads.items() for source in sources}
        for name, inputs in reads.items():
            if missing := [source for source in inputs if source not in values]:
                raise ShapeError(f"Graph: node {name!r} reads {missing[0]!r}, given are {len(xs)}")
            values[name] = run(name, *[x for source in inputs for x in streams(values[source])])
            for source in {source for source in inputs if last_reader[source] == name}:
                del values[source]  # a map nobody reads again need not stay in memory
            last = name
        return values[last]

    def reads(self) -> dict[str, tuple[str, ...]]:
        """Node -> the nodes it takes its input from."""
        reads: dict[str, tuple[str, ...]] = {}
        last = "input"
        for name, part in self.parts:
            reads[name] = (part.inputs if isinstance(part, Node) else None) or (last,)
            last = name
        return reads


def _is_input(name: str) -> bool:
    return name.startswith("input") and (name == "input" or name[5:].isdigit())


class Tap(Wiring):
    """x -> x, with an auxiliary head on the side that only training sees; of several streams
    the head gets all, and all go on.

    A built net in training mode returns a dict: `out`, and one entry a tap under the path of
    the tap; taps inside `Frozen`, whose heads could not learn, stay silent. `weight` is what
    the head's loss is multiplied with (0.3 in GoogLeNet).
    """

    weight: float

    def __init__(self, head: Spec, weight: float = 0.3) -> None:
        object.__setattr__(self, "weight", weight)
        super().__init__(head=head)

    def check(self) -> None:
        super().check()
        if not isinstance(self.weight, int | float) or self.weight < 0:
            raise SpecError(f"Tap: weight {self.weight!r} is not a number of at least 0")

    def arguments(self) -> list[tuple[str | None, Any]]:
        return [*super().arguments(), ("weight", self.weight)]

    def flow(self, *xs: Any, run: RunPart) -> Any:
        if (ends := len(streams(run("head", *xs)))) > 1:
            raise ShapeError(f"Tap: its head ends in {ends} streams; join them, by Sum or Concat")
        return bundled(xs)

    def accept(self, interpreter: Any, *given: Any) -> Any:
        return interpreter.tap(self, *given)


class Shared(Wiring):
    """A part that every `Shared` of the same key in the net has in common, weights and all.

    Its parameters are counted once, its work each time.
    """

    key: str

    def __init__(self, body: Spec, key: str) -> None:
        object.__setattr__(self, "key", key)
        super().__init__(body=body)

    def check(self) -> None:
        super().check()
        if not self.key:
            raise SpecError("Shared: key is '', wanted a word")

    def arguments(self) -> list[tuple[str | None, Any]]:
        return [*super().arguments(), ("key", self.key)]

    def flow(self, *xs: Any, run: RunPart) -> Any:
        return run("body", *xs)

    def accept(self, interpreter: Any, *given: Any) -> Any:
        return interpreter.shared(self, *given)


class Frozen(Wiring):
    """A part that does not learn: x -> part(x), its parameters without gradient and its modules
    in evaluation mode, in training too. Gradients pass through to what is before it.

    For weights from elsewhere, such as the auxiliary learner of channel boosting. A plan
    counts them like others.

    >>> from netwright import Concat, Conv, Identity, Net
    >>> Net(Concat(x=Identity(), more=Frozen(Conv(8))), (3, 32, 32)).plan().output
    (11, 32, 32)
    """

    def __init__(self, body: Spec) -> None:
        super().__init__(body=body)

    def flow(self, *xs: Any, run: RunPart) -> Any:
        return run("body", *xs)

    def accept(self, interpreter: Any, *given: Any) -> Any:
        return interpreter.frozen(self, *given)


class TimeDistributed(Wiring):
    """A part that every time step goes through by itself: (T, ...) -> (T, *part(...)).

    A sequence has time first: (T, F), (T, C, H, W). Time joins the batch on the way in and
    leaves it on the way out, so weights are there once and work is done T times; the rows of
    the body have the shapes of one step and `copies` = T. Batch normalisation inside takes
    its mean over batch and time.

    >>> from netwright import Conv, Net, TimeDistributed
    >>> plan = Net(TimeDistributed(Conv(8, bias=False)), (5, 3, 32, 32)).plan()
    >>> plan.output, plan.params, plan.macs == 5 * 216 * 32 * 32
    ((5, 8, 32, 32), 216, True)
    """

    def __init__(self, body: Spec) -> None:
        super().__init__(body=body)

    def flow(self, *xs: Any, run: RunPart) -> Any:
        return run("body", *xs)

    def accept(self, interpreter: Any, *given: Any) -> Any:
        return interpreter.time_distributed(self, *given)
