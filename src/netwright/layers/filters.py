"""Classic filters as tensors, a depthwise layer of them, and a start for a first layer.

A bank is a tensor (n, k, k). Kernels are written for the cross-correlation that `nn.Conv2d`
computes: positive weights on the right answer to light on the right.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from netwright.layers.padding import Pads, pad

__all__ = [
    "FILTERS",
    "FilterBank",
    "bank_",
    "box",
    "emboss",
    "gabor",
    "gabor_bank",
    "gabor_response",
    "gaussian",
    "identity",
    "laplacian",
    "sharpen",
    "sobel",
]


def identity(size: int = 3) -> Tensor:
    """One in the middle, zeros around: (1, size, size)."""
    kernel = torch.zeros(1, size, size)
    kernel[0, (size - 1) // 2, (size - 1) // 2] = 1
    return kernel


def box(size: int = 3) -> Tensor:
    """The mean of size x size pixels: (1, size, size)."""
    return torch.full((1, size, size), 1 / size**2)


def gaussian(sigma: float = 1.0, size: int | None = None) -> Tensor:
    """exp(-(x^2 + y^2) / 2 sigma^2), its sum 1: (1, size, size).

    A size of None reaches three sigma to each side.
    """
    x = _centred(_reach(sigma) if size is None else size)
    line = torch.exp(-0.5 * (x / sigma) ** 2)
    kernel = line[:, None] * line
    return (kernel / kernel.sum())[None]


def sobel() -> Tensor:
    """Slope to the right and downwards, smoothed across (Sobel & Feldman 1968): (2, 3, 3)."""
    right = torch.tensor([[-1.0, 0, 1], [-2, 0, 2], [-1, 0, 1]])
    return torch.stack([right, right.T])


def laplacian() -> Tensor:
    """The sum of second differences over four neighbours: (1, 3, 3)."""
    return torch.tensor([[[0.0, 1, 0], [1, -4, 1], [0, 1, 0]]])


def sharpen() -> Tensor:
    """The image less its Laplacian: (1, 3, 3)."""
    return identity() - laplacian()


def emboss() -> Tensor:
    """The image lit from the upper left: (1, 3, 3)."""
    return torch.tensor([[[-2.0, -1, 0], [-1, 1, 1], [0, 1, 2]]])


def gabor(
    sigma_x: float,
    sigma_y: float,
    frequency: tuple[float, float],
    angle: float = 0.0,
    size: int | None = None,
) -> Tensor:
    """The even and the odd Gabor filter (Gabor 1946, Daugman 1985): (2, size, size).

    exp(-x'^2 / 2 sigma_x^2 - y'^2 / 2 sigma_y^2) / (2 pi sigma_x sigma_y) times the cosine
    and the sine of 2 pi (U x + V y), where x' lies `angle` radians from the x axis (right)
    towards the y axis (down) and `frequency` is (U, V) in cycles a pixel. A size of None
    reaches three sigma to each side.

    >>> gabor(2, 2, (0.25, 0)).shape
    torch.Size([2, 13, 13])
    """
    at = _centred(_reach(max(sigma_x, sigma_y)) if size is None else size)
    y, x = torch.meshgrid(at, at, indexing="ij")
    along, across = _turned(x, y, angle)
    hill = torch.exp(-0.5 * ((along / sigma_x) ** 2 + (across / sigma_y) ** 2))
    phase = 2 * math.pi * (frequency[0] * x + frequency[1] * y)
    waves = torch.stack([phase.cos(), phase.sin()])
    return hill * waves / (2 * math.pi * sigma_x * sigma_y)


def gabor_response(
    u: Tensor,
    v: Tensor,
    sigma_x: float,
    sigma_y: float,
    frequency: tuple[float, float],
    angle: float = 0.0,
) -> Tensor:
    """The Fourier transform of the `gabor` pair at `u`, `v` cycles a pixel: (2, *u.shape),
    complex.

    A pair of Gaussians G = exp(-2 pi^2 (sigma_x^2 u'^2 + sigma_y^2 v'^2)) around +-(U, V):
    the even filter's is half their sum, the odd one's half their difference, times -i.
    """

    def hill(sign: int) -> Tensor:
        along, across = _turned(u - sign * frequency[0], v - sign * frequency[1], angle)
        return torch.exp(-2 * math.pi**2 * ((sigma_x * along) ** 2 + (sigma_y * across) ** 2))

    plus, minus = hill(1), hill(-1)
    return torch.stack([(plus + minus) / 2 + 0j, (plus - minus) * -0.5j])


def gabor_bank(
    orientations: int = 4,
    frequencies: Sequence[float] = (0.25,),
    octaves: float = 1.0,
    size: int | None = None,
) -> Tensor:
    """Even and odd filters for every frequency and orientation, pair by pair:
    (2 len(frequencies) orientations, size, size).

    Orientation i has its wave at i pi / orientations. sigma = sqrt(ln 2 / 2) / (pi f)
    (2^b + 1) / (2^b - 1) gives each filter half its peak response over `octaves` b (Jain &
    Farrokhnia 1991). A size of None reaches three sigma of the lowest frequency.
    """
    spread = (2**octaves + 1) / (2**octaves - 1) * math.sqrt(math.log(2) / 2) / math.pi
    size = _reach(spread / min(frequencies)) if size is None else size
    pairs: list[Tensor] = []
    for f in frequencies:
        for i in range(orientations):
            angle = i * math.pi / orientations
            wave = (f * math.cos(angle), f * math.sin(angle))
            pairs.append(gabor(spread / f, spread / f, wave, angle, size))
    return torch.cat(pairs)


FILTERS: dict[str, Callable[..., Tensor]] = {
    "box": box,
    "emboss": emboss,
    "gabor": gabor_bank,
    "gaussian": gaussian,
    "identity": identity,
    "laplacian": laplacian,
    "sharpen": sharpen,
    "sobel": sobel,
}
"""Every bank by its name."""


class FilterBank(nn.Module):
    """Every filter over every channel: (N, C, H, W) -> (N, C n, H', W').

    Output channel c n + j is filter j over channel c. The weight is a buffer, or with
    `trainable` a parameter that starts as the filters. `border` is one of `pad`'s.

    >>> FilterBank(3, sobel())(torch.zeros(1, 3, 8, 8)).shape
    torch.Size([1, 6, 8, 8])
    """

    weight: Tensor

    def __init__(
        self,
        channels: int,
        filters: Tensor,
        stride: int | tuple[int, ...] = 1,
        pads: Pads = ((1, 1), (1, 1)),
        border: str | float = "zeros",
        trainable: bool = False,
    ) -> None:
        super().__init__()
        self.channels = channels
        self.stride = stride
        self.pads = tuple(pads)
        self.border = border
        weight = filters.repeat(channels, 1, 1)[:, None]
        if trainable:
            self.weight = nn.Parameter(weight)
        else:
            self.register_buffer("weight", weight)

    def forward(self, x: Tensor) -> Tensor:
        x = pad(x, self.pads, self.border)
        return F.conv2d(x, self.weight, None, self.stride, groups=self.channels)

    def extra_repr(self) -> str:
        each = len(self.weight) // self.channels
        text = f"{self.channels}, filters={each}, stride={self.stride}, pads={self.pads}"
        return text if self.border == "zeros" else f"{text}, border={self.border!r}"


@torch.no_grad()
def bank_(weight: Tensor, filters: Tensor) -> Tensor:
    """Fills the first kernels of a convolution's weight (O, C, H, W) with the filters, as
    `torch.nn.init` does; returns it.

    A filter is shared out over the C channels, so that a grey image gets what one channel
    would; a smaller one stands in the middle. The other O - n kernels stay as they are.

    >>> conv = nn.Conv2d(3, 64, 7)
    >>> bank_(conv.weight, gabor_bank(size=7))[:8].sum(1).allclose(gabor_bank(size=7))
    True
    """
    room = [outer - inner for outer, inner in zip(weight.shape[2:], filters.shape[1:], strict=True)]
    if len(filters) > len(weight) or any(n < 0 or n % 2 for n in room):
        raise ValueError(
            f"filters {tuple(filters.shape)} do not fit a weight {tuple(weight.shape)}: wanted at "
            f"most {len(weight)} of them, no larger than its kernel and centred in it"
        )
    high, wide = (n // 2 for n in room)
    weight[: len(filters)] = F.pad(filters / weight.shape[1], (wide, wide, high, high))[:, None]
    return weight


def _reach(sigma: float) -> int:
    return 2 * math.ceil(3 * sigma) + 1


def _centred(size: int) -> Tensor:
    return torch.arange(size) - (size - 1) / 2


def _turned(x: Tensor, y: Tensor, angle: float) -> tuple[Tensor, Tensor]:
    """Coordinates along and across the direction `angle`."""
    c, s = math.cos(angle), math.sin(angle)
    return x * c + y * s, y * c - x * s
