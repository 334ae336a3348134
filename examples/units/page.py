"""Every example on one page that needs nothing else.

python examples/units/page.py OUT.html
"""

from __future__ import annotations

import sys
from importlib import import_module

from board import Board

from netwright.drawing.html import Page

PARTS = ("convolution", "matrices", "padding", "box_filter", "gabor", "pooling", "upsampling",
         "normalisation", "labels", "mlp")  # fmt: skip


def main(out: str) -> None:
    """Runs the examples in order and writes the page."""
    page = Page("Units at work", "What the layers of a net do, in numbers and pictures")
    for name in PARTS:
        part, board = import_module(name), Board()
        part.main(board)
        page.add(part.TITLE, *board.pieces, note=f"python examples/units/{name}.py")
    page.write(out)
    print(f"page: {out}")


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: python examples/units/page.py OUT.html")
    main(sys.argv[1])
