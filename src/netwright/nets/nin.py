"""Network in Network, for CIFAR-10 and ImageNet, and with deep supervision."""

from __future__ import annotations

from netwright.blocks.nin import MlpConv
from netwright.core.graph import Tap
from netwright.core.spec import Spec
from netwright.core.wiring import Sequential
from netwright.nets.registry import Paper, net
from netwright.units.activation import ReLU
from netwright.units.conv import Conv
from netwright.units.linear import Flatten, Linear
from netwright.units.pool import AvgPool, GlobalAvgPool, MaxPool
from netwright.units.regularise import Dropout

__all__ = ["dsn_cifar", "nin_cifar", "nin_imagenet"]

NIN = Paper("Network In Network", "Lin, Chen, Yan", 2013, "1312.4400")
DSN = Paper("Deeply-Supervised Nets", "Lee, Xie, Gallagher, Zhang, Tu", 2014, "1409.5185")
CIFAR = (3, 32, 32)


@net("nin_cifar10", input=CIFAR, paper=NIN)
def nin_cifar(classes: int = 10) -> Spec:
    """Figure 2 of the paper with the widths of the authors' CIFAR-10 net: three mlpconvs, the
    last of which ends in a map a class, averaged.

    As in the authors' code the second pool is an average, where the paper has maxima; like
    pytorchcv the pools pad one position instead of rounding up.
    """
    return Sequential(
        mlpconv1=MlpConv((192, 160, 96), 5),
        pool1=MaxPool(3, 2, padding=1),
        drop1=Dropout(0.5),
        mlpconv2=MlpConv((192, 192, 192), 5),
        pool2=AvgPool(3, 2, padding=1),
        drop2=Dropout(0.5),
        mlpconv3=MlpConv((192, 192, classes), 3),
        head=GlobalAvgPool(),
    )


@net("nin_imagenet", input=(3, 224, 224), paper=NIN)
def nin_imagenet(classes: int = 1000) -> Spec:
    """The authors' ImageNet net: four mlpconvs with AlexNet's kernels, the last of which ends
    in a map a class, averaged. The paper gives no table of it; pools round up, as Caffe's do.
    """
    return Sequential(
        mlpconv1=MlpConv((96, 96, 96), 11, 4, padding="valid"),
        pool1=MaxPool(3, 2, ceil=True),
        mlpconv2=MlpConv((256, 256, 256), 5),
        pool2=MaxPool(3, 2, ceil=True),
        mlpconv3=MlpConv((384, 384, 384), 3),
        pool3=MaxPool(3, 2, ceil=True),
        drop=Dropout(0.5),
        mlpconv4=MlpConv((1024, 1024, classes), 3),
        head=GlobalAvgPool(),
    )


@net("dsn_cifar10", input=CIFAR, paper=DSN)
def dsn_cifar(weight: float = 0.3, classes: int = 10) -> Spec:
    """Network in Network with a companion objective at every stage: a dense unit reads the
    first convolution of each mlpconv, before its ReLU, and its loss is added, times `weight`.

    After the authors' net for CIFAR-10: their last mlpconv ends without ReLU, both pools are
    maxima and round up. The heads are taps, which training alone sees; the paper's losses are
    squared hinges, and the companions' weights fade to zero as it goes on.
    """
    pool = MaxPool(3, 2, ceil=True)
    companion = Tap(Sequential(flatten=Flatten(), fc=Linear(classes)), weight)

    def supervised(widths: tuple[int, ...], kernel: int) -> Sequential:
        first, *rest = widths
        inner = MlpConv((*rest,), 1)
        return Sequential(conv=Conv(first, kernel), companion=companion, act=ReLU(), inner=inner)

    return Sequential(
        mlpconv1=supervised((192, 160, 96), 5),
        pool1=pool,
        drop1=Dropout(0.5),
        mlpconv2=supervised((192, 192, 192), 5),
        pool2=pool,
        drop2=Dropout(0.5),
        mlpconv3=supervised((192, 192), 3).put(scores=Conv(classes, 1)),
        head=GlobalAvgPool(),
    )
