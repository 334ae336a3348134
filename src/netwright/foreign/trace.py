"""Following a foreign module: its forward pass is run on values that are shapes and fields."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache
from inspect import signature
from typing import Any

import torch
from torch import Tensor, nn

from netwright.core.field import Field
from netwright.core.plan import Row, Stored
from netwright.core.planner import facts
from netwright.core.shape import Shape
from netwright.core.spec import Unit
from netwright.errors import NetwrightError, ShapeError, TraceError
from netwright.foreign.axes import lies_as_usual, through
from netwright.foreign.fallback import fall_back, short_name
from netwright.foreign.formulas import FORMULAS
from netwright.foreign.layout import lost
from netwright.foreign.lines import needs_numbers
from netwright.foreign.numbers import (
    constant,
    each,
    follow,
    note_mixed,
    own_numbers,
    run,
    with_numbers,
)
from netwright.foreign.operation import Operation
from netwright.foreign.state import own_tensors
from netwright.foreign.traced import Mode, Origin, Traced, traced
from netwright.units.conv import Conv, TransposedConv

__all__ = ["FUNCTIONS", "MODULES", "Tracer", "answers"]

_ATOMS = frozenset((int, float, bool, str, type(None), torch.dtype, torch.Size))
"""Arguments that hold no tensor."""
FUNCTIONS: dict[Any, Callable[..., Any]] = {}
"""What answers a call: rule(tracer, *arguments of the function)."""
MODULES: dict[type[nn.Module], Callable[..., Any]] = {}
"""What answers a module of exactly that class: rule(tracer, module, *inputs)."""


def answers(*functions: Any) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Makes the decorated rule answer these functions; `NotImplemented` from it asks PyTorch."""

    def register(rule: Callable[..., Any]) -> Callable[..., Any]:
        FUNCTIONS.update(dict.fromkeys(functions, rule))
        return rule

    return register


