"""Families told as roads: one net, rewritten step by step into another."""

from __future__ import annotations

import pytest

import netwright as nw
from netwright.core.net import Net
from netwright.nets.convnext_road import STEPS, convnext_road
from netwright.nets.inception_road import inception_road

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


def test_road_to_inception_v3_passes_the_nets_in_between() -> None:
    ends = {0: "googlenet", 3: "bn_inception", 7: "inception_v3"}
    for steps, name in ends.items():
        assert inception_road(steps) == nw.net(name).spec
        assert inception_road(steps, classes=5) == nw.net(name, classes=5).spec
    with pytest.raises(nw.SpecError, match="steps is 8, wanted 0 to 7"):
        inception_road(8)


def test_small_kernels_cost_what_their_widths_say() -> None:
    """Two 3x3 convolutions for every 5x5 of r to c channels: 9 r c + 9 c^2 for 25 r c."""
    before = nw.net("inception_road_1_batch_norm").plan()
    after = nw.net("inception_road_2_small_kernels").plan()
    large = [row for row in before if getattr(row.unit, "kernel", 0) == 5]
    assert len(large) == 9
    r, c = (lambda row: row.input[0]), (lambda row: row.output[0])
    saved = [16 * r(row) * c(row) - 9 * c(row) ** 2 for row in large]
    positions = [row.output[1] * row.output[2] for row in large]
    assert before.macs - after.macs == sum(
        n * where for n, where in zip(saved, positions, strict=True)
    )
    assert before.params - after.params == sum(saved) - sum(2 * c(row) for row in large)
    assert after.field.size == before.field.size


def test_every_step_of_the_inception_road_takes_parts_of_the_last_net() -> None:
    last = nw.net("inception_v3").spec
    for steps, shared in ((4, 3), (5, 5), (6, 6)):
        (name,) = nw.nets(f"inception_road_{steps}_*")
        spec = nw.net(name).spec
        assert spec.parts[-shared:] == last.parts[-shared:]
        assert spec["stem"] == nw.net("bn_inception").spec["stem"]
