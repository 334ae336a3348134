"""Nets that have the keys and shapes of another, and other outputs: weights that would load."""

from __future__ import annotations

from typing import Any

from netwright.core.net import Net
from netwright.core.rewrite import matches
from netwright.weights.index import known
from netwright.weights.keys import family

__all__ = ["twin"]

FIRST = {
    "pytorchcv": "resnet50 resnet101 resnet152 resnet200 preresnet50 preresnet101 preresnet152 "
    "preresnet200",
}
"""Library -> its nets whose bottlenecks have their stride in the first 1x1 convolution; those of
all others have it in the 3x3."""
SHADOWED = {"timm": "efficientnet_lite0 efficientnet_lite1 efficientnet_lite2 efficientnet_lite3 "
            "efficientnet_lite4"}  # fmt: skip
"""Library -> nets of ours that it has under another name, and under ours one that pads and
normalises otherwise."""


def twin(net: Net, library: str, model: str = "") -> str:
    """Why weights with that library's keys are not of this net although they would load; empty
    where nothing speaks against it. `model` is what the library calls their net, where it is told.
    """
    ours = sorted({weights.model for weights in known(net.origin) if weights.library == "timm"})
    if ours and model and model not in ours:
        return f"{model} of timm is another net with the same keys, wanted {' or '.join(ours)}"
    if not model and net.origin in SHADOWED.get(library, "").split():
        return (f"they have the keys of {library}'s {ours[0]}, which is this net, and of its "
                f"{net.name}, which is not, and no config.json says which")  # fmt: skip
    return _strides(net, library)


def _strides(net: Net, library: str) -> str:
    wanted = "1x1" if net.origin in FIRST.get(library, "").split() else "3x3"

    def differs(block: Any) -> bool:
        return getattr(block, "stride_in", wanted) != wanted and block.stride != 1

    if not matches(net, differs):
        return ""
    option = f"; nw.net({net.name!r}, stride_in={wanted!r}) has" if family(net) == "resnet" else ""
    return f"{library} has the strides in the {wanted} convolutions, this net has not{option}"
