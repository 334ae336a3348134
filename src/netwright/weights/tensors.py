"""What a file of tensors holds, read within bounds; nothing in it is ever run."""

from __future__ import annotations

import pickle
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from zipfile import ZipFile, is_zipfile

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor

from netwright.core.machine import memory
from netwright.errors import WeightsError

__all__ = ["printed", "read_tensors", "strange", "unfit"]

CODE = re.compile("GLOBAL|reduce|Can only")
"""What PyTorch's messages say of pickles that make other things than tensors."""
LONG = 200
"""Characters of a key that are shown."""
SCRIPT = "constants.pkl"
"""A file that TorchScript's archives have, and those of torch.save have not."""


def read_tensors(path: Path, device: str | torch.device = "cpu") -> Any:
    """What a `.safetensors` file holds, or one that `torch.save` wrote.

    The latter is read with `weights_only`: code in it is never run. Raises `WeightsError`,
    with a reason of ours: PyTorch's speak of its own arguments.
    """
    if not path.is_file():
        what = "a pipe or device, wanted a file" if path.exists() else "no such file"
        raise WeightsError(f"{path} cannot be read: {what}")
    try:
        if path.suffix == ".safetensors":
            return load_file(path, str(device))
        _check(path)
        return torch.load(path, map_location=device, weights_only=True)
    except pickle.UnpicklingError as error:
        if not CODE.search(str(error)):
            raise WeightsError(f"{path} cannot be read: it is damaged, or no file of "
                               "torch.save") from None  # fmt: skip
        raise WeightsError(
            f"{path} holds more than tensors, and is not opened because that could run code; "
            "save its state_dict() alone, best as .safetensors"
        ) from None
    except OSError as error:
        raise WeightsError(f"{path} cannot be read: {error.strerror or 'damaged'}") from None
    except SafetensorError as error:
        raise WeightsError(f"{path} cannot be read: no .safetensors, or a damaged one "
                           f"({printed(error)})") from None  # fmt: skip
    except WeightsError:
        raise
    except MemoryError:
        raise WeightsError(f"{path} cannot be read: it is damaged, or there is no memory for "
                           "it") from None  # fmt: skip
    except Exception:  # noqa: BLE001  PyTorch raises many kinds for broken files
        raise WeightsError(f"{path} cannot be read: it is damaged, or no file of "
                           "torch.save") from None  # fmt: skip


def _check(path: Path) -> None:
    """Refuses archives of code, and those that unpack to more than there is memory."""
    if not is_zipfile(path):
        return
    with ZipFile(path) as file:
        infos = file.infolist()
    if any(info.filename.endswith(f"/{SCRIPT}") for info in infos):
        raise WeightsError(f"{path} is a program of TorchScript, and is not opened because that "
                           "could run code; save its state_dict() alone")  # fmt: skip
    size = sum(info.file_size for info in infos)
    if size > memory():
        raise WeightsError(f"{path} unpacks to {size:,} bytes; this machine has {memory():,}")


def unfit(tensor: Tensor) -> str:
    """Why a tensor cannot be taken for weights as it stands; empty where it can."""
    if tensor.is_meta:
        return "has no numbers (it is on the meta device)"
    if tensor.is_quantized:
        return "is quantised; dequantize() it"
    if tensor.is_nested or tensor.layout != torch.strided:
        kind = "nested" if tensor.is_nested else "sparse"
        return f"is {kind}, wanted a dense tensor"
    size = tensor.numel() * tensor.element_size()  # of a view that repeats what it holds, maybe
    return f"is of {size:,} bytes; this machine has {memory():,}" if size > memory() else ""


def strange(tensors: Mapping[str, Tensor], like: Mapping[str, Tensor]) -> dict[str, str]:
    """Which numbers are none that a net has, by key: not finite, or of another kind.

    `like` has a tensor of the net for each.
    """
    return {key: word for key, value in tensors.items() if (word := _strange(value, like[key]))}


def _strange(value: Tensor, like: Tensor) -> str:
    if value.is_complex() != like.is_complex() or (
        like.is_floating_point() and not value.is_floating_point()
    ):
        return f"{str(value.dtype).removeprefix('torch.')} numbers"
    if value.is_floating_point() and not bool(value.float().isfinite().all()):
        return "numbers that are not finite"
    return ""


def printed(key: object) -> str:
    """A key of a file, or what holds some, which may be any text, as a message shows it."""
    text = str(key)
    text = text if text.isprintable() else repr(text)[1:-1]
    return text if len(text) <= LONG else f"{text[:LONG]}..."
