"""Where in the image every unit of every layer looks: one geometry for all pictures.

The forward pass is followed on values without numbers, as `nw.plan` does, and what each call
of a module returns keeps its receptive field. So containers, joins and modules that run several
times have their place too, in nets built here and in anybody's modules alike.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import nn

from netwright.core.field import Axis, Field
from netwright.core.net import Net
from netwright.core.shape import show
from netwright.errors import LookError, nearest
from netwright.foreign import deformable
from netwright.foreign.calls import call
from netwright.foreign.plan import parts_of
from netwright.foreign.state import untouched
from netwright.foreign.trace import Tracer
from netwright.foreign.traced import Origin, Traced, traced
from netwright.look.picture import subject

__all__ = ["Box", "Layer", "layers"]


class Box(NamedTuple):
    """Pixels from `top` and `left` to before `bottom` and `right`."""

    top: int
    left: int
    bottom: int
    right: int


@dataclass(frozen=True)
class Layer:
    """What one call of a module returns, and where its units look.

    `path` is the module's, with `_2` for its second call in a pass, `_3` for its third, as in
    plans; `shape` that of the output without the batch; `dims` the dimensions of the output
    that the axes of `field` lie on; `image` the (H, W) of the input.
    """

    path: str
    module: str
    shape: tuple[int, ...]
    field: Field
    dims: tuple[int, ...]
    image: tuple[int, int]

    @property
    def is_map(self) -> bool:
        """Whether the output is (C, h, w) with a place for each position."""
        return len(self.shape) == 3 and self.field.axes is not None and self.dims == (2, 3)

    @property
    def size(self) -> tuple[int, int]:
        """(h, w) of a map."""
        self.check_map()
        return self.shape[1], self.shape[2]

    def box(self, unit: tuple[int, int] | None = None, *, clip: bool = True,
            local: bool = False) -> Box:  # fmt: skip
        """The smallest box that holds all pixels the unit at (y, x) depends on.

        Without `clip` it reaches into the padding. Behind a global operation, such as
        squeeze-excitation, every unit depends on the whole image; `local` leaves those
        operations out. Raises `LookError` where the field is unknown, or there is no such unit.
        """
        height, width = self.image
        if self.field.whole and (not local or self.field.axes is None):
            return Box(0, 0, height, width)
        self.check_map()
        y, x = self._inside(unit)
        (top, bottom), (left, right) = self.field.box((y, x))
        box = Box(top, left, bottom + 1, right + 1)
        return _clipped(box, self.image) if clip else box

    def boxes(self, *, clip: bool = True, local: bool = False) -> np.ndarray:
        """The boxes of all units: (h, w, 4) integers, in the order of `Box`."""
        h, w = self.size
        boxes = np.empty((h, w, 4), np.int64)
        if self.field.whole and not local:
            boxes[:] = 0, 0, *self.image
            return boxes
        assert self.field.axes is not None  # a map
        for axis, (n, positions) in enumerate(zip((h, w), self.image, strict=True)):
            spans = np.array(_spans(self.field.axes[axis], n))
            spans = spans.clip(0, positions) if clip else spans
            spans = spans[:, None] if axis == 0 else spans[None]
            boxes[..., axis], boxes[..., axis + 2] = spans[..., 0], spans[..., 1]
        return boxes

    def centres(self) -> tuple[np.ndarray, np.ndarray]:
        """The middle of every row's and every column's unclipped box, in pixels, the first
        pixel at 0; of local boxes where the field is the whole image.

        ResNet-50's last map is one of 32-pixel steps that begins at 0, not at 15.5.

        >>> import netwright as nw
        >>> rows, columns = layers(nw.net("resnet50"))["stage4"].centres()
        >>> rows[:3].tolist()
        [0.0, 32.0, 64.0]
        """
        h, w = self.size
        assert self.field.axes is not None  # a map
        spans = [np.array(_spans(axis, n)) for axis, n in zip(self.field.axes, (h, w), strict=True)]
        rows, columns = [(span.sum(1) - 1) / 2 for span in spans]
        return rows, columns

    def check_map(self) -> None:
        """`LookError` that says why, where the output is no map."""
        if self.is_map:
            return
        if self.field.axes is None and not self.field.whole:
            raise LookError(f"{self.path}: nobody knows what its units see, so they have no place "
                            "in the image; nw.plan(module, shape).partial names why")  # fmt: skip
        raise LookError(f"{self.path} gives {show(self.shape)}, its units have no place in the "
                        "image; choose a layer that gives a map (C, h, w)")  # fmt: skip

    def _inside(self, unit: tuple[int, int] | None) -> tuple[int, int]:
        h, w = self.size
        if unit is None:
            return h // 2, w // 2
        y, x = unit
        if not (0 <= y < h and 0 <= x < w):
            raise LookError(f"{self.path} has no unit at {tuple(unit)}; its map has {h} x {w} "
                            f"units, the last at ({h - 1}, {w - 1})")  # fmt: skip
        return y, x


def layers(model: Any, shape: Sequence[int] | None = None) -> dict[str, Layer]:
    """Every layer of a model for an input (C, H, W), by path, in the order they finish.

    `model` is a `Net`, what `Net.build` gives, a run of `fit`, or any `nn.Module`; the net's own
    input where no `shape` is given. Nothing is run. Raises `TraceError` or `ShapeError` for a
    forward pass that cannot be followed at that shape.
    """
    if isinstance(model, Net):
        module = model.build(device="meta", init="torch")
    else:
        module = subject(model).model
    if shape is None:
        net = getattr(module, "net", None)
        if not isinstance(net, Net):
            raise LookError(f"a {type(model).__name__} does not say its input; give a shape such "
                            "as (3, 224, 224)")  # fmt: skip
        shape = net.input
    if len(shape) != 3:
        raise LookError(f"looking inside takes images (C, H, W), got {show(tuple(shape))}")
    parts = parts_of(module)
    deformable.register()
    tracer = _Placing(parts, (shape[1], shape[2]))
    kinds = [p.dtype for p in module.parameters() if p.is_floating_point()]
    origin = Origin(Field((Axis(), Axis())), (2, 3), (shape[1], shape[2]))
    with untouched(parts, tracer, _placed):
        module(traced((1, *shape), kinds[0] if kinds else torch.float32, origin))
    if not tracer.layers:
        raise LookError(f"no layer of a {type(module).__name__} can be seen; look at the module it "
                        "was made of")  # fmt: skip
    return tracer.layers


def layer(places: dict[str, Layer], path: str) -> Layer:
    """The layer at a path; `UnknownName` with near ones."""
    if path not in places:
        raise nearest("layer", path, places)
    return places[path]


class _Placing(Tracer):
    """A tracer that also keeps what every call of a module returned."""

    def __init__(self, parts: Sequence[tuple[str, nn.Module]], image: tuple[int, int]) -> None:
        super().__init__(parts)
        self.image = image
        self.layers: dict[str, Layer] = {}
        self.calls: dict[str, int] = {}

    def place(self, module: nn.Module, output: Any) -> None:
        """Keeps the place of what a call of a module returned."""
        module_path = self.paths.get(id(module), "")
        count = self.calls[module_path] = self.calls.get(module_path, 0) + 1
        if isinstance(output, Traced) and module_path:
            path = of_call(module_path, count)
            field = output.origin.field or Field(None)
            self.layers[path] = Layer(
                path, module_path, output.full[1:], field, output.origin.dims, self.image
            )


def _placed(tracer: _Placing, module: nn.Module, *args: Any, **kwargs: Any) -> Any:
    """What a module returns, its place kept."""
    output = call(tracer, module, *args, **kwargs)
    tracer.place(module, output)
    return output


def of_call(path: str, count: int) -> str:
    """What the output of a module's `count`-th call in a pass is called."""
    return path if count == 1 else f"{path}_{count}"


def _spans(axis: Axis, count: int) -> list[tuple[int, int]]:
    """First position seen and the one after the last, of each of `count` units, unclipped."""
    seen = [axis.seen(unit) for unit in range(count)]
    return [(int(first), int(first) + mask.bit_length()) for first, mask in seen]


def _clipped(box: Box, image: tuple[int, int]) -> Box:
    height, width = image
    top, bottom = (min(max(edge, 0), height) for edge in (box.top, box.bottom))
    left, right = (min(max(edge, 0), width) for edge in (box.left, box.right))
    return Box(top, left, bottom, right)
