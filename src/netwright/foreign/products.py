"""Rules for products: dense layers, matrices, attention, recurrence."""

from __future__ import annotations

from math import prod
from typing import Any

import torch.nn.functional as F
from torch import Tensor, nn

from netwright.core.field import Field
from netwright.core.shape import show
from netwright.core.spec import Unit
from netwright.errors import ShapeError, TraceError
from netwright.foreign.pointwise import homes, owners, stretch
from netwright.foreign.state import held
from netwright.foreign.trace import MODULES, Tracer, answers
from netwright.foreign.traced import Origin, Traced, traced
from netwright.foreign.units import one
from netwright.units import GRU, LSTM, RNN, Linear, MultiHeadAttention

__all__ = ["sees_all"]


def sees_all(*xs: Traced) -> Origin:
    """The origin of what depends on everything in `xs`."""
    reached = any(x.origin.field is not None for x in xs)
    return Origin(Field(None, True)) if reached else Origin()


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
    if x.origin.source == -1 and x.origin.dims == (2,):  # an input (T, F) has time first
        x.origin = x.origin._replace(dims=(1,), sizes=x.full[1:2])
    usual = dynamic is None or dynamic.origin.field is None
    last = len(x.full) - 1
    if usual and x.origin.field is not None and len(x.full) in (2, 3) and last not in x.origin.dims:
        return t.unit(one(Linear, width, bias), x, weights, name)
    full = (*x.full[:-1], width)
    origin = x.origin if usual and last not in x.origin.dims else sees_all(x)
    return t.operation(name or "linear", [x], full, macs=x.numel() * width, origin=origin,
                       weights=weights)  # fmt: skip


@answers(*homes("matmul", "bmm", "mm", "__matmul__", "__rmatmul__"))
def _matmul(t: Tracer, a: Any, b: Any) -> Any:
    a, b = t.value(a), t.value(b)
    if len(a.full) < 2 or len(b.full) < 2:
        return NotImplemented
    if a.full[-1] != b.full[-2]:
        raise ShapeError(f"matmul of {a.full} and {b.full}: {a.full[-1]} is not {b.full[-2]}")
    full = (*stretch([a.full[:-2], b.full[:-2]]), a.full[-2], b.full[-1])
    last = len(a.full) - 1
    kept = b.origin.field is None and last not in a.origin.dims and len(full) == len(a.full)
    origin = a.origin if kept else sees_all(a, b)
    return t.operation("matmul", [a, b], full, macs=prod(full) * a.full[-1], origin=origin)


@answers(F.scaled_dot_product_attention)
def _attention(t: Tracer, query: Any, key: Any, value: Any, *args: Any, **kwargs: Any) -> Any:
    q, k, v = (t.value(x) for x in (query, key, value))
    full = (*q.full[:-1], v.full[-1])
    scores = q.numel() // q.full[-1] * k.full[-2]
    macs = scores * (q.full[-1] + v.full[-1])
    return t.operation("scaled_dot_product_attention", [q, k, v], full, macs=macs, ops=3 * scores,
                       origin=sees_all(q, k, v))  # fmt: skip


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
    weights = [*held(m), *held(m.out_proj)]
    unit: Unit = one(MultiHeadAttention, m.num_heads, m.in_proj_bias is not None)
    out = t.operation(unit, [q, k, v], q.full, macs=macs, ops=ops, origin=sees_all(q, k, v),
                      weights=weights)  # fmt: skip
    if not need_weights:
        return out, None
    heads = () if average_attn_weights else (m.num_heads,)
    return out, traced((n, *heads, steps, seen), q.kind, out.origin)


MODULES[nn.MultiheadAttention] = _heads


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
        out = t.operation(unit, [x], full, macs=n * cost.macs, ops=n * cost.ops,
                          origin=sees_all(x), weights=held(m))  # fmt: skip
        last = (directions * m.num_layers, n, m.hidden_size)
        states = [traced(last, x.kind, out.origin) for _ in ("h", "c")[: 1 + (kind is LSTM)]]
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
    return t.operation("embedding", [x], (*x.full, w.full[1]), origin=x.origin,
                       weights=owners(w), dtype=w.kind)  # fmt: skip
