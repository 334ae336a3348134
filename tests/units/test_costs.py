"""Multiply-adds by hand, where counting tools go wrong; other operations by hand, all of them."""

from __future__ import annotations

import pytest

import netwright as nw
from netwright.core.net import Net

CASES = {
    "transposed, 4x4 stride 2: every input, every weight": (
        nw.TransposedConv(8, 4, 2, 1), (16, 16, 16), 16 * 16 * 16 * 8 * 4 * 4, 524_288,
    ),
    "dense over a sequence: every step": (nw.Linear(32), (10, 64), 10 * 64 * 32, 20_480),
    "LSTM: four gates from input and state": (
        nw.LSTM(40), (10, 56), 10 * 4 * 40 * (56 + 40), 153_600,
    ),
    "scaled dot product: scores and values": (
        nw.DotAttention(scaled=True), (10, 64), 2 * 10 * 10 * 64, 12_800,
    ),
    "multi-head: four projections, scores, values": (
        nw.MultiHeadAttention(8), (10, 64), 4 * 10 * 64 * 64 + 2 * 10 * 10 * 64, 176_640,
    ),
    "grouped and dilated": (
        nw.Conv(32, 3, groups=4, dilation=2), (16, 20, 20), 400 * 9 * 4 * 32, 460_800,
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_macs_by_hand(name: str) -> None:
    unit, shape, formula, count = CASES[name]
    assert Net(unit, shape).plan().macs == formula == count


OPS = {
    # element by element: one operation, whatever the function
    "ReLU: one a number": (nw.ReLU(), [(4, 5, 6)], 4 * 5 * 6, 120),
    "GELU: one a number": (nw.GELU(), [(4, 5, 6)], 4 * 5 * 6, 120),
    "PReLU: one a number": (nw.PReLU(), [(4, 5, 6)], 4 * 5 * 6, 120),
    "a factor: one a number": (nw.Scale(0.5), [(4, 5, 6)], 4 * 5 * 6, 120),
    "a factor a channel: one a number": (nw.LayerScale(), [(4, 5, 6)], 4 * 5 * 6, 120),
    "factor and offset a channel: two": (nw.Affine(), [(4, 5, 6)], 2 * 4 * 5 * 6, 240),
    "softmax: exponential, sum, quotient": (nw.Softmax(), [(4, 5, 6)], 3 * 4 * 5 * 6, 360),
    "maxout of 2: two numbers for each that is left": (
        nw.Maxout(), [(4, 5, 6)], 2 * (2 * 5 * 6), 120,
    ),
    # norms: the way from a number to its own, scale and shift
    "batch norm: scale, shift": (nw.BatchNorm(), [(4, 5, 6)], 2 * 4 * 5 * 6, 240),
    "layer norm: scale, shift": (nw.LayerNorm(), [(4, 5, 6)], 2 * 4 * 5 * 6, 240),
    "group norm: scale, shift": (nw.GroupNorm(groups=2), [(4, 5, 6)], 2 * 4 * 5 * 6, 240),
    "response norm: 5 squares, power, quotient": (
        nw.LocalResponseNorm(size=5), [(8, 5, 6)], (5 + 2) * 8 * 5 * 6, 1_680,
    ),
    "within a channel: 3 x 3 squares, power, quotient": (
        nw.SpatialResponseNorm(size=3), [(8, 5, 6)], (9 + 2) * 8 * 5 * 6, 2_640,
    ),
    # pools: one a number of a window, padding too
    "maximum of 3 x 3: nine": (nw.MaxPool(3, 2, 1), [(4, 8, 8)], 9 * 4 * 4 * 4, 576),
    "mean of 2 x 2: four": (nw.AvgPool(2), [(4, 8, 8)], 4 * 4 * 4 * 4, 256),
    "of a signal, 3: three": (nw.MaxPool(3, 3), [(4, 9)], 3 * 4 * 3, 36),
    "mean and maximum of 2 x 2: eight": (nw.MixedPool(2), [(4, 8, 8)], 2 * 4 * 4 * 4 * 4, 512),
    "power and sum of 2 x 2: eight": (nw.LpPool(2), [(4, 8, 8)], 2 * 4 * 4 * 4 * 4, 512),
    "median of 3 x 3: nine times log2 of nine, up": (
        nw.MedianPool(3), [(4, 9, 9)], 9 * 4 * 4 * 3 * 3, 1_296,
    ),
    "minimum of 2 x 2: four": (nw.MinPool(2), [(4, 8, 8)], 4 * 4 * 4 * 4, 256),
    "means of 3 x 3 cells of 5 x 5: rows 2, 3, 2 a cell": (
        nw.AdaptiveAvgPool(3), [(4, 5, 5)], 4 * (2 + 3 + 2) * (2 + 3 + 2), 196,
    ),
    "global mean: every number": (nw.GlobalAvgPool(), [(4, 8, 8)], 4 * 8 * 8, 256),
    "global maximum: every number": (nw.GlobalMaxPool(), [(4, 8, 8)], 4 * 8 * 8, 256),
    "generalised mean: power and sum of every number": (
        nw.GeM(), [(4, 8, 8)], 2 * 4 * 8 * 8, 512,
    ),
    "mean over maps: every number": (nw.ChannelMean(), [(4, 8, 8)], 4 * 8 * 8, 256),
    "pyramid of 2 x 2 and 1: every number twice": (
        nw.SpatialPyramidPool((2, 1)), [(4, 8, 8)], 2 * 4 * 8 * 8, 512,
    ),
    "boxes: the whole map for each": (
        nw.RoIPool(2), [(4, 8, 8), (5, 4)], 5 * 4 * 8 * 8, 1_280,
    ),
    "sampled boxes: four corners of 2 x 2 points": (
        nw.RoIAlign(3, samples=2), [(4, 8, 8), (5, 4)], 4 * 2 * 2 * 5 * 4 * 3 * 3, 2_880,
    ),
    "regions: every number": (nw.SuperpixelPool(7), [(4, 8, 8), (8, 8)], 4 * 8 * 8, 256),
    # sizes: what an output reads
    "nearest: one": (nw.Upsample(2, mode="nearest"), [(4, 5, 6)], 4 * 10 * 12, 480),
    "bilinear: four": (nw.Upsample(2, mode="linear"), [(4, 5, 6)], 4 * 4 * 10 * 12, 1_920),
    "bicubic: sixteen": (nw.Upsample(2, mode="cubic"), [(4, 5, 6)], 16 * 4 * 10 * 12, 7_680),
    "Haar, twice: four a number of each level": (
        nw.WaveletPool(2), [(4, 8, 8)], 4 * 4 * (4 * 4 + 2 * 2), 320,
    ),
    # joins: one an element and further input
    "sum of three: two": (nw.Add(), [(4, 5, 6)] * 3, 2 * 4 * 5 * 6, 240),
    "gate: one": (nw.Mul(), [(4, 5, 6), (4, 1, 1)], 4 * 5 * 6, 120),
    "mean of three: two sums and a quotient": (nw.Mean(), [(4, 5, 6)] * 3, 3 * 4 * 5 * 6, 360),
    "weighted sum of two: two products, a sum": (
        nw.WeightedSum(), [(4, 5, 6)] * 2, 3 * 4 * 5 * 6, 360,
    ),
    "side by side: nothing": (nw.Cat(), [(4, 5, 6), (2, 5, 6)], 0, 0),
    # what stands beside multiply-adds
    "convolution, bias and all: nothing": (nw.Conv(8), [(4, 5, 6)], 0, 0),
    "samples between positions: four a tap": (
        nw.DeformableConv(8), [(4, 5, 6)], 4 * (4 * 9 * 5 * 6), 4_320,
    ),
    "codes: difference and square, and root a code": (
        nw.RadialBasis(5), [(9,)], 2 * 9 + 2 * 5, 28,
    ),
    "Elman's net: sum and bend a number and step": (nw.RNN(6), [(10, 5)], 2 * 6 * 10, 120),
    "LSTM: four sums and bends; two products, a sum, a bend, a product": (
        nw.LSTM(6), [(10, 5)], (4 * 2 + 5) * 6 * 10, 780,
    ),
    "attention: softmax of every pair, a head": (
        nw.MultiHeadAttention(2), [(10, 8)], 3 * 2 * 10 * 10, 600,
    ),
    "additive: sum and bend for every pair, its softmax": (
        nw.AdditiveAttention(6), [(10, 8)], (2 * 6 + 3) * 10 * 10, 1_500,
    ),
    # what only training does
    "dropout: nothing": (nw.Dropout(), [(4, 5, 6)], 0, 0),
    "shaken branch: its mean, one": (nw.ShakeDrop(), [(4, 5, 6)], 4 * 5 * 6, 120),
    "shape: nothing": (nw.Flatten(), [(4, 5, 6)], 0, 0),
}  # fmt: skip


@pytest.mark.parametrize("name", OPS)
def test_other_operations_by_hand(name: str) -> None:
    unit, shapes, formula, count = OPS[name]
    assert unit.cost(*shapes, y=unit.shape(*shapes)).ops == formula == count
