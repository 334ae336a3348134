"""unet: Figure 1 of the paper: `depth` steps down, each twice as wide, and as many up, beside each
other: (C, H, W) -> (classes, H, W), a score for every class and pixel.

U-Net: Convolutional Networks for Biomedical Image Segmentation; Ronneberger, Fischer, Brox,
2015, arXiv:1505.04597.

1x256x256 -> 2x256x256; 31,030,658 parameters, 48,096,083,968 multiply-adds.

Written by netwright 0.1.0 (`netwright source unet`). Its state_dict has the keys of the built
net, so that weights of either load in the other; before that they are PyTorch's own initial
ones.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn


def group(**modules: nn.Module) -> nn.ModuleDict:
    """Named modules that the forward of their owner wires."""
    return nn.ModuleDict(modules)


class ConvNormAct(nn.Sequential):
    """Convolution, normalisation, activation: (C, H, W) -> (width, H', W')."""

    def __init__(self, in_channels: int, width: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(in_channels, width, 3, padding=1)
        self.act = nn.ReLU()


class DoubleConv(nn.Sequential):
    """Two 3x3 convolutions with ReLU: (C, H, W) -> (width, H, W). `attention` ends them."""

    def __init__(self, in_channels: int, width: int) -> None:
        super().__init__()
        self.conv1 = ConvNormAct(in_channels, width)
        self.conv2 = ConvNormAct(width, width)


class UNetDown(nn.Sequential):
    """A step down: 2x2 max pooling and a `DoubleConv`: (C, H, W) -> (width, H / 2, W / 2)."""

    def __init__(self, in_channels: int, width: int) -> None:
        super().__init__()
        self.pool = nn.MaxPool2d(2)
        self.convs = DoubleConv(in_channels, width)


class UNetUp(nn.Module):
    """A step up: what was copied beside what comes from below, twice as large by a 2x2
    transposed convolution, and a `DoubleConv`: (C, H, W), (C', H / 2, W / 2) -> (width, H, W).
    """

    def __init__(self, width: int, in_channels1: int) -> None:
        super().__init__()
        self.beside = group(grown=nn.ConvTranspose2d(in_channels1, width, 2, stride=2))
        self.convs = DoubleConv(in_channels1, width)

    def forward(self, x0: Tensor, x1: Tensor) -> Tensor:
        x = torch.cat([x0, self.beside.grown(x1)], 1)
        return self.convs(x)


class UNet(nn.Module):
    """1x256x256 -> 2x256x256."""

    def __init__(self, classes: int = 2) -> None:
        super().__init__()
        self.down0 = DoubleConv(1, 64)
        self.down1 = UNetDown(64, 128)
        self.down2 = UNetDown(128, 256)
        self.down3 = UNetDown(256, 512)
        self.down4 = UNetDown(512, 1024)
        self.up3 = UNetUp(512, 1024)
        self.up2 = UNetUp(256, 512)
        self.up1 = UNetUp(128, 256)
        self.up0 = UNetUp(64, 128)
        self.head = nn.Conv2d(64, classes, 1)

    def forward(self, x: Tensor) -> Tensor:
        down0 = self.down0(x)
        down1 = self.down1(down0)
        down2 = self.down2(down1)
        down3 = self.down3(down2)
        down4 = self.down4(down3)
        up3 = self.up3(down3, down4)
        up2 = self.up2(down2, up3)
        up1 = self.up1(down1, up2)
        up0 = self.up0(down0, up1)
        return self.head(up0)


if __name__ == "__main__":
    model = UNet().eval()
    with torch.inference_mode():
        print(model(torch.randn(1, 1, 256, 256)).shape)
