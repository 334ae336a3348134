"""How the axes of a receptive field lie in the dimensions of a tensor: side by side in one
(tokens), beside channels (a flattened map), cut in two (windows, space to depth).
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

from netwright.core.field import Field, Taps
from netwright.foreign.traced import BATCH, CHANNELS, NOWHERE, Atom, Origin, Traced

__all__ = ["dims_of", "lost", "mixed", "on_axes", "permuted", "reduced", "reshaped", "resized"]


def lost(*origins: Origin) -> Origin:
    """The origin of a value made of these of which nobody can say what it sees."""
    fields = [o.field for o in origins if o.field is not None]
    source = max((o.source for o in origins), default=-1)
    return Origin(Field(None, any(f.whole for f in fields)) if fields else None, source=source)


def dims_of(x: Traced, dim: Any) -> tuple[int, ...]:
    """The dimensions that an argument `dim` means: all of them where it is None."""
    if dim is None or dim == ():
        return tuple(range(len(x.full)))
    given = [dim] if isinstance(dim, int) else dim
    return tuple([d % len(x.full) for d in given])


def on_axes(origin: Origin) -> set[int]:
    """The dimensions that positions lie on."""
    if origin.atoms:
        return {d for d, atoms in enumerate(origin.atoms) for atom in atoms if atom.axis >= 0}
    return {d for d in origin.dims if d != NOWHERE}


def _layout(origin: Origin, full: Sequence[int]) -> list[tuple[Atom, ...]]:
    """What lies on each dimension, the slowest first."""
    if origin.atoms:
        return [*origin.atoms]
    atoms = [(Atom(n, BATCH if d == 0 else CHANNELS),) for d, n in enumerate(full)]
    for axis, dim in enumerate(origin.dims):
        if dim != NOWHERE:
            atoms[dim] = (Atom(origin.sizes[axis], axis),)
    return atoms


def resized(origin: Origin, dim: int, size: int) -> Origin:
    """The origin of a value whose dimension `dim`, of no positions, has another size."""
    if not origin.atoms:
        return origin
    atoms = [*origin.atoms]
    atoms[dim] = (Atom(size),)
    return origin._replace(atoms=tuple(atoms))


def permuted(origin: Origin, order: Sequence[int]) -> Origin:
    """The origin of a value whose dimension i was dimension `order[i]`."""
    dims = tuple([d if d == NOWHERE else order.index(d) for d in origin.dims])
    atoms = tuple([origin.atoms[d] for d in order]) if origin.atoms else ()
    return origin._replace(dims=dims, atoms=atoms)


def reshaped(origin: Origin, full: Sequence[int], into: Sequence[int]) -> Origin:
    """The origin of a value of shape `full` seen as another shape.

    What lies on a dimension is remembered and found again: axes side by side, axes beside
    channels, the blocks an axis was cut into.
    """
    if origin.field is None or not origin.dims or tuple(full) == tuple(into):
        return origin
    left = [atom for atoms in _layout(origin, full) for atom in atoms if atom.size != 1]
    left.reverse()
    laid: list[tuple[Atom, ...]] = []
    for size in into:
        atoms = _taken(left, size)
        if atoms is None:
            return lost(origin)
        laid.append(atoms)
    return _settled(origin, laid)


def _taken(left: list[Atom], size: int) -> tuple[Atom, ...] | None:
    """Atoms from the end of the list that fill a dimension, the last one cut where it has to be;
    None where that does not go.
    """
    taken: list[Atom] = []
    while size > 1 and left:
        atom = left.pop()
        if size % atom.size == 0:
            taken.append(atom)
            size //= atom.size
        elif atom.size % size == 0:
            rest = atom.size // size
            taken.append(Atom(size, atom.axis, atom.step * rest))
            left.append(Atom(rest, atom.axis, atom.step))
            size = 1
        else:
            return None
    return tuple(taken) if size == 1 else None


def _settled(origin: Origin, laid: Sequence[Sequence[Atom]]) -> Origin:
    """The origin with these atoms; those side by side that go together are put together."""
    dims = [_fused(atoms) for atoms in laid]
    while (mixture := _mixture(origin, dims)) is not None:
        d, piece = mixture
        if _whole(origin, piece):  # channels dealt out to positions, depth to space
            places = dims[d][1].size
            taps, count = Taps(((0, 1),) * places), piece.size * places
            dims[d] = (Atom(count, piece.axis),)
            origin = _windowed(origin, piece.axis, taps, count)
            continue
        gathered = _gathered(origin, dims, piece)
        if gathered is None:
            return lost(origin)
        origin, dims = gathered
    where = [next((d for d, atoms in enumerate(dims) for a in atoms if a.axis == axis), NOWHERE)
             for axis in range(len(origin.dims))]  # fmt: skip
    simple = all(
        len(atoms) <= 1 and (not atoms or atoms[0].axis < 0 or _whole(origin, atoms[0]))
        for atoms in dims
    )
    return origin._replace(dims=tuple(where), atoms=() if simple else tuple(dims))


def _mixture(origin: Origin, dims: list[tuple[Atom, ...]]) -> tuple[int, Atom] | None:
    """The first dimension where positions and channels go together, and the piece of an axis."""
    for d, atoms in enumerate(dims):
        if not any(atom.axis == CHANNELS for atom in atoms):
            continue
        pieces = [atom for atom in atoms if atom.axis >= 0]
        if len(atoms) == 2 and atoms[0].axis >= 0 and _whole(origin, atoms[0]):
            return d, atoms[0]
        for piece in pieces:
            if not _whole(origin, piece):
                return d, piece
    return None


def _whole(origin: Origin, atom: Atom) -> bool:
    """Whether an axis is all in this atom."""
    return atom.step == 1 and atom.size == origin.sizes[atom.axis]


def _fused(atoms: Sequence[Atom]) -> tuple[Atom, ...]:
    """Neighbours as one where they are two pieces of one axis, or both channels."""
    fused = [*atoms[:1]]
    for before, atom in pairwise(atoms):
        last = fused[-1]
        if atom.axis == before.axis and (atom.axis < 0 or last.step == atom.step * atom.size):
            fused[-1] = Atom(last.size * atom.size, atom.axis, atom.step)
        else:
            fused.append(atom)
    return tuple(fused)


def _gathered(
    origin: Origin, dims: list[tuple[Atom, ...]], piece: Atom
) -> tuple[Origin, list[tuple[Atom, ...]]] | None:
    """A piece of an axis among channels, space to depth: what is left of it sees all of that."""
    others = [a for atoms in dims for a in atoms if a.axis == piece.axis and a != piece]
    if len(others) != 1:
        return None
    (rest,) = others
    taps = Taps(((0, piece.size),), piece.step, rest.step)
    origin = _windowed(origin, piece.axis, taps, rest.size)
    swap = {piece: Atom(piece.size), rest: Atom(rest.size, rest.axis)}
    return origin, [_fused([swap.get(a, a) for a in atoms]) for atoms in dims]


def _windowed(origin: Origin, axis: int, taps: Taps, count: int) -> Origin:
    """The origin after an axis was read with `taps`, into `count` positions."""
    assert origin.field is not None  # origins without a field have no axes
    each = tuple([taps if i == axis else Taps() for i in range(len(origin.dims))])
    sizes = tuple([count if i == axis else n for i, n in enumerate(origin.sizes)])
    return origin._replace(field=origin.field.through(each, sizes), sizes=sizes)


def mixed(origin: Origin, full: Sequence[int], dims: Sequence[int]) -> Origin:
    """The origin of a value in which everything along `dims` has to do with everything."""
    if origin.field is None or not on_axes(origin) & {*dims}:
        return origin
    layout = _layout(origin, full)
    along = [atom for d in dims for atom in layout[d] if atom.axis >= 0]
    if _all_of(origin, along):
        return origin._replace(field=origin.field._replace(whole=True))
    for piece in along:
        size, step = origin.sizes[piece.axis], piece.step
        block = [(p - step * (p // step % piece.size), piece.size) for p in range(size)]
        alike = len({*block}) == 1
        taps = Taps(tuple(block[:1]), step, 0) if alike else Taps(tuple(block), step, size)
        origin = _windowed(origin, piece.axis, taps, size)
    return origin


def reduced(origin: Origin, full: Sequence[int], dims: Sequence[int], keep: bool) -> Origin:
    """The origin of a value of shape `full` after `dims` were put together into one position."""
    if origin.field is None or not origin.dims:
        return origin
    layout = _layout(origin, full)
    along = [atom for d in dims for atom in layout[d] if atom.axis >= 0]
    if along and _all_of(origin, along):
        return Origin(Field(None, True), source=origin.source)
    for d in dims:
        layout[d] = ()
    for piece in along:
        others = [a for atoms in layout for a in atoms if a.axis == piece.axis]
        if len(others) > 1:
            return lost(origin)
        rest = others[0] if others else Atom(1, piece.axis, piece.size * piece.step)
        taps = Taps(((0, piece.size),), piece.step, rest.step)
        origin = _windowed(origin, piece.axis, taps, rest.size)
        swap = {rest: Atom(rest.size, rest.axis)}
        layout = [tuple([swap.get(a, a) for a in atoms]) for atoms in layout]
    return _settled(origin, layout if keep else without(layout, dims))


def without(layout: Sequence[tuple[Atom, ...]], dims: Sequence[int]) -> list[tuple[Atom, ...]]:
    """The layout after these dimensions are gone."""
    return [atoms for d, atoms in enumerate(layout) if d not in dims]


def _all_of(origin: Origin, atoms: Sequence[Atom]) -> bool:
    """Whether these atoms are all of all axes."""
    counts = [1] * len(origin.dims)
    for atom in atoms:
        counts[atom.axis] *= atom.size
    return all(n == size for n, size in zip(counts, origin.sizes, strict=True))
