"""Batch norm folded into the convolution before it, weights included."""

from __future__ import annotations

from copy import deepcopy
from itertools import pairwise

from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from netwright.core.net import Net
from netwright.errors import RuleError

__all__ = ["folded"]

_CONVS = (nn.Conv1d, nn.Conv2d, nn.Conv3d)
_NORMS = (nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d)


def folded(model: nn.Module) -> nn.Module:
    """The module of `net.rewrite("fold-norm")` with the weights of `model`, a built net.

    In evaluation mode it gives the outputs of `model`, up to rounding: gamma / sigma goes into
    the kernel, beta - mu gamma / sigma into the bias. Raises `RuleError` where nothing folds.
    """
    net = getattr(model, "net", None)
    if not isinstance(net, Net):
        raise RuleError("this module was not built from a net; net.build() makes one that was")
    made = net.rewrite("fold-norm").build(init="torch").eval()
    state: dict[str, Tensor] = dict(model.state_dict())
    for path, parent in model.named_modules():
        for (name, conv), (_, norm) in pairwise(parent.named_children()):
            if isinstance(conv, _CONVS) and isinstance(norm, _NORMS):
                fused = fuse_conv_bn_eval(deepcopy(conv).eval(), deepcopy(norm).eval())
                prefix = f"{path}.{name}." if path else f"{name}."
                state |= {prefix + key: value for key, value in fused.state_dict().items()}
    made.load_state_dict({key: state[key] for key in made.state_dict()})
    return made
