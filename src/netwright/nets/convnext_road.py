"""From ResNet-50 to ConvNeXt-T, one rewrite a step."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from netwright.blocks.conv import ConvNormAct
from netwright.blocks.convnext import InvertedBottleneck
from netwright.blocks.resnet import Bottleneck
from netwright.core.net import Net
from netwright.core.rewrite import Site, everywhere
from netwright.core.spec import Spec
from netwright.core.wiring import Sequential
from netwright.errors import SpecError
from netwright.nets.convnext import CONVNEXT, convnext
from netwright.nets.registry import net
from netwright.nets.resnet import FIFTY, IMAGENET, bottleneck_resnet
from netwright.units.activation import GELU
from netwright.units.norm import BatchNorm, ChannelLayerNorm

__all__ = ["convnext_road"]

DEPTHS = (3, 3, 9, 3)


def _stage_ratio(before: Net) -> Net:
    """As many blocks a stage as Swin-T: 3, 3, 9, 3."""
    spec = before.spec
    assert isinstance(spec, Sequential)
    parts: dict[str, Spec] = {}
    for i, depth in enumerate(DEPTHS, 1):
        stage = spec[f"stage{i}"]
        assert isinstance(stage, Sequential)
        parts[f"stage{i}"] = Sequential(stage[0], *[stage[1]] * (depth - 1))
    return replace(before, spec=spec.put(**parts))


def _patchify(before: Net) -> Net:
    """The stem is one 4x4 convolution of stride 4."""

    def change(site: Site, spec: Spec) -> Spec | None:
        assert isinstance(spec, Sequential)
        conv = spec["conv"]
        assert isinstance(conv, ConvNormAct)
        return ConvNormAct(conv.width, 4, 4, "valid", act=None)

    return everywhere(before, change, _is_stem)


def _is_stem(spec: Spec) -> bool:
    return isinstance(spec, Sequential) and spec.names == ("conv", "pool")


def _depthwise(before: Net) -> Net:
    """Every 3x3 convolution has a group a channel, the end of ResNeXt's road."""

    def change(site: Site, spec: Spec) -> Spec:
        assert isinstance(spec, Bottleneck)
        return replace(spec, groups=spec.width)

    return everywhere(before, change, Bottleneck)


def _width(before: Net) -> Net:
    """Half as wide again: 64 becomes 96."""

    def change(site: Site, spec: Spec) -> Spec:
        assert isinstance(spec, Bottleneck | ConvNormAct)
        width = spec.width * 3 // 2
        return replace(spec, width=width, groups=width if spec.groups > 1 else 1)

    return everywhere(before, change, lambda spec: isinstance(spec, Bottleneck | ConvNormAct))


def _inverted(before: Net) -> Net:
    """The ends of a block are narrow, the middle is 4 times as wide."""

    def change(site: Site, spec: Spec) -> Spec:
        assert isinstance(spec, Bottleneck)
        return InvertedBottleneck(spec.width, spec.stride)

    return everywhere(before, change, Bottleneck)


def _moved_up(before: Net) -> Net:
    """The depthwise convolution comes first, at the narrow end."""
    return _in_blocks(before, first=True)


def _kernel(before: Net) -> Net:
    """Depthwise convolutions are 7x7."""
    return _in_blocks(before, kernel=7)


def _gelu(before: Net) -> Net:
    """Every ReLU is a GELU."""
    return _in_blocks(before, act=GELU())


def _fewer_activations(before: Net) -> Net:
    """One activation a block is left, between the 1x1 convolutions."""
    return _in_blocks(before, acts="one")


def _fewer_norms(before: Net) -> Net:
    """One normalisation a block is left, before the 1x1 convolutions."""
    return _in_blocks(before, norms="one")


def _layer_norm(before: Net) -> Net:
    """Every batch norm is a layer norm over the channels of a position."""

    def change(site: Site, spec: Spec) -> Spec:
        return ChannelLayerNorm(eps=1e-6)

    return everywhere(before, change, BatchNorm)


def _in_blocks(before: Net, **fields: Any) -> Net:
    """The net with these fields of every block changed."""

    def change(site: Site, spec: Spec) -> Spec:
        assert isinstance(spec, InvertedBottleneck)
        return replace(spec, **fields)

    return everywhere(before, change, InvertedBottleneck)


def _separate(before: Net) -> Net:
    """Stages begin behind a norm and a 2x2 convolution of stride 2: ConvNeXt-T.

    Layer scale, stochastic depth, biases and the norms of stem and head come with it.
    """
    spec = before.spec
    assert isinstance(spec, Sequential)
    stem, stages = spec["stem"], [spec[f"stage{i}"] for i in range(1, len(DEPTHS) + 1)]
    assert isinstance(stem, ConvNormAct)
    depths = tuple(len(stage) for stage in stages if isinstance(stage, Sequential))
    return replace(before, spec=convnext(depths, stem.width, classes=before.plan().output[0]))


STEPS: tuple[Callable[[Net], Net], ...] = (
    _stage_ratio,
    _patchify,
    _depthwise,
    _width,
    _inverted,
    _moved_up,
    _kernel,
    _gelu,
    _fewer_activations,
    _fewer_norms,
    _layer_norm,
    _separate,
)


@net("convnext_road_01_stage_ratio", input=IMAGENET, paper=CONVNEXT, steps=1)
@net("convnext_road_02_patchify", input=IMAGENET, paper=CONVNEXT, steps=2)
@net("convnext_road_03_depthwise", input=IMAGENET, paper=CONVNEXT, steps=3)
@net("convnext_road_04_width", input=IMAGENET, paper=CONVNEXT, steps=4)
@net("convnext_road_05_inverted", input=IMAGENET, paper=CONVNEXT, steps=5)
@net("convnext_road_06_moved_up", input=IMAGENET, paper=CONVNEXT, steps=6)
@net("convnext_road_07_kernel", input=IMAGENET, paper=CONVNEXT, steps=7)
@net("convnext_road_08_gelu", input=IMAGENET, paper=CONVNEXT, steps=8)
@net("convnext_road_09_fewer_activations", input=IMAGENET, paper=CONVNEXT, steps=9)
@net("convnext_road_10_fewer_norms", input=IMAGENET, paper=CONVNEXT, steps=10)
@net("convnext_road_11_layer_norm", input=IMAGENET, paper=CONVNEXT, steps=11)
def convnext_road(steps: int, width: int = 64, classes: int = 1000) -> Spec:
    """ResNet-50 after so many steps of figure 2 of the paper, each a rewrite of the net before.

    The registered steps end one before the last, which makes `convnext_tiny` itself. Costs are
    those of table 10 of the paper.
    """
    if steps not in range(len(STEPS) + 1):
        raise SpecError(f"steps is {steps!r}, wanted 0 to {len(STEPS)}")
    before = Net(bottleneck_resnet(FIFTY, width, classes=classes), IMAGENET)
    for step in STEPS[:steps]:
        before = step(before)
    return before.spec
