"""Attention behind every block of a net that was made without it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from netwright.blocks.inception import (
    GridReduction,
    Inception,
    InceptionA,
    InceptionB,
    InceptionC,
)
from netwright.blocks.inception_naive import NaiveInception
from netwright.core.join import Mul
from netwright.core.net import Net
from netwright.core.rewrite import Site, below, everywhere
from netwright.core.spec import Spec
from netwright.core.wiring import Sequential, Sum
from netwright.errors import RuleError
from netwright.units.activation import Identity

__all__ = ["attended"]

_INCEPTIONS = (GridReduction, Inception, InceptionA, InceptionB, InceptionC, NaiveInception)


def attended(net: Net, attention: Spec) -> Net:
    """The net with `attention` at the end of every residual body, and behind every Inception
    block (Hu et al. 2017, arXiv:1709.01507, figures 2 and 3).

    Blocks that have a field for it keep their names; of others the body is extended. What has
    attention already, or gates of another kind, stays as it is. Raises `RuleError` where
    nothing is left.
    """
    gates = [row.path for row in net.plan() if isinstance(row.unit, Mul)]
    stays: list[str] = []
    places: list[str] = []

    def gated(path: str) -> bool:
        return any(gate == path or gate.startswith(path + ".") for gate in gates)

    def change(site: Site, spec: Any) -> Spec | None:
        beside = below(site.path.rpartition(".")[0], "attention")  # where a mixed block has it
        if isinstance(spec, _INCEPTIONS):
            has = gated(site.path) or gated(beside)
        elif isinstance(spec, Sum):
            has = gated(below(site.path, "body"))
        else:
            has = spec.attention is not None
        if has:
            stays.append(site.path)
            return None if isinstance(spec, Sum) else spec
        places.append(site.path)
        if isinstance(spec, _INCEPTIONS):
            return Sequential(mixed=spec, attention=attention)
        if isinstance(spec, Sum):
            return spec.put(body=Sequential(body=spec.part("body"), attention=attention))
        return replace(spec, attention=attention)

    try:
        return everywhere(net, change, _has_place)
    except RuleError as error:
        if places or not stays:
            raise
        raise RuleError(f"{error}: {stays[0]} has attention already, which stays") from None


def _has_place(spec: Any) -> bool:
    if isinstance(spec, Sum):
        return "body" in spec.names and not isinstance(spec.part("body"), Identity)
    return isinstance(spec, _INCEPTIONS) or "attention" in spec.field_names
