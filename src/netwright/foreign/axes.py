"""Where the axes of a receptive field lie in a tensor, and what becomes of them when values are
joined, sliced, put together or read in another order.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch

from netwright.core.field import Field, Taps, Window
from netwright.core.shape import Shape
from netwright.foreign.layout import lost, on_axes, resized
from netwright.foreign.traced import NOWHERE, Atom, Origin, Traced

__all__ = ["aligned", "indexed", "joined", "lies_as_usual", "merged", "sliced", "stretched",
           "through", "windowed"]  # fmt: skip

SAME = Taps()
"""Every position reads itself."""


def lies_as_usual(full: Sequence[int], dims: tuple[int, ...]) -> bool:
    """Whether the axes are those behind batch and channels: (N, C, H, W)."""
    return dims == tuple(range(2, len(full)))


def merged(xs: Sequence[Traced], full: tuple[int, ...]) -> Origin:
    """Where a value of shape `full` is from that is made of `xs`, element by element with
    PyTorch's broadcasting.
    """
    parts = [(x.origin, x.full) for x in xs if x.origin.field is not None]
    return joined(parts, full) if parts else Origin()


def aligned(xs: Sequence[Traced], full: tuple[int, ...]) -> Origin:
    """As `merged`; nobody can say what an element sees where shapes do not go together."""
    fits = torch.broadcast_shapes(*[x.full for x in xs]) == full
    return merged(xs, full) if fits else lost(*[x.origin for x in xs])


def through(x: Traced, window: Window, output: Shape) -> Origin:
    """The origin of a map of shape `output`, (C, ...), that reads the map `x` with a window."""
    origin, dims = x.origin, x.origin.dims
    field = origin.field or Field(None)
    if window == ():
        return origin._replace(field=field)
    if field.axes is None or set(dims) == {NOWHERE}:  # one position, or none
        return Origin(field, dims, origin.sizes, origin.source)
    if window is None:
        parted = NOWHERE in dims or 0 in on_axes(origin)
        return Origin(Field(None, field.whole or not parted), source=origin.source)
    if not lies_as_usual(x.full, dims) or len(window) != len(dims):
        return lost(origin)
    field = field.through(window, output)
    return lost(origin) if field.axes is None else Origin(field, dims, output[1:], origin.source)


def joined(parts: Sequence[tuple[Origin, Sequence[int]]], full: tuple[int, ...]) -> Origin:
    """The origin of a value of shape `full` that the inputs reach by way of all `parts`, origins
    and shapes, broadcast to `full`.
    """
    if len(parts) == 1 and tuple(parts[0][1]) == full:
        return parts[0][0]
    fields = [origin.field for origin, _ in parts if origin.field is not None]
    whole = any(field.whole for field in fields)
    if any(field.axes is None and not field.whole for field in fields):
        return Origin(Field(None, whole))
    laid = [stretched(origin, shape, full) for origin, shape in parts if origin.dims]
    if not laid:
        return Origin(Field(None, whole))
    laid = _placed(laid, full)
    first = laid[0]
    if any((o.dims, o.atoms) != (first.dims, first.atoms) for o in laid):
        return Origin(Field(None, whole))
    field = Field.merge([o.field for o in laid if o.field], first.sizes)
    if whole and not field.whole:
        field = field._replace(whole=True)
    return Origin(field, first.dims, first.sizes, atoms=first.atoms)


def _placed(laid: list[Origin], full: Sequence[int]) -> list[Origin]:
    """The origins with axes that lie nowhere in some stretched to where others have them."""
    if all(NOWHERE not in o.dims for o in laid) or any(len(o.dims) != len(laid[0].dims)
                                                       for o in laid):  # fmt: skip
        return laid
    where = [max(dims) for dims in zip(*[o.dims for o in laid], strict=True)]
    atoms = next((o.atoms for o in laid if NOWHERE not in o.dims), ())
    if any(o.atoms for o in laid) and not atoms:
        return laid
    return [_spread(o, where, full)._replace(atoms=atoms) if NOWHERE in o.dims else o for o in laid]


def _spread(origin: Origin, where: Sequence[int], full: Sequence[int]) -> Origin:
    sizes = [n if d == w else full[w]
             for n, d, w in zip(origin.sizes, origin.dims, where, strict=True)]  # fmt: skip
    taps = [SAME if d == w else Taps(((0, 1),), 1, 0)
            for d, w in zip(origin.dims, where, strict=True)]  # fmt: skip
    return _through(origin, taps, sizes)._replace(dims=tuple(where))


def _through(origin: Origin, taps: Sequence[Taps], sizes: Sequence[int]) -> Origin:
    """The origin after every axis was read with its `taps`, into so many positions."""
    if origin.field is None:
        return origin
    field = origin.field.through(tuple(taps), tuple(sizes))
    return lost(origin) if field.axes is None else origin._replace(field=field, sizes=tuple(sizes))


def stretched(origin: Origin, full: Sequence[int], into: Sequence[int]) -> Origin:
    """The origin of a value of shape `full` broadcast `into` another shape."""
    shift = len(into) - len(full)
    if origin.field is None or (shift == 0 and tuple(full) == tuple(into)):
        return origin
    grown = {d for d, n in enumerate(full) if n != into[d + shift]}
    if origin.atoms:
        if grown & on_axes(origin):
            return lost(origin)
        for d in grown:
            origin = resized(origin, d, into[d + shift])
        added = tuple([(Atom(n),) for n in into[:shift]])
        origin = origin._replace(atoms=(*added, *origin.atoms))
    dims = tuple([d if d == NOWHERE else d + shift for d in origin.dims])
    taps = [Taps(((0, 1),), 1, 0) if d in grown else SAME for d in origin.dims]
    sizes = [into[d + shift] if d in grown else n
             for d, n in zip(origin.dims, origin.sizes, strict=True)]  # fmt: skip
    if any(d in grown for d in origin.dims):
        origin = _through(origin, taps, sizes)
    return origin._replace(dims=dims) if origin.dims else origin


def windowed(origin: Origin, dim: int, taps: Taps, size: int) -> Origin:
    """The origin of a value that reads another along `dim` with `taps`, into `size` places."""
    if origin.field is None or not origin.dims:
        return origin
    if dim not in on_axes(origin):
        return resized(origin, dim, size)
    if origin.dims.count(dim) != 1 or (origin.atoms and len(origin.atoms[dim]) > 1):
        return lost(origin)
    axis = origin.dims.index(dim)
    if origin.atoms and origin.atoms[dim][0].size != origin.sizes[axis]:
        return lost(origin)
    each = [taps if d == dim else SAME for d in origin.dims]
    sizes = [size if d == dim else n for d, n in zip(origin.dims, origin.sizes, strict=True)]
    origin = _through(origin, each, sizes)
    if origin.atoms:
        atoms = [*origin.atoms]
        atoms[dim] = (Atom(size, axis),)
        origin = origin._replace(atoms=tuple(atoms))
    return origin


def sliced(origin: Origin, dim: int, start: int, step: int, size: int) -> Origin:
    """The origin of `x[start::step]` along `dim`, `size` positions."""
    return windowed(origin, dim, Taps(((start, 1),), 1, step), size)


def indexed(origin: Origin, where: dict[int, int], rank: int) -> Origin:
    """The origin once dimension d of a value is dimension `where[d]` of `rank`, and the others,
    taken at one index, are gone.
    """
    if origin.field is None or not origin.dims:
        return origin
    gone = {d for d in on_axes(origin) if d not in where}
    single = all(n == 1 for n, d in zip(origin.sizes, origin.dims, strict=True) if d in gone)
    if gone and (origin.atoms or not single):
        return lost(origin)
    dims = tuple([where.get(d, NOWHERE) for d in origin.dims])
    atoms: tuple[tuple[Atom, ...], ...] = ()
    if origin.atoms:
        back = {new: old for old, new in where.items()}
        atoms = tuple([origin.atoms[back[d]] if d in back else () for d in range(rank)])
    return origin._replace(dims=dims, atoms=atoms)
