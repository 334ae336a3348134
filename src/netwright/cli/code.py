"""Nets from the user's own code: `package.module:factory`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from netwright.core.code import imported, is_code, result_of
from netwright.errors import NetwrightError

if TYPE_CHECKING:
    from torch import nn

    from netwright.core.net import Net

__all__ = ["is_code", "load_module"]


def load_module(text: str, numbers: bool = False) -> nn.Module | Net:
    """The `nn.Module` or Net under `package.module:name`, which is imported from here; a
    function or class there is called without arguments.

    Modules are made on PyTorch's meta device, without memory, where they can be and no
    `numbers` are wanted.
    Raises `NetwrightError` where nothing of that name or kind is found.
    """
    import torch

    from netwright.core.net import Net

    value = imported(text)
    if callable(value) and not isinstance(value, torch.nn.Module):
        value = result_of(text, value, _with_numbers if numbers else _without_memory)
    if not isinstance(value, torch.nn.Module | Net):
        raise NetwrightError(
            f"{text} gives a {type(value).__name__}, wanted a torch.nn.Module or a netwright.Net"
        )
    return value


def _with_numbers(factory: Any) -> Any:
    return factory()


def _without_memory(factory: Any) -> Any:
    import torch

    try:
        with torch.device("meta"):
            return factory()
    except Exception:  # noqa: BLE001  where it fails with numbers too, that is what is told
        return factory()
