"""Combinators: how values flow between named parts, and nothing else.

`flow(xs, run)` is written once. An interpreter hands it `run(name, *values)`, which sends
values through a part; what the values are (signals, tensors, boxes) the wiring never asks.
Several values that travel together, as the streams of an HRNet, are a list.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, ClassVar, Self, cast

from netwright.core.join import Add, Cat, Mul
from netwright.core.kinds import shown
from netwright.core.spec import Spec, Unit
from netwright.errors import ShapeError, SpecError, nearest

__all__ = [
    "RESERVED",
    "Branches",
    "Concat",
    "Fork",
    "Gate",
    "Parallel",
    "RunPart",
    "Sequential",
    "Sum",
    "Wiring",
    "bundled",
    "streams",
]

RunPart = Callable[..., Any]
"""`run(name, *values)`: what the part of that name makes of values."""

RESERVED = frozenset(
    [
        "T_destination",
        "add_module",
        "apply",
        "bfloat16",
        "buffers",
        "call_super_init",
        "children",
        "compile",
        "cpu",
        "cuda",
        "double",
        "dump_patches",
        "eval",
        "extra_repr",
        "float",
        "forward",
        "get_buffer",
        "get_extra_state",
        "get_parameter",
        "get_submodule",
        "half",
        "ipu",
        "join",
        "load_state_dict",
        "modules",
        "mtia",
        "named_buffers",
        "named_children",
        "named_modules",
        "named_parameters",
        "net",
        "parameters",
        "register_backward_hook",
        "register_buffer",
        "register_forward_hook",
        "register_forward_pre_hook",
        "register_full_backward_hook",
        "register_full_backward_pre_hook",
        "register_load_state_dict_post_hook",
        "register_load_state_dict_pre_hook",
        "register_module",
        "register_parameter",
        "register_state_dict_post_hook",
        "register_state_dict_pre_hook",
        "requires_grad_",
        "set_extra_state",
        "set_submodule",
        "share_memory",
        "state_dict",
        "taps",
        "to",
        "to_empty",
        "train",
        "training",
        "type",
        "wiring",
        "xpu",
        "zero_grad",
    ]
)
"""Names a part cannot have, because a built module needs them itself."""


def streams(value: Any) -> list[Any]:
    """The streams of what a part made: its list, or the one value."""
    return cast("list[Any]", value) if isinstance(value, list) else [value]


def bundled(values: Sequence[Any]) -> Any:
    """Streams as one value: the only one, or their list."""
    return values[0] if len(values) == 1 else list(values)


def _is_word(name: str) -> bool:
    return 0 < len(name) <= 100 and name.isprintable() and "." not in name and name[0] != "_"


def _check_name(who: str, name: object) -> None:
    if not isinstance(name, str) or not _is_word(name):
        raise SpecError(f"{who}: a part's name is a word without dots, got {shown(name)}")
    if name in RESERVED:
        raise SpecError(f"{who}: a part cannot be called {name!r}, modules use that name; "
                        f"try {name + '_'!r}")  # fmt: skip


class Wiring(Spec, abstract=True):
    """Parts with names, and how values flow between them.

    The names are the keys of the state_dict and the paths of the plan. Parts given without
    a name are numbered, as in `torch.nn.Sequential`.
    """

    parts: tuple[tuple[str, Spec], ...]

    def __init__(self, /, *numbered: Spec, **named: Spec) -> None:
        parts = (*((str(i), part) for i, part in enumerate(numbered)), *named.items())
        object.__setattr__(self, "parts", parts)
        self.__post_init__()

    def check(self) -> None:
        who = type(self).__name__
        names = set[str]()
        for name, part in self.parts:
            _check_name(who, name)
            if not isinstance(part, Spec):
                raise SpecError(f"{who}: part {name!r} is {shown(part)}, wanted a unit, "
                                "block or wiring")  # fmt: skip
            if name in names:
                raise SpecError(f"{who}: two parts are called {name!r}")
            names.add(name)

    def arguments(self) -> list[tuple[str | None, Any]]:
        given: list[tuple[str | None, Any]] = []
        numbered = True
        for i, (name, part) in enumerate(self.parts):
            numbered = numbered and name == str(i)
            given.append((None if numbered else name, part))
        return given

    def __repr__(self) -> str:
        words = list[str]()
        for name, part in self.arguments():
            plain = name is None or name.isidentifier()
            words.append(f"{name}={part!r}" if name and plain else
                         repr(part) if name is None else f"**{{{name!r}: {part!r}}}")  # fmt: skip
        return f"{type(self).__name__}({', '.join(words)})"

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the parts, in order."""
        return tuple([name for name, _ in self.parts])

    def part(self, name: str) -> Spec:
        """The part of that name."""
        for own, part in self.parts:
            if own == name:
                return part
        raise nearest(f"part of {type(self).__name__}", name, self.names)

    def __iter__(self) -> Iterator[Spec]:
        return iter([part for _, part in self.parts])

    def __len__(self) -> int:
        return len(self.parts)

    def __getitem__(self, key: str | int) -> Spec:
        return self.parts[key][1] if isinstance(key, int) else self.part(key)

    def put(self, /, **parts: Spec) -> Self:
        """The same wiring with some parts replaced or, at the end, added."""
        return self.over((*{**dict(self.parts), **parts}.items(),))

    def over(self, parts: tuple[tuple[str, Spec], ...]) -> Self:
        """The same kind of wiring over other parts."""
        wiring = object.__new__(type(self))
        vars(wiring).update({name: getattr(self, name) for name in self.field_names})
        object.__setattr__(wiring, "parts", parts)
        wiring.__post_init__()
        return wiring

    def flow(self, *xs: Any, run: RunPart) -> Any:
        """Send values through the parts with `run(name, *values)`."""
        raise NotImplementedError

    def accept(self, interpreter: Any, *given: Any) -> Any:
        """Call the interpreter's method for this kind of wiring: `flow`, unless more than the
        flow of values is meant, as for `Tap`, `Frozen`, `Shared` and `TimeDistributed`.
        """
        return interpreter.flow(self, *given)


