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
from netwright.core.net import Net
from netwright.core.rewrite import Site, everywhere
from netwright.core.spec import Spec
from netwright.core.wiring import Sequential, Sum
from netwright.units.activation import Identity

__all__ = ["attended"]

_INCEPTIONS = (GridReduction, Inception, InceptionA, InceptionB, InceptionC, NaiveInception)


def attended(net: Net, attention: Spec) -> Net:
    """The net with `attention` at the end of every residual body, and behind every Inception
    block (Hu et al. 2017, arXiv:1709.01507, figures 2 and 3).

    Blocks that have a field for it keep their names; of others the body is extended.
    Raises `RuleError` where the net has neither.
    """

    def change(site: Site, spec: Spec) -> Spec | None:
        if isinstance(spec, _INCEPTIONS):
            return Sequential(mixed=spec, attention=attention)
        if isinstance(spec, Sum):
            return spec.put(body=Sequential(body=spec.part("body"), attention=attention))
        return replace(spec, attention=attention)  # type: ignore[call-arg]

    return everywhere(net, change, _has_place)


def _has_place(spec: Any) -> bool:
    if isinstance(spec, Sum):
        return "body" in spec.names and not isinstance(spec.part("body"), Identity)
    return isinstance(spec, _INCEPTIONS) or "attention" in spec.field_names
