"""Nets of space and time: counts by hand and as their authors publish them."""

from __future__ import annotations

import netwright as nw


def test_c3d_by_hand():
    widths = ((3, 64), (64, 128), (128, 256), (256, 256), (256, 512), *[(512, 512)] * 3)
    convs = sum(27 * c * w + w for c, w in widths)
    dense = sum(f * w + w for f, w in ((512 * 16, 4096), (4096, 4096), (4096, 487)))
    plan = nw.net("c3d").plan()
    assert plan.params == convs + dense == 79_991_015
    assert plan.row("stage5.pool").output == (512, 1, 4, 4)


def test_factored_kernels_keep_the_weights():
    """At most as many as the whole kernel's; the totals are torchvision's."""
    for channels, width in ((64, 64), (64, 128), (256, 512)):
        block = nw.Conv2Plus1d(width)
        plan = nw.Net(block, (channels, 4, 6, 6)).plan()
        convs = sum(row.params for row in plan if isinstance(row.unit, nw.Conv))
        assert 0.99 < convs / (27 * channels * width) <= 1
    assert nw.net("r3d_18").plan().params == 33_371_472
    assert nw.net("r2plus1d_18").plan().params == 31_505_325


def test_forms_of_p3d_take_turns():
    """A, B, C over three stages; the last one has space alone."""
    net = nw.net("p3d63")
    forms = "".join(
        block.form
        for i in (1, 2, 3, 4)
        for block in net.spec[f"stage{i}"]
        if isinstance(block, nw.P3dBottleneck)
    )
    assert forms == ("ABC" * 5)[:13] + "SSS"
    assert net.plan().row("stage3.pool").output == (1024, 1, 10, 10)


def test_p3d_counts_as_the_authors_net():
    """Counted from the authors' net, ported to PyTorch by others."""
    counts = {"p3d63": 25_745_232, "p3d131": 48_088_400, "p3d199": 66_492_240}
    for name, params in counts.items():
        assert nw.net(name).plan().params == params, name
