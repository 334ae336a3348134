"""Other people's nets, to hold ours against: torchvision, timm and pytorchcv."""

from __future__ import annotations

import logging
import warnings
from functools import cache

import pytest

__all__ = ["peer"]


@cache
def _shim():
    """torchvision imports beside a CPU-only torch once the operators of its missing
    extension are declared; the library lives as long as the cache holds it."""
    import torch

    library = torch.library.Library("torchvision", "DEF")
    for name in ("nms", "qnms"):
        library.define(f"{name}(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
    return library


def peer(library: str, name: str, **options):
    """The net `name` of a library, its weights at random; skips where it is not installed."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        logging.disable(logging.ERROR)  # timm looks for a hub it does not need here
        try:
            if not hasattr(__import__("torch").ops.torchvision, "nms"):
                _shim()
            if library == "torchvision":
                models = pytest.importorskip("torchvision.models")
                return getattr(models, name)(weights=None, **options)
            if library == "timm":
                return pytest.importorskip("timm").create_model(name, **options)
            provider = pytest.importorskip("pytorchcv.model_provider")
            return provider.get_model(name, **options)
        finally:
            logging.disable(logging.NOTSET)
