"""The statements of a `forward`: wiring run over expressions."""

from __future__ import annotations

import builtins
import re
from itertools import count
from typing import Any

from netwright.core.graph import Frozen, Graph, Tap, TimeDistributed
from netwright.core.text import quoted
from netwright.core.wiring import Branches, Sequential, Wiring, streams
from netwright.export.expression import atom, is_list, joined, leading
from netwright.export.layout import Brackets, Chain, Doc, If, flat, statement
from netwright.export.tree import (
    Call,
    Composite,
    Operator,
    Option,
    Use,
    is_attribute,
    numbered,
    outputs_of,
)

__all__ = ["Forward", "below"]

_TAKEN = frozenset(["clear", "items", "keys", "pop", "update", "values"])
"""Names that a `ModuleDict` uses itself."""


def below(access: str, name: str, listed: bool = True) -> str:
    """How a part of a module is reached; parts of a list by their number."""
    if numbered(name) and listed:
        return f"{access}[{name}]"
    if is_attribute(name) and (access == "self" or name not in _TAKEN):
        return f"{access}.{name}"
    return f"{access}.get_submodule({quoted(name)})"


def _path(access: str) -> str:
    """The path of the module that is reached so."""
    plain = re.sub(r'\.get_submodule\("(.+?)"\)', r".\1", access)
    return re.sub(r"\[(\d+)\]", r".\1", plain).removeprefix("self").removeprefix(".")


