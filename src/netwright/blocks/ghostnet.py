"""Ghost modules and bottlenecks (Han et al. 2019, arXiv:1911.11907)."""

from __future__ import annotations

from math import ceil

from netwright.blocks.attention import squeeze_excite
from netwright.blocks.conv import ConvNormAct, conv_norm
from netwright.blocks.mobile import rounded
from netwright.core.check import is_count
from netwright.core.shape import Shape
from netwright.core.spec import Block, Spec
from netwright.core.wiring import Concat, Sequential, Sum
from netwright.errors import SpecError
from netwright.units.activation import HardSigmoid, Identity, ReLU
from netwright.units.channels import Channels

__all__ = ["GhostBottleneck", "GhostModule"]


class GhostModule(Block):
    """A 1x1 convolution to m = width / s channels, and s - 1 cheap ghosts of each by a depthwise
    d x d convolution beside them: (C, H, W) -> (width, H, W) (figure 2b).

    `ratio` is s, `kernel` d. Where s does not divide the width, superfluous ghosts are left.

    >>> GhostModule(24).expand((16, 56, 56)).names
    ('primary', 'ghosts')
    """

    width: int
    ratio: int = 2
    kernel: int = 3
    act: Spec | None = ReLU()

    def check(self) -> None:
        is_count(self, "ratio")
        if isinstance(self.ratio, int) and self.ratio < 2:
            raise SpecError(f"GhostModule: ratio is {self.ratio}, wanted at least 2")

    def expand(self, x: Shape) -> Spec:
        m = ceil(self.width / self.ratio)
        cheap = ConvNormAct(m * (self.ratio - 1), self.kernel, groups=m, act=self.act)
        module = Sequential(
            primary=ConvNormAct(m, 1, act=self.act),
            ghosts=Concat(skip=Identity(), cheap=cheap),
        )
        extra = m * self.ratio != self.width
        return module.put(take=Channels(0, self.width)) if extra else module


class GhostBottleneck(Block):
    """A ghost module to `hidden` channels, one without activation back to `width`, between them
    a depthwise convolution where the stride is not 1: (C, H, W) -> (width, H / s, W / s)
    (figure 3).

    `se` adds squeeze-excitation to hidden / 4 before the second. The shortcut is a depthwise
    and a 1x1 convolution where the shape changes.

    >>> GhostBottleneck(24, 48, stride=2).expand((16, 112, 112))["body"].names
    ('ghost1', 'depthwise', 'ghost2')
    """

    width: int
    hidden: int
    kernel: int = 3
    stride: int = 1
    se: bool = False

    def check(self) -> None:
        is_count(self, "hidden")

    def expand(self, x: Shape) -> Spec:
        hidden, stride = self.hidden, self.stride
        parts: dict[str, Spec] = {"ghost1": GhostModule(hidden)}
        if stride != 1:
            parts["depthwise"] = conv_norm(hidden, self.kernel, stride, groups=hidden)
        if self.se:
            parts["se"] = squeeze_excite(hidden, rounded(hidden / 4, 4), ReLU(), HardSigmoid())
        parts["ghost2"] = GhostModule(self.width, act=None)
        return Sum(body=Sequential(**parts), shortcut=self._shortcut(x))

    def _shortcut(self, x: Shape) -> Spec:
        if self.stride == 1 and x[0] == self.width:
            return Identity()
        return Sequential(
            depthwise=conv_norm(x[0], self.kernel, self.stride, groups=x[0]),
            pointwise=conv_norm(self.width, 1),
        )
