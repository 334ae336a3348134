"""Rules for residual nets: plain to residual, basic to bottleneck, even to pyramidal."""

from __future__ import annotations

from dataclasses import replace
from itertools import count

from netwright.blocks.conv import ConvNormAct
from netwright.blocks.ordering import ORDERS, PRE_ACTIVATED, ResidualUnit
from netwright.blocks.preresnet import PreBasicBlock, PreBottleneck
from netwright.blocks.resnet import BasicBlock, Bottleneck
from netwright.core.net import Net
from netwright.core.rewrite import Site, everywhere, matches, replaced
from netwright.core.spec import Spec
from netwright.core.wiring import Sequential
from netwright.errors import RuleError
from netwright.nets.options import need_factors
from netwright.rules.registry import named
from netwright.units.conv import Conv

__all__ = ["bottleneck", "pyramid", "residual"]

_WIDE = (BasicBlock, Bottleneck, PreBasicBlock, PreBottleneck)


@named("residual")
def residual(net: Net, order: str = "original") -> Net:
    """Every two convolutions in a row with normalisation and activation get a shortcut, which
    costs nothing but a 1x1 convolution where the shape changes.

    He et al. 2015 (arXiv:1512.03385); `order` is one of the five of He et al. 2016
    (arXiv:1603.05027, figure 4): see `ResidualUnit`. Behind the last pre-activated unit stands
    the norm or activation that it lacks.
    """
    if order not in ORDERS:
        raise RuleError(f"order is {order!r}, wanted one of {', '.join(ORDERS)}")

    def change(site: Site, first: Spec, second: Spec) -> Spec | None:
        convs = tuple([conv for conv in map(_step, (first, second)) if conv is not None])
        if {conv.padding for conv in convs} != {"same"} or convs[1].stride != 1:
            return None
        return ResidualUnit(convs, order) if type(convs[0].stride) is int else None

    def fits(spec: Spec) -> bool:
        return _step(spec) is not None

    reordered = everywhere(net, change, fits, fits)
    return _closed(reordered) if order in PRE_ACTIVATED else reordered


def _step(spec: Spec) -> ConvNormAct | None:
    """A convolution with its activation, and norm if it has one, as one block; None for
    anything else.
    """
    if isinstance(spec, ConvNormAct):
        return spec if spec.act else None
    parts = dict(spec.parts) if isinstance(spec, Sequential) else {}
    conv = parts.pop("conv", None)
    if not isinstance(conv, Conv) or not {"act"} <= {*parts} <= {"norm", "act"}:
        return None
    block = ConvNormAct(
        conv.width, conv.kernel, conv.stride, conv.padding, conv.dilation, conv.groups,
        parts.get("norm"), parts["act"], conv.border, conv.bias,
    )  # fmt: skip
    return block if block.conv() == conv else None


def _closed(net: Net) -> Net:
    """The net with norm and activation behind its last unit."""
    path, unit = matches(net, ResidualUnit)[-1]
    assert isinstance(unit, ResidualUnit)
    last = unit.convs[-1]
    norm = {} if last.norm is None or unit.order != PRE_ACTIVATED[1] else {"norm": last.norm}
    act = {} if last.act is None else {"act": last.act}
    return replaced(net, path, Sequential(unit=unit, **norm, **act))


@named("bottleneck")
def bottleneck(net: Net, expansion: int = 4) -> Net:
    """Every basic block becomes a bottleneck of the same width, its output `expansion` times
    as wide (He et al. 2015, arXiv:1512.03385, figure 5).
    """

    def change(site: Site, spec: Spec) -> Spec | None:
        assert isinstance(spec, BasicBlock)
        return Bottleneck(
            spec.width, spec.stride, expansion=expansion, shortcut=spec.shortcut,
            attention=spec.attention, place=spec.place, drop=spec.drop,
        )  # fmt: skip

    return everywhere(net, change, BasicBlock)


@named("pyramid")
def pyramid(net: Net, alpha: float = 0.0) -> Net:
    """Every residual block is a little wider than the one before it: block i of N has
    w + alpha i / N channels, w the first one's width, where stages had steps.

    Han et al. 2016 (arXiv:1610.02915), equation 3. Without `alpha` the last block keeps its
    width. Shortcuts pad with zeros where the blocks can (option A). Widths are rounded to
    what the groups divide; parameters and MACs follow the widths' squares.
    """
    blocks = [spec for _, spec in matches(net, lambda spec: type(spec) in _WIDE)]
    widths = [spec.width for spec in blocks if isinstance(spec, _WIDE)]
    if len(widths) < 2:
        raise RuleError(f"{net.name} has no two residual blocks")
    rise = alpha or widths[-1] - widths[0]
    need_factors(alpha=rise)
    steps = iter([widths[0] + rise * i / len(widths) for i in range(1, len(widths) + 1)])

    def change(site: Site, spec: Spec) -> Spec | None:
        assert isinstance(spec, _WIDE)
        width = _divided(spec, round(next(steps)))
        if isinstance(spec, BasicBlock | Bottleneck):
            return replace(spec, width=width, shortcut="A")
        return replace(spec, width=width)

    return everywhere(net, change, lambda spec: type(spec) in _WIDE)


def _divided(spec: Spec, width: int) -> int:
    """The width nearest to `width` whose 3x3 the groups of a block divide."""
    groups, widen = (spec.groups, spec.widen) if isinstance(spec, Bottleneck) else (1, 1)
    near = (n for away in count() for n in (width - away, width + away))
    return next(n for n in near if int(n * widen) >= groups and int(n * widen) % groups == 0)