class Forward:
    """Writes the statements by which values flow through a pattern."""

    def __init__(self, star: bool = False) -> None:
        self.lines: list[str] = []
        self.taps: list[str] = []
        self._steps: list[str] = []
        self._silent = False
        self._indent = 8
        self._used = {"aux", "module", "nn", "self", "torch", "x", "xs"}

    def body(self, node: Composite, inputs: list[str]) -> list[str]:
        """The statements from these inputs to the return of the output."""
        self._used |= {*inputs}
        ys = self._composite(node, "self", [*inputs], "x")
        if self.taps:
            self._assign("x", ys[0])
            self.lines += [
                "        if not self.training:", "            return x",
                '        return {"out": x, **aux}',
            ]  # fmt: skip
            return ["        aux: dict[str, Tensor] = {}", *self.lines]
        y: Doc = ys[0] if len(ys) == 1 else Brackets("[", tuple(_starred(ys)), "]")
        self.lines += statement("return ", y, self._indent)
        return self.lines

    def _run(self, node: Any, access: str, xs: list[Doc], name: str) -> list[Doc]:
        """What a part makes of its inputs."""
        if isinstance(node, Operator):
            return [joined(node, xs)]
        if node.is_free:
            return xs
        if isinstance(node, Composite) and not node.is_module:
            return self._composite(node, access, xs, name)
        if isinstance(node, Use) and not node.body.is_module:
            return self._composite(node.body, access, xs, name)
        call = Brackets(f"{access}(", tuple(_starred(xs)))
        outputs = outputs_of(node)
        if outputs == 1:
            return [call]
        variable = "xs" if name == "x" else self._name(name)
        self._assign(variable, call)
        return [f"{variable}[{i}]" for i in range(outputs)]

    def _composite(self, composite: Composite, access: str, xs: list[Doc], name: str) -> list[Doc]:
        """What wiring makes of its inputs, by the method for its kind."""
        return composite.wiring.accept(self, composite, access, xs, name)

    def flow(
        self, wiring: Wiring, composite: Composite, access: str, xs: list[Doc], name: str
    ) -> list[Doc]:
        """The values that flow out of wiring."""
        parts = dict(composite.parts)
        listed = bool(leading(composite)) if access == "self" else is_list(composite)

        def run(part: str, *values: Any, **_: Any) -> Any:
            inputs = [x for value in values for x in streams(value)]
            place = below(access, part, listed)
            hint = part if not numbered(part) else f"{'y' if name == 'x' else name}{part}"
            if name == "x" and isinstance(composite.wiring, Sequential):
                hint = name
            ys = self._run(parts[part], place, inputs, hint)
            return ys if len(ys) > 1 else ys[0]

        if isinstance(composite.wiring, Sequential):
            if name == "x" and len(xs) > 1 and _is_loop(composite, len(xs)):
                return self._loop(access, xs)
            return self._chain(composite, xs, name, run)
        if isinstance(composite.wiring, Branches):
            return self._branches(composite, xs, name, run)
        xs = self._all_named(xs, name)
        if isinstance(composite.wiring, Graph):
            return self._graph(composite, xs, run)
        return streams(composite.wiring.flow(*xs, run=run))

    def frozen(
        self, frozen: Frozen, composite: Composite, access: str, xs: list[Doc], name: str
    ) -> list[Doc]:
        """The values behind a part whose taps are silent."""
        silent, self._silent = self._silent, True
        ys = self._run(dict(composite.parts)["body"], below(access, "body"), xs, name)
        self._silent = silent
        return ys

    def _chain(self, composite: Composite, xs: list[Doc], name: str, run: Any) -> list[Doc]:
        """A statement a part."""
        steps = [part for part, node in composite.parts if not node.is_free]
        variable = name if name == "x" else ""
        for i, part in enumerate(steps):
            xs = streams(run(part, *xs))
            if i < len(steps) - 1 and len(xs) == 1 and not isinstance(xs[0], str):
                variable = variable or self._name(name)
                self._assign(variable, xs[0])
                xs = [variable]
        return xs

    def _loop(self, access: str, xs: list[Doc]) -> list[Doc]:
        """Modules one after another, all of which take and give as many streams."""
        if _starred(xs) != ["*xs"]:
            self._assign("xs", Brackets("[", tuple(xs), "]"))
        pad = " " * self._indent
        self.lines += [f"{pad}for module in {access}:", f"{pad}    xs = module(*xs)"]
        return [f"xs[{i}]" for i in range(len(xs))]

    def _branches(self, composite: Composite, xs: list[Doc], name: str, run: Any) -> list[Doc]:
        """All branches, then their join."""
        option = next((n for n in composite.parts if isinstance(n[1], Option) and n[1].skips), None)
        if len(xs) == 1:
            xs = [self._named(xs[0], name)]
        ys = list[Doc]()
        names = [part for part, _ in composite.parts if part != "join"]
        for i, part in enumerate(names):
            if option and part == option[0]:
                continue
            before = len(self.lines)
            ys += streams(run(part, *(xs if len(xs) == 1 else [xs[i]])))
            if len(self.lines) > before:
                self._settle(ys, before)
        if option:
            y = self._name("y")
            self._assign(y, ys[0])
            return [If(f"{y} + {flat(xs[0])}", f"self.{option[0]}", y)]
        join = dict(composite.parts)["join"]
        if any(join.stretch) or any(isinstance(value, Chain | If) for value in ys[1:]):
            hints = names if len(names) == len(ys) else ["y"] * len(ys)
            ys = [self._named(value, hint) for value, hint in zip(ys, hints, strict=True)]
        return streams(run("join", *ys))

    def _settle(self, ys: list[Doc], before: int) -> None:
        """Values of earlier branches get their names before the statements of a later one, so
        that things happen in the net's order.
        """
        later, self.lines = self.lines[before:], self.lines[:before]
        for i, value in enumerate(ys[:-1]):
            if not isinstance(value, str):
                variable = self._name("y")
                self._assign(variable, value)
                ys[i] = variable
        self.lines += later

    def _graph(self, composite: Composite, xs: list[Doc], run: Any) -> list[Doc]:
        last = composite.parts[-1][0]

        def node(part: str, *values: Any) -> Any:
            ys = run(part, *values)
            if isinstance(ys, list | str) or part == last:
                return ys
            variable = self._name(part)
            self._assign(variable, ys)
            return variable

        return streams(composite.wiring.flow(*xs, run=node))

    def time_distributed(
        self, wiring: TimeDistributed, composite: Composite, access: str, xs: list[Doc], name: str
    ) -> list[Doc]:
        """Every time step through the body, as if it were an image of the batch."""
        body = dict(composite.parts)["body"]
        x = self._named(xs[0], name)
        if x == "x" and not body.is_module:  # whose statements go on with x
            x = self._name("sequence")
            self._assign(x, "x")
        self._steps.append(x)
        y = self._run(body, below(access, "body"), [f"{x}.flatten(0, 1)"], name)[0]
        self._steps.pop()
        return [Brackets(f"{atom(y)}.unflatten(", ("0", f"{x}.shape[:2]"))]

    def tap(
        self, tap: Tap, composite: Composite, access: str, xs: list[Doc], name: str
    ) -> list[Doc]:
        """The inputs again, behind the statements of a head that training runs."""
        xs = self._all_named(xs, name)
        if self._silent:
            return xs
        path = _path(access)
        self.taps.append(path)
        self.lines.append(f"{' ' * self._indent}if self.training:")
        self._indent += 4
        seen = self._run(dict(composite.parts)["head"], f"{access}.head", xs, "head")[0]
        for steps in reversed(self._steps):
            seen = Brackets(f"{atom(seen)}.unflatten(", ("0", f"{steps}.shape[:2]"))
        self._assign(f"aux[{quoted(path)}]", seen)
        self._indent -= 4
        return xs

    def _all_named(self, xs: list[Doc], name: str) -> list[Doc]:
        """Values that are read several times, each under a name."""
        return [self._named(x, name if len(xs) == 1 else f"x{i}") for i, x in enumerate(xs)]

    def _named(self, value: Doc, name: str) -> str:
        """A value that is read several times, under a name."""
        if isinstance(value, str) and not value.endswith(")"):
            return value
        variable = "x" if name == "x" else self._name(name)
        self._assign(variable, value)
        return variable

    def _name(self, wanted: str) -> str:
        wanted = f"{wanted}_" if hasattr(builtins, wanted) else wanted
        wanted = wanted if is_attribute(wanted) else f"x{wanted}" if numbered(wanted) else "y"
        names = (wanted if i == 1 else f"{wanted}_{i}" for i in count(1))
        name = next(name for name in names if name not in self._used)
        self._used.add(name)
        return name

    def _assign(self, variable: str, value: Doc) -> None:
        if value != variable:
            self.lines += statement(f"{variable} = ", value, self._indent)


def _is_loop(composite: Composite, streams: int) -> bool:
    inner = [node for _, node in composite.parts]
    alike = all(isinstance(node, Call) and node.outputs == streams for node in inner)
    return alike and len(inner) > 1 and is_list(composite)


def _starred(xs: list[Doc]) -> list[Doc]:
    """All streams of one list as that list."""
    first = xs[0] if xs else ""
    if not isinstance(first, str) or not first.endswith("[0]") or len(xs) < 2:
        return xs
    whole = first.removesuffix("[0]")
    return [f"*{whole}"] if xs == [f"{whole}[{i}]" for i in range(len(xs))] else xs