class Sequential(Wiring):
    """One part after another.

    >>> Sequential(Sequential(), tail=Sequential())
    Sequential(Sequential(), tail=Sequential())
    """

    def flow(self, *xs: Any, run: RunPart) -> Any:
        for name, _ in self.parts:
            xs = (*streams(run(name, *xs)),)
        return bundled(xs)


class Fork(Wiring):
    """Every part gets all that comes in; what they make goes on as streams.

    >>> from netwright import Conv, Net, Sum
    >>> two = Fork(fine=Conv(8), coarse=Conv(8, 3, 2))
    >>> alike = Parallel(fine=Conv(8, 3, 2), coarse=Conv(8))
    >>> Net(Sequential(two=two, alike=alike, sum=Sum(Conv(8), Conv(8))), (3, 8, 8)).plan().output
    (8, 4, 4)
    """

    def flow(self, *xs: Any, run: RunPart) -> Any:
        return bundled([y for name, _ in self.parts for y in streams(run(name, *xs))])


class Parallel(Wiring):
    """Part i gets stream i; what they make goes on as streams (HRNet: arXiv:1908.07919)."""

    def flow(self, *xs: Any, run: RunPart) -> Any:
        return bundled(_apart(self, xs, run))


def _apart(wiring: Wiring, xs: tuple[Any, ...], run: RunPart) -> list[Any]:
    """What part i makes of stream i."""
    if len(xs) != len(wiring):
        raise ShapeError(f"{type(wiring).__name__} has {len(wiring)} parts for {len(xs)} streams")
    return [y for name, x in zip(wiring.names, xs, strict=True) for y in streams(run(name, x))]


class Branches(Wiring, abstract=True):
    """Every part gets the input, or part i stream i of several; what they make is joined."""

    join: ClassVar[Unit]

    def check(self) -> None:
        super().check()
        if not self.parts:
            raise SpecError(f"{type(self).__name__} has no part; give it at least one branch")

    def part(self, name: str) -> Spec:
        return self.join if name == "join" else super().part(name)

    def flow(self, *xs: Any, run: RunPart) -> Any:
        if len(xs) > 1:
            return run("join", *_apart(self, xs, run))
        return run("join", *[y for name, _ in self.parts for y in streams(run(name, *xs))])


class Sum(Branches):
    """x -> the sum of part(x) over its parts: residual connections, ensembles of branches."""

    join = Add()


class Concat(Branches):
    """x -> part(x) side by side along the channels: Inception, DenseNet."""

    join = Cat()


class Gate(Branches):
    """x -> the product of part(x): squeeze-excitation is `Gate(skip=Identity(), excite=...)`."""

    join = Mul()
