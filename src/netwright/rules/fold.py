"""The rule that takes batch norms into the weights before them."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from typing import Any

from netwright.blocks.conv import ConvNormAct
from netwright.core.graph import Shared
from netwright.core.net import Net
from netwright.core.plan import Row
from netwright.core.rewrite import Site, below, everywhere, matches
from netwright.core.spec import Spec
from netwright.core.wiring import Sequential
from netwright.errors import RuleError
from netwright.rules.registry import named
from netwright.units.activation import Identity
from netwright.units.conv import Conv, TransposedConv
from netwright.units.deform import DeformableConv
from netwright.units.linear import Linear
from netwright.units.norm import BatchNorm

__all__ = ["fold_norm", "foldable"]

_PRODUCTS = (Conv, DeformableConv, Linear, TransposedConv)


@named("fold-norm")
def fold_norm(net: Net) -> Net:
    """Every batch norm directly behind a convolution or dense unit that nothing else reads is
    folded into its weights and bias; other norms stay.

    2 C parameters less and a bias more each, for inference; `netwright.building.folded` moves
    the weights of a trained module along. A shared convolution folds where all its uses have
    the same shared norm behind them.
    """
    pairs = foldable(net)
    if not pairs:
        raise RuleError(
            f"{net.name} has no batch norm directly behind a convolution or dense unit that "
            "nothing else reads"
        )
    products = {*pairs.values()}

    def change(site: Site, spec: Spec) -> Spec | None:
        if isinstance(spec, ConvNormAct):
            return replace(spec, norm=None) if below(site.path, "norm") in pairs else None
        if site.path in pairs:
            return Sequential()
        biased: Any = spec
        return replace(biased, bias=True) if site.path in products else None

    def fits(spec: Spec) -> bool:
        return isinstance(spec, BatchNorm) or "bias" in spec.field_names

    return everywhere(net, change, fits)


def foldable(net: Net) -> dict[str, str]:
    """Paths of the batch norms that can be folded, each with the path of what it goes into."""
    whole = Net(Sequential(whole=net.spec, out=Identity()), net.input)  # reads the output, too
    rows = whole.plan().rows
    shared = [(path, spec) for path, spec in matches(whole, Shared)]
    readers = defaultdict[int, list[int]](list)
    uses = defaultdict[tuple[str, str], list[int]](list)
    for i, row in enumerate(rows):
        uses[_weights(row, shared)].append(i)
        for source in row.sources:
            readers[source].append(i)

    def norm_of(these: list[int]) -> list[int] | None:
        """The uses of the norm that follows all these uses of a product, and only them."""
        behind = [reader for i in these for reader in readers[i]]
        if len(behind) != len(these) or not all(map(_folds, these, behind)):
            return None
        norm = uses[_weights(rows[behind[0]], shared)]
        return norm if sorted(norm) == sorted(behind) else None

    def _folds(product: int, norm: int) -> bool:
        row, after = rows[product], rows[norm]
        channels = type(row.unit) is not Linear or len(row.input) == 1
        same = row.output == after.input  # not a step of time, then the sequence
        return (
            channels and same and isinstance(after.unit, BatchNorm) and after.sources == (product,)
        )

    pairs: dict[str, str] = {}
    for these in uses.values():
        norms = norm_of(these) if type(rows[these[0]].unit) in _PRODUCTS else None
        for norm in norms or ():
            (product,) = rows[norm].sources
            pairs[_own(rows[norm].path)] = _own(rows[product].path)
    return pairs


def _weights(row: Row, shared: list[tuple[str, Spec]]) -> tuple[str, str]:
    """Which weights a row has: its path, or the key they are shared by and the path in there."""
    inside = [(path, spec) for path, spec in shared if row.path.startswith(path + ".")]
    if not inside:
        return "", row.path
    path, spec = max(inside, key=lambda each: len(each[0]))
    assert isinstance(spec, Shared)
    return spec.key, row.path.removeprefix(path)


def _own(path: str) -> str:
    """A path in the whole as one in the net."""
    return path.removeprefix("whole").removeprefix(".")
