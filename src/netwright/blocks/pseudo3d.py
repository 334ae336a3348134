"""Convolutions of image sequences, cut into space and time."""

from __future__ import annotations

from dataclasses import replace

from netwright.blocks.conv import ConvNormAct
from netwright.blocks.separable import along
from netwright.core.check import is_choice
from netwright.core.shape import Axes, Shape, need_rank
from netwright.core.spec import Block, Spec
from netwright.core.wiring import Sequential, Sum
from netwright.units.activation import Identity, ReLU
from netwright.units.norm import BatchNorm

__all__ = ["Pseudo3dConv"]


class Pseudo3dConv(Block):
    """A 1 x k x k convolution S over the image and a k x 1 x 1 convolution T over time:
    (C, T, H, W) -> (width, T', H', W').

    `form` is that of P3D (Qiu et al. 2017, arXiv:1711.10305): "A" in series, T(S(x)); "B" in
    parallel, S(x) + T(x); "C" both, S(x) + T(S(x)). Each is followed by `norm` and `act`.
    The stride is divided between S and T in A, both have it in B, S alone in C.

    >>> Pseudo3dConv(64, form="B").expand((64, 16, 56, 56)).names
    ('space', 'time')
    """

    width: int
    kernel: Axes = 3
    stride: Axes = 1
    form: str = "A"
    norm: Spec | None = BatchNorm()
    act: Spec | None = ReLU()

    def check(self) -> None:
        is_choice(self, "form", ("A", "B", "C"))
        self._whole()

    def _whole(self) -> ConvNormAct:
        return ConvNormAct(self.width, self.kernel, self.stride, norm=self.norm, act=self.act)

    def expand(self, x: Shape) -> Spec:
        need_rank("Pseudo3dConv", x, 4, 4)
        space, time = along(self._whole(), (1, 2), x), along(self._whole(), (0,), x)
        if self.form == "A":
            return Sequential(space=space, time=time)
        strided = replace(space, stride=self.stride)
        if self.form == "B":
            return Sum(space=strided, time=replace(time, stride=self.stride))
        both = Sum(skip=Identity(), time=replace(time, stride=1))
        return Sequential(space=strided, both=both)
