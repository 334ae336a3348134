"""Activations beyond those of the spine."""

from __future__ import annotations

import torch
from kit import Sample
from torch import Tensor, nn

import netwright as nw


class Weighed(nn.Module):
    """A module with channel c of its output times c + 1: the channels of a softmax sum to one,
    so that the gradient of their plain sum is zero everywhere."""

    def __init__(self, module: nn.Module) -> None:
        super().__init__()
        self.module = module

    def forward(self, x: Tensor) -> Tensor:
        y = self.module(x)
        return y * torch.arange(1, y.shape[1] + 1).view(-1, *[1] * (y.dim() - 2)).to(y)


SAMPLES = [
    Sample(nw.SELU(), (5, 7, 3)),
    Sample(nw.SELU(), (5,)),
    *(Sample(nw.Shift(-0.2), shape) for shape in ((5, 7, 3), (4, 1, 1), (9,))),
    *(Sample(nw.Scale(-0.2), shape) for shape in ((5, 7, 3), (4, 1, 1), (9,))),
    *(Sample(kind(), shape, smooth=False) for kind in (nw.Step, nw.Sign)
      for shape in ((5, 7, 3), (4, 1, 1), (9,))),
    Sample(nw.Softmax(), (5, 7, 3), surrogate=Weighed),
    Sample(nw.Softmax(), (5, 1, 1), surrogate=Weighed),
    Sample(nw.Softmax(), (5, 9), surrogate=Weighed),
    Sample(nw.Softmax(), (10,)),
    Sample(nw.Maxout(), (6, 7, 3)),
    Sample(nw.Maxout(3), (6, 1, 1)),
    Sample(nw.Maxout(1), (6, 5)),
    Sample(nw.Maxout(3), (2 * 3, 3, 5, 4)),
    Sample(nw.Maxout(4), (12,)),
    *(Sample(kind(), (4, 1, 1)) for kind in (nw.ReLU, nw.PReLU, nw.GELU, nw.HardSwish)),
]  # fmt: skip

WRONG = {
    "Maxout": [{"pieces": 0}, {"pieces": 1.5}],
    "Scale": [{"factor": "half"}],
    "Shift": [{"offset": None}],
}

MISFITS = {"Maxout": [((7, 3, 3), {"pieces": 2}), ((2, 2, 2, 2, 2), {})]}
