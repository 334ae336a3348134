"""Convolution written as a matrix: `matrix @ x.flatten()` is the flattened result.

Matrices are sparse (coalesced COO tensors; `.to_dense()` shows their diagonals), of any number
of axes: over images they are doubly block Toeplitz and doubly block circulant.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import prod

import torch
from torch import Tensor

from netwright.errors import LookError

__all__ = ["circulant", "conv_matrix", "eigenvalues", "toeplitz"]

Size = int | Sequence[int]


def toeplitz(kernel: Tensor, size: Size, mode: str = "full") -> Tensor:
    """The convolution with `kernel` (k, ...) of an input of `size` (n, ...), as
    `numpy.convolve` and `scipy.signal.convolve2d` count: (prod m, prod n), sparse.

    y[i] = sum over t of kernel[t] x[i - t]. `full` has m = n + k - 1 positions; `same` the n
    in its middle, the first at (k-1) // 2; `valid` the n - k + 1 that see no border.
    Convolution turns the kernel round; `conv_matrix` does not.

    >>> toeplitz(torch.tensor([1, -1]), 3).to_dense()
    tensor([[ 1,  0,  0],
            [-1,  1,  0],
            [ 0, -1,  1],
            [ 0,  0, -1]])
    """
    taps: list[Tensor] = []
    if mode not in ("full", "same", "valid"):
        raise LookError(f"mode is {mode!r}, wanted 'full', 'same' or 'valid'")
    sizes = _sizes(size, kernel.dim())
    for k, n in zip(kernel.shape, sizes, strict=True):
        first, count = {"full": (0, n + k - 1), "same": ((k - 1) // 2, n),
                        "valid": (k - 1, n - k + 1)}[mode]  # fmt: skip
        if count < 1:
            raise LookError(f"a kernel of {k} does not fit an input of {n} with mode 'valid'")
        taps.append(first + torch.arange(count)[:, None] - torch.arange(k))
    return _assembled(kernel[None, None], taps, sizes)


def circulant(kernel: Tensor, size: Size) -> Tensor:
    """The circular convolution with `kernel` (k, ...) over `size` (n, ...): (prod n, prod n),
    sparse.

    y[i] = sum over t of kernel[t] x[(i - t) mod n]; a kernel longer than the input wraps.

    >>> circulant(torch.tensor([1, -1]), 3).to_dense()
    tensor([[ 1,  0, -1],
            [-1,  1,  0],
            [ 0, -1,  1]])
    """
    sizes = _sizes(size, kernel.dim())
    taps = [(torch.arange(n)[:, None] - torch.arange(k)) % n
            for k, n in zip(kernel.shape, sizes, strict=True)]  # fmt: skip
    return _assembled(kernel[None, None], taps, sizes)


def eigenvalues(kernel: Tensor, size: Size) -> Tensor:
    """The eigenvalues of `circulant(kernel, size)`: the kernel's discrete Fourier transform.

    Their eigenvectors are the Fourier waves, so circular convolution multiplies spectra.
    """
    sizes = _sizes(size, kernel.dim())
    places = [torch.arange(k) % n for k, n in zip(kernel.shape, sizes, strict=True)]
    impulse = kernel.new_zeros(sizes)
    grid = torch.meshgrid(*places, indexing="ij")
    return torch.fft.fftn(impulse.index_put(grid, kernel, accumulate=True))


def conv_matrix(
    weight: Tensor, size: Size, stride: Size = 1, padding: Size = 0, dilation: Size = 1
) -> Tensor:
    """What a convolution layer with `weight` (O, C, k, ...) does to (C, n, ...):
    (O prod m, C prod n), sparse.

    y[i] = sum over t of weight[t] x[i stride - padding + t dilation]: correlation, as
    `torch.nn.functional.conv2d` computes. The transposed matrix is the transposed convolution.

    >>> x, w = torch.rand(2, 5, 6), torch.rand(4, 2, 3, 3)
    >>> y = conv_matrix(w, (5, 6), stride=2, padding=1) @ x.flatten()
    >>> y.allclose(torch.nn.functional.conv2d(x, w, stride=2, padding=1).flatten())
    True
    """
    kernel, rank = weight.shape[2:], weight.dim() - 2
    sizes, s, p, d = (_sizes(value, rank) for value in (size, stride, padding, dilation))
    taps: list[Tensor] = []
    for axis, (k, n) in enumerate(zip(kernel, sizes, strict=True)):
        room = n + 2 * p[axis] - d[axis] * (k - 1) - 1
        if room < 0:
            raise LookError(f"a kernel of {k} does not fit an input of {n} with {p[axis]} around")
        starts = torch.arange(room // s[axis] + 1)[:, None] * s[axis] - p[axis]
        taps.append(starts + torch.arange(k) * d[axis])
    return _assembled(weight, taps, sizes)


def _sizes(value: Size, rank: int) -> tuple[int, ...]:
    sizes = (value,) * rank if isinstance(value, int) else tuple(value)
    if len(sizes) != rank:
        raise LookError(f"{sizes} has {len(sizes)} axes, the kernel has {rank}")
    return sizes


def _assembled(weight: Tensor, taps: Sequence[Tensor], sizes: Sequence[int]) -> Tensor:
    """The matrix of `weight` (O, C, *k); taps[axis] (m, k) says which input position the tap
    of an output position reads: nothing where that is outside.
    """
    many, channels = weight.shape[:2]
    rows, columns = torch.arange(many)[:, None], torch.arange(channels)[None]
    inside, values = torch.tensor(True), weight
    for axis, (reads, n) in enumerate(zip(taps, sizes, strict=True)):
        m, k = reads.shape
        # The grid grows by two axes, output positions and taps, to the right of what is there.
        rows = rows[..., None, None] * m + torch.arange(m)[:, None].expand(m, k)
        columns = columns[..., None, None] * n + reads
        inside = inside[..., None, None] & (reads >= 0) & (reads < n)
        values = values.unsqueeze(2 * axis + 2)
    shape = (many, channels, *[side for reads in taps for side in reads.shape])
    inside = inside.expand(shape)
    index = torch.stack([grid.expand(shape)[inside] for grid in (rows, columns)])
    size = (many * prod(reads.shape[0] for reads in taps), channels * prod(sizes))
    return torch.sparse_coo_tensor(
        index, values.expand(shape)[inside], size, check_invariants=True
    ).coalesce()
