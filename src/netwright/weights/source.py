"""Where weights come from: a file, a run folder, torchvision, timm, an installed package."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from torch import Tensor

from netwright.core.files import read_text
from netwright.core.net import Net
from netwright.data.image import Preprocessing
from netwright.errors import DataError, WeightsError, nearest
from netwright.weights.hub import from_timm, from_torchvision
from netwright.weights.index import Known, known, names
from netwright.weights.local import from_package
from netwright.weights.preprocess import of_table, of_timm
from netwright.weights.tensors import printed, read_tensors, unfit

__all__ = ["Source", "opened", "read_state"]

WRAPPERS = ("state_dict", "model_state_dict", "model_state", "model", "net", "weights")
"""Under which trainers keep the state_dict in a checkpoint."""
DEPTH = 3
"""Wrappers in wrappers that are taken off."""
PREFIXES = ("module.", "_orig_mod.", "model.")
"""What wrappers of modules put before every key."""
RENAMED = ((re.compile(r"(denselayer\d+\.(?:norm|conv))\.(?=[12]\.)"), r"\1"),)
"""Keys of old files that their libraries rename too: torchvision's DenseNets."""


@dataclass(frozen=True)
class Source:
    """Tensors by their keys there, where they are from, what their images go through, and the
    licence and what timm calls their `model`, empty where nobody tells it.

    `ordered` says whether the keys come in the order in which their net was made.
    """

    state: Mapping[str, Tensor]
    name: str
    preprocess: Preprocessing | None = None
    ordered: bool = False
    licence: str = ""
    model: str = ""


def opened(net: Net, weights: str | Path) -> Source:
    """The weights that a path or a name stands for; `WeightsError` where there are none."""
    path = Path(weights)
    if str(weights) and path.is_dir():
        return _folder(path)
    if str(weights) and path.exists():
        ordered = path.suffix != ".safetensors"  # those are sorted by name
        return Source(read_state(path), str(path), _preprocess_beside(path), ordered)
    library, _, name = str(weights).partition("/")
    if library == "torchvision" and name:
        return _torchvision(net, name)
    if library == "timm" and name:
        return _timm(net, name)
    if library == "package" and name:
        return _package(net, name)
    there = names(pattern=net.origin)
    hint = f"; nw.weights({net.name!r}) lists {len(there)}, such as {there[-1]}" if there else ""
    raise WeightsError(f"no weights {str(weights)!r}: no such file or run folder, and not of the "
                       f"form torchvision/TAG, timm/NAME.TAG or package/NAME{hint}")  # fmt: skip


def _torchvision(net: Net, name: str) -> Source:
    weights = _weights(net, "torchvision", name)
    path = from_torchvision(weights.file)
    preprocess = of_table(weights.facts)
    return Source(read_state(path), weights.name, preprocess, ordered=True, licence=weights.licence)


def _package(net: Net, name: str) -> Source:
    weights = _weights(net, "package", name)
    preprocess = of_table(weights.facts)
    state = read_state(from_package(weights))
    return Source(state, weights.name, preprocess, ordered=True, licence=weights.licence)


def _timm(net: Net, name: str) -> Source:
    full = f"timm/{name}" if "." in name else _weights(net, "timm", name).name
    path, file = from_timm(full)
    config = _json(file)
    licence = next((weights.licence for weights in known() if weights.name == full), "")
    return Source(read_state(path), full, _preprocess(config), licence=licence,
                  model=str(config.get("architecture", "")))  # fmt: skip


def _weights(net: Net, library: str, name: str) -> Known:
    """The weights called MODEL.TAG, or TAG of the net's own."""
    ours = [weights for weights in known() if weights.library == library]
    for weights in ours:
        if weights.name == f"{library}/{name}" or (name, net.origin) == (weights.tag, weights.net):
            return weights
    own = [weights.tag or weights.model for weights in ours if weights.net == net.origin]
    if not own:
        raise WeightsError(f"{library} has no weights for {net.name} that we know of; wanted a "
                           f"full name such as {ours[0].name}, or a path")  # fmt: skip
    raise nearest(f"tag of {library}'s {net.name}", name, own)


def _preprocess(config: Mapping[str, Any]) -> Preprocessing | None:
    """What a `config.json` says; None where it says nothing, or what we cannot do."""
    try:
        return of_timm(config.get("pretrained_cfg", config))
    except (KeyError, TypeError, DataError):
        return None


def _folder(path: Path) -> Source:
    """A run folder of `netwright fit`, or a folder as timm's are on the hub."""
    files = [path / name for name in ("weights.safetensors", "model.safetensors")]
    file = next((file for file in files if file.exists()), None)
    if file is None:
        raise WeightsError(f"{path} holds no weights: wanted a finished run folder, with "
                           "weights.safetensors, or model.safetensors")  # fmt: skip
    config = file.with_name("config.json")
    model = str(_json(config).get("architecture", "")) if config.exists() else ""
    return Source(read_state(file), str(path), _preprocess_beside(file), model=model)


def _preprocess_beside(file: Path) -> Preprocessing | None:
    """What is said of the images beside a file, or by its name."""
    run, config = file.with_name("run.json"), file.with_name("config.json")
    if file.name == "weights.safetensors" and run.exists():
        try:
            return Preprocessing.from_json(_json(run)["preprocessing"])
        except (KeyError, TypeError):
            raise WeightsError(f"{run} does not say what its images went through") from None
    if file.name == "model.safetensors" and config.exists():
        return _preprocess(_json(config))
    return next((of_table(k.facts) for k in known() if k.file == file.name), None)


def _json(path: Path) -> dict[str, Any]:
    try:
        record = json.loads(read_text(path))
    except OSError as error:
        raise WeightsError(f"{path} cannot be read: {error.strerror}") from None
    except (ValueError, RecursionError) as error:
        raise WeightsError(f"{path} cannot be read: it is no JSON ({error})") from None
    if not isinstance(record, dict):
        raise WeightsError(f"{path} is no JSON object")
    return record


def read_state(path: Path) -> dict[str, Tensor]:
    """The tensors of a `.safetensors` file or of one that `torch.save` wrote.

    The latter is read with `weights_only`: code in it is never run. Wrappers of checkpoints
    and of modules are taken off.
    """
    content = read_tensors(path)
    state = _unwrapped(content)
    if not state:
        inside = type(content).__name__
        if isinstance(content, Mapping):
            inside = ", ".join(printed(key) for key in cast("Mapping[Any, Any]", content))
        raise WeightsError(f"{path} holds no state_dict but {inside[:120] or 'nothing'}")
    for key, value in state.items():
        if fault := unfit(value):
            raise WeightsError(f"{path}: {printed(key)} {fault}")
    for prefix in PREFIXES:
        if all(key.startswith(prefix) for key in state):
            state = {key.removeprefix(prefix): value for key, value in state.items()}
    for pattern, put in RENAMED:
        state = {pattern.sub(put, key): value for key, value in state.items()}
    return state


def _unwrapped(content: Any, depth: int = 0) -> dict[str, Tensor]:
    """The first state_dict inside; `DEPTH` ends what goes in circles."""
    if not isinstance(content, Mapping) or depth > DEPTH:
        return {}
    mapping = cast("Mapping[str, Any]", content)
    inside = (_unwrapped(mapping[name], depth + 1) for name in WRAPPERS if name in mapping)
    tensors = {str(key): value for key, value in mapping.items() if isinstance(value, Tensor)}
    return next(filter(None, inside), tensors)
