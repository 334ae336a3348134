"""Rules for the two ends of a net: its stem and its head."""

from __future__ import annotations

from dataclasses import replace

from netwright.core.classifier import reclassed
from netwright.core.graph import Tap
from netwright.core.net import Net
from netwright.core.rewrite import Site, below, everywhere, need_part, replaced
from netwright.core.shape import per_axis
from netwright.core.spec import Spec
from netwright.core.wiring import Sequential
from netwright.errors import RuleError
from netwright.nets.heads import pooled
from netwright.nets.options import need_counts
from netwright.rules.factorise import Step, seven_by_three
from netwright.rules.pools import first
from netwright.rules.registry import named
from netwright.rules.scale import positions
from netwright.units.activation import Identity
from netwright.units.conv import Conv
from netwright.units.linear import Flatten, Linear
from netwright.units.pool import AdaptiveAvgPool, GlobalAvgPool
from netwright.units.weight_norm import Reweighted

__all__ = [
    "auxiliary",
    "channels",
    "classes",
    "conv_head",
    "pooled_head",
    "stem_stride_one",
    "stem_three",
]


@named("stem-stride-1")
def stem_stride_one(net: Net) -> Net:
    """The first convolution moves by one position (ResNet-18-B keeps the max pool).

    Zhu et al. 2019, ScratchDet (arXiv:1810.08425), table 4.
    """
    row = first(net, Conv)
    assert isinstance(row.unit, Conv)
    if set(per_axis(row.unit.stride, len(row.input) - 1, "stride")) == {1}:
        raise RuleError(f"the first convolution of {net.name} moves by one position already")

    def change(site: Site, spec: Spec) -> Spec | None:
        assert isinstance(spec, Step)
        first = row.path in (site.path, below(site.path, "conv"))
        return replace(spec, stride=1, padding="same") if first else None

    return everywhere(net, change, lambda spec: isinstance(spec, Step))


@named("stem-3x3")
def stem_three(net: Net) -> Net:
    """The 7x7 convolution of the stem becomes three 3x3, as in Root-ResNet and Inception-v4: from
    C to N channels 9 N (C + 2 N) weights for 49 C N, eight times as many from 3 to 64.
    """
    row = first(net, Conv)
    assert isinstance(row.unit, Conv)
    if set(per_axis(row.unit.kernel, len(row.input) - 1)) != {7}:
        raise RuleError(f"the first convolution of {net.name} is {row.unit!r}, wanted 7x7")
    return seven_by_three(net)


@named("classes")
def classes(net: Net, number: int) -> Net:
    """The classifier and every auxiliary head say another number of classes."""
    return reclassed(net, number)


@named("channels")
def channels(net: Net, number: int) -> Net:
    """The net takes images of another number of channels; the kernels of the first convolution
    are as many deep: k^2 width parameters a channel.
    """
    need_counts(number=number)
    axis = positions(net)[0] - 1  # time may come first
    return replace(net, input=(*net.input[:axis], number, *net.input[axis + 1 :]))


@named("gap-head")
def pooled_head(net: Net) -> Net:
    """Flatten and the dense units behind it become global average pooling and one dense unit,
    with a bias where the last had one.

    Lin et al. 2013 (arXiv:1312.4400), section 3.2.
    """
    rows = net.plan().rows
    flat = [row for row in rows if isinstance(row.unit, Flatten) and not row.auxiliary]
    if not flat or len(flat[-1].input) < 2:
        raise RuleError(f"{net.name} has no flattened head")
    number = net.plan().output[-1]
    head = _tail(net, flat[-1].path)
    units = [_dense(row.unit) for row in rows if row.path.startswith(head + ".")]
    biases = [unit.bias for unit in units if unit is not None]
    return replaced(net, head, pooled(number, bias=biases[-1] if biases else True))


def _tail(net: Net, flat: str) -> str:
    """The path of the part that holds the whole head: the Sequential around Flatten."""
    path = flat.rpartition(".")[0]
    if not path:
        raise RuleError(f"the head of {net.name} is no part of its own; put it into a Sequential")
    inside = [row.path for row in net.plan().rows if row.path.startswith(path + ".")]
    if inside[-1] != net.plan().rows[-1].path:
        raise RuleError(f"{path} is not the end of {net.name}")
    return path


@named("conv-head")
def conv_head(net: Net) -> Net:
    """The dense head becomes convolutions, so that the net scans larger images.

    Sermanet et al. 2013 (arXiv:1312.6229). A grid pool before it goes; the first dense unit
    becomes a convolution as large as the map, the others 1x1; the output is (classes, H', W').
    """
    rows = {row.path: row for row in net.plan().rows}
    sizes: dict[str, tuple[int, ...]] = {}
    kernel: tuple[int, ...] | None = None
    for row in rows.values():
        if isinstance(row.unit, Flatten | GlobalAvgPool | AdaptiveAvgPool) and len(row.input) > 1:
            kernel = row.input[1:] if isinstance(row.unit, Flatten) else (1,) * len(row.input[1:])
        elif _dense(row.unit) and kernel is not None:
            sizes[row.path], kernel = kernel, (1,) * len(kernel)
    if not sizes:
        raise RuleError(f"{net.name} has no dense unit behind a map")

    def change(site: Site, spec: Spec) -> Spec | None:
        dense = _dense(spec)
        if dense and site.path in sizes:
            conv = Conv(dense.width, sizes[site.path], padding=0, bias=dense.bias)
            return replace(spec, of=conv) if isinstance(spec, Reweighted) else conv
        if isinstance(spec, GlobalAvgPool):
            return GlobalAvgPool(keep=True)
        same = isinstance(spec, AdaptiveAvgPool) and rows[site.path].input == rows[site.path].output
        return Identity() if isinstance(spec, Flatten) or same else None

    kinds = Linear | Flatten | GlobalAvgPool | AdaptiveAvgPool | Reweighted
    return everywhere(net, change, lambda spec: isinstance(spec, kinds))


def _dense(spec: Spec) -> Linear | None:
    """The dense unit that a spec is, reweighted or not."""
    of = spec.of if isinstance(spec, Reweighted) else spec
    return of if isinstance(of, Linear) else None


@named("aux-head")
def auxiliary(net: Net, path: str, weight: float = 0.3) -> Net:
    """An auxiliary head behind the part at `path`, its loss weighed by `weight`.

    Szegedy et al. 2014 (arXiv:1409.4842), section 5; Lee et al. 2014 (arXiv:1409.5185).
    """
    need_part(net, path)
    number = net.plan().output[-1]

    def change(site: Site, spec: Spec) -> Spec | None:
        if site.path != path:
            return None
        return Sequential(body=spec, aux=Tap(pooled(number), weight))

    return everywhere(net, change, lambda spec: True)
