"""Where the axes of a receptive field lie in a tensor, and what becomes of them when it is
reshaped, permuted, sliced or joined with others.
"""

from __future__ import annotations

from collections.abc import Sequence

from netwright.core.field import Field, Taps
from netwright.foreign.traced import Origin, Traced

__all__ = ["lies_as_usual", "merged", "permuted", "reshaped", "sliced", "stretched"]


def lies_as_usual(full: Sequence[int], dims: tuple[int, ...]) -> bool:
    """Whether the axes are those behind batch and channels: (N, C, H, W)."""
    return dims == tuple(range(2, len(full)))


def merged(xs: Sequence[Traced], full: tuple[int, ...], aligned: bool = True) -> Origin:
    """Where a value of shape `full` is from that is made of `xs`, element by element with
    PyTorch's broadcasting; unless `aligned`, nobody can say what one of its elements sees.
    """
    seen = [x for x in xs if x.origin.field is not None]
    if not seen:
        return Origin()
    fields = [x.origin.field or Field(None) for x in seen]
    whole = any(field.whole for field in fields)
    local = [x.origin for x in seen if x.origin.dims]
    unknown = any(field.axes is None and not field.whole for field in fields)
    if not local or not aligned or unknown:
        return Origin(Field(None, whole))
    if len(seen) == 1 and seen[0].full == full:
        return local[0]
    laid = [stretched(x.origin, x.full, full) for x in seen if x.origin.dims]
    dims = laid[0].dims
    if any(origin.dims != dims for origin in laid):
        return Origin(Field(None, whole))
    field = Field.merge([o.field for o in laid if o.field], laid[0].sizes)
    if whole and not field.whole:
        field = field._replace(whole=True)
    return Origin(field, dims, laid[0].sizes)


def stretched(origin: Origin, full: Sequence[int], into: Sequence[int]) -> Origin:
    """The origin of a value of shape `full` broadcast `into` another shape."""
    shift = len(into) - len(full)
    dims = tuple([d + shift for d in origin.dims])
    field, sizes = origin.field, origin.sizes
    if field is not None and any(full[d - shift] != into[d] for d in dims):
        grow = [into[d] // full[d - shift] for d in dims]
        sizes = tuple([size * n for size, n in zip(sizes, grow, strict=True)])
        field = field.through(tuple([Taps(((0, 1),) * n) for n in grow]), sizes)
    return origin._replace(field=field, dims=dims, sizes=sizes)


def permuted(origin: Origin, order: Sequence[int]) -> Origin:
    """The origin of a value whose dimension i was dimension `order[i]`."""
    return origin._replace(dims=tuple([order.index(d) for d in origin.dims]))


def reshaped(origin: Origin, full: Sequence[int], into: Sequence[int]) -> Origin:
    """The origin of a value of shape `full` seen as another shape.

    Axes that end up side by side in one dimension (tokens) are remembered and found again.
    What mixes positions with channels sees all positions; a position cut in two is lost.
    """
    if origin.field is None or not origin.dims:
        return origin
    atoms: list[tuple[int, int | None]] = []
    for d, size in enumerate(full):
        axes = [i for i, dim in enumerate(origin.dims) if dim == d]
        atoms += [(origin.sizes[i], i) for i in axes] or [(size, None)]
    atoms.reverse()
    where: dict[int, int] = {}
    for d, size in enumerate(into):
        taken = _taken(atoms, size)
        if taken is None:
            return Origin(Field(None, origin.field.whole), source=origin.source)
        axes, mixed = taken
        if axes and mixed:
            return Origin(Field(None, True), source=origin.source)
        where.update(dict.fromkeys(axes, d))
    if len(where) != len(origin.dims):
        return Origin(Field(None, True), source=origin.source)
    return origin._replace(dims=tuple([where[i] for i in range(len(origin.dims))]))


def _taken(atoms: list[tuple[int, int | None]], size: int) -> tuple[list[int], bool] | None:
    """Takes atoms, (size, axis or None), from the end of the list to fill a dimension: the axes
    among them and whether there was anything else; None where an axis would have to be cut.
    """
    axes, mixed, left = list[int](), False, size
    while atoms and (left > 1 or (size == 1 and atoms[-1][0] == 1)):
        n, axis = atoms.pop()
        if left % n == 0:
            left //= n
            if axis is not None:
                axes.append(axis)
            mixed = mixed or (axis is None and n > 1)
        elif axis is None and n % left == 0:
            atoms.append((n // left, None))
            left, mixed = 1, True
        else:
            return None
        if size == 1:
            break
    return axes, mixed


def sliced(origin: Origin, dim: int, start: int, step: int, size: int) -> Origin:
    """The origin of `x[start::step]` along `dim`, `size` positions."""
    if origin.field is None or dim not in origin.dims:
        return origin
    if origin.dims.count(dim) > 1:
        return Origin(Field(None, origin.field.whole), source=origin.source)
    taps = [Taps(((start, 1),), 1, step) if d == dim else Taps() for d in origin.dims]
    sizes = [size if d == dim else n for d, n in zip(origin.dims, origin.sizes, strict=True)]
    return origin._replace(field=origin.field.through(tuple(taps), sizes), sizes=tuple(sizes))
