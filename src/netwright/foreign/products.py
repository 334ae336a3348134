"""Rules for products: dense layers, matrices, attention, recurrence, transforms."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from netwright.core.field import Field, Taps
from netwright.core.shape import show
from netwright.core.spec import Unit
from netwright.errors import ShapeError, TraceError
from netwright.foreign.axes import indexed, joined, windowed
from netwright.foreign.homes import homes
from netwright.foreign.layout import dims_of, lost, mixed, on_axes, reduced, resized
from netwright.foreign.pointwise import owners, stretch
from netwright.foreign.seeing import sees
from netwright.foreign.state import own_tensors
from netwright.foreign.trace import MODULES, Tracer, answers
from netwright.foreign.traced import Atom, Origin, Traced, traced
from netwright.foreign.units import one
from netwright.units import GRU, LSTM, RNN, Linear, MultiHeadAttention

__all__ = []


def contracted(origin: Origin, full: Sequence[int], dim: int, size: int) -> Origin:
    """The origin of a product that sums over `dim` of a value, `size` long afterwards."""
    dim %= len(full)
    if origin.field is None:
        return origin
    if dim not in on_axes(origin):
        return resized(origin, dim, size)
    result = reduced(origin, full, [dim], keep=True)
    if result.field is None or result.field.axes is None:
        return result
    return windowed(mixed(origin, full, [dim]), dim, Taps(((0, 1),), 1, 0), size)


def attended(dim: int, query: Traced, *memory: Traced, width: int) -> Origin:
    """The origin of what every position of the query along `dim` reads in all of the memory."""
    dim %= len(query.full)
    full = (*query.full[:-1], width)
    parts: list[tuple[Origin, tuple[int, ...]]] = []
    if query.origin.field is not None:
        parts.append((contracted(query.origin, query.full, -1, width), full))
    for x in memory:
        if x.origin.field is None:
            continue
        origin, shape = contracted(x.origin, x.full, -1, width), (*x.full[:-1], width)
        if shape == full:
            parts.append((mixed(origin, shape, [dim]), full))
        else:
            origin = reduced(origin, shape, [dim], keep=True)
            parts.append((origin, (*shape[:dim], 1, *shape[dim + 1 :])))
    return joined(parts, full) if parts else Origin()


@answers(F.linear)
def _linear(t: Tracer, input: Any, weight: Any, bias: Any = None) -> Any:
    x, w = t.value(input), t.value(weight)
    if len(w.full) != 2 or not x.full:
        return NotImplemented
    if x.full[-1] != w.full[1]:
        raise ShapeError(f"Linear takes {w.full[1]} features, got {show(x.full[1:])}")
    weights = owners(w, t.value(bias) if bias is not None else None)
    return dense(t, x, w.full[0], bias is not None, weights, "linear", dynamic=w)


def dense(t: Tracer, x: Traced, width: int, bias: bool, weights: list[Any], name: str,
          dynamic: Traced | None = None) -> Traced:  # fmt: skip
    """The row of a product with a matrix of weights over the last dimension."""
    _time_first(x)
    usual = dynamic is None or dynamic.origin.field is None
    last = len(x.full) - 1
    at = on_axes(x.origin)
    apart = last not in at if len(x.full) == 3 else 0 not in at
    if usual and x.origin.field is not None and len(x.full) in (2, 3) and apart:
        return t.unit(one(Linear, width, bias), x, weights, name)
    full = (*x.full[:-1], width)
    origin = contracted(x.origin, x.full, -1, width)
    if not usual and dynamic is not None:
        origin = joined([(origin, full), (_of_weights(dynamic), ())], full)
    return t.operation(name or "linear", [x], full, macs=x.numel() * width, origin=origin,
                       weights=weights)  # fmt: skip


def _time_first(x: Traced) -> None:
    """An input (T, F) has time first."""
    if x.origin.source == -1 and x.origin.dims == (2,):
        x.origin = x.origin._replace(dims=(1,), sizes=x.full[1:2])


def _of_weights(weights: Traced) -> Origin:
    """What comes by weights made of the input: all of it, or nobody can say."""
    return Origin(Field(None, weights.origin.field is not None and weights.origin.field.whole))


@answers(*homes("matmul", "bmm", "mm", "__matmul__", "__rmatmul__"))
def _matmul(t: Tracer, a: Any, b: Any) -> Any:
    a, b = t.value(a), t.value(b)
    if len(a.full) < 2 or len(b.full) < 2:
        return NotImplemented
    if a.full[-1] != b.full[-2]:
        raise ShapeError(f"matmul of {a.full} and {b.full}: {a.full[-1]} is not {b.full[-2]}")
    full = (*stretch([a.full[:-2], b.full[:-2]]), a.full[-2], b.full[-1])
    parts = [
        (contracted(a.origin, a.full, -1, full[-1]), (*a.full[:-1], full[-1])),
        (contracted(b.origin, b.full, -2, full[-2]), (*b.full[:-2], *full[-2:])),
    ]
    parts = [part for part in parts if part[0].field is not None]
    origin = joined(parts, full) if parts else Origin()
    return t.operation("matmul", [a, b], full, macs=prod(full) * a.full[-1], origin=origin)


@answers(F.scaled_dot_product_attention)
def _attention(t: Tracer, query: Any, key: Any, value: Any, *args: Any, **kwargs: Any) -> Any:
    q, k, v = (t.value(x) for x in (query, key, value))
    full = (*q.full[:-1], v.full[-1])
    scores = q.numel() // q.full[-1] * k.full[-2]
    macs = scores * (q.full[-1] + v.full[-1])
    masked = bool(args[:1] and args[0] is not None) or bool({"attn_mask", "is_causal"} & {*kwargs})
    origin = attended(-2, q, k, v, width=full[-1])
    return t.operation("scaled_dot_product_attention", [q, k, v], full, macs=macs, ops=3 * scores,
                       origin=lost(origin) if masked else origin)  # fmt: skip


def _heads(t: Tracer, m: Any, query: Any, key: Any, value: Any, key_padding_mask: Any = None,
           need_weights: bool = True, attn_mask: Any = None, average_attn_weights: bool = True,
           is_causal: bool = False) -> Any:  # fmt: skip
    """nn.MultiheadAttention; the products are those of `MultiHeadAttention`."""
    q, k, v = (t.value(x) for x in (query, key, value))
    if len(q.full) != 3 or m.bias_k is not None or m.add_zero_attn:
        return NotImplemented
    time, one_ = (1, 0) if m.batch_first else (0, 1)
    n, steps, seen, width = q.full[one_], q.full[time], k.full[time], m.embed_dim
    into = width * (width * steps + (k.full[2] + v.full[2]) * seen) + width * width * steps
    macs = n * (into + 2 * steps * seen * width)
    ops = n * 3 * m.num_heads * steps * seen
    # The projection out is a child; its weights belong to this row.
    weights = [*own_tensors(m), *own_tensors(m.out_proj)]
    unit: Unit = one(MultiHeadAttention, m.num_heads, m.in_proj_bias is not None)
    origin = attended(time, q, k, v, width=width)
    origin = origin if attn_mask is None and key_padding_mask is None else lost(origin)
    out = t.operation(unit, [q, k, v], q.full, macs=macs, ops=ops, origin=origin,
                      weights=weights)  # fmt: skip
    if not need_weights:
        return out, None
    heads = () if average_attn_weights else (m.num_heads,)
    return out, traced((n, *heads, steps, seen), q.kind, lost(out.origin))


MODULES[nn.MultiheadAttention] = _heads


def _causal(steps: int) -> Taps:
    """Every step reads itself and all before it."""
    return Taps(((1 - steps, steps),))


def _recurrent(kind: Any) -> Any:
    def rule(t: Tracer, m: Any, input: Any, state: Any = None) -> Any:
        if not isinstance(input, Tensor):  # packed
            return NotImplemented
        x = t.value(input)
        if len(x.full) != 3 or getattr(m, "proj_size", 0):
            return NotImplemented
        one_, time = (0, 1) if m.batch_first else (1, 0)
        n, steps, directions = x.full[one_], x.full[time], 1 + m.bidirectional
        unit = one(kind, m.hidden_size, m.num_layers, m.bidirectional, False, m.bias)
        inner = (steps, x.full[2])
        cost = unit.cost(inner, y=unit.shape(inner))
        full = (*x.full[:2], m.hidden_size * directions)
        _time_first(x)
        origin = contracted(x.origin, x.full, 2, full[2])
        every = mixed(origin, full, [time])
        steps_seen = every if m.bidirectional else windowed(origin, time, _causal(steps), steps)
        out = t.operation(unit, [x], full, macs=n * cost.macs, ops=n * cost.ops,
                          origin=steps_seen, weights=own_tensors(m))  # fmt: skip
        final = reduced(origin, full, [time], keep=False)
        final = final if final.field is None or final.field.axes is None else lost(final)
        final = final._replace(source=out.origin.source)
        last = (directions * m.num_layers, n, m.hidden_size)
        states = [traced(last, x.kind, final) for _ in ("h", "c")[: 1 + (kind is LSTM)]]
        return out, tuple(states) if kind is LSTM else states[0]

    return rule


for _kind, _unit in ((nn.LSTM, LSTM), (nn.GRU, GRU), (nn.RNN, RNN)):
    MODULES[_kind] = _recurrent(_unit)


@answers(*homes("embedding"))
def _embedding(t: Tracer, input: Any, weight: Any, *args: Any, **kwargs: Any) -> Any:
    x, w = (t.value(input), t.value(weight)) if isinstance(input, Tensor) else (input, weight)
    if x.kind.is_floating_point:  # torch.embedding has the weights first
        x, w = w, x
    if x.kind.is_floating_point:
        raise TraceError(
            f"an embedding wants integers, got {str(x.kind).removeprefix('torch.')}; give a "
            'tensor of torch.long, or a shape with input_dtype="int64" (--input-dtype int64)'
        )
    atoms = (*x.origin.atoms, (Atom(w.full[1]),)) if x.origin.atoms else ()
    origin = x.origin._replace(atoms=atoms)
    return t.operation("embedding", [x], (*x.full, w.full[1]), origin=origin,
                       weights=owners(w), dtype=w.kind)  # fmt: skip


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


@sees(*homes(*[f"{kind}{end}" for kind in ("fft", "ifft", "rfft", "irfft") for end in ("2", "n")],
             places=[torch.fft]))  # fmt: skip
def _fourier(full: tuple[int, ...], x: Any, s: Any = None, dim: Any = None, *_: Any,
             **__: Any) -> Origin | None:  # fmt: skip
    dims = {len(full) - 2, len(full) - 1} if dim is None else {*dims_of(x, dim)}
    if s is not None or not on_axes(x.origin) or not on_axes(x.origin) <= dims:
        return None
    return Origin(Field(None, True))
