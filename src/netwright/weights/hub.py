"""Files from the network: resumable, checked, kept where other tools keep them."""

from __future__ import annotations

import re
import shutil
import sys
from hashlib import sha256
from http.client import HTTPException
from pathlib import Path
from typing import NoReturn
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import torch

from netwright.errors import WeightsError

__all__ = ["checked", "fetched", "from_timm", "from_torchvision", "one_line", "torchvision_path"]

TORCHVISION = "https://download.pytorch.org/models/"
SECONDS = 60
"""Without an answer for so long a download is given up."""
ANSWER = 5
"""Seconds in which a server says that it is there."""


def from_torchvision(file: str) -> Path:
    """A file of torchvision's, in the cache of `torch.hub`; its name ends in the first digits
    of its SHA-256.
    """
    path = torchvision_path(file)
    return checked(path) if path.exists() else fetched(TORCHVISION + file, path, _digest(file))


def torchvision_path(file: str) -> Path:
    """Where that file of torchvision's is, or would be, on this machine."""
    return Path(torch.hub.get_dir(), "checkpoints", file)


def checked(path: Path) -> Path:
    """The path of a file whose SHA-256 begins as its name says, where it says so."""
    _check(path, _digest(path.name))
    return path


def _digest(file: str) -> str:
    """The digits at the end of a file's name, `resnet18-f37072fd.pth`; empty without any."""
    digest = re.search(r"-([0-9a-f]{8,})\.", file)
    return digest[1] if digest else ""


def from_timm(name: str) -> tuple[Path, Path]:
    """Weights and configuration of `timm/NAME.TAG` on the Hugging Face hub, in its cache."""
    url = f"https://huggingface.co/{name}/resolve/main/model.safetensors"
    try:
        from huggingface_hub import constants, hf_hub_download
    except ImportError as error:
        _offline(url, f"huggingface_hub cannot be imported ({error}), "
                      "pip install netwright[hub]")  # fmt: skip
    silent = "" if constants.HF_HUB_OFFLINE else _silent(constants.ENDPOINT)
    try:
        config = Path(hf_hub_download(name, "config.json", local_files_only=bool(silent)))
        path = Path(hf_hub_download(name, "model.safetensors", local_files_only=bool(silent)))
    except (OSError, ValueError) as error:  # its own errors are among these
        _offline(url, silent or one_line(error))
    stored = path.resolve().name  # large files lie under their SHA-256 there
    _check(path, stored if re.fullmatch(r"[0-9a-f]{64}", stored) else "")
    return path, config


def _silent(url: str) -> str:
    """Why a server gives no answer, which is asked once: the library would ask six times, for
    half a minute. Empty where it answers anything.
    """
    try:
        urlopen(Request(url, method="HEAD"), timeout=ANSWER).close()  # noqa: S310
    except (HTTPError, HTTPException):
        return ""
    except OSError as error:
        return one_line(error)
    return ""


def fetched(url: str, path: Path, digest: str = "") -> Path:
    """Downloads `url`, whose SHA-256 begins with `digest`, to `path`; what a broken download
    left in `path.part` is not asked for again.
    """
    part = path.with_name(path.name + ".part")
    print(f"downloading {url} to {path}", file=sys.stderr)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        _append(url, part)
    except (OSError, HTTPException) as error:
        kept = f"; {part.stat().st_size:,} bytes are kept" if part.exists() else ""
        _offline(url, one_line(error) + kept)
    try:
        _check(part, digest)
    except WeightsError:
        part.unlink()
        raise
    return part.replace(path)


def _append(url: str, part: Path) -> None:
    have = part.stat().st_size if part.exists() else 0
    request = Request(url, headers={"Range": f"bytes={have}-"} if have else {})  # noqa: S310
    try:
        answer = urlopen(request, timeout=SECONDS)  # noqa: S310
    except HTTPError as error:
        if error.code != 416:
            raise
        part.unlink()  # there is no more of it, or it is another file by now
        _append(url, part)
        return
    with answer, part.open("ab" if answer.status == 206 else "wb") as file:
        shutil.copyfileobj(answer, file, 1 << 20)
        length = answer.headers.get("Content-Length")
        missing = int(length) - file.tell() + (have if answer.status == 206 else 0) if length else 0
    if missing:
        raise OSError(f"the connection broke {missing:,} bytes before the end")


def _check(path: Path, digest: str) -> None:
    """Compares the file's SHA-256 with the first digits that it should have."""
    if not digest:
        return
    checksum = sha256()
    with path.open("rb") as file:
        while block := file.read(1 << 20):
            checksum.update(block)
    if not checksum.hexdigest().startswith(digest):
        begins = checksum.hexdigest()[:8]
        raise WeightsError(f"{path} is damaged: its SHA-256 begins {begins}, wanted "
                           f"{digest[:8]}; delete it and try again")  # fmt: skip


def _offline(url: str, reason: str) -> NoReturn:
    raise WeightsError(
        f"cannot get {url}: {reason}; try again, or fetch the file elsewhere and give its path, "
        f"weights='{url.rpartition('/')[2]}'"
    ) from None


def one_line(error: Exception) -> str:
    """The first line of an error's message, or its kind where it has none."""
    return str(error).strip().partition("\n")[0] or type(error).__name__
