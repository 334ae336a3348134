"""A Gabor bank on a photograph, and its Fourier response.

python examples/units/gabor.py FOLDER
"""

from __future__ import annotations

import math

import numpy as np
import torch
from board import Board, photo, signed

import netwright as nw
from netwright.layers import gabor, gabor_response

TITLE = "Gabor bank"
SIGMA_X, SIGMA_Y, FREQUENCY = 3.0, 5.0, (0.2, 0.0)


def main(board: Board) -> None:
    """Shows a pair, its spectrum against the formula, the bank and its energy in a picture."""
    pair = gabor(SIGMA_X, SIGMA_Y, FREQUENCY, size=65)
    line = torch.fft.fftshift(torch.fft.fftfreq(65))
    v, u = torch.meshgrid(line, line, indexing="ij")
    formula = gabor_response(u, v, SIGMA_X, SIGMA_Y, FREQUENCY).numpy()
    sampled = np.fft.fftshift(np.fft.fft2(np.fft.ifftshift(pair.numpy(), axes=(1, 2))), (1, 2))
    board.say(
        "A Gaussian hill times a cosine (even) and a sine (odd). In frequency: a pair of "
        "Gaussians at +-(U, V), half their sum and half their difference."
    )
    board.pictures(("even filter", signed(pair[0].numpy())),
                   ("odd filter", signed(pair[1].numpy())),
                   ("even filter's spectrum, by FFT", signed(sampled[0].real)),
                   ("even filter's spectrum, by formula", signed(formula[0].real)),
                   ("odd filter's spectrum, by FFT", signed(sampled[1].imag)),
                   width=150)  # fmt: skip
    peak = np.unravel_index(sampled[0].real[:, 33:].argmax(), (65, 32))
    board.lines(
        f"(U, V) = {FREQUENCY}; peak of the FFT at "
        f"({u[0, 33 + peak[1]]:.3f}, {v[peak[0], 0]:.3f}) cycles a pixel\n"
        f"largest difference from the formula: {np.abs(sampled - formula).max():.1g}"
    )

    picture = photo()
    unit = nw.GaborBank(orientations=4, frequencies=(0.2,), size=21, border="symmetric")
    y = unit.module((1, *picture.shape))(torch.tensor(picture)[None, None])[0]
    energy = y.unflatten(0, (4, 2)).square().sum(1).sqrt().numpy()
    board.say(
        "The length of (even, odd) is the energy of stripes at that orientation, wherever "
        "the stripes stand."
    )
    turns = [f"{math.degrees(i * math.pi / 4):.0f} degrees" for i in range(4)]
    kernels = unit.filters()[::2].numpy()
    named = zip(turns, kernels, strict=True)
    board.pictures(*((f"filter at {turn}", signed(k)) for turn, k in named), width=225)
    light = 1.5 * energy / energy.max()
    named = zip(turns, light, strict=True)
    board.pictures(*((f"energy at {turn}", e) for turn, e in named), width=225)
    shares = energy.mean((1, 2)) / energy.mean((1, 2)).sum()
    board.shares("Share of the energy", dict(zip(turns, shares.tolist(), strict=True)))


if __name__ == "__main__":
    Board.run(main)
