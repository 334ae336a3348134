"""Rules for what depends on the numbers in a tensor: it is reported, with its line."""

from __future__ import annotations

import sys
from os import sep
from pathlib import Path
from typing import Any

import torch
import torch.distributions
from torch import Tensor

from netwright.foreign.fallback import plain
from netwright.foreign.homes import homes
from netwright.foreign.layout import lost
from netwright.foreign.lines import needs_numbers
from netwright.foreign.numbers import numbers
from netwright.foreign.trace import Tracer, answers
from netwright.foreign.traced import Origin, Traced, traced

__all__ = []


_CHECKS = f"{Path(torch.distributions.__file__).parent}{sep}"


def _asks(name: str) -> Any:
    def rule(t: Tracer, x: Any, *args: Any, **kwargs: Any) -> Any:
        if t.values:
            return NotImplemented
        actual = numbers(t, x) if type(x) is Traced else None
        if actual is not None:  # of weights
            return getattr(Tensor, name)(actual, *args, **kwargs)
        if name == "__bool__" and sys._getframe(4).f_code.co_filename.startswith(_CHECKS):
            return True  # an argument that PyTorch's distributions check is taken to be right
        raise needs_numbers(name.strip("_"))

    return rule


for _name in ("__bool__", "__int__", "__float__", "__index__", "__array__", "__contains__", "item",
              "tolist", "numpy", "nonzero", "unique", "masked_select", "equal", "allclose",
              "is_nonzero"):  # fmt: skip
    answers(*homes(_name))(_asks(_name))


_pack: Any = torch._C._VariableFunctions._pack_padded_sequence  # type: ignore[attr-defined]


@answers(_pack)
def _packed(t: Tracer, x: Any, lengths: Any, batch_first: bool) -> Any:
    """The steps of sequences one after the other; how many there are depends on lengths alone."""
    counts, x = numbers(t, t.value(lengths)), t.value(x)
    if counts is None:
        return NotImplemented
    data, sizes = plain(_pack, (torch.empty(x.full, dtype=x.kind), counts, batch_first))
    return traced(tuple(data.shape), x.kind, lost(x.origin)), traced(
        tuple(sizes.shape), sizes.dtype, Origin(), sizes
    )


@answers(torch._assert)
def _assert(t: Tracer, *args: Any, **kwargs: Any) -> None:
    """What is asserted of numbers is taken as true."""


def _tells(name: str) -> Any:
    method = getattr(Tensor, name)

    def rule(t: Tracer, x: Any, *args: Any, **kwargs: Any) -> Any:
        return plain(method, (x, *args), kwargs)

    return rule


for _name in ("is_contiguous", "stride", "is_floating_point", "is_complex", "element_size",
              "get_device", "storage_offset", "data_ptr", "nelement", "ndimension"):  # fmt: skip
    answers(*homes(_name))(_tells(_name))


def _property(name: str) -> Any:
    getter = getattr(Tensor, name).__get__
    return getter, lambda t, x, *_: plain(getter, (x,))


_PROPERTIES = (
    "is_cuda", "is_quantized", "requires_grad", "is_sparse", "layout", "is_mps", "is_nested",
    "is_meta", "itemsize", "nbytes", "grad", "grad_fn", "is_leaf",
)  # fmt: skip
for _name in _PROPERTIES:
    _getter, _rule = _property(_name)
    answers(_getter)(_rule)
