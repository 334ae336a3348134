"""Every border of a convolution against NumPy, SciPy, a naive loop, and its own field."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy import ndimage, stats
from torch.nn import functional as F

import netwright as nw
from netwright.core.net import Net
from netwright.errors import ShapeError
from oracles import planned_sets, seen_by, surrogate

NUMPY = {
    "zeros": {"mode": "constant"},
    2.5: {"mode": "constant", "constant_values": 2.5},
    "circular": {"mode": "wrap"},
    "replicate": {"mode": "edge"},
    "reflect": {"mode": "reflect"},
    "symmetric": {"mode": "symmetric"},
}
SCIPY = {
    "zeros": {"mode": "constant"},
    2.5: {"mode": "constant", "cval": 2.5},
    "circular": {"mode": "grid-wrap"},
    "replicate": {"mode": "nearest"},
    "reflect": {"mode": "mirror"},
    "symmetric": {"mode": "reflect"},
}
CONV = {1: F.conv1d, 2: F.conv2d, 3: F.conv3d}


def made(unit: nw.Conv, shape: tuple[int, ...]) -> torch.nn.Module:
    torch.manual_seed(0)
    return unit.module(shape).double().requires_grad_(requires_grad=False)


@pytest.mark.parametrize("border", NUMPY)
@pytest.mark.parametrize(
    ("shape", "padding"),
    [((3, 7), ((3, 1),)), ((3, 7, 6), ((1, 1), (2, 2))), ((3, 7, 6), ((0, 3), (2, 1))),
     ((3, 5, 4, 6), ((1, 2), (0, 3), (2, 2)))],
)  # fmt: skip
def test_is_numpys_pad_then_a_convolution(border, shape, padding) -> None:
    module = made(nw.Conv(4, 3, 2, padding, border=border), shape)
    x = torch.rand(2, *shape, dtype=torch.float64)
    wide = np.pad(x.numpy(), [(0, 0), (0, 0), *padding], **NUMPY[border])
    wanted = CONV[len(padding)](torch.from_numpy(wide), module.weight, module.bias, 2)
    torch.testing.assert_close(module(x), wanted)


@pytest.mark.parametrize("border", SCIPY)
def test_is_scipys_correlate(border) -> None:
    module = made(nw.Conv(1, (5, 3), border=border, bias=False), (1, 8, 9))
    x = torch.rand(1, 1, 8, 9, dtype=torch.float64)
    wanted = ndimage.correlate(x[0, 0].numpy(), module.weight[0, 0].detach().numpy(),
                               **SCIPY[border])  # fmt: skip
    np.testing.assert_allclose(module(x)[0, 0].detach().numpy(), wanted)


@pytest.mark.parametrize("n", [1, 2, 3])
def test_symmetric_is_mirrored_again_and_again(n: int) -> None:
    x = torch.arange(n, dtype=torch.float64)
    wanted = np.pad(x.numpy(), (7, 5), "symmetric")
    assert nw.layers.pad(x[None, None], [(7, 5)], "symmetric")[0, 0].tolist() == wanted.tolist()


@pytest.mark.parametrize("border", ["circular", "replicate", "reflect", "symmetric"])
def test_field_folded_at_the_border_is_gradient_support(border: str) -> None:
    pads, shape = ((3, 1), (2, 2)), (2, 7, 6)
    plan = Net(nw.Conv(1, (4, 3), (2, 1), pads, (1, 2), border=border), shape).plan()
    model = surrogate(plan.rows[0].unit.module(shape))
    folded = [
        np.pad(np.arange(n), pair, **NUMPY[border]) for n, pair in zip(shape[1:], pads, strict=True)
    ]
    for unit in np.ndindex(plan.output[1:]):
        wanted = [
            {int(fold[before + i]) for i in seen}
            for fold, (before, _), seen in zip(
                folded, pads, planned_sets(plan.rows[0].field, unit), strict=True
            )
        ]
        assert seen_by(model, "", shape, unit) == wanted


@pytest.mark.parametrize("bias", [True, False])
def test_crop_drops_what_lies_outside_and_scales_the_rest(bias: bool) -> None:
    unit = nw.Conv(2, (3, 4), (1, 2), ((2, 1), (3, 2)), (2, 1), border="crop", bias=bias)
    module = made(unit, (3, 5, 6))
    x = torch.rand(1, 3, 5, 6, dtype=torch.float64)
    y = module(x)[0]
    wanted = torch.zeros_like(y)
    for o, i, j in np.ndindex(tuple(y.shape)):
        total, left = 0.0, 0
        for a, b in np.ndindex(3, 4):
            row, column = i - 2 + 2 * a, 2 * j - 3 + b
            if 0 <= row < 5 and 0 <= column < 6:
                total += float((module.weight[o, :, a, b] * x[0, :, row, column]).sum())
                left += 1
        wanted[o, i, j] = total * 12 / left + (float(module.bias[o]) if bias else 0)
    torch.testing.assert_close(y, wanted)


def test_crop_keeps_a_flat_image_flat() -> None:
    module = surrogate(nw.Conv(1, 5, border="crop", bias=False).module((3, 6, 4)))
    y = module(torch.full((1, 3, 6, 4), 7.0, dtype=torch.float64))
    torch.testing.assert_close(y, torch.full_like(y, 7))


def test_crop_without_a_tap_inside_is_the_bias() -> None:
    module = made(nw.Conv(2, 2, 1, "full", 2, border="crop"), (3, 1))
    y = module(torch.rand(1, 3, 1, dtype=torch.float64))
    torch.testing.assert_close(y[0, :, 1], module.bias)


def test_random_padding_is_one_of_all_splits_alike_often() -> None:
    module = made(nw.Conv(2, (3, 4), 1, (1, (3, 0)), border="random"), (3, 6, 5)).train()
    x = torch.rand(2, 3, 6, 5, dtype=torch.float64)
    splits = {
        (a, b): module._conv_forward(F.pad(x, (b, 3 - b, a, 2 - a)), module.weight, module.bias)
        for a in range(3)
        for b in range(4)
    }
    counts = dict.fromkeys(splits, 0)
    module.generator = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for _ in range(600):
            y = module(x)
            (found,) = [key for key, split in splits.items() if torch.allclose(y, split)]
            counts[found] += 1
    assert stats.chisquare(list(counts.values())).pvalue > 0.01


def test_random_padding_is_centred_in_evaluation() -> None:
    module = made(nw.Conv(2, 4, 1, ((3, 0), (0, 4)), border="random"), (3, 6, 5)).eval()
    x = torch.rand(2, 3, 6, 5, dtype=torch.float64)
    wanted = F.conv2d(F.pad(x, (2, 2, 1, 2)), module.weight, module.bias)
    torch.testing.assert_close(module(x), wanted)


def test_random_padding_obeys_its_generator() -> None:
    module = made(nw.Conv(2, 7, border="random"), (3, 9, 9)).train()
    x = torch.rand(1, 3, 9, 9, dtype=torch.float64)

    def runs(seed: int) -> torch.Tensor:
        module.generator = torch.Generator().manual_seed(seed)
        return torch.stack([module(x) for _ in range(5)])

    assert torch.equal(runs(1), runs(1))
    assert not torch.equal(runs(1), runs(2))


def test_random_padding_trains_in_one_graph() -> None:
    module = nw.Conv(2, 5, border="random").module((3, 9, 9)).train()
    compiled = torch.compile(module, fullgraph=True, backend="eager")
    x = torch.rand(1, 3, 9, 9)
    torch.manual_seed(0)
    y = compiled(x)
    torch.manual_seed(0)
    torch.testing.assert_close(y, module(x))


def test_pytorchs_own_modes_are_used() -> None:
    for border in ("zeros", "circular", "replicate", "reflect"):
        module = nw.Conv(4, border=border).module((3, 9, 9))
        assert type(module) is torch.nn.Conv2d
        assert module.padding_mode == border


def test_too_small_a_map_is_told() -> None:
    with pytest.raises(ShapeError, match="reflect padding of 2 needs 3 positions, got 3x9x2"):
        nw.Conv(4, 5, border="reflect").shape((3, 9, 2))
    assert nw.Conv(4, 5, border="circular").shape((3, 9, 2)) == (4, 9, 2)


def test_blocks_hand_the_border_on() -> None:
    for block in (nw.ConvNormAct(4, border="reflect"), nw.DepthwiseConv(border="reflect")):
        assert nw.from_json(Net(block, (3, 9, 9)).to_json()).spec == block
        assert Net(block, (3, 9, 9)).plan().rows[0].unit.border == "reflect"


def test_rules_keep_the_border() -> None:
    net = Net(nw.Sequential(nw.Conv(4), nw.Conv(4, 5, border="reflect")), (3, 9, 9))
    for rule in ("5x5-to-3x3", "asymmetric", "separable"):
        units = [row.unit for row in net.rewrite(rule).plan() if row.path.startswith("1")]
        convs = [unit for unit in units if isinstance(unit, nw.Conv) and unit.kernel != 1]
        assert convs, rule
        assert all(unit.border == "reflect" for unit in convs), rule
