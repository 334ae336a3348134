"""Leaving a module as it was found."""

from __future__ import annotations

import random
import sys
from collections import OrderedDict
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

from netwright.foreign.contents import Contents
from netwright.foreign.hooks import HOOKS
from netwright.foreign.traced import ACTIVE, Traced

__all__ = ["Stand", "compiles", "own_tensors", "untouched"]


class Stand(dict[str, Any]):
    """Stands in for a module's dict of parameters or buffers: what is asked for comes as a
    traced value, so that nothing is written to the real one, `real`.
    """

    def __init__(self, real: dict[str, Any], tracer: Any) -> None:
        super().__init__(real)
        self.real = real
        self.tracer = tracer

    def __getitem__(self, name: str) -> Any:
        value = super().__getitem__(name)
        if isinstance(value, Tensor) and type(value) is not Traced:
            value = self[name] = self.tracer.value(value, owned=True)
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


def own_tensors(module: nn.Module) -> list[Tensor | None]:
    """A module's own parameters and buffers, as they were before the trace."""
    own: list[Tensor | None] = []
    for kept in (module._parameters, module._buffers):
        if kept:
            own.extend(getattr(kept, "real", kept).values())
    return own


@contextmanager
def untouched(
    parts: Sequence[tuple[str, nn.Module]], tracer: Any, call: Callable[..., Any],
    hooks: bool = False,
) -> Generator[None]:  # fmt: skip
    """While this lasts `tracer` answers functions of tensors in this thread, and `call` these
    modules, which are in evaluation; their weights are stand-ins, and their hooks are set aside
    unless they are wanted. Afterwards all that a forward pass may reach is as before:
    attributes and what is in them, classes, hooks, and the random generators.
    """
    before = [(m, dict(vars(m))) for _, m in parts]
    contents = Contents([m for m, _ in before])
    every = nn.modules.module
    contents.add(every._global_forward_pre_hooks, every._global_forward_hooks)
    contents.add_classes([type(m) for _, m in parts])
    generators, kind = _generators(), torch.get_default_dtype()
    active = ACTIVE.tracer
    try:
        for m, own in before:
            now = vars(m)
            now["training"] = False
            # Where Module.compile puts its own: no class is patched, so no other module notices.
            now["_compiled_call_impl"] = partial(call, tracer, m)
            for name in ("_parameters", "_buffers"):
                if own.get(name):
                    now[name] = Stand(own[name], tracer)
            for name in () if hooks else HOOKS:
                if own.get(name):
                    now[name] = OrderedDict()
        ACTIVE.tracer = tracer
        with torch.no_grad(), _uncompiled(), tracer.mode:
            yield
    finally:
        ACTIVE.tracer = active
        for m, own in before:
            now = vars(m)
            now.clear()
            now.update(own)
        contents.restore()
        torch.set_default_dtype(kind)
        for restore, state in generators:
            restore(state)


def compiles() -> bool:
    """Whether PyTorch's compiler is loaded, as it is once something was compiled."""
    return "torch._dynamo.eval_frame" in sys.modules


@contextmanager
def _uncompiled() -> Generator[None]:
    """While this lasts functions that `torch.compile` made run as they were written."""
    if not compiles():
        yield
        return
    with torch.compiler.set_stance("force_eager"):
        yield


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
