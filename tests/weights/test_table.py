"""The language of key tables, on a net made for it."""

from __future__ import annotations

import pytest
import torch

import netwright as nw
from netwright.core.net import Net
from netwright.weights.table import Place, Where, read

BLOCK = nw.Sequential(conv=nw.conv_norm_act(4), se=nw.Sequential(fc=nw.Conv(4, 1)))
NET = Net(
    nw.Sequential(
        stem=nw.conv_norm_act(4),
        stage1=nw.Sequential(BLOCK, BLOCK),
        stage2=nw.Sequential(BLOCK),
        last=nw.Conv(8, 1),
        head=nw.Sequential(pool=nw.GlobalAvgPool(), fc=nw.Linear(3)),
    ),
    (3, 8, 8),
)


@pytest.mark.parametrize(
    ("table", "key", "theirs"),
    [
        ("stem first", "stem.conv.weight", "first.conv.weight"),
        ("stem first\n norm = bn", "stem.norm.bias", "first.bn.bias"),
        ("stem.conv first", "stem.norm.bias", None),
        ("st first", "stem.norm.bias", None),
        ("stem.conv a\n stem b", "stem.conv.weight", "a.weight"),
        ("stage{i}.{j} layer{i}.{j}", "stage2.0.se.fc.bias", "layer2.0.se.fc.bias"),
        ("stage{i}.{j} l{2i-1}.u{j+1}", "stage2.0.se.fc.bias", "l3.u1.se.fc.bias"),
        ("stage{i}.{j} l{j:xyz}", "stage1.1.se.fc.bias", "ly.se.fc.bias"),
        ("stage{i}.{j} l{j:0.0,1.0}", "stage1.1.se.fc.bias", "l1.0.se.fc.bias"),
        ("stage{i}.{j}.{x} a.{#x}", "stage1.1.se.fc.bias", "a.1.fc.bias"),
        ("stage{i}.{j}.{x=se} a.{#x+1}", "stage1.1.se.fc.bias", "a.2.fc.bias"),
        ("stage{i}.{j}.{x=se} a", "stage1.1.conv.conv.weight", None),
        ("stage{i} a\n .{j}.se .{j}.gate", "stage1.1.se.fc.bias", "a.1.gate.fc.bias"),
        ("stage{i} a\n .{j}.se -", "stage1.1.se.fc.bias", "a.fc.bias"),
        ("stage1 a\n .0 .zero\n stage2 b", "stage2.0.se.fc.bias", "b.0.se.fc.bias"),
        ("stage{i}.{j} f.{n}", "stage1.1.se.fc.bias", "f.2.se.fc.bias"),
        ("stage{i}.{j} f.{n}", "stage2.0.se.fc.bias", "f.3.se.fc.bias"),
        ("last f.{n+1}", "last.bias", "f.4.bias"),
        ("stem f.{n}", "stem.conv.weight", "f.0.conv.weight"),
        ("last f.{part}", "last.bias", "f.3.bias"),
        ("stem.{x} f.{row}", "stem.norm.bias", "f.1.bias"),
        ("stem.conv.weight kernel", "stem.conv.weight", "kernel"),
    ],
)
def test_keys(table, key, theirs):
    place = read(table).place(key, Where(NET))
    assert (place and place.key) == theirs


def test_places_that_they_do_not_have():
    with pytest.raises(LookupError):
        read("stage{i}.{j} l{j:x}").place("stage1.1.se.fc.bias", Where(NET))


@pytest.mark.parametrize(
    ("shape", "ours", "theirs"),
    [("1x1", (5, 6), (5, 6, 1, 1)), ("7x7", (5, 98), (5, 2, 7, 7)), ("flat", (5, 6, 1, 1), (5, 6)),
     ("1x1", (5,), (5, 1, 1))],
)  # fmt: skip
def test_shapes(shape, ours, theirs):
    place = read(f"head.fc fc {shape}").place("head.fc.weight", Where(NET))
    assert place.shape(ours) == theirs
    assert place.ours(torch.zeros(theirs)).shape == ours
    assert read(f"head.fc fc {shape}").place("head.fc.bias", Where(NET)) == Place("fc.bias")
