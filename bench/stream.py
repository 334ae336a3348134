"""100,000 JPEGs in folders: seconds to the first batch, and the memory of an epoch.

python bench/stream.py [images]
"""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from threading import Event, Thread
from time import monotonic, process_time
from typing import Self

COUNT, CLASSES, SIDES = 100_000, 100, (128, 96)
CHILD = "--from"


def write_images(home: Path, count: int) -> None:
    """JPEGs of smooth noise; a comment in each makes them differ without compressing each."""
    import numpy as np
    from PIL import Image

    generator, files = np.random.default_rng(0), list[bytes]()
    for _ in range(200):
        colours = generator.integers(0, 256, (12, 16, 3)).astype(np.uint8)
        page = io.BytesIO()
        Image.fromarray(colours).resize(SIDES).save(page, "JPEG", quality=80)
        files.append(page.getvalue())
    for label in range(CLASSES):
        (home / f"{label:03}").mkdir(parents=True)
        for i in range(label, count, CLASSES):
            data, comment = files[i % len(files)], str(i).encode()
            segment = b"\xff\xfe" + (len(comment) + 2).to_bytes(2, "big") + comment
            (home / f"{label:03}" / f"{i:06}.jpg").write_bytes(data[:2] + segment + data[2:])


def epoch(home: str) -> None:
    """One epoch, augmented; prints what it took as JSON."""
    began = monotonic()
    import torch

    from netwright.data import load
    from netwright.train.batches import Images
    from netwright.train.recipe import Recipe

    imported = monotonic()
    data = load(home)
    listed = monotonic()
    preprocessing, train = data.preprocessing(), data.indices("train")
    place = torch.device("cpu")
    source = data.sequence(train, preprocessing, place)
    images = Images(source, data.labels[train], len(data.classes), preprocessing, place)
    peak, first, processor, count = Peak(), 0.0, 0.0, 0
    with peak:
        for x, _ in images.epoch(Recipe(batch=128), 0, 0):
            first, processor = first or monotonic(), processor or process_time()
            count += len(x)
    print(json.dumps({
        "images": data.size(), "side": preprocessing.size, "source": type(source).__name__,
        "workers": data.workers, "imports": imported - began, "listing": listed - imported,
        "first batch": first - began, "images a second": count / (monotonic() - first),
        "resident": peak.most, "processor to the first batch": processor,
    }))  # fmt: skip


class Peak:
    """The most bytes that this process and its children have resident, shared pages once."""

    def __enter__(self) -> Self:
        self.most, self._end = 0, Event()
        self._thread = Thread(target=self._look)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._end.set()
        self._thread.join()

    def _look(self) -> None:
        while not self._end.wait(0.2):
            self.most = max(self.most, sum(map(_share, [os.getpid(), *_children()])))


def _children() -> list[int]:
    pages = Path("/proc/self/task").glob("*/children")
    return [int(word) for page in pages for word in page.read_text().split()]


def _share(process: int) -> int:
    """Proportional set size: a page of two processes counts half for each."""
    try:
        lines = Path(f"/proc/{process}/smaps_rollup").read_text().splitlines()
    except (FileNotFoundError, ProcessLookupError):  # it has ended
        return 0
    return 1024 * next(int(line.split()[1]) for line in lines if line.startswith("Pss:"))


def main(count: int) -> None:
    with tempfile.TemporaryDirectory() as home:
        write_images(Path(home), count)
        command = [sys.executable, __file__, CHILD, home]
        lines = subprocess.run(command, check=True, capture_output=True, text=True).stdout
        row = json.loads(lines)
    print("| what | measured |\n| --- | --- |")
    for word, value in row.items():
        if word == "resident":
            shown = f"{value / 2**20:,.0f} MiB"
        else:
            shown = f"{value:.2f} s" if isinstance(value, float) and value < 500 else f"{value}"
        print(f"| {word} | {shown} |")


if __name__ == "__main__":
    if CHILD in sys.argv:
        epoch(sys.argv[-1])
    else:
        main(int(sys.argv[1]) if len(sys.argv) > 1 else COUNT)
