"""`netwright fit` with nothing said but the time: ants and bees, CIFAR-10, digits.

    python bench/fit.py [ants|cifar|digits] [MINUTES ...]

Images are read from ../shared/data where it is there. The test parts are held out and looked at
once a run: `val/` of ants and bees, 5,000 of CIFAR-10's 50,000 training images.
"""

from __future__ import annotations

import io
import json
import subprocess
import sys
import tempfile
from itertools import pairwise
from pathlib import Path
from zipfile import ZipFile

import numpy as np
from PIL import Image
from sklearn.datasets import load_digits

SHARED = Path(__file__).resolve().parents[2] / "shared" / "data"
TIMES = {"ants": (2.0, 10.0), "cifar": (10.0, 20.0), "digits": (2.5,)}


def ants(home: Path) -> Path:
    with ZipFile(SHARED / "ants_bees.zip") as archive:
        archive.extractall(home)
    (home / "val").rename(home / "test")
    return home


def cifar(home: Path) -> Path:
    data = np.load(SHARED / "cifar10-train.npz")
    raw, offsets = data["jpeg"].tobytes(), data["offsets"]
    images = np.stack([
        np.asarray(Image.open(io.BytesIO(raw[a:b])).convert("RGB"))
        for a, b in pairwise(offsets)
    ])  # fmt: skip
    order = np.random.default_rng(0).permutation(len(images))
    test, train = order[:5000], order[5000:]
    np.savez(home / "cifar.npz", x_train=images[train], y_train=data["labels"][train],
             x_test=images[test], y_test=data["labels"][test], classes=data["classes"])  # fmt: skip
    return home / "cifar.npz"


def digits(home: Path) -> Path:
    data = load_digits()
    np.savez(home / "digits.npz", images=data.images, labels=data.target)
    return home / "digits.npz"


def main() -> None:
    names = [word for word in sys.argv[1:] if word in TIMES] or list(TIMES)
    times = tuple(float(word) for word in sys.argv[1:] if word not in TIMES)
    for name in names:
        for minutes in times or TIMES[name]:
            with tempfile.TemporaryDirectory() as home:
                data = globals()[name](Path(home))
                words = [sys.executable, "-m", "netwright", "fit", str(data), "--minutes",
                         str(minutes), "--out", f"{home}/run", "--json", "--quiet"]  # fmt: skip
                out = subprocess.run(words, capture_output=True, text=True, check=True).stdout
                record = json.loads(out)
                test = record["test"]
                figures = f"{100 * test['accuracy']:.2f}% | {record['seconds']:.0f} s"
                print(f"| {name} | {minutes:g} min | {record['winner']} | {figures} |", flush=True)


main()
