"""ResNet-50 with bottleneck attention modules between its stages."""

from __future__ import annotations

from netwright.blocks.attention import BAM
from netwright.core.spec import Spec
from netwright.core.wiring import Sequential
from netwright.nets.registry import Paper, net
from netwright.nets.resnet import bottleneck_resnet

__all__ = ["bam_resnet"]

PAPER = Paper("BAM: Bottleneck Attention Module", "Park, Woo, Lee, Kweon", 2018, "1807.06514")


@net("bam_resnet50", input=(3, 224, 224), paper=PAPER, depths=(3, 4, 6, 3))
def bam_resnet(
    depths: tuple[int, ...], width: int = 64, reduction: int = 16, classes: int = 1000
) -> Spec:
    """A ResNet of bottlenecks with an attention module behind every stage but the last
    (figure 1 of the paper), as in pytorchcv.
    """
    plain = bottleneck_resnet(depths, width, classes=classes)
    assert isinstance(plain, Sequential)
    parts: dict[str, Spec] = {}
    for name, part in plain.parts:
        if name.startswith("stage") and "stage1" in parts:
            parts[f"bam{name.removeprefix('stage')}"] = BAM(reduction)
        parts[name] = part
    return Sequential(**parts)
