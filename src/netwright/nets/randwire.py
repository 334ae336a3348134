"""RandWire: nets of randomly wired stages."""

from __future__ import annotations

from netwright.blocks.conv import conv_norm
from netwright.blocks.random_graph import BarabasiAlbert, ErdosRenyi, RandomGraph, WattsStrogatz
from netwright.blocks.randwire import RandomStage
from netwright.core.spec import Spec
from netwright.core.wiring import Sequential
from netwright.nets.heads import pooled
from netwright.nets.options import need_counts
from netwright.nets.registry import Paper, net
from netwright.units.activation import ReLU

__all__ = ["randwire"]

RANDWIRE = Paper(
    "Exploring Randomly Wired Neural Networks for Image Recognition",
    "Xie, Kirillov, Girshick, He",
    2019,
    "1904.01569",
)
IMAGENET = (3, 224, 224)
SMALL, REGULAR = (32, 32, 32), (16, 32, 32, 32)
WS, ER, BA = WattsStrogatz(4, 0.75), ErdosRenyi(0.2), BarabasiAlbert(5)


@net("randwire_ws_small", input=IMAGENET, paper=RANDWIRE, graph=WS)
@net("randwire_er_small", input=IMAGENET, paper=RANDWIRE, graph=ER)
@net("randwire_ba_small", input=IMAGENET, paper=RANDWIRE, graph=BA)
@net("randwire_ws_regular", input=IMAGENET, paper=RANDWIRE, graph=WS, nodes=REGULAR, width=109)
@net("randwire_er_regular", input=IMAGENET, paper=RANDWIRE, graph=ER, nodes=REGULAR, width=109)
@net("randwire_ba_regular", input=IMAGENET, paper=RANDWIRE, graph=BA, nodes=REGULAR, width=109)
def randwire(
    graph: RandomGraph,
    nodes: tuple[int, ...] = SMALL,
    width: int = 78,
    seed: int = 0,
    dropout: float = 0.0,
    classes: int = 1000,
) -> Spec:
    """Table 1 of the paper: a 3x3 convolution, a second one in the small nets of three stages,
    a random graph of `nodes[i]` nodes for stage i, each twice as wide as the one before it, a
    1x1 convolution, a pooled head.

    Stage i draws its graph from `seed` + i. The paper's numbers are means of five graphs; its
    regular nets are of WS alone.
    """
    need_counts(nodes=nodes, width=width)
    small = {"conv2": _pre_conv(width, 3, 2)} if len(nodes) < len(REGULAR) else {}
    stages = {
        f"stage{i + 1}": RandomStage(graph, width * 2**i, n, seed=seed + i)
        for i, n in enumerate(nodes)
    }
    return Sequential(
        conv1=conv_norm(width // 2, 3, 2),
        **small,
        **stages,
        last=_pre_conv(1280, 1),
        head=pooled(classes, dropout),
    )


def _pre_conv(width: int, kernel: int, stride: int = 1) -> Sequential:
    """ReLU, convolution, batch norm."""
    return Sequential(act=ReLU(), conv=conv_norm(width, kernel, stride))
