"""Running a model as far as its watched layers."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from netwright.look.watch import Watch, module_of

__all__ = ["reach", "side_by_side"]


class _Reached(BaseException):
    """Every watched layer has run; no model that catches exceptions is to catch this one."""


def reach(watch: Watch, x: Tensor) -> None:
    """Fills the `outputs` of a watch and goes no further: images need not be of the size that the
    head takes, and what is behind costs nothing.
    """
    modules = dict(watch.model.named_modules())
    wanted = len(set(watch.paths))

    def enough(*_: Any) -> None:
        if len(watch.outputs) == wanted:
            raise _Reached

    # They run after those of the watch, which were there before.
    hooks = [modules[path].register_forward_hook(enough)
             for path in {module_of(path, modules) for path in watch.paths}]  # fmt: skip
    try:
        watch.run(x)
    except _Reached:
        pass
    finally:
        for hook in hooks:
            hook.remove()


def side_by_side(watch: Watch, x: Tensor) -> Tensor:
    """What the watched layers give, in one row an image (N, ...)."""
    reach(watch, x)
    return torch.cat([output.flatten(1) for output in watch.outputs.values()], 1)
