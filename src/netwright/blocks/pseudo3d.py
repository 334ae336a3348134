"""Convolutions of image sequences, cut into space and time."""

from __future__ import annotations

from dataclasses import replace

from netwright.blocks.conv import ConvNormAct, conv_norm, conv_norm_act
from netwright.blocks.resnet import Shortcut, residual
from netwright.blocks.separable import along
from netwright.core.check import is_choice, is_count
from netwright.core.shape import Axes, Shape, need_rank
from netwright.core.spec import Block, Spec
from netwright.core.wiring import Sequential, Sum
from netwright.units.activation import Identity, ReLU
from netwright.units.norm import BatchNorm

__all__ = ["Conv2Plus1d", "P3dBottleneck", "Pseudo3dConv", "R2Plus1dBlock"]


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


class P3dBottleneck(Block):
    """1x1x1 reduces, a `Pseudo3dConv` of this `form` convolves, 1x1x1 restores, beside a
    shortcut: (C, T, H, W) -> (width expansion, T, H / stride, W / stride).

    Qiu et al. 2017 (arXiv:1711.10305, figure 3). The stride is the first convolution's, as in
    the authors' code; time keeps its steps. Form "S" is S alone, for maps of one step.
    """

    width: int
    stride: int = 1
    form: str = "A"
    expansion: int = 4

    def check(self) -> None:
        is_count(self, "expansion")
        is_choice(self, "form", ("A", "B", "C", "S"))

    def expand(self, x: Shape) -> Spec:
        need_rank("P3dBottleneck", x, 4, 4)
        stride = (1, self.stride, self.stride) if self.stride != 1 else 1
        out = self.width * self.expansion
        space = ConvNormAct(self.width, (1, 3, 3))
        body = Sequential(
            reduce=conv_norm_act(self.width, 1, stride),
            conv=space if self.form == "S" else Pseudo3dConv(self.width, form=self.form),
            restore=conv_norm(out, 1),
        )
        return residual(body, Shortcut(out, stride))


class Conv2Plus1d(Block):
    """A 1 x k x k convolution to `middle` maps, norm, ReLU, and a k x 1 x 1 convolution to
    `width`, norm, `act`: (C, T, H, W) -> (width, T', H', W').

    Where `middle` is not given it is floor(k^3 C width / (k^2 C + k width)): as many weights
    as the k x k x k convolution has (Tran et al. 2017, arXiv:1711.11248, section 3.5).

    >>> Conv2Plus1d(64).expand((64, 16, 56, 56))["space"].width
    144
    """

    width: int
    kernel: int = 3
    stride: Axes = 1
    middle: int = 0
    act: Spec | None = ReLU()
    own_widths = ("width", "middle")

    def check(self) -> None:
        self._whole()

    def _whole(self) -> ConvNormAct:
        return ConvNormAct(self.width, self.kernel, self.stride, act=self.act)

    def expand(self, x: Shape) -> Spec:
        need_rank("Conv2Plus1d", x, 4, 4)
        middle = self.middle or balanced(x[0], self.width, self.kernel)
        space = replace(self._whole(), width=middle, act=ReLU())
        return Sequential(space=along(space, (1, 2), x), time=along(self._whole(), (0,), x))


def balanced(channels: int, width: int, kernel: int = 3) -> int:
    """Maps between space and time that leave the number of weights as it was.

    >>> balanced(64, 128)
    230
    """
    return kernel**3 * channels * width // (kernel**2 * channels + kernel * width)


class R2Plus1dBlock(Block):
    """Two `Conv2Plus1d` beside a shortcut: (C, T, H, W) -> (width, T / stride, H / stride,
    W / stride) (Tran et al. 2017, arXiv:1711.11248, table 1).

    As in torchvision both have as many maps between space and time as the first; the paper
    counts them for each.
    """

    width: int
    stride: int = 1

    def expand(self, x: Shape) -> Spec:
        middle = balanced(x[0], self.width)
        body = Sequential(
            conv1=Conv2Plus1d(self.width, 3, self.stride, middle),
            conv2=Conv2Plus1d(self.width, 3, 1, middle, act=None),
        )
        return residual(body, Shortcut(self.width, self.stride))
