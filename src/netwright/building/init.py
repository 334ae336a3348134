"""Initial weights by the papers' rules."""

from __future__ import annotations

from collections.abc import Callable

from torch import Tensor, nn

from netwright.core.wiring import Sum
from netwright.errors import SpecError
from netwright.layers import WeightNorm

__all__ = ["INITS", "initialise"]

_CONVS = (nn.Conv1d, nn.Conv2d, nn.Conv3d)
_TRANSPOSED = (nn.ConvTranspose1d, nn.ConvTranspose2d, nn.ConvTranspose3d)
_NORMS = (nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d, nn.GroupNorm)


def _he(weight: Tensor, module: nn.Module) -> None:
    """Variance 2 / fan out for maps (He et al. 2015, arXiv:1502.01852), 1 / fan in for dense."""
    if isinstance(module, _CONVS):
        nn.init.kaiming_normal_(weight, mode="fan_out", nonlinearity="relu")
    else:
        nn.init.kaiming_normal_(weight, mode="fan_in", nonlinearity="linear")


def _xavier(weight: Tensor, module: nn.Module) -> None:
    """Variance 2 / (fan in + fan out) (Glorot & Bengio 2010)."""
    nn.init.xavier_uniform_(weight)


INITS: dict[str, Callable[[Tensor, nn.Module], None] | None] = {
    "he": _he,
    "xavier": _xavier,
    "torch": None,
}


def initialise(model: nn.Module, init: str = "he", zero_gamma: bool = False) -> None:
    """Sets the weights of convolutions and dense units, zeroes their biases; with
    `zero_gamma` also the scale of the last normalisation of every residual body.
    """
    if init not in INITS:
        raise SpecError(f"init {init!r} is unknown; there are: {', '.join(INITS)}")
    fill = INITS[init]
    if fill is not None:
        _fill(model, fill)
    if zero_gamma:
        for module in model.modules():
            if isinstance(getattr(module, "wiring", None), Sum):
                _zero_last_gamma(module)


def _fill(model: nn.Module, fill: Callable[[Tensor, nn.Module], None]) -> None:
    for module in model.modules():
        if isinstance(module, (*_CONVS, *_TRANSPOSED, nn.Linear)):
            fill(module.weight, module)
            if module.bias is not None:
                nn.init.zeros_(module.bias)
    for module in model.modules():
        if isinstance(module, WeightNorm):
            module.reset_gain()


def _zero_last_gamma(module: nn.Module) -> None:
    body = dict(module.named_children()).get("body", module)
    norms = [m for m in body.modules() if isinstance(m, _NORMS) and m.weight is not None]
    if norms:
        nn.init.zeros_(norms[-1].weight)
