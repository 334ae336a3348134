"""What no rule answers: PyTorch's own kernels say the shape, and what they multiply is counted."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves, tree_map
from torch.utils.flop_counter import flop_registry

from netwright.errors import TraceError
from netwright.foreign.aliases import alike, changed
from netwright.foreign.axes import aligned
from netwright.foreign.formulas import FORMULAS, as_cost, key
from netwright.foreign.layout import lost
from netwright.foreign.lines import needs_numbers
from netwright.foreign.seeing import SEES, ruled
from netwright.foreign.traced import META, Origin, Traced

if TYPE_CHECKING:
    from netwright.foreign.trace import Tracer

__all__ = ["Counter", "fall_back", "kept", "multiplies", "plain", "short_name"]

_OWN = ("aten::", "prims::")
"""Where PyTorch's own operators live."""
_PRODUCTS = re.compile(
    r"(?:^|_)(?:conv(?!ert)[a-z0-9]*|[a-z0-9]*mm|matmul|attention|rnn|lstm|gru|linear|bilinear|"
    r"trilinear|v?dot|(?:add)?mv|addr|ger|fft[a-z0-9]*|linalg|[cp]dist|cross|solve|inverse|svd|qr|"
    r"geqrf|orgqr|ormqr|lu|cholesky|det|eig|matrix|transformer|embedding_bag)(?:_|$)"
)
"""Names of PyTorch's operators that multiply; the others move, or work element by element."""

_OTHERS = frozenset(f"torchvision::{name}" for name in (
    "nms", "roi_align", "roi_pool", "ps_roi_align", "ps_roi_pool",
))  # fmt: skip
"""Operators of others that choose and take means, and multiply nothing."""

_aten = torch.ops.aten
_SMALL: dict[Any, Callable[..., int]] = {
    _aten.dot: lambda a, b: a.numel(),
    _aten.vdot: lambda a, b: a.numel(),
    _aten.mv: lambda a, b: a.numel(),
    _aten.addmv: lambda x, a, b, **_: a.numel(),
    _aten.addbmm: lambda x, a, b, **_: a.numel() * b.shape[-1],
    _aten.linalg_vector_norm: lambda *_, **__: 0,
}
"""MACs of products that `torch.utils.flop_counter` leaves out, and of what only sounds like one."""


def plain(func: Any, args: Any, kwargs: dict[str, Any] | None = None) -> Any:
    """What PyTorch itself makes of the values, as tensors on the meta device."""
    with torch._C.DisableTorchFunctionSubclass():
        return func(*args, **(kwargs or {}))


