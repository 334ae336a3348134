"""Predicted beside measured latency: calibrates this machine, then runs nets it did not see.

The rank correlation over all nets is what a choice between them rests on.
"""

from __future__ import annotations

from scipy.stats import spearmanr

import netwright as nw
from netwright.speed.latency import predict
from netwright.speed.measure import HELD_OUT, calibrate, measured, setting

NETS = (
    "alexnet", "vgg11", "vgg16", "resnet18", "resnet34", "resnet50", "resnet101",
    "wide_resnet50_2", "resnext50_32x4d", "googlenet_bn", "inception_v3", "densenet121",
    "densenet201", "mobilenet_v1", "mobilenet_v2", "mobilenet_v3_small", "mobilenet_v3_large",
    "efficientnet_b0", "shufflenet_v2_x1_0", "squeezenet1_0", "convnext_tiny", "darknet53",
)  # fmt: skip


if __name__ == "__main__":
    import torch

    torch.set_num_threads(2)
    how = setting()
    rates = calibrate(how)
    print(f"{how}; stated error {100 * rates.error:.0f}%")
    print(f"(held out while calibrating, at other sizes: {', '.join(n for n, _ in HELD_OUT)})\n")
    print("| net | predicted ms | measured ms | measured / predicted |")
    print("| --- | --- | --- | --- |")
    pairs: list[tuple[float, float]] = []
    for name in NETS:
        net = nw.net(name)
        pairs.append((predict(net.plan(), rates).seconds, measured(net, how)))
        told, took = pairs[-1]
        print(f"| {name} | {1e3 * told:.1f} | {1e3 * took:.1f} | {took / told:.2f} |", flush=True)
    print(
        f"\nrank correlation over {len(NETS)} nets: {spearmanr(*zip(*pairs, strict=True))[0]:.3f}"
    )
