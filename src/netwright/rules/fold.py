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
    whole = Net(Sequential(whole=net.spec, out=Identity()), net.input)  # `out` reads the output
    rows = whole.plan().rows
    keys = {path: spec.key for path, spec in matches(whole, Shared) if isinstance(spec, Shared)}
    weights = [_weights(row.path, keys) for row in rows]
    readers = defaultdict[int, list[int]](list)
    uses = defaultdict[tuple[str, str], list[int]](list)
    for i, row in enumerate(rows):
        uses[weights[i]].append(i)
        for source in row.sources:
            readers[source].append(i)
    pairs: dict[str, str] = {}
    for these in uses.values():
        behind = [reader for i in these for reader in readers[i]]
        if len(behind) != len(these) or uses[weights[behind[0]]] != sorted(behind):
            continue  # read elsewhere, or before several norms, or a norm of others too
        if all(rows[j].sources == (i,) and _folds(rows[i], rows[j])
               for i, j in zip(these, behind, strict=True)):  # fmt: skip
            pairs |= {_own(rows[j].path): _own(rows[i].path)
                      for i, j in zip(these, behind, strict=True)}  # fmt: skip
    return pairs


def _folds(row: Row, norm: Row) -> bool:
    """Whether a norm has a channel for every output of the product before it."""
    if type(row.unit) not in _PRODUCTS or not isinstance(norm.unit, BatchNorm):
        return False
    steps = type(row.unit) is Linear and len(row.input) > 1
    return not steps and row.output == norm.input  # not a step, and the whole sequence behind it


def _weights(path: str, keys: dict[str, str]) -> tuple[str, str]:
    """Which weights the row at `path` has: its own, or those that a key and the path in there
    name.
    """
    inside = max((where for where in keys if path.startswith(where + ".")), key=len, default=None)
    return ("", path) if inside is None else (keys[inside], path.removeprefix(inside))


def _own(path: str) -> str:
    """A path in the whole as one in the net."""
    return path.removeprefix("whole").removeprefix(".")
