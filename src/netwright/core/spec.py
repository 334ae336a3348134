"""Specs: immutable values that describe a net, part by part."""

from __future__ import annotations

from dataclasses import MISSING, dataclass, fields
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any, ClassVar, cast, dataclass_transform

from netwright.core.cost import Cost, Kept
from netwright.core.field import POINT, Window
from netwright.core.kinds import Kind as FieldKind
from netwright.core.kinds import kinds, shown
from netwright.core.operation import Kind, Sliding
from netwright.errors import SpecError

if TYPE_CHECKING:
    from torch import nn

    from netwright.core.shape import Shape

__all__ = ["SPECS", "Block", "Spec", "Unit", "Value", "is_open", "names"]

SPECS: dict[str, type[Spec]] = {}
"""Every concrete spec class by its name; the codec reads it."""
DEEPEST = 50
"""How many specs may stand in one another; walks over nets recurse."""


class Spec:
    """A frozen dataclass that is equal, hashable and prints as the code that makes it.

    Numbers are kept as the field's annotation writes them, `1` as `1.0` where it says `float`,
    so that equal specs have one JSON and one hash; numbers of another kind are refused.

    Subclasses need no decorator. `class Name(Base, abstract=True)` keeps a base class
    out of the registry.
    """

    own_widths: ClassVar[tuple[str, ...]] = ("width", "widths", "growth", "hidden")
    """Names of the fields, where it has them, that are numbers of channels or tuples of them.
    Every other width follows from these and from the input."""

    _writes_init: ClassVar[bool] = False
    field_names: ClassVar[tuple[str, ...]] = ()
    defaults: ClassVar[dict[str, Any]] = {}
    is_open: ClassVar[bool] = False
    """Whether it holds a `Choice`, so that its fields cannot be checked yet."""

    def __init_subclass__(cls, *, abstract: bool = False) -> None:
        if "__init__" in vars(cls):
            cls._writes_init = True
        dataclass(frozen=True, eq=False, repr=False, init=not cls._writes_init)(cls)
        known = fields(cls)  # type: ignore[arg-type]
        cls.field_names = tuple([field.name for field in known])
        cls.defaults = {
            field.name: field.default for field in known if field.default is not MISSING
        }
        if abstract:
            return
        other = SPECS.get(cls.__name__)
        if other and (other.__module__, other.__qualname__) != (cls.__module__, cls.__qualname__):
            raise SpecError(
                f"two specs are called {cls.__name__}: one in {other.__module__}, "
                f"one in {cls.__module__}; rename one, JSON tells them apart by name"
            )
        SPECS[cls.__name__] = cls

    def __post_init__(self) -> None:
        own, left_open = vars(self), False
        for name, value in own.items():
            if type(value) is list or type(value) is tuple:
                value = _frozen(value)  # noqa: PLW2901 the same value, as it is kept
                object.__setattr__(self, name, value)
                left_open = left_open or is_open(value)
            elif isinstance(value, Spec):
                left_open = left_open or value.is_open
        if left_open:
            object.__setattr__(self, "is_open", True)
            if not type(self).is_open:
                return  # fields are held and checked when the choices are made
        declared = kinds(type(self), self.field_names)
        self._hold(declared)
        self.check()
        for name, kind in declared:  # last, so that messages show what was given
            if kind.written:
                object.__setattr__(self, name, kind.written(own[name]))

    def _hold(self, declared: tuple[tuple[str, FieldKind], ...]) -> None:
        """Every field of its declared kind, and the whole not nested too deep."""
        own, depth = vars(self), 0
        for name, kind in declared:
            value = own[name]
            # Wiring says which of its parts is wrong.
            if name != "parts" and not kind.holds(value):
                raise SpecError(
                    f"{type(self).__name__}: {name} is {shown(value)}, wanted {kind.wanted}"
                )
            depth = max(depth, _depth(value))
        if depth >= DEEPEST:
            raise SpecError(f"{type(self).__name__}: specs are nested at most {DEEPEST} deep")
        if depth:
            object.__setattr__(self, "_nested", depth)

    def check(self) -> None:
        """Raise `SpecError` when a field is wrong; units and blocks override it."""

    def values(self) -> tuple[Any, ...]:
        """The values of the fields, in order."""
        own = vars(self)
        return tuple([own[name] for name in self.field_names])

    def arguments(self) -> list[tuple[str | None, Any]]:
        """What to write between the brackets to make this spec again: (keyword or None, value)."""
        given: list[tuple[str | None, Any]] = []
        for field in fields(self):  # type: ignore[arg-type]
            value = getattr(self, field.name)
            if field.default is MISSING and not any(keyword for keyword, _ in given):
                given.append((None, value))
            elif field.default is MISSING or value != field.default:
                given.append((field.name, value))
        return given

    def __repr__(self) -> str:
        words = [f"{key}={value!r}" if key else repr(value) for key, value in self.arguments()]
        return f"{type(self).__name__}({', '.join(words)})"

    def __eq__(self, other: object) -> bool:
        if self is other:
            return True
        return type(self) is type(other) and self.values() == other.values()  # type: ignore[attr-defined]

    def __hash__(self) -> int:
        try:
            return self._hash  # type: ignore[attr-defined]
        except AttributeError:
            value = hash((type(self).__name__, self.values()))
            object.__setattr__(self, "_hash", value)
            return value

    def __getstate__(self) -> dict[str, Any]:
        # A string's hash differs from process to process, so a pickle must not carry ours.
        return {name: value for name, value in vars(self).items() if name != "_hash"}

    def __setstate__(self, state: dict[str, Any]) -> None:
        vars(self).update(state)


