"""The board that the examples write on: text for the terminal, PNG files, pieces of a page."""

from __future__ import annotations

import io
import sys
from collections.abc import Callable, Mapping
from html import escape
from pathlib import Path

import numpy as np
from PIL import Image
from sklearn.datasets import load_sample_image

from netwright.drawing.charts import bars
from netwright.drawing.html import code, gallery, paragraph

__all__ = ["BLUE", "PALE", "RED", "Board", "grey", "photo", "signed"]

SIDE = 34
"""Pixels of a matrix's square on the page."""
BLUE, RED = np.array([0.15, 0.39, 0.66]), np.array([0.82, 0.32, 0.12])
PALE = np.array([0.94, 0.95, 0.96])


class Board:
    """Says and shows; `pieces` is what was shown as HTML, `folder` gets the pictures."""

    def __init__(self, folder: Path | None = None) -> None:
        self.folder = folder
        self.pieces: list[str] = []

    def say(self, text: str) -> None:
        """A paragraph."""
        print(text)
        self.pieces.append(paragraph(text))

    def lines(self, text: str) -> None:
        """Text that keeps its columns."""
        print(text)
        self.pieces.append(code(text))

    def matrices(self, *named: tuple[str, np.ndarray]) -> None:
        """Matrices side by side: numbers in squares, blue above zero and red below."""
        drawn: list[str] = []
        for name, given in named:
            values = np.atleast_2d(given)
            print(f"{name}:\n{np.array2string(values, max_line_width=100)}")
            drawn.append(
                f"<figure>{_squares(values)}<figcaption>{escape(name)}</figcaption></figure>"
            )
        self.pieces.append(f'<div class="gallery">{"".join(drawn)}</div>')

    def shares(self, title: str, rows: Mapping[str, float]) -> None:
        """A bar a row, as a percentage."""
        print("\n".join([title, *(f"{name:24}{value:7.1%}" for name, value in rows.items())]))
        self.pieces.append(bars(list(rows.items()), title=title, format="{:.1%}".format))

    def pictures(self, *named: tuple[str, np.ndarray], width: int = 0) -> None:
        """Pictures side by side, `width` pixels wide on the page, from arrays (H, W) or
        (H, W, 3) of 0 to 1."""
        items: list[tuple[bytes, str]] = []
        for name, values in named:
            image = Image.fromarray((np.clip(values, 0, 1) * 255).round().astype(np.uint8))
            width = width or image.width
            file = io.BytesIO()
            image.save(file, "PNG")
            items.append((file.getvalue(), name))
            if self.folder:
                self.folder.mkdir(parents=True, exist_ok=True)
                path = self.folder / f"{''.join(c if c.isalnum() else '_' for c in name)}.png"
                path.write_bytes(file.getvalue())
                print(f"{name}: {path}")
        self.pieces.append(gallery(items, width))

    @classmethod
    def run(cls, main: Callable[[Board], None]) -> None:
        """`main` on a board whose pictures go to the folder named on the command line, if any."""
        main(cls(Path(sys.argv[1]) if len(sys.argv) > 1 else None))


def photo(width: int = 320) -> np.ndarray:
    """A Chinese temple in grey, scikit-learn's sample image, as (H, W) of 0 to 1."""
    image = Image.fromarray(load_sample_image("china.jpg")).convert("L")
    image = image.resize((width, image.height * width // image.width), Image.Resampling.LANCZOS)
    return np.asarray(image, dtype=np.float32) / 255


def grey(values: np.ndarray) -> np.ndarray:
    """The values from their least, black, to their largest, white."""
    low, high = values.min(), values.max()
    return (values - low) / (high - low or 1)


def signed(values: np.ndarray) -> np.ndarray:
    """Zero as pale grey, more as blue, less as red: (H, W) -> (H, W, 3)."""
    share = (values / (np.abs(values).max() or 1))[..., None]
    return PALE + np.abs(share) * (np.where(share > 0, BLUE, RED) - PALE)


def _squares(values: np.ndarray) -> str:
    """A matrix as SVG."""
    most = np.abs(values).max() or 1
    side = SIDE if values.shape[1] <= 12 else SIDE * 12 / values.shape[1]
    cells: list[str] = []
    for (i, j), value in np.ndenumerate(values):
        share = 0.75 * abs(value) / most
        kind = "f0" if value > 0 else "f1"
        cells.append(
            f'<rect class="{kind}" x="{j * side:.1f}" y="{i * side:.1f}" width="{side:.1f}" '
            f'height="{side:.1f}" fill-opacity="{share:.2f}"/>'
            f'<text x="{(j + 0.5) * side:.1f}" y="{(i + 0.5) * side + 4:.1f}" '
            f'text-anchor="middle">{f"{value:.4g}"}</text>'
        )
    high, wide = (n * side for n in values.shape)
    frame = f'<rect class="grid" width="{wide:.1f}" height="{high:.1f}"/>'
    return (
        f'<svg class="chart" style="width:{wide + 2:.0f}px;margin:0" '
        f'viewBox="-1 -1 {wide + 2:.1f} {high + 2:.1f}">{frame}{"".join(cells)}</svg>'
    )
