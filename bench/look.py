"""Occlusion at 224 pixels, squares of 32 at every 16: ours, which recomputes what they reach, and
captum's, which covers the image and runs the whole net.

Batches of both are 16. CPU-seconds of one thread, the better of two interleaved runs, and the
load of the machine; the maps are held against each other.
"""

import os
import sys
import time
from pathlib import Path

import numpy as np
import torch

import netwright as nw

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
from peers import library, peer

SIZE, STRIDE, BATCH = 32, 16, 16


def ours(model, x):
    return nw.look.occlusion(model, x, SIZE, STRIDE, 0, "zero", batch=BATCH).map


def captums(model, x):
    with torch.no_grad():
        losses = library("captum.attr").Occlusion(model).attribute(
            x[None], (3, SIZE, SIZE), (3, STRIDE, STRIDE), baselines=0, target=0,
            perturbations_per_eval=BATCH,
        )  # fmt: skip
    return losses[0, 0].numpy()


def main():
    torch.set_num_threads(1)
    ways = (captums, ours)
    for name in ("vgg16", "resnet50", "mobilenet_v2"):
        model, x = peer("torchvision", name).eval(), torch.randn(3, 224, 224)
        times, maps = {way: [] for way in ways}, {}
        for _ in range(2):
            for way in ways:
                start = time.process_time()
                maps[way] = way(model, x)
                times[way].append(time.process_time() - start)
        theirs, own = (min(times[way]) for way in ways)
        apart = np.abs(maps[captums] - maps[ours]).max() / np.abs(maps[captums]).max()
        print(f"{name:14} captum {theirs:6.1f} s, ours {own:6.1f} s: {theirs / own:.1f}x; "
              f"maps {apart:.0e} apart, load {os.getloadavg()[0]:.1f}")  # fmt: skip


if __name__ == "__main__":
    main()
