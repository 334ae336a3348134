"""Other weights into a built net: keys translated, head and stem adapted, all of it said."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from torch import Tensor, nn

from netwright.core.classifier import classifiers
from netwright.core.graph import Tap
from netwright.core.net import Net
from netwright.core.rewrite import matches
from netwright.data.image import Preprocessing
from netwright.errors import WeightsError
from netwright.weights.keys import LIBRARIES, has_table, key_map
from netwright.weights.source import Source, opened
from netwright.weights.table import Place
from netwright.weights.tensors import printed, strange
from netwright.weights.twins import twin

__all__ = ["Loaded", "Misfit", "WeightsWarning", "load"]

COUNTER = "num_batches_tracked"
"""Old files lack it; a batch norm without its own momentum schedule does not ask for it."""


class WeightsWarning(UserWarning):
    """Weights were loaded, but not as they are."""


class Misfit(WeightsError):
    """Weights of another net: the `fault` without what to try in Python."""

    def __init__(self, fault: str, hint: str) -> None:
        super().__init__(f"{fault}; {hint}")
        self.fault = fault


@dataclass(frozen=True)
class Loaded:
    """Which weights a module has: `source`, the library whose `keys` they had (`own`, or
    `order` where only the order of the keys agreed), the `preprocess` of their images (None
    where nobody says), what was `adapted` in words, our keys that stayed `fresh`, theirs that
    were `unused`, and the `licence` (empty where nobody says).
    """

    source: str
    keys: str
    preprocess: Preprocessing | None = None
    adapted: tuple[str, ...] = ()
    fresh: tuple[str, ...] = ()
    unused: tuple[str, ...] = ()
    licence: str = ""

    def __str__(self) -> str:
        lines = [f"weights of {self.source}, keys: {self.keys}", *self.adapted]
        if self.unused:
            lines.append(f"unused: {_some(self.unused)}")
        if self.preprocess:
            lines.append(f"images: {self.preprocess}")
        if self.licence:
            lines.append(f"licence: {self.licence}")
        return "\n".join(lines)


def load(module: nn.Module, weights: str | Path, *, strict: bool = True) -> Loaded:
    """Loads weights into the module of a net; also found as `module.weights` afterwards.

    A head of another number of classes and auxiliary heads that the weights lack start fresh;
    a first convolution of other channels is summed or repeated. Anything else that is missing,
    misshapen or left over raises `WeightsError`, or with `strict=False` is warned of.
    """
    net = getattr(module, "net", None)
    if not isinstance(net, Net):
        raise WeightsError("this module was not built from a net; net.build() makes one that was")
    source = opened(net, weights)
    state = module.state_dict()
    if any(value.is_meta for value in state.values()):
        raise WeightsError("a net on the meta device has no memory for weights; leave out `device`")
    fit = _Fit(net, source, state)
    if fit.faults and (strict or not fit.taken):
        raise fit.complaint()
    module.load_state_dict({**state, **fit.taken})
    notes = [*fit.adapted, *fit.faults]
    if fit.how == "order":
        notes.append("its keys are unknown; all shapes agree in order, which was trusted")
    if notes:
        warnings.warn(f"{source.name}: {'; '.join(notes)}", WeightsWarning, stacklevel=3)
    preprocess = source.preprocess and source.preprocess.for_channels(net.input[0])
    loaded = Loaded(
        source.name, fit.how, preprocess, tuple(fit.adapted), tuple(fit.fresh), tuple(fit.unused),
        source.licence,
    )  # fmt: skip
    module.weights = loaded  # type: ignore[assignment]
    return loaded


class _Fit:
    """What of a source goes where in a net, what is adapted, and what is wrong."""

    def __init__(self, net: Net, source: Source, ours: Mapping[str, Tensor]) -> None:
        self.net, self.source, self.ours = net, source, ours
        self.adapted: list[str] = []
        self.fresh: list[str] = []
        self.missing: list[str] = []
        self.misshapen: list[str] = []
        self.taken: dict[str, Tensor] = {}
        self.heads = tuple(f"{path}." for path in classifiers(net))
        self.taps = tuple(f"{path}." for path, _ in matches(net, Tap))
        self.stems = tuple(f"{r.path}." for r in net.plan().rows if -1 in r.sources)
        self.how, self.places = _places(net, source, ours)
        for key, value in ours.items():
            self.take(key, value)
        self.strange = strange(self.taken, ours)
        used = {place.key for place in self.places.values()}
        self.unused = [k for k in source.state if k not in used and not k.endswith(COUNTER)]
        self.twin = "" if self.how == "own" else twin(net, self.how, source.model)

    def take(self, key: str, value: Tensor) -> None:
        """Finds, and if need be adapts, one tensor."""
        place = self.places.get(key)
        tensor = self.source.state.get(place.key) if place else None
        if place is None or tensor is None:
            self.lack(key)
            return
        if tensor.squeeze().shape != value.squeeze().shape:
            tensor = place.ours(tensor)
        if tensor.squeeze().shape == value.squeeze().shape:
            self.taken[key] = tensor.reshape(value.shape)
        elif key.startswith(self.heads) and _alike(tensor, value, 0):
            self.renew(key, f"{len(tensor)} classes in the weights, {len(value)} in the net")
        elif self.is_stem(key, value) and _alike(tensor, value, 1):
            self.taken[key] = self.channels(key, tensor, value.shape[1])
        else:
            self.fresh.append(key)
            self.misshapen.append(f"{key} is {tuple(value.shape)}, {place.key} in the weights "
                                  f"{tuple(tensor.shape)}")  # fmt: skip

    def is_stem(self, key: str, value: Tensor) -> bool:
        """Whether this is the kernel that every channel of the image goes into."""
        return (
            key.startswith(self.stems) and value.dim() > 1 and value.shape[1] == self.net.input[0]
        )

    def lack(self, key: str) -> None:
        if key.endswith(COUNTER):
            return
        if key.startswith((*self.heads, *self.taps)):
            self.renew(key, "not in the weights")
        else:
            self.fresh.append(key)
            self.missing.append(key)

    def renew(self, key: str, reason: str) -> None:
        self.fresh.append(key)
        note = f"{key.rpartition('.')[0]} starts fresh: {reason}"
        if note not in self.adapted:
            self.adapted.append(note)

    def channels(self, key: str, weight: Tensor, count: int) -> Tensor:
        """(out, C, ...) -> (out, count, ...): what a grey image in every channel gives, or the
        channels again and again, so weighed that the sum stays alike.
        """
        have, path = weight.shape[1], key.rpartition(".")[0]
        if count == 1:
            self.adapted.append(f"{path} takes 1 channel: its {have} are summed")
            return weight.sum(1, keepdim=True)
        self.adapted.append(f"{path} takes {count} channels: its {have} come again, "
                            f"times {have}/{count}")  # fmt: skip
        return weight[:, [i % have for i in range(count)]] * (have / count)

    @property
    def faults(self) -> list[str]:
        """What strictness does not let pass; auxiliary heads may be left over."""
        left = [key for key in self.unused if not key.lower().startswith("aux")]
        return [
            *([self.twin] if self.twin and self.taken else []),
            *([f"missing {_some(_modules(self.missing))}"] if self.missing else []),
            *([f"other shapes: {_some(self.misshapen)}"] if self.misshapen else []),
            *([f"unexpected {_some(_modules(left))}"] if left else []),
            *([_some([f"{key} has {word}" for key, word in self.strange.items()])]
              if self.strange else []),
        ]  # fmt: skip

    def complaint(self) -> Misfit:
        """The error for weights that do not fit."""
        wanted = [key for key in self.ours if not key.endswith(COUNTER)]
        matched = sum(key in self.taken for key in wanted)
        faults = self.faults
        hint = "try the net they were made for, or strict=False to take what fits"
        if self.strange and len(faults) == 1:
            hint = "try to get them anew, or strict=False to take them as they are"
        return Misfit(
            f"the weights of {self.source.name} do not fit {self.net.name}: {matched} of "
            f"{len(wanted)} found by {self.how} keys; {'; '.join(faults)}",
            hint,
        )


def _places(net: Net, source: Source, ours: Mapping[str, Tensor]) -> tuple[str, dict[str, Place]]:
    """Whose keys a source has, and where in it ours are: the naming that finds most."""
    keys = list(ours)
    named = {"own": {key: Place(key) for key in keys}}
    named |= {lib: key_map(net, lib, keys) for lib in LIBRARIES if has_table(net, lib)}

    def overlap(how: str) -> int:
        return sum(place.key in source.state for place in named[how].values())

    best = max(named, key=overlap)
    if overlap(best) < len(_essential(ours)) and source.ordered:
        theirs = _essential(source.state)
        mine = _essential(ours)
        if [_signature(k, t) for k, t in mine.items()] == [
            _signature(k, t) for k, t in theirs.items()
        ]:
            return "order", {k: Place(t) for k, t in zip(mine, theirs, strict=True)}
    return best, named[best]


def _essential(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    return {key: value for key, value in state.items() if not key.endswith(COUNTER)}


def _signature(key: str, value: Tensor) -> tuple[str, tuple[int, ...]]:
    return key.rpartition(".")[2], tuple(value.squeeze().shape)


def _alike(a: Tensor, b: Tensor, axis: int) -> bool:
    """Whether two shapes differ in that axis only."""
    return a.dim() == b.dim() > axis and all(
        m == n for i, (m, n) in enumerate(zip(a.shape, b.shape, strict=True)) if i != axis
    )


def _modules(keys: list[str]) -> list[str]:
    return list(dict.fromkeys(key.rpartition(".")[0] or key for key in keys))


def _some(names: list[str] | tuple[str, ...], most: int = 3) -> str:
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(printed(name) for name in names[:most]) + more
