"""Batch norm folded into the convolution or dense unit before it, weights included."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from netwright.core.net import Net
from netwright.errors import RuleError
from netwright.rules.fold import foldable

__all__ = ["folded"]

_TRANSPOSED = (nn.ConvTranspose1d, nn.ConvTranspose2d, nn.ConvTranspose3d)


def folded(model: nn.Module) -> nn.Module:
    """The module of `net.rewrite("fold-norm")` with the weights of `model`, a built net, each
    of its type and on its device.

    In evaluation mode it gives the outputs of `model`, up to rounding: gamma / sigma goes into
    the kernel, beta - mu gamma / sigma into the bias. Raises `RuleError` where nothing folds.
    """
    net = getattr(model, "net", None)
    if not isinstance(net, Net):
        raise RuleError("this module was not built from a net; net.build() makes one that was")
    folded = net.rewrite("fold-norm").build(init="torch").eval()
    state = {key: value.clone() for key, value in model.state_dict().items()}
    for norm, product in foldable(net).items():
        weight, bias = _fused(model.get_submodule(product), model.get_submodule(norm))
        prefix = f"{product}." if product else ""
        state |= {f"{prefix}weight": weight, f"{prefix}bias": bias}
    folded.load_state_dict({key: state[key] for key in folded.state_dict()}, assign=True)
    return folded


@torch.no_grad()
def _fused(product: Any, norm: Any) -> tuple[Tensor, Tensor]:
    """Weight and bias of the product with the norm in it, in its own type."""
    weight: Tensor = product.weight
    exact = torch.promote_types(weight.dtype, torch.float32)
    mean, var = norm.running_mean.to(exact), norm.running_var.to(exact)
    scale = (var + norm.eps).rsqrt()
    if norm.weight is not None:
        scale = scale * norm.weight.to(exact)
    shift = torch.zeros_like(mean) if norm.bias is None else norm.bias.to(exact)
    bias = shift - mean * scale
    if product.bias is not None:
        bias = bias + product.bias.to(exact) * scale
    if isinstance(product, _TRANSPOSED):  # (C, width / groups, ...), a group's channels in a row
        by_group = weight.to(exact).unflatten(0, (product.groups, -1))
        factor = scale.reshape(product.groups, 1, -1, *[1] * (weight.dim() - 2))
        whole = (by_group * factor).flatten(0, 1)
    else:
        whole = weight.to(exact) * scale.reshape(-1, *[1] * (weight.dim() - 1))
    return whole.to(weight.dtype), bias.to(weight.dtype)
