"""Rules that take away what does nothing, and set a single width."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

from netwright.blocks.conv import ConvNormAct
from netwright.core.classifier import rewidthed
from netwright.core.net import Net
from netwright.core.rewrite import Site, below, everywhere, need_part, replaced
from netwright.core.spec import Spec
from netwright.core.wiring import Sequential
from netwright.errors import RuleError, SpecError
from netwright.nets.options import need_counts
from netwright.rules.registry import named
from netwright.units.conv import Conv
from netwright.units.linear import Linear
from netwright.units.norm import BatchNorm

__all__ = ["no_bias", "width", "without"]


@named("without")
def without(net: Net, path: str | int) -> Net:
    """The part at `path` is taken out of the chain it stands in.

    Tails behind the critical layer learn next to nothing (Richter et al. 2021,
    arXiv:2106.12307).
    """
    path = str(path)
    above, _, name = path.rpartition(".")
    need_part(net, path)

    def change(site: Site, spec: Spec) -> Spec | None:
        if site.path != above or not isinstance(spec, Sequential) or name not in spec.names:
            return None
        kept = tuple([(own, part) for own, part in spec.parts if own != name])
        if not kept:
            raise RuleError(f"{path} is all of its chain; take out the chain instead")
        return spec.over(kept)

    try:
        return everywhere(net, change, Sequential)
    except RuleError as error:
        if "nothing in" not in str(error):
            raise
        raise RuleError(f"{path} stands in no Sequential, nothing would close the gap") from None


@named("width")
def width(net: Net, path: str | int, channels: int) -> Net:
    """The unit or block at `path` gets another width; what follows reads as many channels."""
    path = str(path)
    need_counts(channels=channels)
    spec = need_part(net, path)
    try:
        wider = rewidthed(spec, channels)
    except SpecError as error:
        raise RuleError(f"at {path} of {net.name}: {error}") from None
    if wider is None:
        raise RuleError(f"{path} is {spec!r}, which has no width")
    return replaced(net, path, wider)


@named("no-bias")
def no_bias(net: Net) -> Net:
    """Convolutions and dense units directly before a batch norm lose their bias, which the
    norm takes away again: as many parameters less as they are wide.
    """
    rows = net.plan().rows
    readers = Counter(source for row in rows for source in row.sources)
    idle = {
        rows[row.sources[0]].path
        for row in rows
        if isinstance(row.unit, BatchNorm) and row.sources[0] >= 0 and readers[row.sources[0]] == 1
    }

    def change(site: Site, spec: Spec) -> Spec | None:
        own = below(site.path, "conv") if isinstance(spec, ConvNormAct) else site.path
        biased = isinstance(spec, ConvNormAct | Conv | Linear) and spec.bias
        return replace(spec, bias=False) if biased and own in idle else None  # type: ignore[type-var]

    return everywhere(net, change, lambda spec: isinstance(spec, ConvNormAct | Conv | Linear))
