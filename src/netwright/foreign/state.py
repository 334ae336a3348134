"""Leaving a module as it was found."""

from __future__ import annotations

import random
import sys
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

from netwright.foreign.traced import ACTIVE, Origin, traced

__all__ = ["Stand", "held", "untouched"]


class Stand(dict[str, Any]):
    """Stands in for a module's dict of parameters or buffers: what is asked for comes as a
    traced value without numbers, so that nothing is computed with and nothing written to the
    real one, `real`.
    """

    def __init__(self, real: dict[str, Any]) -> None:
        super().__init__(real)
        self.real = real

    def __getitem__(self, name: str) -> Any:
        value = super().__getitem__(name)
        if type(value) is Tensor or isinstance(value, nn.Parameter):
            origin = Origin(owners=(value,))
            value = traced(tuple(value.shape), value.dtype, origin, value)
            self[name] = value
        return value

    def get(self, name: str, default: Any = None) -> Any:
        """As of any dict."""
        return self[name] if name in self else default  # noqa: SIM401

    def values(self) -> Any:
        """As of any dict."""
        return [self[name] for name in self]

    def items(self) -> Any:
        """As of any dict."""
        return [(name, self[name]) for name in self]


def held(module: nn.Module) -> list[Tensor | None]:
    """A module's own parameters and buffers, as they were before the trace."""
    own: list[Tensor | None] = []
    for kept in (module._parameters, module._buffers):
        own.extend(getattr(kept, "real", kept).values())
    return own


@contextmanager
def untouched(parts: Sequence[tuple[str, nn.Module]], tracer: Any) -> Generator[None]:
    """While this lasts `tracer` answers these modules, and functions of traced values in this
    thread; the modules are in evaluation and their weights are stand-ins. Afterwards their
    flags, attributes, parameters, buffers and the random generators are those of before.
    """
    found = [(m, dict(vars(m)), _containers(m)) for _, m in parts]
    generators = _generators()
    before = ACTIVE.tracer
    try:
        for m, own, _ in found:
            now = vars(m)
            now["training"] = False
            # Where Module.compile puts its own: no class is patched, so no other module notices.
            now["_compiled_call_impl"] = partial(tracer.call, m)
            for kind in ("_parameters", "_buffers"):
                if own[kind]:
                    now[kind] = Stand(own[kind])
        ACTIVE.tracer = tracer
        with torch.no_grad():
            yield
    finally:
        ACTIVE.tracer = before
        for m, own, containers in found:
            now = vars(m)
            now.clear()
            now.update(own)
            for container, content in containers:
                _refill(container, content)
        for restore, state in generators:
            restore(state)


def _containers(module: nn.Module) -> list[tuple[Any, Any]]:
    """Lists, dicts and sets among the attributes, each with a copy. PyTorch's own layers change
    nothing in theirs, and there are many of them.
    """
    if type(module).__module__.startswith("torch.nn.modules") and not module._modules:
        return []
    return [(v, v.copy()) for v in vars(module).values() if type(v) in (list, dict, set)]


def _refill(container: Any, content: Any) -> None:
    container.clear()
    container.extend(content) if type(container) is list else container.update(content)


def _generators() -> list[tuple[Any, Any]]:
    """(restore, state) of every generator of random numbers that a forward pass may draw from."""
    states: list[tuple[Any, Any]] = [
        (torch.set_rng_state, torch.get_rng_state()),
        (random.setstate, random.getstate()),
    ]
    if torch.cuda.is_initialized():
        states.append((torch.cuda.set_rng_state_all, torch.cuda.get_rng_state_all()))
    if "numpy" in sys.modules:
        import numpy as np

        states.append((np.random.set_state, np.random.get_state()))  # noqa: NPY002
    return states
