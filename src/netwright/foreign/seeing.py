"""What values see whose shape and work PyTorch's own kernels tell: rules for functions that have
no rule otherwise. Where there is none here either, nobody can say.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from inspect import signature
from typing import Any

import torch
from torch import Tensor

from netwright.core.field import Field, Taps, resampling
from netwright.foreign.axes import indexed, joined, lies_as_usual, read
from netwright.foreign.homes import homes
from netwright.foreign.layout import mixed, on_axes, reduced, resized
from netwright.foreign.traced import Atom, Origin, Traced
from netwright.units.window import sliding_window

__all__ = ["SEES", "aligned", "ruled", "sees"]

Rule = Callable[..., Origin | None]

SEES: dict[Any, Rule] = {}
"""rule(shape of an output, *arguments of the function): the output's origin, None where nobody
can say."""


def sees(*functions: Any) -> Callable[[Rule], Rule]:
    """Makes the decorated rule say what the results of these functions see."""

    def register(rule: Rule) -> Rule:
        SEES.update(dict.fromkeys(functions, rule))
        return rule

    return register


def ruled(
    func: Any, full: tuple[int, ...], args: tuple[Any, ...], kwargs: dict[str, Any]
) -> Origin | None:
    """What the rule of a function says; nothing where it does not know how it was called."""
    rule = SEES[func]
    try:
        signature(rule).bind(full, *args, **kwargs)
    except TypeError:
        return None
    return rule(full, *args, **kwargs)


def aligned(xs: Sequence[Traced], full: tuple[int, ...]) -> Origin | None:
    """The origin of what was computed element by element; None where shapes do not say so."""
    if torch.broadcast_shapes(*[x.full for x in xs]) != full:
        return None
    parts = [(x.origin, x.full) for x in xs if x.origin.field is not None]
    return joined(parts, full) if parts else Origin()


def _all(home: Any, *names: str) -> list[Any]:
    return [getattr(home, name) for name in names if hasattr(home, name)]


# --------------------------------------------------------------------- windows


def _slid(x: Traced, full: tuple[int, ...], taps: Sequence[Taps]) -> Origin | None:
    """The origin of a map of shape `full` read from the map `x`."""
    if not lies_as_usual(x.full, x.origin.dims) or x.origin.field is None:
        return None
    field = x.origin.field.through(tuple(taps), full[2:])
    return x.origin._replace(field=field, sizes=full[2:])


@sees(*homes(*[f"adaptive_max_pool{rank}d{end}" for rank in (1, 2, 3)
               for end in ("", "_with_indices")]))  # fmt: skip
def _adaptive(full: tuple[int, ...], x: Any, *_: Any, **__: Any) -> Origin | None:
    if lies_as_usual(x.full, x.origin.dims) and set(full[2:]) == {1}:
        return Origin(Field(None, True))
    return _slid(x, full, [resampling(n, m) for n, m in zip(x.full[2:], full[2:], strict=True)])


@sees(*homes("lp_pool1d", "lp_pool2d", "lp_pool3d"))
def _lp_pool(full: tuple[int, ...], x: Any, norm_type: float, kernel_size: Any, stride: Any = None,
             ceil_mode: bool = False) -> Origin | None:  # fmt: skip
    return _pooled(full, x, kernel_size, stride)


@sees(*homes("avg_pool1d", "avg_pool2d", "avg_pool3d"))
def _pooled(full: tuple[int, ...], x: Any, kernel_size: Any, stride: Any = None, padding: Any = 0,
            *_: Any, **__: Any) -> Origin | None:  # fmt: skip
    rank = len(full) - 2
    kernel, pad = _each(kernel_size, rank), _each(padding, rank)
    hop = kernel if stride in (None, (), []) else _each(stride, rank)
    return _slid(x, full, sliding_window(rank, kernel, hop, pad, 1).taps or ())


def _each(value: Any, rank: int) -> tuple[int, ...]:
    given = (value,) if isinstance(value, int) else tuple(value)
    return given * rank if len(given) == 1 else given


@sees(*homes("unfold"))
def _unfold(full: tuple[int, ...], x: Any, *args: Any, **kwargs: Any) -> Origin | None:
    if len(args) + len(kwargs) == 3 and (len(args) == 3 or "step" in kwargs):
        return _windows(full, x, *args, **kwargs)
    return _patches(full, x, *args, **kwargs)


def _windows(full: tuple[int, ...], x: Any, dimension: int, size: int, step: int) -> Origin | None:
    """Tensor.unfold: windows side by side, what is in them on a new last dimension."""
    dim = dimension % len(x.full)
    origin = x.origin
    if dim in on_axes(origin):
        origin = read(origin, dim, Taps(((0, size),), 1, step), full[dim])
    origin = resized(origin, dim, full[dim]) if dim not in on_axes(origin) else origin
    atoms = (*origin.atoms, (Atom(size),)) if origin.atoms else ()
    return origin._replace(atoms=atoms)


def _patches(full: tuple[int, ...], x: Any, kernel_size: Any, dilation: Any = 1, padding: Any = 0,
             stride: Any = 1) -> Origin | None:  # fmt: skip
    """F.unfold: every window of a map as a column."""
    if len(x.full) != 4 or not lies_as_usual(x.full, x.origin.dims):
        return None
    k, d, p, s = (_each(v, 2) for v in (kernel_size, dilation, padding, stride))
    cells = [(n + 2 * b - e * (a - 1) - 1) // c + 1
             for n, a, e, b, c in zip(x.full[2:], k, d, p, s, strict=True)]  # fmt: skip
    made = _slid(x, (*x.full[:2], *cells), sliding_window(2, k, s, p, d).taps or ())
    return made and _columns(made, full, cells)


def _columns(origin: Origin, full: tuple[int, ...], cells: Sequence[int]) -> Origin:
    columns = tuple([Atom(n, axis) for axis, n in enumerate(cells) if n > 1])
    dims = tuple([2 if n > 1 else -1 for n in cells])
    if len(columns) < 2:
        return origin._replace(dims=dims)
    return origin._replace(dims=dims, atoms=((Atom(full[0], -2),), (Atom(full[1]),), columns))


# ---------------------------------------------------------- along a dimension


def _dims(x: Traced, dim: Any) -> list[int]:
    if dim is None or dim == ():
        return [*range(len(x.full))]
    return [d % len(x.full) for d in ([dim] if isinstance(dim, int) else dim)]


def _reducing(place: int, default: Any = None) -> Rule:
    """The rule of a function that puts dimensions together, given at `place` behind the input."""

    def rule(full: tuple[int, ...], x: Any, *args: Any, dim: Any = ..., **_: Any) -> Origin | None:
        given = args[place] if len(args) > place else default
        dims = _dims(x, given if dim is ... else dim)
        kept = len(full) == len(x.full)
        if not kept and len(full) != len(x.full) - len(dims):
            return None
        return reduced(x.origin, x.full, dims, kept)

    return rule


_linalg: Any = torch.linalg
sees(*homes("mode"))(_reducing(0, -1))
sees(*homes("median", "nanmedian", "count_nonzero", "nansum", "std_mean", "var_mean",
            "max", "min", "mean", "sum", "amax", "amin"))(_reducing(0, None))  # fmt: skip
sees(*homes("aminmax"))(_reducing(9))
sees(*homes("norm", "quantile", "nanquantile"), *_all(_linalg, "norm", "vector_norm"))(_reducing(1))
sees(*homes("kthvalue"))(_reducing(1, -1))


@sees(*homes("cosine_similarity"))
def _similarity(full: tuple[int, ...], x1: Any, x2: Any, dim: int = 1, *_: Any) -> Origin | None:
    if x1.full != x2.full:
        return None
    both = aligned([x for x in (x1, x2) if type(x) is Traced], x1.full)
    return both and reduced(both, x1.full, [dim % len(x1.full)], keep=False)


@sees(*homes("cumsum", "cumprod", "cummax", "cummin", "logcumsumexp"))
def _scan(full: tuple[int, ...], x: Any, dim: int, **_: Any) -> Origin | None:
    dim %= len(full)
    n = full[dim]
    if dim not in on_axes(x.origin):
        return x.origin
    return read(x.origin, dim, Taps(tuple((0, i + 1) for i in range(n)), 1, 0), n)


def _mixing(place: int, default: int = -1) -> Rule:
    """The rule of a function in which everything along a dimension has to do with everything."""

    def rule(full: tuple[int, ...], x: Any, *args: Any, dim: Any = None, **_: Any) -> Origin | None:
        at = (args[place] if len(args) > place else default) if dim is None else dim
        if not isinstance(at, int) or isinstance(at, bool) or len(full) != len(x.full):
            return None
        at %= len(full)
        if at not in on_axes(x.origin):
            return resized(x.origin, at, full[at])
        return mixed(x.origin, full, [at]) if full == x.full else None

    return rule


sees(*homes("sort", "argsort", "softmin"))(_mixing(0))
sees(*homes("topk"))(_mixing(1))


@sees(*homes("glu"))
def _glu(full: tuple[int, ...], x: Any, dim: int = -1) -> Origin | None:
    dim %= len(full)
    return None if dim in on_axes(x.origin) else resized(x.origin, dim, full[dim])


@sees(*homes("instance_norm"))
def _instance_norm(full: tuple[int, ...], x: Any, *args: Any, **kwargs: Any) -> Origin | None:
    uses = args[4] if len(args) > 4 else kwargs.get("use_input_stats", True)
    return mixed(x.origin, full, range(2, len(full))) if uses else x.origin


@sees(*homes("local_response_norm"))
def _response_norm(full: tuple[int, ...], x: Any, *_: Any, **__: Any) -> Origin | None:
    return None if 1 in on_axes(x.origin) else x.origin


# --------------------------------------------------------------------- moving


def _each_dim(x: Traced, full: tuple[int, ...], taps: Iterable[tuple[int, Taps]]) -> Origin:
    origin = x.origin
    for dim, one in taps:
        origin = read(origin, dim, one, full[dim])
    return origin


@sees(*homes("flip"))
def _flip(full: tuple[int, ...], x: Any, *dims: Any) -> Origin | None:
    given = dims[0] if len(dims) == 1 else dims
    taps = [(d, Taps(((full[d] - 1, 1),), 1, -1)) for d in _dims(x, given)]
    return _each_dim(x, full, taps)


@sees(*homes("roll"))
def _roll(full: tuple[int, ...], x: Any, shifts: Any, dims: Any = None) -> Origin | None:
    if dims is None or dims == ():
        return None
    moved = [shifts] if isinstance(shifts, int) else shifts
    return _each_dim(x, full, [(d, _rolled(x, d, s))
                               for d, s in zip(_dims(x, dims), moved, strict=True)])  # fmt: skip


def _rolled(x: Traced, dim: int, shift: int) -> Taps:
    """A shift; what comes back at the other end is taken for a border, as in circular padding,
    unless there is much of it.
    """
    n = x.full[dim]
    shift = (shift + n // 2) % n - n // 2
    field = x.origin.field
    finite = field is not None and any(axis.finite for axis in field.axes or ())
    if 4 * abs(shift) > n or finite:
        return Taps(tuple(((i - shift) % n, 1) for i in range(n)), 1, 0)
    return Taps(((-shift, 1),))


@sees(*homes("repeat_interleave"))
def _interleave(full: tuple[int, ...], x: Any, repeats: Any, dim: Any = None, **_: Any) -> Any:
    if dim is None or not isinstance(repeats, int):
        return None
    return read(x.origin, dim % len(full), Taps(((0, 1),) * repeats), full[dim])


@sees(*homes("repeat", "tile"))
def _repeat(full: tuple[int, ...], x: Any, *_: Any, **__: Any) -> Origin | None:
    if len(full) != len(x.full):
        return None
    taps = [(d, Taps(tuple((i % n, 1) for i in range(m)), 1, 0))
            for d, (n, m) in enumerate(zip(x.full, full, strict=True)) if n != m]  # fmt: skip
    return _each_dim(x, full, taps)


@sees(*homes("tril", "triu"))
def _triangle(full: tuple[int, ...], x: Any, *_: Any, **__: Any) -> Origin | None:
    return None if on_axes(x.origin) & {len(full) - 2, len(full) - 1} else x.origin


@sees(Tensor.real.__get__, Tensor.imag.__get__, torch.real, torch.imag)  # type: ignore[attr-defined]
def _part(full: tuple[int, ...], x: Any) -> Origin | None:
    return x.origin


@sees(*_all(torch.fft, *[f"{kind}{end}" for kind in ("fft", "ifft", "rfft", "irfft")
                         for end in ("2", "n")]))  # fmt: skip
def _fourier(full: tuple[int, ...], x: Any, s: Any = None, dim: Any = None, *_: Any,
             **__: Any) -> Origin | None:  # fmt: skip
    dims = {len(full) - 2, len(full) - 1} if dim is None else {*_dims(x, dim)}
    if s is not None or not on_axes(x.origin) or not on_axes(x.origin) <= dims:
        return None
    return Origin(Field(None, True))


# ------------------------------------------------------------------- products


@sees(torch.einsum)
def _einsum(full: tuple[int, ...], equation: Any, *operands: Any) -> Origin | None:
    values = (
        operands[0] if len(operands) == 1 and isinstance(operands[0], list | tuple) else operands
    )
    if not isinstance(equation, str) or "." in equation:
        return None
    terms, _, result = equation.replace(" ", "").partition("->")
    names = terms.split(",")
    if "->" not in equation or any(len({*name}) < len(name) for name in (*names, result)):
        return None
    size = dict(zip(result, full, strict=True))
    parts: list[tuple[Origin, tuple[int, ...]]] = []
    for name, x in zip(names, values, strict=True):
        if type(x) is not Traced or x.origin.field is None:
            continue
        if x.origin.atoms:
            return None
        gone = [d for d, letter in enumerate(name) if letter not in result]
        origin = reduced(x.origin, x.full, gone, keep=False)
        left = [letter for letter in name if letter in result]
        where = {d: result.index(letter) for d, letter in enumerate(left)}
        shape = tuple([size[letter] if letter in left else 1 for letter in result])
        parts.append((indexed(origin, where, len(full)), shape))
    return joined(parts, full) if parts else Origin()