def _frozen(value: Any) -> Any:
    """Lists as tuples, inside tuples too."""
    if type(value) is not list and type(value) is not tuple:
        return value
    return tuple([_frozen(item) for item in cast("list[Any]", value)])


def is_open(value: Any) -> bool:
    """Whether a field's value is a choice or holds one."""
    if isinstance(value, Spec):
        return value.is_open
    return type(value) is tuple and any(map(is_open, cast("tuple[Any, ...]", value)))


def _depth(value: Any) -> int:
    """How many specs deep a field's value is: 1 for a spec whose fields hold none."""
    if isinstance(value, Spec):
        return 1 + vars(value).get("_nested", 0)
    if type(value) is tuple:
        return max([_depth(item) for item in cast("tuple[Any, ...]", value)], default=0)
    return 0


@dataclass_transform(frozen_default=True)
class Unit(Spec, abstract=True):
    """A leaf: everything about one operation stands in one class.

    A subclass gives its `kind` and `shape`, and `cost`, `window`, `sliding` and `module` where
    the defaults (free, every position sees itself, nothing slides, no module) do not hold.
    Units that join several values take several shapes.
    """

    kind: ClassVar[Kind] = Kind.OTHER
    """What sort of work it is."""
    joins: ClassVar[bool] = False
    """True for units that take several inputs, such as `Add`."""
    sees_all: ClassVar[bool] = False
    """True for units whose outputs depend on the whole map beside their window, by its mean
    and variance."""
    uneven: ClassVar[bool] = False
    """True for units that see less than the box of their window, such as a cone through time."""
    idle: ClassVar[bool] = False
    """True for units that hand on what they are given, but in training, such as `Dropout`."""
    keeps: ClassVar[Kept | None] = None
    """What training keeps of it, where that is no matter of shapes; None: nobody gave a rule."""

    @property
    def label(self) -> str:
        """What tables call it."""
        return type(self).__name__

    @property
    def biased(self) -> bool:
        """Whether it adds a learnt number to its outputs: units that can have a field `bias`."""
        return vars(self).get("bias") is True

    def shape(self, *xs: Shape) -> Shape:
        """Output shape from the input shape(s), batch left out."""
        raise NotImplementedError(f"{type(self).__name__} has no shape rule")

    def cost(self, *xs: Shape, y: Shape) -> Cost:
        """What one image costs, from input shape(s) and output shape `y`."""
        return Cost()

    def kept(self, *xs: Shape, y: Shape) -> Kept | None:
        """What a training step keeps until the backward pass; None where that is not known."""
        return self.keeps

    def window(self, x: Shape) -> Window:
        """Which inputs an output sees, one `Taps` per axis; `POINT` itself, `WHOLE` all."""
        return POINT

    def sliding(self, x: Shape) -> Sliding | None:
        """The window as tables show it, where one slides over the input; None elsewhere."""
        return None

    def module(self, *xs: Shape) -> nn.Module:
        """An ordinary `nn.Module`; torch is imported here and only here."""
        raise NotImplementedError(f"{type(self).__name__} has no module")


@dataclass_transform(frozen_default=True)
class Block(Spec, abstract=True):
    """What a paper names: fields that become wiring once the input shape is known.

    A block of several inputs, such as a cell that reads the two before it, says `joins` and
    expands at all their shapes.
    """

    joins: ClassVar[bool] = False
    """True for blocks that take several inputs."""
    repeats: ClassVar[str] = "depth"
    """The field, where a block has it, that says how many parts stand in a row."""

    def expand(self, x: Shape, /) -> Spec:
        """The spec this block stands for, at input shape `x`."""
        raise NotImplementedError(f"{type(self).__name__} does not expand")


@dataclass_transform(frozen_default=True)
class Value(Spec, abstract=True):
    """What a field of a spec holds where a number will not do, such as a genotype."""


def names(kind: type[Spec], pattern: str = "*") -> list[str]:
    """Names of the specs of a kind, as far as they are loaded, that match a shell pattern; sorted.

    >>> names(Unit, "A??")
    ['Add']
    """
    return sorted(
        name for name, cls in SPECS.items() if issubclass(cls, kind) and fnmatchcase(name, pattern)
    )
