"""Docstrings of the units and blocks that nets use most list their arguments, one a line."""

from __future__ import annotations

import inspect
import re
from collections import Counter

import pytest

import netwright as nw
from netwright.core.interpret import Shapes
from netwright.core.spec import SPECS
from netwright.nets.catalogue import load

load()
MOST_USED = (
    "AdaptiveAvgPool", "AvgPool", "BasicBlock", "BatchNorm", "Bottleneck", "Cell", "Conv",
    "ConvNormAct", "DenseBlock", "DenseLayer", "DropPath", "Dropout", "Edge",
    "FactorisedReduction", "GlobalAvgPool", "GridReduction", "Linear", "MBConv", "MaxPool",
    "PadChannels", "PreBasicBlock", "PreBottleneck", "RegNetBlock", "SeparableConv", "Shortcut",
    "SqueezeExcite", "Stage", "Subsample", "Transition", "TransposedConv", "Upsample", "VggBlock",
)  # fmt: skip


@pytest.mark.parametrize("name", MOST_USED)
def test_arguments_are_listed_in_their_order(name):
    text = inspect.getdoc(SPECS[name]) or ""
    listed = re.findall(r"^(\w+): \S", text, re.MULTILINE)
    assert tuple(listed) == SPECS[name].field_names


class Uses(Shapes):
    """The units and blocks that a net is made of."""

    def __init__(self):
        self.kinds = set()

    def expand(self, block, path, xs):
        self.kinds.add(type(block))
        return super().expand(block, path, xs)

    def unit(self, unit, path, xs):
        self.kinds.add(type(unit))
        return super().unit(unit, path, xs)


@pytest.mark.slow
def test_the_thirty_are_those_that_most_nets_use():
    counts = Counter()
    for name in nw.nets():
        uses = Uses()
        net = nw.net(name)
        uses(net.spec, "", (net.input,))
        counts.update(kind.__name__ for kind in uses.kinds if kind.field_names)
    least = counts.most_common(30)[-1][1]
    assert {name for name, count in counts.items() if count >= least} <= {*MOST_USED}
