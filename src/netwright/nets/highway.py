"""Highway nets for CIFAR-10."""

from __future__ import annotations

from netwright.blocks.conv import ConvNormAct
from netwright.blocks.highway import Highway
from netwright.core.spec import Spec
from netwright.core.wiring import Sequential
from netwright.nets.fitnet import FOUR
from netwright.nets.heads import pooled
from netwright.nets.options import need_counts
from netwright.nets.registry import Paper, net
from netwright.nets.resnet_cifar import CIFAR
from netwright.units.pool import MaxPool

__all__ = ["highway"]

HIGHWAY = Paper("Training Very Deep Networks", "Srivastava, Greff, Schmidhuber", 2015, "1507.06228")
THIN = ((19,) * 10, (38,) * 10, (76,) * 10)


@net("highway19_cifar10", input=CIFAR, paper=HIGHWAY, widths=FOUR)
@net("highway32_cifar10", input=CIFAR, paper=HIGHWAY, widths=THIN)
def highway(
    widths: tuple[tuple[int, ...], ...], gate_bias: float = -2.0, classes: int = 10
) -> Spec:
    """The paper's nets for CIFAR-10: three stages of 3x3 layers of these widths with 2x2 pools
    between, a pooled head. Where the width changes stands a plain convolution with ReLU,
    elsewhere a `Highway` layer.

    The net of 19 layers has the widths of FitNet-4 (Romero et al. 2014), the pooled head in the
    place of its hidden layer, and the published 2.3 M parameters. The paper gives 32 layers and
    1.25 M parameters without the widths; 19, 38 and 76 come nearest (1.26).
    """
    parts: dict[str, Spec] = {}
    width = 0
    for i, row in enumerate(widths, 1):
        need_counts(widths=row)
        layers: list[Spec] = []
        for wanted in row:
            same = wanted == width
            layers.append(Highway(gate_bias=gate_bias) if same else _plain(wanted))
            width = wanted
        parts[f"stage{i}"] = Sequential(*layers)
        if i < len(widths):
            parts[f"pool{i}"] = MaxPool(2)
    return Sequential(**parts, head=pooled(classes))


def _plain(width: int) -> ConvNormAct:
    return ConvNormAct(width, norm=None)
