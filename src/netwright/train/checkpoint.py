"""Checkpoints: trees of numbers and tensors in one `.safetensors` file, without pickled code.

The tree (dicts with keys that JSON has, lists, numbers, texts) stands as JSON in the file's
metadata, with a name in place of every tensor. A file is written whole or not at all.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

from netwright.core.files import write_bytes
from netwright.errors import RunError

__all__ = ["read_checkpoint", "write_checkpoint"]

TENSOR, KEY = "tensor:", "netwright"


def write_checkpoint(path: Path, tree: Any) -> None:
    """Writes a tree of numbers, texts, lists, dicts and tensors; to the bit what is read again."""
    tensors: dict[str, Tensor] = {}
    record = json.dumps(_without_tensors(tree, tensors, "t"))
    write_bytes(path, save(tensors, metadata={KEY: record}))


def read_checkpoint(path: Path, device: torch.device | str = "cpu") -> Any:
    """The tree of a checkpoint; `RunError` for a file that is none."""
    try:
        with safe_open(path, framework="pt", device=str(device)) as file:  # type: ignore[no-untyped-call]
            record = json.loads((file.metadata() or {})[KEY])
            return _with_tensors(record, file)
    except (OSError, SafetensorError, ValueError, KeyError, RecursionError) as error:
        fault = (str(error).splitlines() or [type(error).__name__])[0]
        raise RunError(f"{path} is no readable checkpoint ({fault}); remove it to train that net "
                       "again") from None  # fmt: skip


def _without_tensors(tree: Any, tensors: dict[str, Tensor], name: str) -> Any:
    if isinstance(tree, Tensor):
        # Clones: safetensors refuses tensors that share memory, and tied weights do.
        tensors[name] = tree.detach().cpu().clone(memory_format=torch.contiguous_format)
        return TENSOR + name
    if isinstance(tree, dict):
        return {
            "dict": [[key, _without_tensors(value, tensors, f"{name}.{i}")]
                     for i, (key, value) in enumerate(tree.items())]
        }  # fmt: skip
    if isinstance(tree, list | tuple):
        return [_without_tensors(value, tensors, f"{name}.{i}") for i, value in enumerate(tree)]
    if isinstance(tree, str):
        return {"text": tree}
    if tree is None or isinstance(tree, bool | int | float):
        return tree
    raise TypeError(f"a checkpoint holds numbers, texts and tensors, got {type(tree).__name__}")


def _with_tensors(record: Any, file: Any) -> Any:
    if isinstance(record, str):
        return file.get_tensor(record.removeprefix(TENSOR))
    if isinstance(record, list):
        return [_with_tensors(value, file) for value in record]
    if isinstance(record, dict):
        if "text" in record:
            return record["text"]
        return {key: _with_tensors(value, file) for key, value in record["dict"]}
    return record
