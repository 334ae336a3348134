"""Highway layers (Srivastava et al. 2015, arXiv:1507.06228)."""

from __future__ import annotations

from netwright.core.check import is_number
from netwright.core.graph import Graph, Node
from netwright.core.join import Add, Mul
from netwright.core.shape import Shape
from netwright.core.spec import Block, Spec
from netwright.core.wiring import Sequential
from netwright.units.activation import ReLU, Scale, Shift, Sigmoid
from netwright.units.conv import Conv

__all__ = ["Highway"]


class Highway(Block):
    """H(x) T(x) + x C(x) with the carry gate C = 1 - T (equation 3): (C, H, W) -> (C, H, W).

    H is a convolution with `act`, the transform gate T the sigmoid of another, moved by
    `gate_bias`: below 0 a layer begins by carrying most of x on.

    >>> Highway().expand((16, 32, 32)).names
    ('transform', 'gate', 'carry', 'transformed', 'carried', 'sum')
    """

    kernel: int = 3
    gate_bias: float = -2.0
    act: Spec = ReLU()

    def check(self) -> None:
        is_number(self, "gate_bias")

    def expand(self, x: Shape) -> Spec:
        conv = Conv(x[0], self.kernel)
        gate = Sequential(conv=conv, bias=Shift(self.gate_bias), act=Sigmoid())
        return Graph(
            transform=Node(Sequential(conv=conv, act=self.act), "input"),
            gate=Node(gate, "input"),
            carry=Sequential(minus=Scale(-1.0), one=Shift(1.0)),
            transformed=Node(Mul(), "transform", "gate"),
            carried=Node(Mul(), "input", "carry"),
            sum=Node(Add(), "transformed", "carried"),
        )
