"""Looking inside, beside what others and plain inference take.

Occlusion at 224 pixels, squares of 32 at every 16: ours, which recomputes what they reach, and
captum's, which covers the image and runs the whole net; batches of both are 16. Top patches of
a data set beside plain inference on the same images in the same batches, and the memory that
this takes for few and for many images.

CPU-seconds of one thread, medians of interleaved repeats; the load of the machine says how
disturbed they are. `python bench/look.py occlusion patches memory` runs all of it.
"""

import os
import resource
import subprocess
import sys
import time
from pathlib import Path
from statistics import median

import numpy as np
import torch

import netwright as nw
from netwright.data.image import Preprocessing

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
from peers import library, peer

SIZE, STRIDE, BATCH = 32, 16, 16
STAGES = ["layer1", "layer2", "layer3", "layer4"]


def interleaved(ways, repeats):
    """Median CPU-seconds of each way, and what it gave."""
    times, results = {way: [] for way in ways}, {}
    for _ in range(repeats):
        for way, run in ways.items():
            start = time.process_time()
            results[way] = run()
            times[way].append(time.process_time() - start)
    return {way: median(times[way]) for way in ways}, results


def ours(model, x):
    return nw.look.occlusion(model, x, SIZE, STRIDE, 0, "zero", batch=BATCH).map


def captums(model, x):
    with torch.no_grad():
        losses = library("captum.attr").Occlusion(model).attribute(
            x[None], (3, SIZE, SIZE), (3, STRIDE, STRIDE), baselines=0, target=0,
            perturbations_per_eval=BATCH,
        )  # fmt: skip
    return losses[0, 0].numpy()


def occlusion():
    for name, repeats in (("vgg16", 3), ("resnet50", 5), ("mobilenet_v2", 5)):
        model, x = peer("torchvision", name).eval(), torch.randn(3, 224, 224)
        ways = {"captum": lambda: captums(model, x), "ours": lambda: ours(model, x)}  # noqa: B023
        times, maps = interleaved(ways, repeats)
        apart = np.abs(maps["captum"] - maps["ours"]).max() / np.abs(maps["captum"]).max()
        theirs, own = times["captum"], times["ours"]
        print(f"{name:14} captum {theirs:6.1f} s, ours {own:6.1f} s: {theirs / own:.1f}x; maps "
              f"{apart:.0e} apart, {repeats} repeats, load {os.getloadavg()[0]:.1f}")  # fmt: skip


def patches():
    images = np.random.default_rng(0).integers(0, 256, (384, 160, 160, 3)).astype(np.uint8)
    given = Preprocessing(160, 3, (0.5,) * 3, (0.25,) * 3)

    def plain(model):
        looked = nw.look.subject(model, given)
        with torch.no_grad():
            for batch in nw.look.batches(looked, nw.look.images_of(images), BATCH):
                model(batch.x)

    for name, layers in (("resnet18", STAGES), ("mobilenet_v2", None)):
        model = peer("torchvision", name).eval()
        paths = layers or [
            p for p, part in model.named_modules() if isinstance(part, torch.nn.ReLU6)
        ]
        ways = {
            "plain": lambda: plain(model),  # noqa: B023
            "ours": lambda: nw.look.top_patches(model, images, paths, batch=BATCH,  # noqa: B023
                                                preprocessing=given),
        }  # fmt: skip
        times, _ = interleaved(ways, 3)
        print(f"{name:14} {len(paths)} layers: inference {times['plain']:.1f} s, top patches "
              f"{times['ours']:.1f} s: {times['ours'] / times['plain']:.2f}x, load "
              f"{os.getloadavg()[0]:.1f}")  # fmt: skip


class Drawn:
    """Images that are there only while they are asked for."""

    def __init__(self, count):
        self.count = count

    def __len__(self):
        return self.count

    def __getitem__(self, i):
        return torch.randn(3, 64, 64, generator=torch.Generator().manual_seed(i))


def remembered(count):
    """Peak memory of this process after top patches over so many images, MiB."""
    nw.look.top_patches(peer("torchvision", "resnet18").eval(), Drawn(int(count)), STAGES)
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)


def memory():
    for count in (64, 512, 2048):
        command = [sys.executable, __file__, f"remembered:{count}"]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        print(f"top patches over {count:5} images: peak {float(done.stdout):.0f} MiB")


def main():
    torch.set_num_threads(1)
    for part in sys.argv[1:] or ["occlusion", "patches", "memory"]:
        name, _, argument = part.partition(":")
        {"occlusion": occlusion, "patches": patches, "memory": memory,
         "remembered": lambda: remembered(argument)}[name]()  # fmt: skip  # noqa: B023


if __name__ == "__main__":
    main()
