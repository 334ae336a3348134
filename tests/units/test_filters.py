"""Filters against scipy and the Fourier transform; banks as layers and as a start."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from scipy import ndimage
from torch import nn

import netwright as nw
from netwright.layers import (
    FILTERS,
    FilterBank,
    bank_,
    box,
    emboss,
    gabor,
    gabor_bank,
    gabor_response,
    gaussian,
    identity,
    laplacian,
    sharpen,
    sobel,
)  # fmt: skip

IMAGE = np.random.default_rng(0).random((17, 14))


def filtered(filters: torch.Tensor, image: np.ndarray = IMAGE) -> np.ndarray:
    x = torch.tensor(image, dtype=torch.float32)[None, None]
    return FilterBank(1, filters, pads=[(0, 0)] * 2)(x)[0].numpy()


def inside(image: np.ndarray, margin: int) -> np.ndarray:
    return image[margin:-margin, margin:-margin]


@pytest.mark.parametrize(
    ("filters", "wanted"),
    [
        (identity(), IMAGE),
        (box(5), ndimage.uniform_filter(IMAGE, 5)),
        (gaussian(0.8, 7), ndimage.gaussian_filter(IMAGE, 0.8, radius=3)),
        (laplacian(), ndimage.laplace(IMAGE)),
        (sharpen(), IMAGE - ndimage.laplace(IMAGE)),
    ],
)
def test_filters_are_scipys(filters, wanted) -> None:
    margin = filters.shape[-1] // 2
    np.testing.assert_allclose(filtered(filters)[0], inside(wanted, margin), atol=1e-6)


def test_sobel_is_scipys_and_points_to_the_light() -> None:
    right, down = filtered(sobel())
    np.testing.assert_allclose(right, inside(ndimage.sobel(IMAGE, 1), 1), atol=1e-6)
    np.testing.assert_allclose(down, inside(ndimage.sobel(IMAGE, 0), 1), atol=1e-6)
    ramp = np.tile(np.arange(6.0), (6, 1))
    np.testing.assert_array_equal(filtered(sobel(), ramp)[0], np.full((4, 4), 8))
    np.testing.assert_array_equal(filtered(sobel(), ramp)[1], np.zeros((4, 4)))


def test_borders_are_scipys() -> None:
    names = {
        "symmetric": "reflect",
        "replicate": "nearest",
        "reflect": "mirror",
        "circular": "wrap",
    }
    x = torch.tensor(IMAGE, dtype=torch.float32)[None, None]
    for border, mode in names.items():
        y = nw.FilterBank("gaussian", 5, 0.8, border=border).module((1, *IMAGE.shape))(x)[0, 0]
        wanted = ndimage.gaussian_filter(IMAGE, 0.8, radius=2, mode=mode)
        np.testing.assert_allclose(y, wanted, atol=1e-6)


def test_what_filters_keep() -> None:
    keep = {"box": 1, "emboss": 1, "gaussian": 1, "identity": 1, "laplacian": 0, "sharpen": 1}
    for name, total in keep.items():
        assert FILTERS[name]().sum().item() == pytest.approx(total, abs=1e-6)
    assert sobel().sum((1, 2)).tolist() == [0, 0]
    assert gaussian(2.0).shape == (1, 13, 13)
    # Light from the upper left: a step up towards the lower right stands out.
    step = np.add.outer(np.arange(6), np.arange(6)) > 5
    assert filtered(emboss(), step.astype(float))[0].max() > 1


@pytest.mark.parametrize(
    ("sigma_x", "sigma_y", "frequency", "angle"),
    [(2, 2, (0.25, 0), 0), (3, 1.5, (0.1, 0.2), 0.7), (1.5, 4, (-0.2, 0.15), math.pi / 3),
     (2, 3, (0, 0), 1.0)],
)  # fmt: skip
def test_gabor_pair_has_gaussians_at_its_frequency(sigma_x, sigma_y, frequency, angle) -> None:
    """The transform of the sampled kernel, its centre moved to the origin, is the formula and
    its images one cycle a pixel away: sampling repeats a spectrum."""
    size = 65
    kernels = gabor(sigma_x, sigma_y, frequency, angle, size).double().numpy()
    sampled = np.fft.fft2(np.fft.ifftshift(kernels, axes=(1, 2)))
    line = torch.fft.fftfreq(size, dtype=torch.float64)
    v, u = torch.meshgrid(line, line, indexing="ij")
    formula = sum(
        gabor_response(u + i, v + j, sigma_x, sigma_y, frequency, angle)
        for i in (-1, 0, 1)
        for j in (-1, 0, 1)
    )
    np.testing.assert_allclose(sampled, formula.numpy(), atol=2e-6)
    alone = gabor_response(u, v, sigma_x, sigma_y, frequency, angle)
    np.testing.assert_allclose(sampled, alone.numpy(), atol=3e-3)
    peak = np.abs(sampled[0]).argmax()
    found = abs(u.flatten()[peak].item()), abs(v.flatten()[peak].item())
    assert found == pytest.approx([abs(f) for f in frequency], abs=1 / size)


def test_gabor_is_even_and_odd() -> None:
    even, odd = gabor(3, 2, (0.1, 0.05), 0.4)
    torch.testing.assert_close(even.flip(0, 1), even)
    torch.testing.assert_close(odd.flip(0, 1), -odd)
    assert even.shape == (19, 19)


def test_gabor_bank_passes_its_octaves() -> None:
    """Half the peak at the two ends of an octave, at every orientation."""
    assert gabor_bank(3, (0.25, 0.125), size=9).shape == (12, 9, 9)
    f, octaves = 0.2, 1.0
    ends = torch.tensor([2 ** (octaves + 1) / (2**octaves + 1), 2 / (2**octaves + 1)]) * f
    for i, even in enumerate(gabor_bank(4, (f,), octaves, 33)[::2]):
        angle = i * math.pi / 4
        at = torch.arange(33) - 16.0
        y, x = torch.meshgrid(at, at, indexing="ij")
        waves = [torch.cos(2 * math.pi * g * (x * math.cos(angle) + y * math.sin(angle)))
                 for g in (*ends, f)]  # fmt: skip
        low, high, peak = ((even * wave).sum().item() for wave in waves)
        assert low / peak == pytest.approx(0.5, abs=0.01)
        assert high / peak == pytest.approx(0.5, abs=0.01)


def test_gabor_bank_answers_to_stripes_of_its_orientation() -> None:
    x = torch.arange(40.0)
    stripes = {0: x[None].expand(40, 40), 2: x[:, None].expand(40, 40)}
    unit = nw.GaborBank(orientations=4, frequencies=(0.25,), padding="valid")
    module = unit.module((1, 40, 40))
    for orientation, along in stripes.items():
        y = module(torch.cos(2 * math.pi * 0.25 * along)[None, None])[0]
        energy = y.unflatten(0, (4, 2)).square().sum(1).mean((1, 2))
        assert energy.argmax() == orientation
        # The energy of the quadrature pair does not know the phase of the stripes.
        local = y.unflatten(0, (4, 2)).square().sum(1)[orientation]
        assert local.std() / local.mean() < 0.01


def test_bank_of_every_channel_is_grouped_convolution() -> None:
    x = torch.rand(2, 3, 9, 8)
    y = nw.FilterBank("sobel", stride=2).module((3, 9, 8))(x)
    for c in range(3):
        for j, kernel in enumerate(sobel()):
            wanted = nn.functional.conv2d(x[:, c : c + 1], kernel[None, None], None, 2, 1)
            torch.testing.assert_close(y[:, 2 * c + j], wanted[:, 0])


def test_fixed_banks_have_no_parameters_and_trainable_ones_learn() -> None:
    fixed = nw.FilterBank("laplacian").module((2, 8, 8))
    assert not list(fixed.parameters())
    assert list(fixed.state_dict()) == ["weight"]
    learnt = nw.FilterBank("laplacian", trainable=True).module((2, 8, 8))
    torch.testing.assert_close(learnt.weight.data, fixed.weight)
    learnt(torch.rand(1, 2, 8, 8)).square().sum().backward()
    torch.optim.SGD(learnt.parameters(), 0.1).step()
    assert not torch.equal(learnt.weight, fixed.weight)


def test_banks_stay_when_a_net_is_initialised() -> None:
    net = nw.Net(nw.Sequential(edges=nw.FilterBank("sobel", trainable=True), conv=nw.Conv(4)),
                 (3, 8, 8))  # fmt: skip
    model = net.build(seed=1)
    torch.testing.assert_close(model.edges.weight[:2, 0].data, sobel())


def test_a_first_layer_starts_as_a_bank() -> None:
    model = nw.net("resnet18").build(seed=0)
    weight = next(m for m in model.modules() if isinstance(m, nn.Conv2d)).weight
    before = weight.detach().clone()
    filters = gabor_bank(4, (0.25,), size=7)
    assert bank_(weight, filters) is weight
    torch.testing.assert_close(weight[8:], before[8:])
    grey = torch.rand(1, 1, 20, 20)
    wanted = nn.functional.conv2d(grey, filters[:, None])
    torch.testing.assert_close(nn.functional.conv2d(grey.expand(1, 3, 20, 20), weight)[:, :8],
                               wanted)  # fmt: skip
    small = bank_(torch.full((2, 1, 5, 5), 9.0), sobel())
    torch.testing.assert_close(small[:, 0, 1:4, 1:4], sobel())
    assert small.abs().sum() == sobel().abs().sum()
    assert weight.requires_grad


@pytest.mark.parametrize("shape", [(1, 3, 7, 7), (8, 3, 1, 1), (8, 3, 4, 4)])
def test_filters_that_do_not_fit_a_weight_are_refused(shape) -> None:
    with pytest.raises(ValueError, match=r"filters \(2, 3, 3\) do not fit a weight"):
        bank_(torch.zeros(shape), sobel())
