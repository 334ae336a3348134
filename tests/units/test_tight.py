"""Padding by no more than is needed, which depends on the size of the map."""

from __future__ import annotations

import pytest
import sympy
import torch
from torch.nn import functional as F

import netwright as nw
from netwright.core.shape import tight_pads


@pytest.mark.parametrize("stride", [1, 2, 3])
@pytest.mark.parametrize(("kernel", "dilation"), [(1, 1), (2, 1), (3, 1), (3, 2), (5, 1)])
@torch.no_grad()
def test_as_tensorflow_defines_it(kernel, dilation, stride):
    """ceil(n / s) positions; what is added in all, halved, the odd one at the end."""
    for n in range(4, 14):
        module = nw.Conv(2, kernel, stride, "tight", dilation).module((3, n, n))
        x = torch.randn(1, 3, n, n)
        out = -(-n // stride)
        total = max(0, (out - 1) * stride + dilation * (kernel - 1) + 1 - n)
        before, after = total // 2, total - total // 2
        padded = F.pad(x, (before, after, before, after))
        wanted = F.conv2d(padded, module.weight, module.bias, stride, 0, dilation)
        assert module(x).shape[2:] == (out, out)
        assert torch.allclose(module(x), wanted, atol=1e-6)


def test_sizes_that_are_symbols():
    H, W = sympy.symbols("H W", positive=True, integer=True)
    shape = nw.Conv(8, 3, 2, "tight").shape((3, H, W))
    assert [size.subs({H: 9, W: 12}) for size in shape[1:]] == [5, 6]
    assert nw.Conv(8, 3, 2, "tight").shape((3, 9, 12)) == (8, 5, 6)
    assert tight_pads((7,), (1,), (3,), (1,)) == ((0, 0),)


@pytest.mark.parametrize("kind", [nw.MaxPool, nw.AvgPool, nw.PCAPool])
def test_units_that_do_not_ask_for_the_size_refuse_it(kind):
    fields = {"width": 4} if kind is nw.PCAPool else {}
    with pytest.raises(nw.SpecError, match="is 'tight', wanted 'valid', 'same', 'full', an int"):
        kind(**fields, kernel=3, padding="tight")
