"""RoI pooling and align against loops over the published definitions, and torchvision."""

from __future__ import annotations

import inspect
from math import floor

import numpy as np
import pytest
import torch

import netwright as nw
from netwright.layers import RoIAlign, RoIPool
from peers import _import_torchvision


def boxes_in(height: int, width: int, count: int, seed: int = 0) -> torch.Tensor:
    """Boxes (1, R, 4), some reaching out of the map on all sides, some empty."""
    rng = np.random.default_rng(seed)
    corner = rng.uniform(-4, [width + 2, height + 2], (count, 2))
    far = corner + rng.uniform(-1, 12, (count, 2))
    return torch.from_numpy(np.concatenate([corner, far], 1)).float()[None]


def roi_pool(x: np.ndarray, box: np.ndarray, size: tuple[int, int], scale: float) -> np.ndarray:
    """Girshick 2015 and the code beside it, cell by cell."""
    x1, y1, x2, y2 = (floor(v * scale + 0.5) for v in box)
    y = np.zeros((x.shape[0], *size), x.dtype)
    for i in range(size[0]):
        for j in range(size[1]):
            spans = []
            for k, n, low, high, most in ((i, size[0], y1, y2, x.shape[1]),
                                          (j, size[1], x1, x2, x.shape[2])):  # fmt: skip
                extent = max(high - low + 1, 1)
                ends = low + k * extent // n, low + -(-(k + 1) * extent // n)
                spans.append(slice(*(min(max(end, 0), most) for end in ends)))
            cell = x[:, spans[0], spans[1]]
            y[:, i, j] = cell.max((1, 2)) if cell.size else 0
    return y


def bilinear(x: np.ndarray, v: float, u: float) -> np.ndarray:
    if not (-1 <= v <= x.shape[1] and -1 <= u <= x.shape[2]):
        return np.zeros(x.shape[0])
    v, u = (min(max(w, 0), n - 1) for w, n in ((v, x.shape[1]), (u, x.shape[2])))
    top, left = floor(v), floor(u)
    low, right = min(top + 1, x.shape[1] - 1), min(left + 1, x.shape[2] - 1)
    a, b = v - top, u - left
    return ((1 - a) * (1 - b) * x[:, top, left] + (1 - a) * b * x[:, top, right]
            + a * (1 - b) * x[:, low, left] + a * b * x[:, low, right])  # fmt: skip


def roi_align(
    x: np.ndarray, box: np.ndarray, size: tuple[int, int], scale: float, n: int, aligned: bool
) -> np.ndarray:
    """He et al. 2017, sample by sample."""
    x1, y1, x2, y2 = box * scale - (0.5 if aligned else 0)
    height, width = y2 - y1, x2 - x1
    if not aligned:
        height, width = max(height, 1), max(width, 1)
    y = np.zeros((x.shape[0], *size))
    for i in range(size[0]):
        for j in range(size[1]):
            for a in range(n):
                for b in range(n):
                    v = y1 + (i + (a + 0.5) / n) * height / size[0]
                    u = x1 + (j + (b + 0.5) / n) * width / size[1]
                    y[:, i, j] += bilinear(x, v, u) / n**2
    return y


@pytest.mark.parametrize("shape", [(3, 16, 11), (2, 1, 1), (2, 5, 9)])
@pytest.mark.parametrize("scale", [1.0, 0.5])
def test_pool_is_its_loop(shape: tuple[int, int, int], scale: float) -> None:
    x, boxes = torch.randn(1, *shape), boxes_in(shape[1], shape[2], 20)
    y = RoIPool((3, 4), scale)(x, boxes)
    wanted = [roi_pool(x[0].numpy(), box, (3, 4), scale) for box in boxes[0].numpy()]
    np.testing.assert_array_equal(y[0], np.stack(wanted))


@pytest.mark.parametrize("shape", [(3, 16, 11), (2, 1, 1), (2, 5, 9)])
@pytest.mark.parametrize("aligned", [True, False])
def test_align_is_its_loop(shape: tuple[int, int, int], aligned: bool) -> None:
    x = torch.randn(1, *shape, dtype=torch.float64)
    boxes = boxes_in(shape[1], shape[2], 10).double()
    y = RoIAlign((3, 2), 0.5, 3, aligned)(x, boxes)
    wanted = [roi_align(x[0].numpy(), b, (3, 2), 0.5, 3, aligned) for b in boxes[0].numpy()]
    np.testing.assert_allclose(y[0], np.stack(wanted), atol=1e-12)


@pytest.mark.parametrize("aligned", [True, False])
def test_align_is_torchvisions(aligned: bool) -> None:
    """Its version in Python, which is there also where its compiled operators are not; that
    one does not zero samples outside, so boxes stay inside here.
    """
    _import_torchvision()
    theirs = inspect.unwrap(pytest.importorskip("torchvision.ops.roi_align")._roi_align)
    x = torch.randn(2, 3, 16, 11, requires_grad=True)
    boxes = torch.cat([boxes_in(32, 22, 12), boxes_in(32, 22, 12, 1)])
    boxes = boxes.clamp(min=2).minimum(torch.tensor([18, 28, 18, 28])).requires_grad_()
    images = torch.arange(2.0).repeat_interleave(12)[:, None]
    rows = torch.cat([images, boxes.flatten(0, 1)], 1)
    ours = RoIAlign((4, 4), 0.5, 2, aligned)(x, boxes).flatten(0, 1)
    wanted = theirs(x, rows, 0.5, 4, 4, 2, aligned)
    torch.testing.assert_close(ours, wanted)
    way = torch.randn_like(ours)
    grads = [torch.autograd.grad((y * way).sum(), (x, boxes)) for y in (ours, wanted)]
    torch.testing.assert_close(*grads, rtol=1e-3, atol=1e-4)


def test_pools_gradient_goes_to_the_maxima() -> None:
    x = torch.randn(1, 2, 9, 8, requires_grad=True)
    y = RoIPool((2, 2))(x, torch.tensor([[[1.0, 2, 4, 7], [0, 0, 20, 20]]]))
    y[0, 0, 0].sum().backward()
    best = [x[0, 0, a : a + 3, b : b + 2].max().item() for a in (2, 5) for b in (1, 3)]
    assert x.grad is not None
    assert set(x[x.grad != 0].tolist()) == set(best)
    assert x.grad.sum() == 4


def test_a_box_over_the_whole_map_is_adaptive_pooling() -> None:
    x = torch.randn(1, 3, 13, 10)
    y = RoIPool((4, 4))(x, torch.tensor([[[0.0, 0, 9, 12]]]))
    torch.testing.assert_close(y[0], torch.nn.functional.adaptive_max_pool2d(x, 4))


def test_a_head_runs_over_every_box() -> None:
    assert nw.RoIPool(7, 1 / 16).shape((512, 38, 50), (128, 4)) == (128, 512, 7, 7)
    cost = nw.RoIAlign(2, samples=2).cost((3, 9, 9), (5, 4), y=(5, 3, 2, 2))
    assert cost.ops == 4 * 4 * 60


def test_align_places_samples_alike_in_bfloat16() -> None:
    x = (torch.arange(200.0) % 16).expand(1, 1, 200, 200)
    boxes, align = torch.tensor([[[3.3, 5.1, 180.0, 150.0]]]), RoIAlign((4, 14))
    y = align(x.bfloat16(), boxes)
    assert y.dtype == torch.bfloat16
    torch.testing.assert_close(y, align(x, boxes).bfloat16())
