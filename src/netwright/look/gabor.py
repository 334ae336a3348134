"""Gabor functions fitted to kernels: the edges, bars and textures that a first layer looks for.

The filters of simple cells of the visual cortex are such functions (Daugman 1985), and so are
many of what nets learn first (Krizhevsky et al. 2012).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from netwright.errors import LookError
from netwright.look.kernels import coloured, filters
from netwright.look.result import Look, sheet

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["Gabors", "gabors"]

SMALLEST = 5
"""A side of kernels: those of 3 x 3 have 9 numbers, and the function 8."""
SPECTRUM = 64
"""A side of the spectrum of which the waves to begin with are the peaks."""
STARTS = 3
SHOWN = 96


@dataclass(frozen=True)
class Gabors(Look):
    """For each of O kernels (C, k, k) the Gabor function nearest to it, in one colour:
    colour x amplitude exp(-u^2 / 2 s_u^2 - v^2 / 2 s_v^2) cos(2 pi frequency u + phase), with u
    along the wave and v across it, from the centre.

    `orientation` (O,) is the direction in which brightness changes, in degrees from right towards
    down, 0 to 180; `frequency` in waves a pixel; `phase` in radians, 0 for a bright bar, +-pi/2 for
    an edge, of the function turned so that it is 0 or more; `centre` (O, 2) is (y, x) from the
    middle of the kernel; `spread` (O, 2) s_u and s_v; `colour` (O, C) of length 1; `residual` the
    share of a kernel's energy that is left, from 0 to 1. Kernels of zeros have NaN.
    """

    layer: str
    weight: np.ndarray
    orientation: np.ndarray
    frequency: np.ndarray
    phase: np.ndarray
    amplitude: np.ndarray
    centre: np.ndarray
    spread: np.ndarray
    colour: np.ndarray
    residual: np.ndarray

    aspect = 0.5

    def kernels(self) -> np.ndarray:
        """The functions as kernels (O, C, k, k)."""
        grid = _grid(self.weight.shape[-1])
        planes = [
            a * np.cos(phase) * even - a * np.sin(phase) * odd
            for a, phase, (even, odd) in zip(
                self.amplitude, self.phase, map(_waves, self._shapes(), [grid] * len(self.weight)),
                strict=True,
            )
        ]  # fmt: skip
        return self.colour[:, :, None, None] * np.stack(planes)[:, None]

    def _shapes(self) -> np.ndarray:
        angle = np.deg2rad(self.orientation)
        return np.column_stack([self.centre, self.spread, angle, self.frequency])

    def arrays(self) -> dict[str, np.ndarray]:
        return {name: getattr(self, name) for name in
                ("weight", "orientation", "frequency", "phase", "amplitude", "centre", "spread",
                 "colour", "residual")}  # fmt: skip

    def facts(self) -> dict[str, Any]:
        rows = [
            {"kernel": i, "orientation": float(angle), "frequency": float(f), "phase": float(phase),
             "residual": float(left)}
            for i, (angle, f, phase, left) in enumerate(zip(
                self.orientation, self.frequency, self.phase, self.residual, strict=True))
            if np.isfinite(left)
        ]  # fmt: skip
        return {"layer": self.layer, "kernels": len(self.weight), "fits": rows}

    def draw(self, figure: Figure) -> None:
        left, middle = figure.subplots(1, 2)
        right = figure.add_axes((0.87, 0.02, 0.12, 0.3), projection="polar")
        order = np.argsort(self.residual)[:SHOWN]
        top = float(np.abs(self.weight).max()) or 1.0
        for axes, weight, title in (
            (left, self.weight, f"{self.layer}, nearest to Gabor functions first"),
            (middle, np.nan_to_num(self.kernels()), "their Gabor functions"),
        ):
            axes.imshow(sheet(coloured(weight[order], top), 255))
            axes.set_axis_off()
            axes.set_title(title, fontsize=9)
        good = self.residual < 0.5
        right.scatter(np.deg2rad(self.orientation[good]), self.frequency[good], s=4)
        right.set_yticks([])
        right.tick_params(labelsize=5)


def gabors(model: Any, layer: str | None = None) -> Gabors:
    """The Gabor functions nearest to the kernels of a convolution, the first one if not given.

    Of each kernel the plane of its strongest colour is fitted, by least squares over centre,
    spreads, orientation and frequency, from the peaks of its spectrum on; amplitude and phase
    follow, since for given others the function is linear in both.
    """
    look = filters(model, layer)
    weight = look.weight
    if weight.shape[2] != weight.shape[3] or weight.shape[2] < SMALLEST:
        raise LookError(f"{look.layer} has kernels of {weight.shape[2]} x {weight.shape[3]}; a "
                        f"Gabor function is fitted to squares of {SMALLEST} x {SMALLEST} or "
                        "more")  # fmt: skip
    rows = [_fitted(kernel) for kernel in weight]
    columns = [np.array(column) for column in zip(*rows, strict=True)]
    return Gabors(look.layer, weight, *columns)


def _fitted(kernel: np.ndarray) -> tuple[Any, ...]:
    """Orientation, frequency, phase, amplitude, centre, spread, colour, residual of one."""
    from scipy.optimize import least_squares

    channels, side = kernel.shape[:2]
    energy = float((kernel**2).sum())
    if energy == 0:
        none = np.full(2, np.nan)
        return np.nan, np.nan, np.nan, np.nan, none, none, np.full(channels, np.nan), np.nan
    colours, _, _ = np.linalg.svd(kernel.reshape(channels, -1), full_matrices=False)
    colour = colours[:, 0] * (np.sign(colours[:, 0].sum()) or 1.0)
    plane = np.einsum("c,chw->hw", colour, kernel) / energy**0.5
    grid = _grid(side)
    half = side / 2
    low = np.array([-half, -half, 0.4, 0.4, -2 * np.pi, 0.0])
    high = np.array([half, half, 2 * side, 2 * side, 2 * np.pi, 0.71])

    def left(shape: np.ndarray) -> np.ndarray:
        return (plane - _nearest(plane, shape, grid)[0]).ravel()

    fits = [least_squares(left, np.clip(start, low + 1e-6, high - 1e-6), bounds=(low, high))
            for start in _starts(plane, grid)]  # fmt: skip
    best = min(fits, key=lambda fit: fit.cost)
    y, x, along, across, angle, frequency = best.x
    approximation, even, odd = _nearest(plane, best.x, grid)
    if angle % (2 * np.pi) >= np.pi:  # the same wave seen from the other side
        odd = -odd
    phase, amplitude = np.arctan2(-odd, even), np.hypot(even, odd) * energy**0.5
    residual = 1 - 2 * (plane * approximation).sum() + (approximation**2).sum()
    return (float(np.rad2deg(angle) % 180), frequency, phase, amplitude, np.array([y, x]),
            np.array([along, across]), colour, min(max(float(residual), 0.0), 1.0))  # fmt: skip


def _grid(side: int) -> tuple[np.ndarray, np.ndarray]:
    """Rows y and columns x of every pixel, from the middle."""
    at = np.arange(side) - (side - 1) / 2
    y, x = np.meshgrid(at, at, indexing="ij")
    return y, x


def _waves(shape: np.ndarray, grid: tuple[np.ndarray, np.ndarray]) -> tuple[Any, Any]:
    """The even and the odd wave in their envelope."""
    cy, cx, along, across, angle, frequency = shape
    y, x = grid[0] - cy, grid[1] - cx
    u, v = x * np.cos(angle) + y * np.sin(angle), y * np.cos(angle) - x * np.sin(angle)
    envelope = np.exp(-((u / along) ** 2 + (v / across) ** 2) / 2)
    turn = 2 * np.pi * frequency * u
    return envelope * np.cos(turn), envelope * np.sin(turn)


def _nearest(
    plane: np.ndarray, shape: np.ndarray, grid: tuple[np.ndarray, np.ndarray]
) -> tuple[np.ndarray, float, float]:
    """The mixture of both waves nearest to a plane, and how much of each is in it."""
    even, odd = _waves(shape, grid)
    a, b, c = (even * even).sum(), (even * odd).sum(), (odd * odd).sum()
    p, q = (plane * even).sum(), (plane * odd).sum()
    # A wave of frequency 0 has no odd part: the smallest solution is taken.
    determinant = a * c - b * b
    if determinant > 1e-9 * max(a * c, 1e-300):
        m, n = (c * p - b * q) / determinant, (a * q - b * p) / determinant
    else:
        m, n = p / max(a, 1e-300), 0.0
    return m * even + n * odd, float(m), float(n)


def _starts(plane: np.ndarray, grid: tuple[np.ndarray, np.ndarray]) -> list[np.ndarray]:
    """Shapes to begin with: the envelope where the energy is, waves at peaks of the spectrum."""
    side = len(plane)
    power = plane**2 / (plane**2).sum()
    cy, cx = (float((power * g).sum()) for g in grid)
    width = float(np.sqrt((power * ((grid[0] - cy) ** 2 + (grid[1] - cx) ** 2)).sum() / 2))
    width = min(max(width, 0.7), side)
    spectrum = np.abs(np.fft.fft2(plane, (SPECTRUM, SPECTRUM)))[: SPECTRUM // 2 + 1]
    down, across = np.arange(SPECTRUM // 2 + 1) / SPECTRUM, np.fft.fftfreq(SPECTRUM)
    starts = []
    for _ in range(STARTS):
        i, j = np.unravel_index(spectrum.argmax(), spectrum.shape)
        fy, fx = down[i], across[j]
        starts.append(np.array([cy, cx, width, width, np.arctan2(fy, fx), np.hypot(fy, fx)]))
        distance = np.hypot(down[:, None] - fy, across - fx)
        opposite = np.hypot(down[:, None] + fy, across + fx)
        spectrum = np.where(np.minimum(distance, opposite) < 1.0 / side, 0, spectrum)
    return starts
