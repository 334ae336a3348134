"""ResNet-20 to ResNet-1202 for CIFAR-10, and nets beside them: plain ones, with stochastic
depth, with grouped convolutions.
"""

from __future__ import annotations

from dataclasses import replace
from typing import cast

from netwright.blocks.conv import conv_norm_act
from netwright.blocks.resnet import BasicBlock, Bottleneck
from netwright.blocks.stage import Stage
from netwright.core.spec import Spec
from netwright.core.wiring import Sequential
from netwright.errors import SpecError
from netwright.nets.heads import pooled
from netwright.nets.options import need_counts
from netwright.nets.registry import Paper, net
from netwright.nets.resnet import RESNET, RESNEXT, stages

__all__ = ["CIFAR", "plain_cifar", "resnet_cifar", "resnext_cifar", "three_stages"]

STOCHASTIC = Paper(
    "Deep Networks with Stochastic Depth", "Huang, Sun, Liu, Sedra, Weinberger", 2016, "1603.09382"
)
CIFAR = (3, 32, 32)


@net("resnet20_cifar10", input=CIFAR, paper=RESNET, depth=20)
@net("resnet32_cifar10", input=CIFAR, paper=RESNET, depth=32)
@net("resnet44_cifar10", input=CIFAR, paper=RESNET, depth=44)
@net("resnet56_cifar10", input=CIFAR, paper=RESNET, depth=56)
@net("resnet110_cifar10", input=CIFAR, paper=RESNET, depth=110)
@net("resnet1202_cifar10", input=CIFAR, paper=RESNET, depth=1202)
@net("resnet20_cifar10_a", input=CIFAR, paper=RESNET, depth=20, shortcut="A")
@net("resnet32_cifar10_a", input=CIFAR, paper=RESNET, depth=32, shortcut="A")
@net("resnet44_cifar10_a", input=CIFAR, paper=RESNET, depth=44, shortcut="A")
@net("resnet56_cifar10_a", input=CIFAR, paper=RESNET, depth=56, shortcut="A")
@net("resnet110_cifar10_a", input=CIFAR, paper=RESNET, depth=110, shortcut="A")
@net("resnet1202_cifar10_a", input=CIFAR, paper=RESNET, depth=1202, shortcut="A")
@net(
    "stochastic_depth_resnet110_cifar10",
    input=CIFAR,
    paper=STOCHASTIC,
    depth=110,
    shortcut="A",
    drop=0.5,
)
@net(
    "stochastic_depth_resnet1202_cifar10",
    input=CIFAR,
    paper=STOCHASTIC,
    depth=1202,
    shortcut="A",
    drop=0.5,
)
def resnet_cifar(
    depth: int, width: int = 16, shortcut: str = "B", drop: float = 0.0, classes: int = 10
) -> Spec:
    """Section 4.2 of the paper: a 3x3 stem, three stages of (depth - 2) / 6 basic blocks, a
    pooled head.

    The names ending in `_a` have the paper's shortcuts, sub-sampled and padded with zeros
    (option A); the others project where the shape changes (option B), as in pytorchcv.

    With stochastic depth training leaves out the body of block i of L with probability
    i / L `drop`. Kept bodies are scaled up then, where the paper scales down in the test.
    """
    depths = three_stages(depth, layers=2)
    parts = stages(depths, BasicBlock(width, shortcut=shortcut))
    if drop:
        parts = _with_drops(parts, drop, sum(depths))
    return Sequential(stem=conv_norm_act(width), **parts, head=pooled(classes))


@net("plain20_cifar10", input=CIFAR, paper=RESNET, depth=20)
@net("plain32_cifar10", input=CIFAR, paper=RESNET, depth=32)
@net("plain44_cifar10", input=CIFAR, paper=RESNET, depth=44)
@net("plain56_cifar10", input=CIFAR, paper=RESNET, depth=56)
@net("plain110_cifar10", input=CIFAR, paper=RESNET, depth=110)
def plain_cifar(depth: int, width: int = 16, classes: int = 10) -> Spec:
    """Section 4.2 of the paper, without shortcuts: 3x3 convolutions alone, the first of
    stages 2 and 3 with stride 2.
    """
    n, *_ = three_stages(depth, layers=2)
    return Sequential(
        stem=conv_norm_act(width),
        stage1=Stage(conv_norm_act(width), 2 * n),
        stage2=Stage(conv_norm_act(2 * width), 2 * n, 2),
        stage3=Stage(conv_norm_act(4 * width), 2 * n, 2),
        head=pooled(classes),
    )


@net("resnext29_32x4d_cifar10", input=CIFAR, paper=RESNEXT, depth=29, widen=2, groups=32)
@net("resnext29_8x64d_cifar10", input=CIFAR, paper=RESNEXT, depth=29, widen=8, groups=8)
@net("resnext29_16x64d_cifar10", input=CIFAR, paper=RESNEXT, depth=29, widen=16, groups=16)
def resnext_cifar(
    depth: int, width: int = 64, widen: float = 1, groups: int = 1, classes: int = 10
) -> Spec:
    """Section 5.3 of the paper: a 3x3 stem, three stages of (depth - 2) / 9 bottlenecks, a
    pooled head. The 3x3 convolutions are `widen` times as wide, in `groups`.
    """
    depths = three_stages(depth, layers=3)
    return Sequential(
        stem=conv_norm_act(width),
        **stages(depths, Bottleneck(width, groups=groups, widen=widen)),
        head=pooled(classes),
    )


def three_stages(depth: int, layers: int, ends: int = 2) -> tuple[int, int, int]:
    """Blocks of so many layers in each of three stages; `ends` layers are in none.

    >>> three_stages(110, layers=2)
    (18, 18, 18)
    """
    need_counts(depth=depth)
    n, rest = divmod(depth - ends, 3 * layers)
    if n < 1 or rest:
        some = ", ".join(str(3 * layers * n + ends) for n in (1, 2, 3, 6, 18))
        raise SpecError(f"depth is {depth}, wanted {3 * layers}n + {ends}, such as {some}")
    return n, n, n


def _with_drops(parts: dict[str, Sequential], drop: float, blocks: int) -> dict[str, Sequential]:
    """The same stages, bodies left out ever more often, up to `drop`."""
    rates = iter([drop * i / blocks for i in range(1, blocks + 1)])

    def dropping(block: Spec) -> BasicBlock:
        return replace(cast("BasicBlock", block), drop=next(rates))

    return {
        name: Sequential(*[dropping(block) for _, block in stage.parts])
        for name, stage in parts.items()
    }
