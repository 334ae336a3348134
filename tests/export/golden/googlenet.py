"""googlenet: Table 1 of the paper: a stem, nine Inception blocks, a pooled head.

Going Deeper with Convolutions; Szegedy, Liu, Jia, Sermanet, Reed, Anguelov, Erhan, Vanhoucke,
Rabinovich, 2014, arXiv:1409.4842.

3x224x224 -> 1000; 6,998,552 parameters, 1,582,671,872 multiply-adds.

Written by netwright 0.1.0 (`netwright source googlenet`). Its state_dict has the keys of the
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


class GlobalAvgPool(nn.Module):
    """The mean over all positions: (N, C, ...) -> (N, C), with `keep` (N, C, 1, ...)."""

    def __init__(self, keep: bool = False) -> None:
        super().__init__()
        self.keep = keep

    def forward(self, x: Tensor) -> Tensor:
        return x.mean(tuple(range(2, x.dim())), keepdim=self.keep)


class ConvNormAct(nn.Sequential):
    """Convolution, normalisation, activation: (C, H, W) -> (width, H', W')."""

    def __init__(self, in_channels: int, width: int, kernel: int = 3, stride: int = 1) -> None:
        super().__init__()
        self.conv = nn.Conv2d(in_channels, width, kernel, stride=stride, padding=kernel // 2)
        self.act = nn.ReLU()


class Inception(nn.Module):
    """1x1, 3x3 and 5x5 convolutions and max pooling side by side, behind 1x1 convolutions
    that reduce: (C, H, W) -> (conv1 + conv3 + conv5 + pool, H, W) (figure 2b).
    """

    def __init__(
        self,
        in_channels: int,
        conv1: int,
        reduce3: int,
        conv3: int,
        reduce5: int,
        conv5: int,
        pool: int,
    ) -> None:
        super().__init__()
        self.conv1 = ConvNormAct(in_channels, conv1, kernel=1)
        self.conv3 = chain(
            reduce=ConvNormAct(in_channels, reduce3, kernel=1), conv=ConvNormAct(reduce3, conv3)
        )
        self.conv5 = chain(
            reduce=ConvNormAct(in_channels, reduce5, kernel=1),
            conv=ConvNormAct(reduce5, conv5, kernel=5),
        )
        self.pool = chain(
            pool=nn.MaxPool2d(3, stride=1, padding=1),
            project=ConvNormAct(in_channels, pool, kernel=1),
        )

    def forward(self, x: Tensor) -> Tensor:
        return torch.cat([self.conv1(x), self.conv3(x), self.conv5(x), self.pool(x)], 1)


class GoogLeNet(nn.Sequential):
    """3x224x224 -> 1000."""

    def __init__(self, classes: int = 1000) -> None:
        super().__init__()
        self.stem = chain(
            conv1=ConvNormAct(3, 64, kernel=7, stride=2),
            pool1=nn.MaxPool2d(3, stride=2, padding=1),
            norm1=nn.LocalResponseNorm(5, k=2.0),
            reduce=ConvNormAct(64, 64, kernel=1),
            conv2=ConvNormAct(64, 192),
            norm2=nn.LocalResponseNorm(5, k=2.0),
            pool2=nn.MaxPool2d(3, stride=2, padding=1),
        )
        self.inception3a = Inception(192, 64, 96, 128, 16, 32, 32)
        self.inception3b = Inception(256, 128, 128, 192, 32, 96, 64)
        self.pool3 = nn.MaxPool2d(3, stride=2, padding=1)
        self.inception4a = Inception(480, 192, 96, 208, 16, 48, 64)
        self.inception4b = Inception(512, 160, 112, 224, 24, 64, 64)
        self.inception4c = Inception(512, 128, 128, 256, 24, 64, 64)
        self.inception4d = Inception(512, 112, 144, 288, 32, 64, 64)
        self.inception4e = Inception(528, 256, 160, 320, 32, 128, 128)
        self.pool4 = nn.MaxPool2d(3, stride=2, padding=1)
        self.inception5a = Inception(832, 256, 160, 320, 32, 128, 128)
        self.inception5b = Inception(832, 384, 192, 384, 48, 128, 128)
        self.head = chain(pool=GlobalAvgPool(), drop=nn.Dropout(p=0.4), fc=nn.Linear(1024, classes))


if __name__ == "__main__":
    model = GoogLeNet().eval()
    with torch.inference_mode():
        print(model(torch.randn(1, 3, 224, 224)).shape)
