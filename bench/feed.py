"""Whether decoding keeps ResNet-18 at 224 pixels fed: training from JPEGs beside from memory.

    python bench/feed.py [--images N] [--small]

Photos of half a megapixel are made and trained on by the recipe of the paper, once decoded by
worker processes as they are needed, once from memory; epochs take turns. A ratio near 1 says that
decoding costs no time: on a CPU it shares the cores with the training, on a GPU it must be
hidden. The images that workers decode while nobody trains are told too.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import torch
from PIL import Image

import netwright as nw
from netwright.data.dataset import load
from netwright.data.image import Preprocessing
from netwright.data.stream import Memory, Stream, default_workers
from netwright.speed.machine import device_name
from netwright.train.batches import Images
from netwright.train.learner import Learner, device
from netwright.train.recipe import RECIPES

CLASSES = 4


def photos(home: Path, count: int, side: tuple[int, int]) -> Path:
    """Pictures with the detail of photos: noise, made smooth by resizing."""
    generator = np.random.default_rng(0)
    for i in range(count):
        rough = generator.integers(0, 256, (side[1] // 8, side[0] // 8, 3)).astype(np.uint8)
        (home / f"{i % CLASSES}").mkdir(exist_ok=True)
        picture = Image.fromarray(rough).resize(side, Image.Resampling.BICUBIC)
        picture.save(home / f"{i % CLASSES}" / f"{i}.jpg", quality=88)
    return home


def epoch(learner: Learner, images: Images) -> float:
    """Images a second of an epoch of training."""
    began = time.perf_counter()
    steps = sum(1 for _ in learner.epoch(images))
    return steps * learner.recipe.batch / (time.perf_counter() - began)


def main() -> None:
    options = argparse.ArgumentParser()
    options.add_argument("--images", type=int, default=256)
    options.add_argument("--small", action="store_true", help="that the script works, no figures")
    given = options.parse_args()
    size, count = (32, 16) if given.small else (224, given.images)
    with TemporaryDirectory() as home:
        side = (96, 64) if given.small else (800, 600)
        dataset = load(photos(Path(home), count, side))
        kept = Preprocessing(size, 3, (0.485, 0.456, 0.406), (0.229, 0.224, 0.225))
        chosen, place = dataset.indices("train"), device()
        stream = Stream(dataset.listing.reader, chosen, kept, default_workers())
        (pixels,) = stream.stream([torch.arange(len(chosen))])
        memory = Memory(pixels.permute(0, 2, 3, 1).numpy(), place)
        began = time.perf_counter()
        decoded = sum(len(page) for page in stream.stream(torch.arange(len(chosen)).split(16)))
        alone = decoded / (time.perf_counter() - began)
        net = nw.net("resnet18", classes=CLASSES, input=(3, size, size))
        recipe = RECIPES["resnet"].but(batch=4 if given.small else 32)
        learner = Learner(net.build(seed=0, device=place), recipe, epochs=100, precision="bf16")
        labels = dataset.labels[chosen]
        sources = {name: Images(source, labels, CLASSES, kept, place)
                   for name, source in (("memory", memory), ("JPEGs", stream))}  # fmt: skip
        rates: dict[str, list[float]] = {name: [] for name in sources}
        for _ in range(1 if given.small else 3):
            for name, images in sources.items():
                rates[name].append(epoch(learner, images))
    fed, unfed = max(rates["memory"]), max(rates["JPEGs"])
    print(f"{device_name()}, {torch.get_num_threads()} threads, {default_workers()} workers")
    print(f"| decoded alone | {alone:.0f} images/s | {alone / fed:.1f}x what training takes |")
    print(f"| training from memory | {fed:.1f} images/s | |")
    print(f"| training from JPEGs | {unfed:.1f} images/s | {unfed / fed:.2f} of memory |")


if __name__ == "__main__":
    main()
