"""ReLUs whose backward pass is another one, wherever they stand.

Every call of PyTorch is seen while a rule lasts, so modules, functions, reused and in-place
ReLUs are all reached; hooks on modules miss the functions and the map is then silently the plain
gradient.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.overrides import TorchFunctionMode

from netwright.errors import LookError

__all__ = ["Rectified", "is_activation", "replaced"]

_RELU = (F.relu, F.relu_, torch.relu, torch.relu_, Tensor.relu, Tensor.relu_)
_CLAMP = (torch.clamp, torch.clamp_, torch.clamp_min, torch.clamp_min_, Tensor.clamp,
          Tensor.clamp_, Tensor.clamp_min, Tensor.clamp_min_, torch.clip, torch.clip_,
          Tensor.clip, Tensor.clip_)  # fmt: skip
_HARDTANH = (F.hardtanh, F.hardtanh_)
_OTHERS = {
    getattr(home, name)
    for name in ("silu", "gelu", "leaky_relu", "elu", "selu", "celu", "mish", "softplus",
                 "hardswish", "prelu", "rrelu", "rrelu_", "elu_", "selu_", "celu_", "leaky_relu_",
                 "threshold", "threshold_", "glu", "hardshrink", "softshrink", "tanhshrink",
                 "logsigmoid", "maximum", "where", "fmax")
    for home in (F, torch, Tensor)
    if hasattr(home, name)
}  # fmt: skip
"""Activations that are no ReLU, and functions that may hide one."""
_CURVES = {
    getattr(home, name)
    for name in ("sigmoid", "sigmoid_", "tanh", "tanh_", "hardsigmoid", "softsign", "logsigmoid")
    for home in (F, torch, Tensor)
    if hasattr(home, name)
}  # fmt: skip
"""Activations that squash."""


class _Rule(torch.autograd.Function):
    """The forward pass of a ReLU up to `most`, with one of the backward rules."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, most: float | None, gated: bool) -> Tensor:
        y = x.clamp(0, most)
        ctx.save_for_backward((x > 0) & (x < most) if most is not None else x > 0)
        ctx.gated = gated
        return y

    @staticmethod
    def backward(ctx: Any, *slopes: Tensor) -> Any:
        (slope,), (open_,) = slopes, ctx.saved_tensors
        slope = slope.clamp(min=0)
        return (slope * open_ if ctx.gated else slope), None, None


class Rectified(TorchFunctionMode):
    """While this lasts every ReLU lets through positive gradients only; with `gated` where it
    was open itself (guided backpropagation: Springenberg et al. 2014, arXiv:1412.6806), else
    wherever (deconvnet: Zeiler & Fergus 2013, arXiv:1311.2901). ReLU6 is one with a lid.

    `count` is how many ran. Raises `LookError` at another activation.
    """

    def __init__(self, *, gated: bool) -> None:
        super().__init__()
        self.gated = gated
        self.count = 0

    def __torch_function__(
        self, func: Any, types: Any, args: Any = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        kwargs = kwargs or {}
        if (func in _OTHERS or _is_larger(func, args)) and _follows(args):
            raise LookError("guided backpropagation and deconvnet are rules for ReLUs; this net "
                            f"calls {func.__name__}; use gradient or gradcam")  # fmt: skip
        return replaced(func, args, kwargs, self._rule)

    def _rule(self, x: Tensor, most: float | None) -> Any:
        self.count += 1
        return _Rule.apply(x, most, self.gated)


def replaced(
    func: Any, args: Any, kwargs: dict[str, Any], rule: Callable[[Tensor, float | None], Any]
) -> Any:
    """What a call gives, by `rule(x, lid)` where it is a ReLU of x, in place where that is."""
    span = _rectifies(func, args, kwargs)
    if span is None:
        return func(*args, **kwargs)
    x: Tensor = args[0] if args else kwargs["input"]
    y = rule(x, span[0])
    in_place = kwargs.get("inplace") or func.__name__.endswith("_") or _placed(func, args)
    return x.copy_(y) if in_place else y


def _is_larger(func: Any, args: Any) -> bool:
    """Whether a call is the larger of two tensors; `max` is also that over positions."""
    return func in (torch.max, Tensor.max) and len(args) > 1 and isinstance(args[1], Tensor)


def _follows(args: Any) -> bool:
    """Whether a call takes part in the gradient."""
    return any(isinstance(arg, Tensor) and arg.requires_grad for arg in args)


def _placed(func: Any, args: Any) -> bool:
    """Whether `inplace` was given by position."""
    place = {F.relu: 1, F.relu6: 1, F.hardtanh: 3}.get(func)
    return place is not None and len(args) > place and bool(args[place])


def _rectifies(func: Any, args: Any, kwargs: dict[str, Any]) -> tuple[float | None] | None:
    """(the lid) of a call that is a ReLU, None for any other."""
    if func in _RELU:
        return (None,)
    if func is F.relu6:
        return (6.0,)
    if func in _HARDTANH:
        low = args[1] if len(args) > 1 else kwargs.get("min_val", -1.0)
        high = args[2] if len(args) > 2 else kwargs.get("max_val", 1.0)
        return (float(high),) if low == 0 else None
    if func in _CLAMP:
        low = args[1] if len(args) > 1 else kwargs.get("min")
        high = args[2] if len(args) > 2 else kwargs.get("max")
        zero = not isinstance(low, Tensor) and low == 0
        return (high,) if zero and not isinstance(high, Tensor) else None
    return None


def is_activation(func: Any, args: Any, kwargs: dict[str, Any]) -> bool:
    """Whether a call is a ReLU or another activation."""
    return _rectifies(func, args, kwargs) is not None or func in _OTHERS or func in _CURVES
