"""Channel boosting: trained nets that see, beside the image, maps that an auxiliary learner makes.

Khan, Sohail & Ali 2018 (arXiv:1804.08528) take an autoencoder that learnt from images without
labels. The linear autoencoder has a solution (Baldi & Hornik 1989): the principal components of
patches. Those of the images at hand are the auxiliary learner here; its kernels stay as they are.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import torch
from torch import Tensor, nn

from netwright.core.graph import Frozen
from netwright.core.net import Net
from netwright.core.wiring import Concat, Sequential
from netwright.errors import RuleError
from netwright.train.batches import Images
from netwright.train.whitening import principal
from netwright.units import Conv, Identity, ReLU

__all__ = ["boost", "boosted"]

EXTRA, KERNEL = 6, 5
"""Channels that are made, and the side of the patches they are made of."""
LOOKED_AT = 16
"""Images whose patches are looked at, evenly from all."""
KERNELS = "boost.auxiliary.body.conv.weight"


def boosted(net: Net) -> Net:
    """The net with `EXTRA` maps beside the channels of its image, in front of its first
    convolution; all other parts keep their names.
    """
    if not isinstance(net.spec, Sequential) or len(net.input) != 3 or "boost" in net.spec.names:
        raise RuleError(f"{net.name} is no chain of parts that takes an image; channels cannot be "
                        "boosted")  # fmt: skip
    auxiliary = Sequential(conv=Conv(EXTRA, KERNEL, bias=False), act=ReLU())
    parts = {name: net.spec.part(name) for name in net.spec.names}
    boost = Concat(image=Identity(), auxiliary=Frozen(auxiliary))
    return Net(Sequential(boost=boost, **parts), net.input, f"{net.name}-boosted")


def boost(net: Net, trained: Mapping[str, Tensor], images: Images) -> nn.Module:
    """The module of a boosted net with the weights of the net it was made of: at first it says
    the same, for the kernels of the new channels are zero; they learn.
    """
    model = net.build(seed=0)
    state = model.state_dict()
    for key, value in trained.items():
        if value.shape == state[key].shape:
            state[key] = value
        else:  # a first kernel: the image comes before the new maps
            state[key].zero_()[:, : value.shape[1]] = value
    few = np.linspace(0, len(images) - 1, min(LOOKED_AT, len(images))).astype(np.int64)
    pixels = torch.cat([*images.part(few).inorder()])
    kernels = principal(pixels, (KERNEL, KERNEL))[: EXTRA // 2]
    state[KERNELS] = torch.cat([kernels, -kernels]).to(state[KERNELS])
    model.load_state_dict(state)
    return model
