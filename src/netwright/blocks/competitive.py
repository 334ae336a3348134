"""Competitive squeeze-excitation (Hu et al. 2018, arXiv:1807.08920)."""

from __future__ import annotations

from typing import ClassVar

from netwright.blocks.conv import ConvNormAct
from netwright.core.check import is_choice, is_count
from netwright.core.graph import Graph, Node
from netwright.core.join import Add, Mul
from netwright.core.shape import Shape, narrowed
from netwright.core.spec import Block, Spec
from netwright.core.wiring import Concat, Sequential
from netwright.errors import ShapeError
from netwright.units.activation import ReLU, Sigmoid
from netwright.units.global_pool import ChannelMean
from netwright.units.linear import Flatten, Linear, Reshape
from netwright.units.pool import GlobalAvgPool

__all__ = ["CompetitiveExcite"]

ROWS = 20
"""Rows that the means are folded to."""


class CompetitiveExcite(Block):
    """u s + x, a gate s a channel from the means of both: body u and shortcut x, two maps
    (C, H, W), -> (C, H, W).

    Body and shortcut compete for the channels. `form` says how their means become s = sigmoid(
    W2 z), without biases:

    - "double-fc": z is ReLU(W1 mean(u)) beside ReLU(W1' mean(x)), C / reduction each;
    - "1x1" and "2x1" ("inner imaging"): the means are an image of 2 rows and C columns,
      convolved to C / reduction maps with batch norm; z is ReLU(W1 m) of their mean map m;
    - "folded": so with a 3x3 convolution, the image first folded to 20 rows of C / 10.
    """

    joins: ClassVar[bool] = True

    reduction: int = 16
    form: str = "double-fc"

    def check(self) -> None:
        is_count(self, "reduction")
        is_choice(self, "form", ("double-fc", "1x1", "2x1", "folded"))

    def expand(self, *xs: Shape) -> Spec:
        maps = xs[0][0]
        narrow = narrowed(maps, self.reduction)
        squeeze = Sequential(linear=Linear(narrow, bias=False), act=ReLU())
        if self.form == "double-fc":
            one = Sequential(pool=GlobalAvgPool(), **dict(squeeze.parts))
            squeezed = Sequential(both=Concat(body=one, shortcut=one))
        else:
            squeezed = self._imaged(maps, narrow).put(squeeze=squeeze)
        weights = squeezed.put(expand=Linear(maps, bias=False), gate=Sigmoid())
        return Graph(
            weights=Node(weights, "input"),
            scaled=Node(Mul(), "input0", "weights"),
            sum=Node(Add(), "scaled", "input1"),
        )

    def _imaged(self, maps: int, narrow: int) -> Sequential:
        """The means of both as an image, convolved to `narrow` maps, whose mean is flat."""
        kernel = {"1x1": 1, "2x1": (2, 1), "folded": 3}[self.form]
        rows = ROWS if self.form == "folded" else 2
        if 2 * maps % rows:
            raise ShapeError(f"CompetitiveExcite folds to {ROWS} rows, which do not divide "
                             f"twice {maps} channels; take another form")  # fmt: skip
        return Sequential(
            pools=Concat(body=GlobalAvgPool(), shortcut=GlobalAvgPool()),
            image=Reshape((1, rows, 2 * maps // rows)),
            conv=ConvNormAct(narrow, kernel, padding="valid", act=None),
            mean=ChannelMean(),
            flatten=Flatten(),
        )
