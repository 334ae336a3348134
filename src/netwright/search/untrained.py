"""Scores of untrained nets. Over all of NAS-Bench-201 none ranks better than counting what is left
of the MACs when dead edges are out; in the best tenth `synflow` does, by 0.07 to 0.17 of Spearman's
correlation, and is weak there too (`bench/zero_cost.py`). No strategy uses them unasked.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from netwright.core.net import Net
from netwright.errors import nearest

if TYPE_CHECKING:
    from torch import Tensor, nn

__all__ = ["SCORES", "zero_cost"]


def zero_cost(net: Net, score: str = "macs", *, images: int = 16, seed: int = 0) -> float:
    """How good an untrained net looks, on images of noise; the higher the better.

    `macs` counts multiply-adds; `grad_norm` is the norm of the loss's gradient (Abdelfattah et al.
    2021, arXiv:2101.08134), `synflow` the sum over weights of |weight x gradient| of a net whose
    weights are all positive (Tanaka et al. 2020, arXiv:2006.05467), `naswot` the log-determinant
    of how much images agree in which ReLUs are on (Mellor et al. 2020, arXiv:2006.04647). Such a
    score is an evaluator: `nw.search(space, nw.search.zero_cost)`.

    images: how many
    seed: of weights and images

    >>> import netwright as nw
    >>> zero_cost(nw.net("lenet5")) == nw.net("lenet5").plan().macs
    True
    """
    if score == "macs":
        return float(net.plan().macs)
    if score not in SCORES:
        raise nearest("score", score, ["macs", *SCORES])
    import torch

    draw = torch.Generator().manual_seed(seed)
    x = torch.randn(images, *net.input, generator=draw)
    return SCORES[score](net.build(seed=seed), x, draw)


def _grad_norm(model: nn.Module, x: Tensor, draw: Any) -> float:
    import torch

    y = model(x)
    labels = torch.randint(y.shape[1], (len(x),), generator=draw)
    torch.nn.functional.cross_entropy(y, labels).backward()
    norms = [p.grad.norm() for p in model.parameters() if p.grad is not None]
    return float(torch.stack(norms).norm()) if norms else 0.0


def _synflow(model: nn.Module, x: Tensor, draw: Any) -> float:
    import torch

    model = model.double().eval()  # normalisation by its buffers, so that nothing is centred
    with torch.no_grad():
        for p in model.parameters():
            p.abs_()
    model(torch.ones_like(x[:1], dtype=torch.float64)).sum().backward()
    weights = [(p.detach(), p.grad) for p in model.parameters() if p.grad is not None]
    return math.log1p(sum([float((p * grad).abs().sum()) for p, grad in weights]))


def _naswot(model: nn.Module, x: Tensor, draw: Any) -> float:
    import torch

    agree = torch.zeros(len(x), len(x), dtype=torch.float64)

    def look(_: nn.Module, given: tuple[Tensor, ...]) -> None:
        on = (given[0] > 0).flatten(1).double()
        agree.add_(on @ on.T + (1 - on) @ (1 - on).T)

    for module in model.modules():
        if isinstance(module, torch.nn.ReLU):
            module.register_forward_pre_hook(look)
    with torch.no_grad():
        model(x)
    return float(torch.linalg.slogdet(agree)[1])


SCORES: dict[str, Callable[[nn.Module, Tensor, Any], float]] = {
    "grad_norm": _grad_norm,
    "synflow": _synflow,
    "naswot": _naswot,
}
"""Scores of built nets: (model, images, generator) -> number."""
