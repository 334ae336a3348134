"""What attributes hold, noted so that it can be put back: containers, objects, arrays, classes."""

from __future__ import annotations

import random
import sys
from collections import OrderedDict, defaultdict, deque
from collections.abc import Iterable, Sequence
from operator import is_
from types import FunctionType, MethodType, ModuleType, SimpleNamespace
from typing import Any

import torch
from torch import nn

__all__ = ["Contents"]

_CONTAINERS = (list, dict, set, OrderedDict, defaultdict, deque, bytearray)
_KINDS = frozenset(_CONTAINERS)
_FIXED = frozenset((int, float, str, bool, bytes, complex, type(None), torch.dtype, torch.device,
                    torch.Size, FunctionType, MethodType, ModuleType, nn.Parameter))  # fmt: skip
"""What cannot change, or what a trace never writes to."""
_SHALLOW = ("_modules", "_parameters", "_buffers")
_STANDARD = sys.stdlib_module_names | {"torch", "numpy"}
"""Whose objects, such as locks, loggers and operators, belong to more than the module."""
_LAYERS = {kind for kind in vars(nn).values() if isinstance(kind, type)}


class Contents:
    """A copy of what the attributes of these modules hold, however deep.

    Empty containers, of which every layer has ten, are only looked at again at the end.
    """

    def __init__(self, modules: Sequence[nn.Module]) -> None:
        self._modules = modules
        self._seen = {id(vars(m)) for m in modules}
        self._containers: list[tuple[Any, Any]] = []
        self._objects: list[tuple[Any, dict[str, Any]]] = []
        self._arrays: list[tuple[Any, Any]] = []
        self._generators: list[tuple[Any, Any]] = []
        self._classes: list[tuple[type, dict[str, Any]]] = []
        for m in modules:
            for name, value in vars(m).items():
                kind = type(value)
                if kind in _FIXED or (kind in _KINDS and not value):
                    continue
                if kind is tuple and _FIXED.issuperset(map(type, value)):
                    continue
                if name in _SHALLOW:
                    self.add(value)
                else:
                    self._note(value)

    def add(self, *containers: Any) -> None:
        """Notes what is in these containers, and no deeper."""
        for container in containers:
            if isinstance(container, _CONTAINERS):
                self._seen.add(id(container))
                self._containers.append((container, container.copy()))

    def add_classes(self, kinds: Iterable[type]) -> None:
        """Notes the attributes of these classes, of those they are made from, and of PyTorch's
        layers, which a forward pass may patch though the module has none of them.
        """
        for kind in {base for own in {*kinds} for base in own.__mro__[:-1]} | _LAYERS:
            self._classes.append((kind, vars(kind).copy()))  # five times as fast as dict(...)
            if not kind.__module__.startswith("torch."):
                for value in vars(kind).values():
                    if isinstance(value, _CONTAINERS):
                        self._note(value)

    def _note(self, value: Any) -> None:
        left = [value]
        while left:
            value = left.pop()
            if type(value) in _FIXED or id(value) in self._seen or isinstance(value, type):
                continue
            if isinstance(value, nn.Module):
                value = vars(value)
            if isinstance(value, _CONTAINERS):
                self.add(value)
                left.extend(value.values() if isinstance(value, dict) else value)
            elif isinstance(value, tuple | frozenset):
                left.extend(value)
            else:
                self._seen.add(id(value))
                left.extend(self._note_object(value))

    def _note_object(self, value: Any) -> Iterable[Any]:
        """Notes what is no container; the values of its attributes."""
        numpy = sys.modules.get("numpy")
        if numpy is not None and isinstance(value, numpy.ndarray):
            self._arrays.append((value, value.copy()))
        elif numpy is not None and isinstance(value, numpy.random.Generator):
            self._generators.append((value.bit_generator, value.bit_generator.state))
        elif isinstance(value, torch.Generator):
            self._generators.append((value, value.get_state()))
        elif isinstance(value, random.Random):
            self._generators.append((value, value.getstate()))
        elif isinstance(getattr(value, "__dict__", None), dict) and not _others(type(value)):
            self._objects.append((value, dict(vars(value))))
            return [*vars(value).values()]
        return ()

    def restore(self) -> None:
        """Puts everything back."""
        for m in self._modules:
            for value in vars(m).values():
                if type(value) in _KINDS and value and id(value) not in self._seen:
                    value.clear()
        for container, content in self._containers:
            container.clear()
            container.extend(content) if hasattr(content, "extend") else container.update(content)
        for value, own in self._objects:
            now = vars(value)
            now.clear()
            now.update(own)
        for array, before in self._arrays:
            array[...] = before
        for generator, state in self._generators:
            _rewind(generator, state)
        for kind, own in self._classes:
            _reset(kind, own)


def _others(kind: type) -> bool:
    return kind.__module__.partition(".")[0] in _STANDARD and kind is not SimpleNamespace


def _rewind(generator: Any, state: Any) -> None:
    if isinstance(generator, torch.Generator):
        generator.set_state(state)
    elif isinstance(generator, random.Random):
        generator.setstate(state)
    else:
        generator.state = state


def _reset(kind: type, own: dict[str, Any]) -> None:
    now = vars(kind)
    if len(now) == len(own) and all(map(is_, now.values(), own.values())):
        return
    now = dict(now)
    for name in now.keys() - own.keys():
        if name != "__annotations_cache__":  # Python's own
            delattr(kind, name)
    for name, value in own.items():
        if now.get(name) is not value:
            setattr(kind, name, value)
