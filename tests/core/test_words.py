"""Docstrings of the units and blocks that nets use most list their arguments, one a line."""

from __future__ import annotations

import inspect
import re

import pytest

from netwright.core.spec import SPECS
from netwright.nets.catalogue import load

load()
MOST_USED = (
    "AdaptiveAvgPool", "AvgPool", "BasicBlock", "BatchNorm", "Bottleneck", "Cell", "Conv",
    "ConvNormAct", "DenseBlock", "DenseLayer", "DropPath", "Dropout", "Edge",
    "FactorisedReduction", "GlobalAvgPool", "Linear", "MBConv", "MaxPool", "PadChannels",
    "PreBasicBlock", "PreBottleneck", "RegNetBlock", "SeparableConv", "Shortcut",
    "SqueezeExcite", "Stage", "Subsample", "Transition", "TransposedConv", "Upsample", "VggBlock",
)  # fmt: skip


@pytest.mark.parametrize("name", MOST_USED)
def test_arguments_are_listed_in_their_order(name):
    text = inspect.getdoc(SPECS[name]) or ""
    listed = re.findall(r"^(\w+): \S", text, re.MULTILINE)
    assert tuple(listed) == SPECS[name].field_names
