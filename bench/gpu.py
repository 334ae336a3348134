"""The CUDA path whole, in at most 5 minutes: fit on CIFAR-10, training memory, built nets.

    python bench/gpu.py [--small]

Where there is no GPU it runs the same steps on the CPU with `--small`, so that the script itself
is known to work; its figures then mean nothing.
"""

from __future__ import annotations

import io
import sys
import time
from itertools import pairwise
from pathlib import Path
from statistics import median

import numpy as np
import torch
from PIL import Image
from torch.nn import functional as F

import netwright as nw
from netwright.data import Preprocessing
from netwright.data.stream import Memory
from netwright.train.batches import Images
from netwright.train.learner import Learner, device, probabilities
from netwright.train.recipe import RECIPES
from netwright.train.whitening import PATCHES, whiten

SHARED = Path(__file__).resolve().parents[2] / "shared" / "data" / "cifar10-train.npz"
SMALL = "--small" in sys.argv
PLACE = device()


def cifar() -> tuple[np.ndarray, np.ndarray]:
    """Images and labels; random ones where the data is not there."""
    if not SHARED.exists() or SMALL:
        generator = np.random.default_rng(0)
        labels = generator.integers(0, 10, 1200)
        shades = labels[:, None, None, None] * 25
        return (shades + generator.integers(0, 25, (1200, 32, 32, 3))).astype(np.uint8), labels
    data = np.load(SHARED)
    raw, offsets = data["jpeg"].tobytes(), data["offsets"]
    images = np.stack([
        np.asarray(Image.open(io.BytesIO(raw[a:b])).convert("RGB"))
        for a, b in pairwise(offsets)
    ])  # fmt: skip
    return images, data["labels"]


def curve(epochs: int) -> None:
    """Accuracy after every epoch, and the seconds to 94%."""
    pixels, labels = cifar()
    order = np.random.default_rng(0).permutation(len(labels))
    cut = len(labels) // 10
    means = Preprocessing(32, 3, (0.4914, 0.4822, 0.4465), (0.247, 0.243, 0.261))
    test, train = (
        Images(Memory(pixels[part], PLACE), labels[part], 10, means, PLACE)
        for part in (order[:cut], order[cut:])
    )
    model = nw.net("airbench94_cifar10").build(seed=0, device=PLACE)
    whiten(model, next(train.inorder(PATCHES)))
    recipe = RECIPES["fast-small"].suited(len(train))
    learner = Learner(model, recipe, epochs=epochs, precision="bf16", name="gpu")
    truth, spent, reached = labels[order[:cut]], 0.0, None
    for epoch in range(epochs):
        began = time.perf_counter()
        for _ in learner.epoch(train):
            pass
        if PLACE.type == "cuda":
            torch.cuda.synchronize()
        spent += time.perf_counter() - began
        accuracy = (probabilities(model, test, mirrored=True).argmax(1) == truth).mean()
        reached = spent if reached is None and accuracy >= 0.94 else reached
        print(f"| epoch {epoch + 1} | {spent:.1f} s | {100 * accuracy:.2f}% |", flush=True)
    print(f"seconds to 94%: {reached if reached is not None else 'not reached'}")


def memory() -> None:
    """Planned bytes of a training step against what CUDA's allocator held."""
    for name, batch in (("resnet18", 2 if SMALL else 64), ("mobilenet_v2", 2 if SMALL else 64)):
        net = nw.net(name)
        planned = net.plan(batch=batch).training("sgd").peak
        if PLACE.type != "cuda":
            print(f"| {name} | batch {batch} | planned {planned / 2**20:.0f} MB | no GPU |")
            continue
        torch.cuda.reset_peak_memory_stats()
        model = net.build(seed=0, device=PLACE)
        optimiser = torch.optim.SGD(model.parameters(), lr=0.01, momentum=0.9)
        x = torch.randn(batch, *net.input, device=PLACE)
        for _ in range(2):
            optimiser.zero_grad()
            F.cross_entropy(model(x), torch.zeros(batch, dtype=torch.long, device=PLACE)).backward()
            optimiser.step()
        peak = torch.cuda.max_memory_allocated()
        print(f"| {name} | batch {batch} | planned {planned / 2**20:.0f} MB | "
              f"peak {peak / 2**20:.0f} MB | {planned / peak:.3f} |")  # fmt: skip


def speed() -> None:
    """Inference of built nets against torchvision's, interleaved."""
    try:
        if PLACE.type != "cuda":
            library = torch.library.Library("torchvision", "DEF")
            library.define("nms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
            library.define("qnms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
        import torchvision
    except (ImportError, RuntimeError) as error:
        print(f"torchvision cannot be imported: {error}")
        return
    for name in ("resnet50", "mobilenet_v2"):
        ours = nw.net(name).build(seed=0, device=PLACE).eval()
        theirs = getattr(torchvision.models, name)().to(PLACE).eval()
        x = torch.randn(1 if SMALL else 64, 3, 224, 224, device=PLACE)
        times: dict[str, list[float]] = {"ours": [], "theirs": []}
        with torch.inference_mode():
            for _ in range(3 if SMALL else 20):
                for word, model in (("ours", ours), ("theirs", theirs)):
                    began = time.perf_counter()
                    model(x)
                    if PLACE.type == "cuda":
                        torch.cuda.synchronize()
                    times[word].append(time.perf_counter() - began)
        ratio = median(times["theirs"]) / median(times["ours"])
        print(f"| {name} | {ratio:.3f}x torchvision |", flush=True)


if PLACE.type != "cuda" and not SMALL:
    sys.exit("there is no GPU; --small runs the same steps on the CPU")
print(torch.cuda.get_device_name() if PLACE.type == "cuda" else "CPU", torch.__version__)
if SMALL:
    torch.set_num_threads(1)
curve(2 if SMALL else 16)
memory()
speed()
