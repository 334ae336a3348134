"""From specs to ordinary modules: the interpreter whose values are tensors."""

from __future__ import annotations

from contextlib import nullcontext
from typing import Any

import torch
from torch import Tensor, nn

from netwright.building.init import initialise
from netwright.building.inplace import reuse
from netwright.core.graph import Frozen, Shared, Tap, TimeDistributed
from netwright.core.interpret import Shapes, below
from netwright.core.net import Net
from netwright.core.shape import Shape
from netwright.core.spec import Unit
from netwright.core.wiring import Branches, Wiring, bundled

__all__ = ["Builder", "Held", "Stepped", "Tapped", "Wired", "WithTaps", "build"]


class Wired(nn.Module):
    """Child modules, and the wiring that says how tensors flow between them."""

    def __init__(self, wiring: Wiring, children: dict[str, nn.Module]) -> None:
        super().__init__()
        self.wiring = wiring
        for name, child in children.items():
            self.add_module(name, child)

    def forward(self, *xs: Tensor) -> Any:
        return self.wiring.flow(*xs, run=self._run)

    def _run(self, name: str, *xs: Tensor) -> Tensor:
        return self._modules[name](*xs)  # type: ignore[misc]

    def _get_name(self) -> str:
        return type(self.wiring).__name__


class Tapped(Wired):
    """x -> x; in training the head's output waits in `seen` for the net to collect it."""

    seen: Tensor | None = None

    def forward(self, *xs: Tensor) -> Any:
        if self.training:
            self.seen = self._run("head", *xs)
        return bundled(xs)


class WithTaps(Wired):
    """A whole net with auxiliary heads: in training it returns a dict, `out` and one entry
    a tap; `taps` holds what each tap's loss weighs.
    """

    seen: Tensor | None = None

    def __init__(self, net: Wired) -> None:
        super().__init__(net.wiring, dict(net.named_children()))
        self._plain = type(net).forward
        self.taps = {
            name: module.wiring.weight  # type: ignore[union-attr]
            for name, module in self.named_modules()
            if _listening(module)
        }

    def forward(self, *xs: Tensor) -> Any:
        out = self._plain(self, *xs)
        if not self.training:
            return out
        outputs = {"out": out}
        for name in self.taps:
            tap = self.get_submodule(name)
            outputs[name], tap.seen = tap.seen, None  # type: ignore[assignment]
        return outputs


def _listening(module: nn.Module) -> bool:
    """Whether a module is a tap that training sees: those in frozen parts never train."""
    return isinstance(getattr(module, "wiring", None), Tap) and module.training


class Stepped(Wired):
    """Every time step through the body, as if it were an image of the batch:
    (N, T, ...) -> (N, T, ...). What taps inside saw gets its steps back too.
    """

    def forward(self, *xs: Tensor) -> Any:
        (x,) = xs
        y = self._run("body", x.flatten(0, 1))
        for tap in self.modules() if self.training else ():
            if isinstance(tap, Tapped) and tap.seen is not None:
                tap.seen = tap.seen.unflatten(0, x.shape[:2])
        return y.unflatten(0, x.shape[:2])


class Held(Wired):
    """The body with parameters that ask for no gradient, always in evaluation mode."""

    def __init__(self, wiring: Wiring, children: dict[str, nn.Module]) -> None:
        super().__init__(wiring, children)
        self.requires_grad_(False)
        self.eval()

    def train(self, mode: bool = True) -> Held:
        return super().train(False)


class Builder(Shapes):
    """Sends shapes through a spec and keeps the module of every part."""

    def __init__(self) -> None:
        self.modules: dict[str, nn.Module] = {}
        self._shared: dict[str, nn.Module] = {}

    def unit(self, unit: Unit, path: str, xs: tuple[Shape, ...]) -> Shape:
        y = unit.shape(*xs)
        self.modules[path] = unit.module(*xs)
        return y

    def flow(self, wiring: Wiring, path: str, xs: tuple[Shape, ...]) -> Shape:
        y = super().flow(wiring, path, xs)
        self._join(Wired, wiring, path)
        return y

    def tap(self, tap: Tap, path: str, xs: tuple[Shape, ...]) -> Shape:
        y = super().flow(tap, path, xs)
        self._join(Tapped, tap, path)
        return y

    def frozen(self, frozen: Frozen, path: str, xs: tuple[Shape, ...]) -> Shape:
        y = super().flow(frozen, path, xs)
        self._join(Held, frozen, path)
        return y

    def shared(self, shared: Shared, path: str, xs: tuple[Shape, ...]) -> Shape:
        y = super().flow(shared, path, xs)
        body = below(path, "body")
        self.modules[body] = self._shared.setdefault(shared.key, self.modules[body])
        self._join(Wired, shared, path)
        return y

    def time_distributed(self, wiring: TimeDistributed, path: str, xs: tuple[Shape, ...]) -> Shape:
        y = super().time_distributed(wiring, path, xs)
        self._join(Stepped, wiring, path)
        return y

    def _join(self, kind: type[Wired], wiring: Wiring, path: str) -> None:
        """One module of the parts, in their place."""
        join = {"join": self.modules.pop(path)} if isinstance(wiring, Branches) else {}
        children = {name: self.modules.pop(below(path, name)) for name in wiring.names} | join
        reuse(wiring, children)
        self.modules[path] = kind(wiring, children)


def build(net: Net, *, init: str, seed: int | None, zero_gamma: bool, device: Any) -> nn.Module:
    """The module of a net; see `Net.build`."""
    net.plan()  # says what does not fit, and where, before anything is made
    builder = Builder()
    with torch.random.fork_rng([]) if seed is not None else nullcontext():
        if seed is not None:
            torch.manual_seed(seed)
        with torch.device(device) if device is not None else nullcontext():
            builder(net.spec, "", (net.input,))
            module = builder.modules[""]
            if isinstance(module, Wired) and any(map(_listening, module.modules())):
                module = WithTaps(module)
            initialise(module, init, zero_gamma)
    module.net = net  # type: ignore[assignment]
    return module
