"""How long pools that draw or transform take beside `nn.MaxPool2d`, and beside naive ones.

Forward and backward of 32 x 64 x 56 x 56 maps into 28 x 28, medians of interleaved rounds:
`python bench/random_pooling.py [rounds [threads]]`.
Naive stochastic pooling unfolds the windows and calls `torch.multinomial`; naive spectral
pooling sends one map after the other through `torch.fft`.
"""

from __future__ import annotations

import os
import statistics
import sys
import time
from collections.abc import Callable

import torch
from torch import Tensor, nn

from netwright.layers import FractionalMaxPool, SpectralPool, StochasticPool, TournamentPool

SHAPE = (32, 64, 56, 56)


def unfolded(x: Tensor) -> Tensor:
    """Stochastic pooling in training: windows side by side, one multinomial draw each."""
    windows = x.unfold(2, 2, 2).unfold(3, 2, 2).flatten(4)
    rows = windows.reshape(-1, 4)
    drawn = torch.multinomial(rows.detach() + 1e-30, 1)
    return rows.gather(1, drawn).view(windows.shape[:4])


def map_by_map(x: Tensor) -> Tensor:
    """Spectral pooling by a loop: transform, crop the middle, transform back."""
    maps: list[Tensor] = []
    for plane in x.flatten(0, 1):
        middle = torch.fft.fftshift(torch.fft.fft2(plane))[14:42, 14:42]
        maps.append(torch.fft.ifft2(torch.fft.ifftshift(middle)).real / 4)
    return torch.stack(maps).view(*x.shape[:2], 28, 28)


def batched_fft(x: Tensor) -> Tensor:
    """Spectral pooling by one transform of the whole batch."""
    middle = torch.fft.fftshift(torch.fft.fft2(x), (2, 3))[:, :, 14:42, 14:42]
    return torch.fft.ifft2(torch.fft.ifftshift(middle, (2, 3))).real / 4


POOLS: dict[str, Callable[[Tensor], Tensor]] = {
    "nn.MaxPool2d(2)": nn.MaxPool2d(2),
    "StochasticPool(2), training": StochasticPool(2).train(),
    "StochasticPool(2), evaluation": StochasticPool(2).eval(),
    "unfold and multinomial": unfolded,
    "TournamentPool(2), training": TournamentPool(2).train(),
    "FractionalMaxPool(2, 0.5)": FractionalMaxPool(2, 0.5).train(),
    "nn.FractionalMaxPool2d(2, 0.5)": nn.FractionalMaxPool2d(2, output_ratio=0.5),
    'SpectralPool(28, "dft")': SpectralPool(28),
    'SpectralPool(28, "dct")': SpectralPool(28, "dct"),
    "fft2 of the batch": batched_fft,
    "fft2 map by map": map_by_map,
}


def once(pool: Callable[[Tensor], Tensor], x: Tensor) -> tuple[float, float]:
    """Seconds of a forward and a backward pass, and of the processor's time in them."""
    leaf = x.detach().requires_grad_()
    begun, busy = time.perf_counter(), time.process_time()
    y = pool(leaf)
    y.backward(torch.ones_like(y))
    return time.perf_counter() - begun, time.process_time() - busy


def table(pools: dict[str, Callable[[Tensor], Tensor]], rounds: int = 7, threads: int = 2) -> None:
    """Prints a row a pool; the first is what the others are held against."""
    torch.set_num_threads(threads)
    torch.manual_seed(0)
    x = torch.randn(SHAPE).relu()
    taken: dict[str, list[tuple[float, float]]] = {name: [] for name in pools}
    for turn in range(rounds + 1):
        for name, pool in pools.items():
            seconds = once(pool, x)
            if turn:  # the first warms up
                taken[name].append(seconds)
    medians = {
        name: tuple(map(statistics.median, zip(*some, strict=True))) for name, some in taken.items()
    }
    peer = next(iter(pools))
    wall, busy = medians[peer]
    print(
        f"{'x'.join(map(str, SHAPE))}, forward and backward, medians of {rounds} interleaved "
        f"rounds, {threads} thread(s), load {os.getloadavg()[0]:.1f}; processor time, of all "
        "threads, is what other work on the machine changes less\n"
    )
    print(f"| pool | ms | of {peer} | processor ms | of {peer} |")
    print("| --- | ---: | ---: | ---: | ---: |")
    for name, (seconds, spent) in medians.items():
        print(
            f"| {name} | {seconds * 1e3:.1f} | {seconds / wall:.2f} "
            f"| {spent * 1e3:.1f} | {spent / busy:.2f} |"
        )


if __name__ == "__main__":
    table(POOLS, *map(int, sys.argv[1:3]))
