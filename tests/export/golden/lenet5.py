"""lenet5: Figure 2 of the paper, unit by unit.

Gradient-Based Learning Applied to Document Recognition; LeCun, Bottou, Bengio, Haffner, 1998.

1x32x32 -> 10; 61,706 parameters, 416,520 multiply-adds.

Written by netwright 0.1.0 (`netwright source lenet5`). Its state_dict has the keys of the built
net, so that weights of either load in the other; before that they are PyTorch's own initial
ones.
"""

from __future__ import annotations

import torch
from torch import nn


class LeNet5(nn.Sequential):
    """1x32x32 -> 10."""

    def __init__(self, classes: int = 10) -> None:
        super().__init__()
        self.c1 = nn.Conv2d(1, 6, 5)
        self.act1 = nn.Tanh()
        self.s2 = nn.AvgPool2d(2)
        self.c3 = nn.Conv2d(6, 16, 5)
        self.act3 = nn.Tanh()
        self.s4 = nn.AvgPool2d(2)
        self.flatten = nn.Flatten()
        self.c5 = nn.Linear(400, 120)
        self.act5 = nn.Tanh()
        self.f6 = nn.Linear(120, 84)
        self.act6 = nn.Tanh()
        self.output = nn.Linear(84, classes)


if __name__ == "__main__":
    model = LeNet5().eval()
    with torch.inference_mode():
        print(model(torch.randn(1, 1, 32, 32)).shape)
