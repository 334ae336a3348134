"""RegNetX and RegNetY: nets whose widths grow by a quantised line."""

from __future__ import annotations

from functools import partial
from itertools import groupby
from math import log

from netwright.blocks.conv import conv_norm_act
from netwright.blocks.mobile import rounded
from netwright.blocks.regnet import RegNetBlock
from netwright.blocks.stage import Stage
from netwright.core.spec import Spec
from netwright.core.wiring import Sequential
from netwright.errors import SpecError
from netwright.nets.heads import pooled
from netwright.nets.options import need_counts, need_factors
from netwright.nets.registry import Paper, net

__all__ = ["quantised_line", "regnet"]

REGNET = Paper(
    "Designing Network Design Spaces",
    "Radosavovic, Kosaraju, Girshick, He, Dollar",
    2020,
    "2003.13678",
)
_x = partial(net, input=(3, 224, 224), paper=REGNET)
_y = partial(_x, se=0.25)


@_x("regnet_x_400mf", depth=22, width=24, slope=24.48, step=2.54, group_width=16)
@_x("regnet_x_800mf", depth=16, width=56, slope=35.73, step=2.28, group_width=16)
@_x("regnet_x_1_6gf", depth=18, width=80, slope=34.01, step=2.25, group_width=24)
@_x("regnet_x_3_2gf", depth=25, width=88, slope=26.31, step=2.25, group_width=48)
@_x("regnet_x_8gf", depth=23, width=80, slope=49.56, step=2.88, group_width=120)
@_x("regnet_x_16gf", depth=22, width=216, slope=55.59, step=2.1, group_width=128)
@_x("regnet_x_32gf", depth=23, width=320, slope=69.86, step=2.0, group_width=168)
@_y("regnet_y_400mf", depth=16, width=48, slope=27.89, step=2.09, group_width=8)
@_y("regnet_y_800mf", depth=14, width=56, slope=38.84, step=2.4, group_width=16)
@_y("regnet_y_1_6gf", depth=27, width=48, slope=20.71, step=2.65, group_width=24)
@_y("regnet_y_3_2gf", depth=21, width=80, slope=42.63, step=2.66, group_width=24)
@_y("regnet_y_8gf", depth=17, width=192, slope=76.82, step=2.19, group_width=56)
@_y("regnet_y_16gf", depth=18, width=200, slope=106.23, step=2.48, group_width=112)
@_y("regnet_y_32gf", depth=20, width=232, slope=115.89, step=2.53, group_width=232)
def regnet(
    depth: int,
    width: int,
    slope: float,
    step: float,
    group_width: int,
    se: float = 0.0,
    classes: int = 1000,
) -> Spec:
    """Figures 15 and 16 of the paper: a 3x3 stem of 32 channels, a stage of X blocks (with
    `se` Y blocks) a width, each beginning with stride 2, a pooled head.

    `depth`, `width`, `slope`, `step` and `group_width` are the paper's d, w0, wa, wm and g.
    As in torchvision a stage's width is rounded to a multiple of its group width.
    """
    need_counts(group_width=group_width)
    parts: dict[str, Spec] = {"stem": conv_norm_act(32, 3, 2)}
    runs = groupby(quantised_line(depth, width, slope, step))
    for i, (planned, blocks) in enumerate(runs, 1):
        group = min(group_width, planned)
        block = RegNetBlock(rounded(planned, group), group, se=se)
        parts[f"stage{i}"] = Stage(block, len(list(blocks)), stride=2)
    return Sequential(**parts, head=pooled(classes))


def quantised_line(depth: int, width: int, slope: float, step: float) -> list[int]:
    """Widths of `depth` blocks (section 3.3 of the paper): the line width + slope j, brought to
    the nearest width step^k for an integer k, and that to the nearest multiple of 8.

    >>> quantised_line(14, 56, 38.84, 2.4)
    [56, 136, 136, 136, 320, 320, 320, 320, 320, 320, 320, 320, 776, 776]
    """
    need_counts(depth=depth, width=width)
    need_factors(step=step)
    if slope < 0 or step <= 1:
        raise SpecError(f"slope {slope} and step {step} make no widths that grow; "
                        "wanted a slope of at least 0 and a step above 1")  # fmt: skip
    powers = [round(log((width + slope * j) / width) / log(step)) for j in range(depth)]
    return [max(8, 8 * round(width * step**k / 8)) for k in powers]
