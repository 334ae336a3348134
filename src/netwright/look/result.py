"""What every look returns: data, a figure, files."""

from __future__ import annotations

import io
import json
from math import ceil
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from netwright.errors import LookError

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["Look"]


class Look:
    """What a look found: `arrays` and `facts` are the data, `plot` and `save` show them."""

    def arrays(self) -> dict[str, np.ndarray]:
        """The numbers, by name."""
        raise NotImplementedError

    def facts(self) -> dict[str, Any]:
        """What was asked, of what, and what there is to say about it, in JSON's types."""
        raise NotImplementedError

    def draw(self, figure: Figure) -> None:
        """Draws into an empty figure."""
        raise NotImplementedError

    def plot(self, width: float = 8.0) -> Figure:
        """A matplotlib figure; no window is opened. Needs the extra `look`."""
        figure = _figure_class()(figsize=(width, width * self.aspect), layout="constrained")
        self.draw(figure)
        return figure

    aspect: float = 0.5
    """Height of a figure for a width of 1."""

    def save(self, path: str | Path) -> tuple[Path, Path]:
        """Writes the figure to PATH.png, or to PATH.svg where PATH ends so, and the data to
        PATH.npz, `facts` among them as JSON.
        """
        path = Path(path)
        end = path.suffix if path.suffix in (".png", ".svg", ".npz") else ""
        stem = path.with_name(path.name.removesuffix(end))
        stem.parent.mkdir(parents=True, exist_ok=True)
        kind = ".svg" if end == ".svg" else ".png"
        picture, data = (stem.with_name(stem.name + end) for end in (kind, ".npz"))
        self.plot().savefig(picture, dpi=120)
        arrays: dict[str, Any] = {"facts": np.array(json.dumps(self.facts())), **self.arrays()}
        np.savez_compressed(data, **arrays)
        return picture, data

    def _repr_png_(self) -> bytes:
        """What notebooks show."""
        buffer = io.BytesIO()
        self.plot().savefig(buffer, format="png", dpi=100)
        return buffer.getvalue()


def _figure_class() -> Any:
    try:
        from matplotlib.figure import Figure
    except ImportError:
        raise LookError("figures need matplotlib; pip install 'netwright[look]'") from None
    return Figure


def shorten(path: str, most: int = 16) -> str:
    """A layer's path as a figure has room for it: its beginning and end.

    >>> shorten("stage3.1.body.expand.conv")
    'stage3.…and.conv'
    """
    half = most // 2
    return path if len(path) <= most else f"{path[: most - half - 1]}…{path[-half:]}"


def show_image(axes: Axes, pixels: np.ndarray, title: str = "") -> None:
    """An image without ticks."""
    axes.imshow(pixels)
    axes.set_axis_off()
    axes.set_title(title, fontsize=9)


def sheet(images: np.ndarray, blank: float, columns: int | None = None) -> np.ndarray:
    """Images (N, h, w) or (N, h, w, 3) in rows on one sheet, a blank line between."""
    count, h, w = images.shape[:3]
    columns = columns or ceil(count**0.5)
    rows = ceil(count / columns)
    side = (rows * (h + 1) - 1, columns * (w + 1) - 1)
    whole = np.full((*side, *images.shape[3:]), blank, images.dtype)
    for i, image in enumerate(images):
        y, x = i // columns * (h + 1), i % columns * (w + 1)
        whole[y : y + h, x : x + w] = image
    return whole


def peak(values: np.ndarray) -> float:
    """Where the scale of a map ends: one value of 200 is larger, as slopes have sharp peaks."""
    sizes = np.abs(values)
    return float(np.percentile(sizes, 99.5) or sizes.max() or 1.0)


def show_over(axes: Axes, pixels: np.ndarray, values: np.ndarray, title: str = "") -> Any:
    """Values (H, W) over a pale image, on a scale to their `peak` that is signed where they are."""
    grey = pixels.mean(2) if pixels.ndim == 3 else pixels
    axes.imshow(grey, cmap="gray", vmin=-128, vmax=255)
    top = peak(values)
    signed = values.min() < 0
    colours, least = ("RdBu_r", -top) if signed else ("inferno", 0.0)
    drawn = axes.imshow(values, cmap=colours, vmin=least, vmax=top, alpha=0.6)
    axes.set_axis_off()
    axes.set_title(title, fontsize=9)
    return drawn
