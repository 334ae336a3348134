"""Unpooling, shuffles and cubic interpolation in nets."""

from __future__ import annotations

import torch
from torch import nn

import netwright as nw
from netwright.core.net import Net
from netwright.layers import MaxUnpool


def test_unpool_is_pytorchs() -> None:
    x = torch.randn(2, 3, 13, 11)
    pooled, at = nn.functional.max_pool2d(x, 2, return_indices=True)
    small = torch.randn_like(pooled)
    wanted = nn.functional.max_unpool2d(small, at, 2, output_size=x.shape[2:])
    torch.testing.assert_close(MaxUnpool((2, 2))(small, x), wanted)


def test_unpool_of_the_pool_keeps_the_maxima() -> None:
    x = torch.rand(2, 3, 8, 9, 6) + 1
    back = MaxUnpool((2, 3, 2))(nn.functional.max_pool3d(x, (2, 3, 2)), x)
    torch.testing.assert_close(back[back != 0], x[back != 0])
    assert (back != 0).sum() == 2 * 3 * 4 * 3 * 3


def test_segnets_pair_is_a_graph() -> None:
    spec = nw.Graph(
        down=nw.Conv(8),
        pool=nw.MaxPool(),
        middle=nw.Conv(8),
        back=nw.Node(nw.MaxUnpool(), "middle", "down"),
        out=nw.Conv(2, 1),
    )
    net = Net(spec, (3, 13, 10))
    plan = net.plan()
    assert plan.output == (2, 13, 10)
    assert plan.row("back").sources == (2, 0)
    model = net.build(seed=0)
    x = torch.randn(2, 3, 13, 10, requires_grad=True)
    y = model(x)
    assert y.shape == (2, 2, 13, 10)
    y.sum().backward()
    assert x.grad is not None
    assert nw.from_json(net.to_json()) == net


def test_shuffles_undo_each_other() -> None:
    x = torch.randn(2, 8, 6, 4)
    down, up = nw.PixelUnshuffle(2).module((8, 6, 4)), nw.PixelShuffle(2).module((32, 3, 2))
    torch.testing.assert_close(up(down(x)), x)
    cell = nw.PixelShuffle(2).module((4, 1, 1))(torch.arange(4.0).reshape(1, 4, 1, 1))
    assert cell.tolist() == [[[[0, 1], [2, 3]]]]


def test_cubic_is_pytorchs_bicubic() -> None:
    x = torch.randn(2, 3, 7, 5)
    wanted = nn.functional.interpolate(x, scale_factor=(3, 2), mode="bicubic")
    torch.testing.assert_close(nw.Upsample((3, 2), "cubic").module((3, 7, 5))(x), wanted)
    field = Net(nw.Upsample(3, "cubic"), (1, 9, 9)).plan().rows[0].field
    assert field.box((4, 4)) == ((1, 1), (1, 1))  # the middle of three hits a pixel
    assert field.box((5, 5)) == ((0, 3), (0, 3))


def test_corners_are_pytorchs_aligned_corners() -> None:
    x = torch.randn(2, 3, 7, 5)
    wanted = nn.functional.interpolate(x, scale_factor=2, mode="bilinear", align_corners=True)
    torch.testing.assert_close(nw.Upsample(2, "linear", True).module((3, 7, 5))(x), wanted)
