"""Other people's nets, to hold ours against: torchvision, timm, pytorchcv and others."""

from __future__ import annotations

import importlib
import logging
import sys
import warnings
from contextlib import contextmanager
from functools import cache
from operator import attrgetter

import pytest
import torch

__all__ = ["library", "peer"]

MODULES = {
    "torchvision": "torchvision.models",
    "timm": "timm",
    "pytorchcv": "pytorchcv.model_provider",
}

LITE = "efficientnet_lite_pytorch"


def peer(library: str, name: str, **options):
    """The net `name` of a library, or of a module of one, with random weights; skips where it
    is not installed."""
    with _quiet():
        module = _imported(library)
        if library == "torchvision":
            return attrgetter(name)(module)(weights=None, **options)
        if library == LITE:
            return module.EfficientNet.from_name(name, **options)
        if library not in MODULES:
            return getattr(module, name)(**options)
        make = module.create_model if library == "timm" else module.get_model
        return make(name, **options)


def library(name: str):
    """The library itself; skips where it is not installed."""
    with _quiet():
        return _imported(name)


@cache
def _imported(library: str):
    _import_torchvision()  # timm and pytorchcv import it too
    return pytest.importorskip(MODULES.get(library, library))


@cache
def _import_torchvision() -> torch.library.Library | None:
    """Beside a torch of another build torchvision misses its compiled operators; it imports
    once they are declared. They stay declared as long as the cache holds the library."""
    try:
        importlib.import_module("torchvision")
    except ImportError:
        return None
    except RuntimeError as error:
        if "torchvision::nms" not in str(error):
            raise
    else:
        return None
    for name in [name for name in sys.modules if name.startswith("torchvision")]:
        del sys.modules[name]
    operators = torch.library.Library("torchvision", "DEF")
    for name in ("nms", "qnms"):
        operators.define(f"{name}(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
    importlib.import_module("torchvision")
    return operators


@contextmanager
def _quiet():
    """Peers warn when they are imported and made; that is their business."""
    logging.disable(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(logging.NOTSET)
