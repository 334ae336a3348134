"""Network in Network, for CIFAR-10 and ImageNet."""

from __future__ import annotations

from netwright.blocks.nin import MlpConv
from netwright.core.spec import Spec
from netwright.core.wiring import Sequential
from netwright.registry import Paper, net
from netwright.units.pool import AvgPool, GlobalAvgPool, MaxPool
from netwright.units.regularise import Dropout

__all__ = ["nin_cifar", "nin_imagenet"]

NIN = Paper("Network In Network", "Lin, Chen, Yan", 2013, "1312.4400")


@net("nin_cifar10", input=(3, 32, 32), paper=NIN)
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
