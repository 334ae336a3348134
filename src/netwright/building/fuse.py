"""A built net made fast to ask: norms folded, channels last, activations and sums inside the
convolutions, numbers of half the size if wanted.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from netwright.building.fold import folded
from netwright.core.net import Net
from netwright.core.plan import Row
from netwright.core.shape import Shape
from netwright.core.spec import Block
from netwright.core.wiring import Branches, Sequential, Wiring
from netwright.errors import RuleError
from netwright.layers import Add
from netwright.units.activation import Identity

__all__ = ["Fast", "fast"]

ACTIVATIONS: dict[type[nn.Module], tuple[str, list[float]]] = {
    nn.ReLU: ("relu", []),
    nn.ReLU6: ("hardtanh", [0.0, 6.0]),
    nn.SiLU: ("swish", []),
    nn.Hardswish: ("hardswish", []),
}
"""Activations that oneDNN computes inside a convolution, by its own names."""
TYPICAL = 8
"""The batch that kernels are ordered for."""


def fast(model: nn.Module, dtype: torch.dtype = torch.float32) -> nn.Module:
    """A twin of a built net for evaluation only: images in, outputs of `model` in float32.

    With float32 they agree up to rounding; bfloat16 keeps 8 bits of every number, and is faster
    where the processor multiplies it. `model` stays as it is; the twin has no gradient, and the
    state_dict to keep is the model's.
    """
    net = getattr(model, "net", None)
    if not isinstance(net, Net):
        raise RuleError("this module was not built from a net; net.build() makes one that was")
    try:
        twin = folded(model)
    except RuleError:  # nothing to fold
        twin = deepcopy(model)
    twin = twin.eval().requires_grad_(False).to(dtype)
    twin = twin.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    on_cpu = all(weight.device.type == "cpu" for weight in twin.parameters())
    if on_cpu and isinstance(net.spec, Wiring | Block) and _has_onednn(dtype):
        _fuse(twin, twin.net)  # type: ignore[arg-type]
    return Fast(twin, dtype)


class Fast(nn.Module):
    """The body, asked in its own type and layout without gradients."""

    def __init__(self, body: nn.Module, dtype: torch.dtype) -> None:
        super().__init__()
        self.body, self.dtype, self.net = body, dtype, body.net

    def forward(self, x: Tensor) -> Tensor:
        with torch.no_grad():
            layout = torch.channels_last if x.dim() == 4 else torch.contiguous_format
            return self.body(x.to(self.dtype, memory_format=layout)).float()


def _has_onednn(dtype: torch.dtype) -> bool:
    """Whether oneDNN has convolutions of that type for this processor, with more inside."""
    own = torch.ops.mkldnn
    if not torch.backends.mkldnn.is_available() or not hasattr(own, "_convolution_pointwise"):
        return False
    if dtype == torch.bfloat16:
        return bool(own._is_mkldnn_bf16_supported())  # noqa: SLF001
    return dtype == torch.float32


class _Packed(nn.Module):
    """A convolution with its kernel in the order that oneDNN likes for maps of that shape (others
    work too), and what comes after it.
    """

    def __init__(self, conv: nn.Conv2d, shape: Shape) -> None:
        super().__init__()
        self.where = (conv.padding, conv.stride, conv.dilation, conv.groups)
        self.weight = torch.ops.mkldnn._reorder_convolution_weight(  # noqa: SLF001
            conv.weight.data, *self.where, [TYPICAL, *shape]
        )
        self.bias = None if conv.bias is None else conv.bias.data
        self.after: tuple[str, list[float]] = ("none", [])

    def forward(self, x: Tensor) -> Any:
        name, numbers = self.after
        return torch.ops.mkldnn._convolution_pointwise(  # noqa: SLF001
            x, self.weight, self.bias, *self.where, name, numbers, ""
        )

    def plus(self, x: Tensor, other: Tensor, after: tuple[str, list[float]] | None) -> Tensor:
        """The sum with another map, then an activation."""
        name, numbers = after or (None, [])
        return torch.ops.mkldnn._convolution_pointwise.binary(  # noqa: SLF001
            x, other, self.weight, self.bias, *self.where, "add", 1.0, name, numbers, ""
        )


@dataclass
class _Promise:
    """A convolution and its input, to be computed by the sum that reads it."""

    conv: _Packed
    x: Tensor


class _Waiting(nn.Module):
    """Promises what its convolution gives."""

    def __init__(self, conv: _Packed) -> None:
        super().__init__()
        self.conv = conv

    def forward(self, x: Tensor) -> Any:
        return _Promise(self.conv, x)


class _Sum(nn.Module):
    """The sum of a map and what a convolution promised."""

    def __init__(self) -> None:
        super().__init__()
        self.after: tuple[str, list[float]] | None = None

    def forward(self, first: Any, second: Any) -> Tensor:
        promise, other = (first, second) if isinstance(first, _Promise) else (second, first)
        return promise.conv.plus(promise.x, other, self.after)


def _fuse(model: nn.Module, net: Net) -> None:
    """Puts activations and sums into the convolutions before them, where nobody else reads."""
    whole = Net(Sequential(whole=net.spec, out=Identity()), net.input)  # `out` reads the output
    rows = [row._replace(path=row.path.removeprefix("whole").removeprefix("."))
            for row in whole.plan().rows]  # fmt: skip
    paths = [_path(model, row) for row in rows[:-1]]
    parts = [*map(model.get_submodule, paths), nn.Identity()]
    uses = Counter(map(id, parts))
    readers = defaultdict[int, list[int]](list)
    for j, row in enumerate(rows):
        for source in row.sources:
            readers[source].append(j)

    def reader(i: int) -> int | None:
        """The row that alone reads row i, if there is one."""
        return (
            readers[i][0] if len(readers[i]) == 1 and uses[id(parts[readers[i][0]])] == 1 else None
        )

    packed: dict[int, nn.Module] = {}
    for i, part in enumerate(parts):
        if _is_plain(part) and uses[id(part)] == 1 and rows[i].copies == 1:
            packed[i] = _Packed(part, rows[i].input)  # type: ignore[arg-type]
            _put(model, paths[i], packed[i])
    sums: dict[int, nn.Module] = {}
    for j, row in enumerate(rows):
        waiting = [i for i in row.sources if i in packed and reader(i) == j]
        two = len({*row.sources}) == 2 and len({*row.inputs}) == 1
        if isinstance(parts[j], Add) and two and waiting:
            sums[j] = _Sum()
            _put(model, paths[waiting[-1]], _Waiting(packed.pop(waiting[-1])))  # type: ignore[arg-type]
            _put(model, paths[j], sums[j])
    for i, part in (packed | sums).items():
        j = reader(i)
        if j is not None and type(parts[j]) in ACTIVATIONS:
            part.after = ACTIVATIONS[type(parts[j])]  # type: ignore[assignment]
            _put(model, paths[j], nn.Identity())


def _path(model: nn.Module, row: Row) -> str:
    """Where the module of a row is: an operator between parts stands as one of them."""
    joins = isinstance(getattr(model.get_submodule(row.path), "wiring", None), Branches)
    return f"{row.path}.join".removeprefix(".") if joins else row.path


def _is_plain(part: nn.Module) -> bool:
    return (type(part) is nn.Conv2d and part.padding_mode == "zeros"
            and not isinstance(part.padding, str))  # fmt: skip


def _put(model: nn.Module, path: str, part: nn.Module) -> None:
    parent, _, name = path.rpartition(".")
    setattr(model.get_submodule(parent), name, part)
