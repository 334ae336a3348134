"""Families told as roads: one net, rewritten step by step into another."""

from __future__ import annotations

import pytest

import netwright as nw
from netwright.core.net import Net
from netwright.nets.convnext_road import STEPS, convnext_road

GMACS = (4.09, 4.53, 4.42, 2.35, 5.27, 4.64, 4.07, 4.15, 4.15, 4.15, 4.15, 4.15)
"""Table 10 of Liu et al. 2022, ResNet-50 first; figure 2 prints one digit."""


def test_road_to_convnext_costs_what_the_paper_says() -> None:
    names = ["resnet50", *nw.nets("convnext_road_*")]
    assert [round(nw.net(name).plan().macs / 1e9, 2) for name in names] == list(GMACS)
    assert round(nw.net("convnext_tiny").plan().macs / 1e9, 1) == 4.5


def test_road_begins_at_resnet_and_ends_at_convnext() -> None:
    assert convnext_road(0) == nw.net("resnet50").spec
    end = Net(convnext_road(len(STEPS)), (3, 224, 224))
    assert end.hash == nw.net("convnext_tiny").hash
    assert convnext_road(len(STEPS), classes=7) == nw.net("convnext_tiny", classes=7).spec
    with pytest.raises(nw.SpecError, match="steps is 13, wanted 0 to 12"):
        convnext_road(13)


def test_blocks_at_the_end_of_the_road_are_those_of_convnext() -> None:
    """But for layer scale and stochastic depth, and a bias where a norm follows."""

    def body(name: str) -> list[nw.Row]:
        rows = [row for row in nw.net(name).plan() if row.path.startswith("stage3.4.body.")]
        return [row for row in rows if not isinstance(row.unit, nw.DropPath | nw.LayerScale)]

    ours, theirs = body("convnext_road_11_layer_norm"), body("convnext_tiny")
    assert [type(row.unit) for row in ours] == [type(row.unit) for row in theirs]
    assert [row.macs for row in ours] == [row.macs for row in theirs]
    assert [row.output for row in ours] == [row.output for row in theirs]
