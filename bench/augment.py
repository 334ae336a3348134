"""Images a processor second: batches augmented here, and one by one by torchvision.

python bench/augment.py
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from statistics import median
from time import process_time

import torch
from torch import Tensor

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
from netwright.data import augment as own
from netwright.data.augment import Batch, augment
from peers import library

BATCH, REPEATS = 512, 15
SETS: dict[str, tuple[int, tuple[own.Operation, ...]]] = {
    "shift, flip": (32, (own.Shift(), own.Flip())),
    "pad, flip": (32, (own.RandomPad(), own.Flip())),
    "shift, flip, cutout": (32, (own.Shift(), own.Flip(), own.Cutout())),
    "resized crop, flip": (32, (own.ResizedCrop(), own.Flip())),
    "colour jitter": (32, (own.ColourJitter(),)),
    "lighting": (32, (own.Lighting(),)),
    "mixup": (32, (own.Mixup(),)),
    "cutmix": (32, (own.CutMix(),)),
    "resized crop, flip at 224": (224, (own.ResizedCrop(), own.Flip())),
}


def rate(work: Callable[[], object], count: int) -> float:
    """Images a processor second: the median of several times."""
    work()
    seconds = list[float]()
    for _ in range(REPEATS):
        began = process_time()
        work()
        seconds.append(process_time() - began)
    return count / median(seconds)


def theirs(name: str, side: int) -> Callable[[Tensor], Tensor] | None:
    """torchvision's transform of one image that does the same."""
    library("torchvision")  # with what it needs beside a torch of another build
    from torchvision.transforms import v2

    crop = v2.RandomResizedCrop(side, (0.35, 1.0), antialias=False)
    pairs = {
        "shift, flip": v2.Compose([
            v2.RandomCrop(side, 4, padding_mode="reflect"), v2.RandomHorizontalFlip(),
        ]),
        "pad, flip": v2.Compose([v2.RandomCrop(side, 4), v2.RandomHorizontalFlip()]),
        "resized crop, flip": v2.Compose([crop, v2.RandomHorizontalFlip()]),
        "colour jitter": v2.ColorJitter(0.4, 0.4, 0.4),
    }  # fmt: skip
    return pairs.get(name.removesuffix(" at 224"))


def main() -> None:
    torch.set_num_threads(1)
    print("| operations | side | images/s | torchvision, an image at a time | ratio |")
    print("| --- | --- | --- | --- | --- |")
    for name, (side, operations) in SETS.items():
        count = BATCH if side == 32 else BATCH // 16
        values = torch.randint(0, 256, (count, side, side, 3), dtype=torch.uint8)
        pixels = values.permute(0, 3, 1, 2)  # as decoders give them
        batch, generator = Batch(pixels, torch.arange(count) % 10), torch.Generator()
        ours = rate(lambda: augment(batch, operations, 10, generator), count)  # noqa: B023
        transform = theirs(name, side)
        if transform is None:
            print(f"| {name} | {side} | {ours:,.0f} | | |")
            continue
        other = rate(lambda: torch.stack([transform(x) for x in pixels]), count)  # noqa: B023
        print(f"| {name} | {side} | {ours:,.0f} | {other:,.0f} | {ours / other:.1f} |")


if __name__ == "__main__":
    main()
