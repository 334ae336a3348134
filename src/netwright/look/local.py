"""The operations that an occluder passes through locally: rules of `covered` batches."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from netwright.look.covered import RULES, Covered, Windows, covered, joined, slide, spread

__all__: list[str] = []

Rule = Callable[..., Any]


def _homes(*names: str) -> list[Any]:
    """Functions of these names, wherever PyTorch has them."""
    homes = (F, torch, Tensor)
    return list({f for name in names for home in homes if (f := getattr(home, name, None))})


def _local(x: Any) -> bool:
    return isinstance(x, Covered) and x.whole is None and x.dim() == 4


def _pair(value: Any) -> tuple[int, int]:
    if isinstance(value, int):
        return value, value
    first, *rest = value
    return (int(first), int(rest[0])) if rest else (int(first), int(first))


# ------------------------------------------------------------------- pointwise


def _point_by_point(func: Any, in_place: bool) -> Rule:
    def rule(x: Any, *args: Any, **kwargs: Any) -> Any:
        tensors = [v for v in (*args, *kwargs.values()) if isinstance(v, Tensor)]
        if not _local(x) or tensors:
            return NotImplemented
        writes = in_place or bool(kwargs.pop("inplace", False))
        result = joined([x], lambda xs: func(xs[0], *args, **kwargs))
        return x.become(result) if writes else result

    return rule


_POINTWISE = [
    "relu", "relu6", "hardtanh", "sigmoid", "tanh", "silu", "gelu", "leaky_relu", "elu", "selu",
    "celu", "hardswish", "hardsigmoid", "mish", "softplus", "softsign", "logsigmoid", "hardshrink",
    "softshrink", "tanhshrink", "threshold", "neg", "abs", "square", "sqrt", "rsqrt", "exp", "log",
    "log1p", "expm1", "reciprocal", "sin", "cos", "erf", "clamp", "clip", "clamp_min", "clamp_max",
    "clone", "sign",
]  # fmt: skip
for _name in _POINTWISE:
    for _func in _homes(_name):
        RULES[_func] = _point_by_point(_func, in_place=False)
    for _func in _homes(f"{_name}_"):
        _plain = next((f for home in (F, torch, Tensor) if (f := getattr(home, _name, None))), None)
        if _plain is not None:
            RULES[_func] = _point_by_point(_plain, in_place=True)


def _positional(func: Any, place: int) -> Rule:
    """The rule of an activation whose argument at `place` says that it works in place."""

    def rule(x: Any, *args: Any, **kwargs: Any) -> Any:
        writes = bool(kwargs.pop("inplace", False))
        if len(args) > place:
            writes, args = bool(args[place]), args[:place]
        return _point_by_point(func, in_place=writes)(x, *args, **kwargs)

    return rule


for _func, _place in ((F.relu, 0), (F.relu6, 0), (F.silu, 0), (F.mish, 0), (F.hardswish, 0),
                      (F.hardsigmoid, 0), (F.leaky_relu, 1), (F.elu, 1), (F.celu, 1),
                      (F.selu, 0), (F.hardtanh, 2), (F.threshold, 2)):  # fmt: skip
    RULES[_func] = _positional(_func, _place)


def _kept(x: Any, *_: Any, **__: Any) -> Any:
    return x if _local(x) else NotImplemented


RULES[Tensor.contiguous] = RULES[Tensor.detach] = RULES[torch.detach] = _kept


def _dropout(input: Any, p: float = 0.5, training: bool = True, inplace: bool = False) -> Any:
    return input if _local(input) and not training else NotImplemented


RULES.update(dict.fromkeys((F.dropout, F.dropout2d, F.alpha_dropout, torch.dropout), _dropout))


def _batch_norm(
    input: Any, running_mean: Any, running_var: Any, weight: Any = None, bias: Any = None,
    training: bool = False, momentum: float = 0.1, eps: float = 1e-5,
) -> Any:  # fmt: skip
    if not _local(input) or training:
        return NotImplemented
    given = (running_mean, running_var, weight, bias, False, momentum, eps)
    return joined([input], lambda xs: F.batch_norm(xs[0], *given))


RULES[F.batch_norm] = _batch_norm


def _prelu(input: Any, weight: Tensor) -> Any:
    return joined([input], lambda xs: F.prelu(xs[0], weight)) if _local(input) else NotImplemented


RULES[F.prelu] = _prelu


def _response_norm(
    input: Any, size: int, alpha: float = 1e-4, beta: float = 0.75, k: float = 1.0
) -> Any:
    """Over neighbouring channels, not positions."""
    if not _local(input):
        return NotImplemented
    return joined([input], lambda xs: F.local_response_norm(xs[0], size, alpha, beta, k))


RULES[F.local_response_norm] = _response_norm


# --------------------------------------------------------------------- sliding


def _conv(
    input: Any, weight: Tensor, bias: Tensor | None = None, stride: Any = 1, padding: Any = 0,
    dilation: Any = 1, groups: int = 1,
) -> Any:  # fmt: skip
    if not _local(input) or isinstance(weight, Covered):
        return NotImplemented
    s, d, k = _pair(stride), _pair(dilation), (weight.shape[2], weight.shape[3])
    if isinstance(padding, str):
        if padding != "valid" and any((a - 1) * b % 2 for a, b in zip(k, d, strict=True)):
            return NotImplemented
        padding = [0 if padding == "valid" else (a - 1) * b // 2 for a, b in zip(k, d, strict=True)]
    p = _pair(padding)

    def run(maps: Tensor, padded: bool) -> Tensor:
        return F.conv2d(maps, weight, bias, s, (0, 0) if padded else p, d, groups)

    return slide(input, run, k, s, p, d)


RULES[F.conv2d] = _conv


def _transposed_conv(
    input: Any, weight: Tensor, bias: Tensor | None = None, stride: Any = 1, padding: Any = 0,
    output_padding: Any = 0, groups: int = 1, dilation: Any = 1,
) -> Any:  # fmt: skip
    if not _local(input) or isinstance(weight, Covered):
        return NotImplemented
    s, p, d, extra = _pair(stride), _pair(padding), _pair(dilation), _pair(output_padding)
    k = (weight.shape[2], weight.shape[3])

    def run(maps: Tensor, padded: bool) -> Tensor:
        own = ((0, 0), (0, 0)) if padded else (p, extra)
        return F.conv_transpose2d(maps, weight, bias, s, *own, groups, d)

    return spread(input, run, k, s, p, d)


RULES[F.conv_transpose2d] = _transposed_conv


def _max_pool(
    input: Any, kernel_size: Any, stride: Any = None, padding: Any = 0, dilation: Any = 1,
    ceil_mode: bool = False, return_indices: bool = False,
) -> Any:  # fmt: skip
    if not _local(input) or return_indices:
        return NotImplemented
    k, p, d = _pair(kernel_size), _pair(padding), _pair(dilation)
    s = _pair(stride) if stride else k

    def run(maps: Tensor, padded: bool) -> Tensor:
        return F.max_pool2d(maps, k, s, (0, 0) if padded else p, d, not padded and ceil_mode)

    return slide(input, run, k, s, p, d, float("-inf"))


RULES[torch.max_pool2d] = RULES[F.max_pool2d] = _max_pool


def _avg_pool(
    input: Any, kernel_size: Any, stride: Any = None, padding: Any = 0, ceil_mode: bool = False,
    count_include_pad: bool = True, divisor_override: int | None = None,
) -> Any:  # fmt: skip
    k, p = _pair(kernel_size), _pair(padding)
    if not _local(input) or ceil_mode or (any(p) and not count_include_pad):
        return NotImplemented
    s = _pair(stride) if stride else k

    def run(maps: Tensor, padded: bool) -> Tensor:
        return F.avg_pool2d(maps, k, s, (0, 0) if padded else p, False, True, divisor_override)

    return slide(input, run, k, s, p, (1, 1))


RULES[F.avg_pool2d] = _avg_pool


def _pad(input: Any, pad: Any, mode: str = "constant", value: float | None = None) -> Any:
    if not _local(input) or mode != "constant" or len(pad) != 4 or min(pad) < 0:
        return NotImplemented
    left, _, top, _ = pad
    reference = input.references.of(lambda: F.pad(input.reference, pad, mode, value))
    tops, lefts, h, w = input.windows
    moved = Windows(tuple([t + top for t in tops]), tuple([x + left for x in lefts]), h, w)
    return covered(reference, input.patches, moved, input.references)


RULES[F.pad] = _pad


# --------------------------------------------------------------------- joining


def _arithmetic(func: Any, in_place: bool) -> Rule:
    def rule(a: Any, b: Any, **kwargs: Any) -> Any:
        if in_place and not _local(a):
            return NotImplemented
        if _local(a) and _local(b):
            if a.shape[2:] != b.shape[2:] or len(a) != len(b) or (in_place and a.shape != b.shape):
                return NotImplemented
            result = joined([a, b], lambda xs: func(xs[0], xs[1], **kwargs))
        elif _local(a) and _alike(b):
            result = joined([a], lambda xs: func(xs[0], b, **kwargs))
        elif _local(b) and _alike(a):
            result = joined([b], lambda xs: func(a, xs[0], **kwargs))
        else:
            return NotImplemented
        return a.become(result) if in_place else result

    return rule


def _alike(value: Any) -> bool:
    """Whether a value is the same at all positions and in all images of a batch."""
    if not isinstance(value, Tensor):
        return isinstance(value, int | float)
    if isinstance(value, Covered):
        return False
    shape = (1,) * (4 - value.dim()) + tuple(value.shape)
    return len(shape) == 4 and shape[0] == 1 and shape[2:] == (1, 1)


def _swapped(func: Any) -> Any:
    return lambda a, b, **kwargs: func(b, a, **kwargs)


_ARITHMETIC: dict[str, Any] = {
    "add": torch.add, "sub": torch.sub, "mul": torch.mul, "div": torch.div,
    "multiply": torch.mul, "subtract": torch.sub, "true_divide": torch.div, "truediv": torch.div,
    "maximum": torch.maximum, "minimum": torch.minimum, "pow": torch.pow,
}  # fmt: skip
for _name, _func in _ARITHMETIC.items():
    for _home in _homes(_name, f"__{_name}__"):
        RULES[_home] = _arithmetic(_func, in_place=False)
    for _home in _homes(f"{_name}_", f"__i{_name}__"):
        RULES[_home] = _arithmetic(_func, in_place=True)
    for _home in _homes(f"__r{_name}__"):
        RULES[_home] = _arithmetic(_swapped(_func), in_place=False)
RULES[torch.rsub] = _arithmetic(torch.rsub, in_place=False)


def _cat(tensors: Any, dim: int = 0) -> Any:
    if dim not in (1, -3) or not all(_local(x) for x in tensors):
        return NotImplemented
    if len({tuple(x.shape[2:]) for x in tensors}) > 1:
        return NotImplemented
    return joined(list(tensors), lambda xs: torch.cat(xs, 1))


RULES.update(dict.fromkeys((torch.cat, torch.concat, torch.concatenate), _cat))
