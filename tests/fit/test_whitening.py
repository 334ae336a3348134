"""First weights of the recipes `fast-small` and `airbench`."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from netwright.errors import RecipeError
from netwright.train.whitening import pass_on, whiten


def test_patches_come_out_white():
    """Uncorrelated and of variance one, in the first half of the filters; negated in the other."""
    noise = torch.randn(64, 3, 12, 12, generator=torch.Generator().manual_seed(0))
    images = nn.functional.avg_pool2d(noise, 3, 1) + 0.3 * noise[:, :1, 1:-1, 1:-1]
    conv = nn.Conv2d(3, 24, 2, bias=False)
    whiten(nn.Sequential(conv), images)
    assert not conv.weight.requires_grad
    with torch.no_grad():
        outputs = conv(images).transpose(0, 1).flatten(1)
    products = outputs @ outputs.T / outputs.shape[1]
    torch.testing.assert_close(products[:12, :12], torch.eye(12), atol=0.05, rtol=0)
    torch.testing.assert_close(outputs[12:], -outputs[:12])


def test_too_few_filters_are_refused():
    with pytest.raises(RecipeError, match="24; got 23"):
        whiten(nn.Conv2d(3, 23, 2), torch.zeros(1, 3, 8, 8))


def test_convolutions_pass_their_inputs_on():
    first, wider, narrower, grouped = (
        nn.Conv2d(3, 8, 3, padding=1), nn.Conv2d(8, 12, 3, padding=1, bias=False),
        nn.Conv2d(12, 4, 3, padding=1, bias=False), nn.Conv2d(4, 8, 3, padding=1, groups=2),
    )  # fmt: skip
    model = nn.Sequential(first, wider, narrower, grouped)
    before = [conv.weight.clone() for conv in model]
    pass_on(model)
    for conv, weight in zip(model, before, strict=True):
        assert torch.equal(conv.weight, weight) == (conv is not wider)
    x = torch.randn(2, 8, 5, 5)
    torch.testing.assert_close(wider(x)[:, :8], x)
    assert torch.equal(wider.weight[8:], before[1][8:])
