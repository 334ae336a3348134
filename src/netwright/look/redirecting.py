"""ReLUs through which an image finds a gradient, though all it could come by are closed."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode

from netwright.look.relus import replaced

__all__ = ["Redirected"]


class Redirected(TorchFunctionMode):
    """While this lasts an image that gets no gradient through the open units of a ReLU gets that
    through the closed ones which it would open, so that a unit that is off can be climbed to
    (as in Lucid). ReLU6 is one with a lid.
    """

    def __torch_function__(
        self, func: Any, types: Any, args: Any = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        return replaced(func, args, kwargs or {}, _Detour.apply)


class _Detour(torch.autograd.Function):
    """The forward pass of a ReLU up to `most`, with that backward rule."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, most: float | None) -> Tensor:
        above = x >= most if most is not None else torch.zeros_like(x, dtype=torch.bool)
        ctx.save_for_backward(x <= 0, above)
        return x.clamp(0, most)

    @staticmethod
    def backward(ctx: Any, *slopes: Tensor) -> Any:
        (slope,), (below, above) = slopes, ctx.saved_tensors
        through = slope.masked_fill(below | above, 0)
        stuck = (through == 0).flatten(1).all(1).view(-1, *[1] * (slope.dim() - 1))
        opening = slope.masked_fill((below & (slope < 0)) | (above & (slope > 0)), 0)
        return torch.where(stuck, opening, through), None