class Tracer:
    """Keeps a row for whatever costs something while a module's forward pass runs."""

    def __init__(
        self, parts: Sequence[tuple[str, nn.Module]], *, values: bool = False,
        batched: bool = True, device: torch.device | None = None, item: int | None = None,
    ) -> None:  # fmt: skip
        self.rows: list[Row] = []
        self.partial: dict[str, None] = {}
        self.path = ""
        self.named = True  # whether rows of functions add their name to the path
        self.values = values  # whether the module really runs
        self.batched = batched  # whether the first dimension of the input stands for any batch
        self.device = device or torch.device("cpu")  # what the values say of themselves
        self.item = item  # bytes of a weight's element, where they are not those of its own type
        self.mode = Mode(self.answer)
        self.mixed: dict[int, Any] = {}  # storages of constants that were written to, whose kin
        self.spoilt: set[int] = set()  # weights whose numbers are no more what they were
        self.paths = {id(part): path for path, part in parts}
        self.quiet = False  # whether a layer that has a row is computing its numbers
        self._stands: dict[int, tuple[Tensor, Traced]] = {}
        self._claimed: set[int] = set()
        self._weights = {id(p) for _, part in parts for p in part._parameters.values()}
        self._used: dict[str, int] = {}

    # ---------------------------------------------------------------- calls

    def answer(self, func: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """What a function returns for traced values, constants and tensors of its own."""
        if self.quiet:
            return with_numbers(func, args, kwargs, self.real)
        if kwargs:
            args, kwargs = _usual(args, kwargs)
        if func is Tensor.__iter__:
            return iter(self.answer(Tensor.unbind, args, kwargs))
        given: list[Traced] = []

        def enter(tensor: Tensor) -> Traced:
            value = self.value(tensor)
            if self.mixed:
                note_mixed(self, value)
            given.append(value)
            return value

        args = tuple([v if type(v) in _ATOMS else each(v, enter) for v in args])
        kwargs = each(kwargs, enter) if kwargs else kwargs
        fixed = [v for v in given if v.origin.field is None]
        if len(fixed) == len(given) and all(map(self._plain, given)):
            return constant(self, func, args, kwargs, given)
        if self.values:
            result = run(self, func, args, kwargs, given)
        else:
            result = self.ruled(func, args, kwargs)
            if result is NotImplemented:
                result = fall_back(self, func, args, kwargs, given)
        if fixed:
            follow(self, result, func, args, kwargs, given, fixed)
        return result

    def ruled(self, func: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """What a function returns by its rule; `NotImplemented` where it has none."""
        rule = None if func in FORMULAS else FUNCTIONS.get(func)
        if rule is None or "out" in kwargs or (kwargs and not _takes(rule, tuple(kwargs))):
            return NotImplemented
        try:
            return rule(self, *args, **kwargs)
        except RuntimeError as error:
            if "on meta tensors" in str(error):
                raise needs_numbers(short_name(func)) from error
            raise

    def fault(self, error: NetwrightError) -> NetwrightError:
        """The error with the place where it happened and the rows before it."""
        if isinstance(error, ShapeError | TraceError) and error.path is None:
            error.path = self.path or "the module itself"
            error.rows = self.rows
        return error

    # ----------------------------------------------------------------- rows

    def unit(
        self, unit: Unit, x: Traced, weights: Sequence[Any] = (), name: str = "",
        whole: bool = False,
    ) -> Traced:  # fmt: skip
        """A row for a unit of one input, and what it makes; `whole` if its weights come from all
        of the input.
        """
        inner, copies = x.full[1:], x.full[0]
        origin = x.origin
        output, cost, window = facts(unit, (inner,))
        if x.kind.is_complex and isinstance(unit, Conv | TransposedConv):
            cost = cost._replace(macs=3 * cost.macs)  # PyTorch makes it of three real ones
        result = through(x, window, output)
        field = result.field or Field(None)
        if whole or (unit.sees_all and lies_as_usual(x.full, origin.dims)):
            field = field._replace(whole=True)
        elif unit.sees_all:
            result = lost(origin)
            field = Field(None, field.whole)
        row = self.row(
            name, unit, (inner,), output, weights, copies * cost.macs, copies * cost.ops,
            field, (origin.source,), copies,
        )  # fmt: skip
        if origin.field is None:  # made of weights alone
            return traced((copies, *output), x.kind, Origin(source=row))
        result = Origin(field, result.dims, result.sizes, row, (), result.atoms)
        return traced((copies, *output), x.kind, result)

    def operation(
        self, unit: Unit | str, xs: Sequence[Traced], full: tuple[int, ...], *, macs: int = 0,
        ops: int = 0, origin: Origin | None = None, weights: Sequence[Any] = (),
        dtype: torch.dtype | None = None,
    ) -> Traced:  # fmt: skip
        """A row for any operation: its inputs, its output's shape with the batch, its work.

        `origin` says what it sees; without one that is unknown.
        """
        field = (origin or lost(*[x.origin for x in xs])).field
        if field is None:  # work on weights: no row unless it multiplies
            owners = (*weights, *[w for x in xs for w in x.origin.owners])
            owners = tuple({id(w): w for w in owners if w is not None}.values())
            origin = Origin(None, (), (), -1, owners)
            if not macs:
                return traced(full, dtype or xs[0].kind, origin)
            field = Field(None)
        origin = origin or Origin(field)
        name, unit = (unit, Operation(unit)) if isinstance(unit, str) else (_name(unit), unit)
        seen = [x for x in xs if x.origin.field is not None] or list(xs)
        copies = full[0] if full else 1
        row = self.row(
            name, unit, tuple([x.full[1:] for x in seen]), full[1:],
            [*weights, *[w for x in xs for w in x.origin.owners]], macs, ops, field,
            tuple([x.origin.source for x in seen]), copies,
        )  # fmt: skip
        return traced(full, dtype or xs[0].kind, origin._replace(source=row))

    def row(
        self, name: str, unit: Unit, inputs: tuple[Shape, ...], output: Shape,
        weights: Sequence[Any], macs: int, ops: int, field: Field, sources: tuple[int, ...],
        copies: int,
    ) -> int:  # fmt: skip
        """Keeps a row; its index."""
        params, buffers, stored = self.claim(weights)
        path = self._path(name)
        frozen = params > 0 and stored.learnt == 0
        self.rows.append(Row(path, unit, inputs, output, params, macs, ops, buffers, field, sources,
                             False, copies, frozen, stored))  # fmt: skip
        return len(self.rows) - 1

    def value(self, tensor: Tensor, owned: bool = False) -> Traced:
        """The value that stands in for a tensor, always the same, so that the tensor itself is
        never written to; it belongs to a parameter, or to what else a module `owned`.
        """
        if type(tensor) is Traced:
            return tensor
        pair = self._stands.get(id(tensor))
        if pair is None:
            with torch._C.DisableTorchFunction():
                learnt = id(tensor) in self._weights
                origin = Origin(owners=(tensor,) if learnt or owned else ())
                actual = own_numbers(tensor, learnt and not self.values)
                stand = traced(tuple(tensor.shape), tensor.dtype, origin, actual)
            pair = self._stands[id(tensor)] = tensor, stand
        return pair[1]

    def real(self, tensor: Tensor) -> Any:
        pair = self._stands.get(id(tensor))
        value = tensor if pair is None else pair[1]
        return value.actual if type(value) is Traced else value

    def _plain(self, value: Traced) -> bool:
        """Whether numbers are at hand that no weight is in."""
        owners = value.origin.owners
        return isinstance(value.actual, Tensor) and not any(id(w) in self._weights for w in owners)

    def claim(self, weights: Sequence[Any]) -> tuple[int, int, Stored]:
        """Elements of parameters and of buffers among `weights` that no row has counted yet, and
        their bytes.
        """
        params = buffers = size = learnt = 0
        for weight in weights:
            if weight is None or id(weight) in self._claimed:
                continue
            self._claimed.add(id(weight))
            own = weight.numel() * (self.item or weight.element_size())
            size += own
            if id(weight) in self._weights:
                params += weight.numel()
                learnt += own if weight.requires_grad else 0
            else:
                buffers += weight.numel()
        return params, buffers, Stored(size, learnt)

    def _path(self, name: str) -> str:
        name = name if self.named else ""
        path = f"{self.path}.{name}" if self.path and name else self.path or name
        count = self._used[path] = self._used.get(path, 0) + 1
        return path if count == 1 else f"{path}_{count}"

    def settle(self, module: nn.Module) -> None:
        """Weights of a followed module that no row has taken go to the last row in it."""
        with torch._C.DisableTorchFunction():
            params, buffers, stored = self.claim(own_tensors(module))
        if params or buffers:
            self.rows[-1] = self.rows[-1].holding(params, buffers, stored)


def _usual(args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[Any, dict[str, Any]]:
    """Arguments with the input at their front, without an `out` that is none."""
    kwargs = {key: value for key, value in kwargs.items() if key != "out" or value is not None}
    return ((kwargs.pop("input"),), kwargs) if "input" in kwargs and not args else (args, kwargs)


@lru_cache(maxsize=1024)
def _takes(rule: Callable[..., Any], names: tuple[str, ...]) -> bool:
    """Whether a rule knows keywords of these names."""
    takes = signature(rule).parameters
    return any(p.kind is p.VAR_KEYWORD for p in takes.values()) or takes.keys() >= {*names}


def _name(unit: Unit) -> str:
    return unit.name if isinstance(unit, Operation) else type(unit).__name__.lower()