class Counter(TorchDispatchMode):
    """Adds up what PyTorch's operators do, and names those it has no formula for."""

    def __init__(self) -> None:
        super().__init__()
        self.macs = 0
        self.ops = 0
        self.unknown: list[str] = []
        self.aligned = True  # whether all of it went element by element

    @classmethod
    def _should_skip_dynamo(cls) -> bool:
        return False  # nothing compiled runs in it, and to skip the compiler is to import it

    def __torch_dispatch__(
        self, func: Any, types: Any, args: Any = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        result = func(*args, **(kwargs or {}))
        packet = func.overloadpacket
        self.aligned &= torch.Tag.pointwise in func.tags
        own = FORMULAS.get(packet) or _SMALL.get(packet)
        if own is not None:
            cost = as_cost(own(*args, **(kwargs or {})))
            self.macs, self.ops = self.macs + cost.macs, self.ops + cost.ops
        elif packet in flop_registry:
            self.macs += flop_registry[packet](*args, **(kwargs or {}), out_val=result) // 2
        elif multiplies(func):
            self.unknown.append(short_name(packet))
        elif not func.is_view and func._schema.name not in _MOVES:
            self.ops += sum(t.numel() for t in tree_leaves(result) if isinstance(t, Tensor))
        return result


_MOVES = frozenset(f"aten::{name}" for name in (
    "clone", "copy_", "_to_copy", "empty", "empty_like", "empty_strided", "zeros", "zeros_like",
    "ones", "ones_like", "full", "full_like", "arange", "cat", "stack", "_reshape_copy", "index",
    "new_empty", "new_zeros", "new_ones", "new_full", "resize_", "roll", "flip", "repeat",
    "constant_pad_nd", "pixel_shuffle", "pixel_unshuffle", "gather", "embedding", "index_select",
    "_unsafe_view", "set_", "fill_", "zero_", "im2col", "scalar_tensor", "linspace", "eye",
))  # fmt: skip
"""Operators that move numbers and compute none."""


def multiplies(func: Any) -> bool:
    """Whether an operator does, or may do, products that have no formula here."""
    _, _, name = func._schema.name.partition("::")
    if func._schema.name in _OTHERS:
        return False
    return not func._schema.name.startswith(_OWN) or bool(_PRODUCTS.search(name))


def fall_back(t: Tracer, func: Any, args: Any, kwargs: dict[str, Any], given: list[Traced]) -> Any:
    """Runs a function on the meta device, or on zeros where it has no kernel there; `given` are
    the values among its arguments.
    """
    device, t.device = t.device, META  # tensors that the function makes have no numbers either
    try:
        result, counter = _attempt(func, args, kwargs)
    except (NotImplementedError, RuntimeError) as error:
        result, counter = _retried(func, args, kwargs, device, error)
    finally:
        t.device = device
    own = FORMULAS.get(key(func))
    if own is not None:
        cost = as_cost(own(*args, **kwargs))
        counter.macs, counter.ops, counter.unknown = cost.macs, cost.ops, []
    return kept(t, func, args, kwargs, given, result, counter)


def _attempt(func: Any, args: Any, kwargs: dict[str, Any]) -> tuple[Any, Counter]:
    counter = Counter()
    with torch._C.DisableTorchFunctionSubclass(), counter:
        return func(*args, **kwargs), counter


def _retried(
    func: Any, args: Any, kwargs: dict[str, Any], device: torch.device, error: Exception
) -> tuple[Any, Counter]:
    """A second attempt, with the numbers of indices, masks and lengths that have some: they say
    the shape; or, of compiled code that holds real weights, on zeros.
    """
    if isinstance(func, torch._C.ScriptMethod | torch._C.ScriptFunction):
        counter = Counter()
        with counter:
            result = _on_zeros(func, args, kwargs, device, error)
        counter.aligned = False
        return result, counter
    numbered = tree_map(_index, (args, kwargs))
    pairs = zip(tree_leaves(numbered), tree_leaves((args, kwargs)), strict=True)
    if any(a is not b for a, b in pairs):
        return _attempt(func, *numbered)
    if "::" in short_name(func):
        if not isinstance(error, NotImplementedError):
            raise error
        result, counter = _on_zeros(func, args, kwargs, device, error), Counter()
        counter.aligned = False
        if FORMULAS.get(key(func)) is None:
            counter.unknown.append(short_name(func))
        return result, counter
    if isinstance(error, NotImplementedError) or "on meta tensors" in str(error):
        raise needs_numbers(short_name(func)) from error
    raise error


def _index(part: Any) -> Any:
    real = type(part) is Traced and isinstance(part.actual, Tensor)
    return part.actual if real and not part.kind.is_floating_point else part


def kept(
    t: Tracer, func: Any, args: Any, kwargs: dict[str, Any], given: list[Traced], result: Any,
    counter: Counter, real: bool = False,
) -> Any:  # fmt: skip
    """What a function made of the `given` values as traced values, all from one row if there was
    any work; `real` where it was computed with their numbers.
    """
    leaves = [v for v in tree_leaves(result) if isinstance(v, Tensor)]
    if not leaves:
        return result
    t.partial.update(dict.fromkeys(counter.unknown))
    own = {id(x.actual): x for x in given} if real else {}
    if "out" in kwargs:  # is written to, not read
        kwargs = {key: value for key, value in kwargs.items() if key != "out"}
        given = [v for v in tree_leaves((args, kwargs)) if type(v) is Traced]
    origin_of = _seeing(func, args, kwargs, given, counter)
    reached = [x for x in given if x.origin.field is not None]
    if given and (counter.macs or counter.ops or counter.unknown):
        size = _size(leaves[0])
        out = t.operation(short_name(func), given, size, macs=counter.macs, ops=counter.ops,
                          origin=origin_of(size))  # fmt: skip
        source, owners = out.origin.source, out.origin.owners
    else:
        source = reached[0].origin.source if reached else -1
        owners = () if reached else tuple(w for x in given for w in x.origin.owners)

    def wrap(value: Any) -> Any:
        if not isinstance(value, Tensor):
            return value
        full = _size(value)
        origin = origin_of(full)._replace(source=source, owners=owners)
        target = value if type(value) is Traced else own.get(id(value))
        if target is not None:  # changed in place
            resized(target, full)
            target.origin = origin
            changed(target)
            return target
        if value.device != META and not real:
            origin = Origin()  # of lengths, not of the input
        return alike(given, value, origin)

    return tree_map(wrap, result)


def _size(value: Tensor) -> tuple[int, ...]:
    return tuple(plain(value.size, ())) if type(value) is Traced else tuple(value.shape)


def _seeing(
    func: Any, args: Any, kwargs: dict[str, Any], given: list[Traced], counter: Counter
) -> Callable[[tuple[int, ...]], Origin]:
    """Says what an output of a shape sees."""
    reached = any(x.origin.field is not None for x in given)

    def origin_of(full: tuple[int, ...]) -> Origin:
        if not reached:
            return Origin()
        if counter.aligned and func not in SEES:
            return aligned(given, full)
        origin = ruled(func, full, args, kwargs) if func in SEES else None
        return lost(*[x.origin for x in given]) if origin is None else origin

    return origin_of


def resized(value: Traced, full: tuple[int, ...]) -> None:
    """Gives a value that was changed in place its shape."""
    if value.full != full:
        value.full = full
        if tuple(plain(value.size, ())) != full:
            plain(value.resize_, full)


def _on_zeros(
    func: Any, args: Any, kwargs: dict[str, Any], device: torch.device, error: Exception
) -> Any:
    """What a function returns for zeros, as tensors without numbers."""

    def zeros(value: Any) -> Any:
        if not isinstance(value, Tensor):
            return value
        return torch.zeros(tuple(value.shape), dtype=value.dtype, device=device)

    try:
        with torch._C.DisableTorchFunctionSubclass():
            args, kwargs = tree_map(zeros, (args, kwargs))
            result = func(*args, **kwargs)
            return tree_map(lambda v: v.to(META) if isinstance(v, Tensor) else v, result)
    except Exception:  # noqa: BLE001  whatever it is, PyTorch's own refusal is what to tell
        raise TraceError(
            f"{short_name(func)} runs neither on the meta device nor on zeros; give it a "
            "fake kernel by torch.library.register_fake"
        ) from error


def short_name(func: Any) -> str:
    """How a row calls a function: `einsum`, `my::op`."""
    name = str(getattr(func, "__name__", None) or func)
    owner = getattr(func, "_qualified_op_name", None) or getattr(func, "_name", None)
    if isinstance(owner, str) and not owner.startswith(_OWN):
        return owner.partition(".")[0]
    return name.strip("_").partition(".")[0] or "call"
