"""Write scikit-learn's 1,797 handwritten digits (8x8, grey) as an .npz, or as folders of PNGs.

    python examples/digits.py digits.npz
    python examples/digits.py digits
    netwright fit digits --minutes 3

The digits come with scikit-learn: E. Alpaydin and C. Kaynak, Optical Recognition of
Handwritten Digits, UCI Machine Learning Repository, 1998.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
from PIL import Image
from sklearn.datasets import load_digits


def main(out: str) -> None:
    """Writes the digits to `out`: arrays if it ends in .npz, else a folder a class."""
    digits = load_digits()
    target = Path(out)
    if target.suffix == ".npz":
        target.parent.mkdir(parents=True, exist_ok=True)
        np.savez_compressed(target, images=digits.images, labels=digits.target)
    else:
        for i, (image, label) in enumerate(zip(digits.images, digits.target, strict=True)):
            folder = target / str(label)
            folder.mkdir(parents=True, exist_ok=True)
            grey = (image * (255 / 16)).round().astype(np.uint8)
            Image.fromarray(grey).save(folder / f"{i:04}.png")
    print(f"{len(digits.target)} images in {target}")


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: python examples/digits.py OUT.npz|FOLDER")
    main(sys.argv[1])
