"""Atrous spatial pyramid pooling (Chen et al. 2017, arXiv:1706.05587)."""

from __future__ import annotations

from netwright.blocks.conv import ConvNormAct, conv_norm_act
from netwright.core.check import is_count, is_fraction
from netwright.core.shape import Shape, need_rank
from netwright.core.spec import Block, Spec
from netwright.core.wiring import Concat, Sequential
from netwright.units.pool import GlobalAvgPool
from netwright.units.regularise import Dropout

__all__ = ["ASPP"]


class ASPP(Block):
    """A 1x1 convolution, a dilated 3x3 one for each of `rates` and the mean of the map, side by
    side, mixed by a 1x1: (C, H, W) -> (width, H, W) (section 3.3, figure 5).

    Rates are those of the paper for maps of 1/8 of the image. The mean stretches over the map;
    as batch normalisation needs several of them, training does not go image by image.

    >>> ASPP().expand((2048, 28, 28)).names
    ('pyramid', 'project', 'drop')
    """

    width: int = 256
    rates: tuple[int, ...] = (12, 24, 36)
    dropout: float = 0.5

    def check(self) -> None:
        is_count(self, "rates")
        is_fraction(self, "dropout")

    def expand(self, x: Shape) -> Spec:
        need_rank("ASPP", x, 3, 3)
        point = conv_norm_act(self.width, 1)
        wide = {f"rate{rate}": ConvNormAct(self.width, 3, dilation=rate) for rate in self.rates}
        mean = Sequential(pool=GlobalAvgPool(keep=True), project=point)
        pyramid = Concat(point=point, **wide, mean=mean)
        return Sequential(pyramid=pyramid, project=point, drop=Dropout(self.dropout))
