"""Occlusion at 224 pixels, squares of 32 at every 16: only what they reach, against all of it.

Covering the image and running the whole net is what other libraries do; batches of both are 16.
CPU-seconds of one thread, the better of two runs.
"""

import sys
import time
from pathlib import Path

import torch

import netwright as nw

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
from peers import peer


def seconds(model, x, *, incremental):
    times = []
    for _ in range(2):
        start = time.process_time()
        nw.look.occlusion(model, x, incremental=incremental)
        times.append(time.process_time() - start)
    return min(times)


def main():
    torch.set_num_threads(1)
    for name in ("vgg16", "resnet50", "mobilenet_v2"):
        model, x = peer("torchvision", name), torch.randn(3, 224, 224)
        part, full = (seconds(model, x, incremental=way) for way in (True, False))
        print(f"{name:14} {full:6.1f} s in full, {part:6.1f} s where reached: {full / part:.1f}x")


if __name__ == "__main__":
    main()
