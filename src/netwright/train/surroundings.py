"""Where and how a run was started: command, versions, variables, state of the code."""

from __future__ import annotations

import os
import platform
import shlex
import subprocess
import sys
from importlib.metadata import PackageNotFoundError, version
from typing import Any

__all__ = ["surroundings"]

PACKAGES = ("netwright", "torch", "numpy", "pillow", "scikit-learn", "scipy", "safetensors",
            "kornia", "datasets", "webdataset", "pyarrow")  # fmt: skip
"""Those whose version numbers may follow from."""
VARIABLES = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "CUDA_VISIBLE_DEVICES", "WORLD_SIZE",
             "LOCAL_WORLD_SIZE", "TORCHELASTIC_RUN_ID", "ATEN_CPU_CAPABILITY",
             "CUBLAS_WORKSPACE_CONFIG")  # fmt: skip
"""Those that change how PyTorch computes; others may hold secrets."""
SECONDS = 5
"""So long git may take."""


def surroundings() -> dict[str, Any]:
    """As JSON's own types: `command`, `folder`, `git`, `packages`, `variables`, `system`."""
    return {
        "command": shlex.join(sys.orig_argv),
        "folder": os.getcwd(),  # noqa: PTH109  a string
        "git": _git(),
        "packages": {name: number for name in PACKAGES if (number := _version(name))},
        "variables": {name: os.environ[name] for name in VARIABLES if name in os.environ},
        "system": platform.platform(),
    }


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return ""


def _git() -> dict[str, Any] | None:
    """The commit of the folder's repository, and the files that differ from it; None where there
    is no repository, or no git.
    """
    commit = _asked("rev-parse", "HEAD")
    if commit is None:
        return None
    changed = _asked("status", "--porcelain", "--untracked-files=no")
    files = [line[3:] for line in (changed or "").splitlines()]
    return {"commit": commit.strip(), "changed": files if changed is not None else None}


def _asked(*words: str) -> str | None:
    try:
        done = subprocess.run(["git", *words], capture_output=True, text=True, timeout=SECONDS,  # noqa: S603, S607
                              check=True)  # fmt: skip
    except (OSError, subprocess.SubprocessError, UnicodeDecodeError):
        return None
    return done.stdout
