"""Attributions of captum, for what is not ours: its methods on a copy of the model."""

from __future__ import annotations

import warnings
from copy import deepcopy
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from netwright.errors import LookError, nearest
from netwright.look.relus import is_activation
from netwright.look.watch import Watch, logits, opaque

__all__ = ["PREFIX", "by_captum", "others"]

PREFIX = "captum."
NAMES = ("DeepLift", "GradientShap", "InputXGradient", "KernelShap")
TILED = ("KernelShap",)
"""Methods that switch parts of an image on and off: tiles, for single pixels are too many."""
TILES = 7
"""Tiles a side."""
BY_HOOKS = ("DeepLift",)
"""Methods with a rule for activations, which captum sets on modules and functions do not get."""
ALLOWED = 0.01
"""Share of a difference that attributions which are to add up may leave unexplained."""


def others() -> list[str]:
    """The methods that `attribute` hands on to captum."""
    return [PREFIX + name for name in NAMES]


def by_captum(
    watch: Watch, x: Tensor, method: str, target: int, seed: int
) -> tuple[np.ndarray, float]:
    """Attributions (C, H, W) of an image (1, C, H, W), beside a baseline of zeros, and how much of
    the difference to it they leave unexplained, where they are to add up.
    """
    name = method.removeprefix(PREFIX)
    if name not in NAMES:
        raise nearest("method", method, others())
    try:
        import captum.attr
    except ImportError:
        raise LookError(f"{method} needs captum; pip install 'netwright[captum]'") from None
    scores = _Scores(watch)
    if name in BY_HOOKS:
        _check_reached(watch, x, name)
    how: dict[str, Any] = {} if name == "InputXGradient" else {"baselines": torch.zeros_like(x)}
    if name in TILED:
        how["feature_mask"] = _tiles(x)
    if name == "DeepLift":
        how["return_convergence_delta"] = True
    torch.manual_seed(seed)  # its generator is that of before afterwards: `watching` sees to it
    np.random.seed(seed)  # noqa: NPY002  captum's
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            values = getattr(captum.attr, name)(scores).attribute(
                x.detach().requires_grad_(), target=target, **how
            )
        except (AssertionError, RuntimeError, TypeError) as error:
            fault = " ".join(str(error).split())[:200]
            raise LookError(f"captum's {name} did not take the model: {fault}") from error
    error = 0.0
    if name == "DeepLift":
        values, delta = values
        error = abs(float(delta))
        with torch.no_grad():
            rise = float((watch(x) - watch(torch.zeros_like(x)))[0, target])
        if error > ALLOWED * max(abs(rise), 1e-6):
            raise LookError(f"captum's {name} leaves {error:.3g} of {rise:.3g} unexplained, so it "
                            "did not reach all of the model; use integrated")  # fmt: skip
    return values[0].detach().cpu().double().numpy(), error


class _Scores(nn.Module):
    """A copy of the model that gives logits; what captum does to it stays with it."""

    def __init__(self, watch: Watch) -> None:
        super().__init__()
        if watch.unit is not None:
            raise LookError("captum's methods ask about classes; for units take one of ours")
        self.model = deepcopy(watch.model)

    def forward(self, x: Tensor) -> Tensor:
        return logits(self.model(x))


class _Counting(TorchFunctionMode):
    """How many activations run."""

    def __init__(self) -> None:
        super().__init__()
        self.count = 0

    def __torch_function__(
        self, func: Any, types: Any, args: Any = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        self.count += is_activation(func, args, kwargs or {})
        return func(*args, **(kwargs or {}))


def _check_reached(watch: Watch, x: Tensor, name: str) -> None:
    """Refuses a model that calls activations as functions: their rule would be left out."""
    hidden = opaque(watch.model)
    if hidden:
        raise LookError(f"{hidden}, so captum's {name} cannot reach its activations")
    before, inside = list[int](), list[int]()
    alone = [part for part in watch.model.modules() if type(part).__module__.startswith("torch.nn")]
    alone = [part for part in alone if not [*part.children()]]
    hooks, mode = [], _Counting()
    try:
        for part in alone:
            hooks.append(part.register_forward_pre_hook(lambda *_: before.append(mode.count)))
            hooks.append(part.register_forward_hook(
                lambda *_: inside.append(mode.count - before.pop())))  # fmt: skip
        with mode, torch.no_grad():
            watch(x)
    finally:
        for hook in hooks:
            hook.remove()
    if mode.count > sum(inside):
        raise LookError(f"captum's {name} reaches modules only, and this model calls "
                        f"{mode.count - sum(inside)} of {mode.count} activations as functions; use "
                        "integrated")  # fmt: skip


def _tiles(x: Tensor) -> Tensor:
    """The number of its tile for every pixel, (1, 1, H, W)."""
    height, width = x.shape[2:]
    rows = torch.arange(height, device=x.device) * TILES // height
    columns = torch.arange(width, device=x.device) * TILES // width
    return (rows[:, None] * TILES + columns)[None, None]
