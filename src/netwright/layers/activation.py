"""Activations PyTorch lacks: hard thresholds that learn, the largest of several pieces."""

from __future__ import annotations

from torch import Tensor, nn

__all__ = ["Maxout", "Sign", "Step", "straight_through"]


def straight_through(value: Tensor, stand_in: Tensor) -> Tensor:
    """`value` forwards, to the last bit; the gradient of `stand_in` backwards
    (Bengio et al. 2013, arXiv:1308.3432).
    """
    return value.detach() + (stand_in - stand_in.detach())


class Step(nn.Module):
    """1 where x >= 0, else 0; the gradient passes straight through where |x| <= 1."""

    def forward(self, x: Tensor) -> Tensor:
        return straight_through((x >= 0).to(x.dtype), x.clamp(-1, 1))


class Sign(nn.Module):
    """1 where x >= 0, else -1; the gradient passes straight through where |x| <= 1
    (Hubara et al. 2016, arXiv:1602.02830, equation 4).
    """

    def forward(self, x: Tensor) -> Tensor:
        return straight_through((x >= 0).to(x.dtype) * 2 - 1, x.clamp(-1, 1))


class Maxout(nn.Module):
    """The largest of every `pieces` channels in a row: (N, C, ...) -> (N, C / pieces, ...)
    (Goodfellow et al. 2013, arXiv:1302.4389).
    """

    def __init__(self, pieces: int = 2) -> None:
        super().__init__()
        self.pieces = pieces

    def forward(self, x: Tensor) -> Tensor:
        return x.unflatten(1, (-1, self.pieces)).amax(2)

    def extra_repr(self) -> str:
        return f"pieces={self.pieces}"
