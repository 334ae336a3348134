"""resnet18: Table 1 of the paper, columns 18 and 34: a 7x7 stem, four stages of two 3x3
convolutions beside a shortcut, a pooled head; `attention` ends the bodies.

Deep Residual Learning for Image Recognition; He, Zhang, Ren, Sun, 2015, arXiv:1512.03385.

3x224x224 -> 1000; 11,689,512 parameters, 1,814,073,344 multiply-adds.

Written by netwright 0.1.0 (`netwright source resnet18`). Its state_dict has the keys of the
built net, so that weights of either load in the other; before that they are PyTorch's own
initial ones.
"""

from __future__ import annotations

from collections import OrderedDict

import torch
from torch import Tensor, nn


def chain(**modules: nn.Module) -> nn.Sequential:
    """Named modules, one after another."""
    return nn.Sequential(OrderedDict(modules))


def group(**modules: nn.Module) -> nn.ModuleDict:
    """Named modules that the forward of their owner wires."""
    return nn.ModuleDict(modules)


class GlobalAvgPool(nn.Module):
    """The mean over all positions: (N, C, ...) -> (N, C), with `keep` (N, C, 1, ...)."""

    def __init__(self, keep: bool = False) -> None:
        super().__init__()
        self.keep = keep

    def forward(self, x: Tensor) -> Tensor:
        return x.mean(tuple(range(2, x.dim())), keepdim=self.keep)


class ConvNormAct(nn.Sequential):
    """Convolution, normalisation, activation: (C, H, W) -> (width, H', W')."""

    def __init__(
        self, in_channels: int, width: int, kernel: int = 3, stride: int = 1, act: bool = True
    ) -> None:
        super().__init__()
        self.conv = nn.Conv2d(
            in_channels, width, kernel, stride=stride, padding=kernel // 2, bias=False
        )
        self.norm = nn.BatchNorm2d(width)
        if act:
            self.act = nn.ReLU()


class BasicBlock(nn.Module):
    """Two 3x3 convolutions beside a shortcut: (C, H, W) -> (width, H / stride, W / stride)."""

    def __init__(self, in_channels: int, width: int, stride: int = 1) -> None:
        super().__init__()
        self.residual = group(
            body=chain(
                conv1=ConvNormAct(in_channels, width, stride=stride),
                conv2=ConvNormAct(width, width, act=False),
            ),
            shortcut=ConvNormAct(in_channels, width, kernel=1, stride=stride, act=False)
            if stride != 1
            else nn.Identity(),
        )
        self.act = nn.ReLU()

    def forward(self, x: Tensor) -> Tensor:
        x = self.residual.body(x) + self.residual.shortcut(x)
        return self.act(x)


class ResNet18(nn.Sequential):
    """3x224x224 -> 1000."""

    def __init__(self, classes: int = 1000) -> None:
        super().__init__()
        self.stem = chain(
            conv=ConvNormAct(3, 64, kernel=7, stride=2), pool=nn.MaxPool2d(3, stride=2, padding=1)
        )
        self.stage1 = nn.Sequential(*[BasicBlock(64, 64) for _ in range(2)])
        self.stage2 = nn.Sequential(BasicBlock(64, 128, stride=2), BasicBlock(128, 128))
        self.stage3 = nn.Sequential(BasicBlock(128, 256, stride=2), BasicBlock(256, 256))
        self.stage4 = nn.Sequential(BasicBlock(256, 512, stride=2), BasicBlock(512, 512))
        self.head = chain(pool=GlobalAvgPool(), fc=nn.Linear(512, classes))


if __name__ == "__main__":
    model = ResNet18().eval()
    with torch.inference_mode():
        print(model(torch.randn(1, 3, 224, 224)).shape)
