"""Augmentation of whole batches: every image moved, recoloured or mixed in its own way.

An operation is a small value that JSON can hold. It first draws what it needs, a row an image,
then applies it; so a batch follows from the seed alone, and several processes that draw for the
whole batch and apply to their own slice of it do what one would. Pixels are uint8 (N, C, H, W);
an operation that computes in floating point rounds back. Labels become a distribution over the
classes, (N, classes), where images are mixed: each with its neighbour in the random order.

Movements of whole pixels that follow each other are one gather (`movement.py`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, fields
from itertools import groupby
from typing import Any

from torch import Generator, Tensor

from netwright.core.kinds import shown
from netwright.data.colour import ColourJitter, Lighting
from netwright.data.mixing import CutMix, Cutout, Mixup
from netwright.data.movement import (
    AlternatingFlip,
    Flip,
    Mirroring,
    Movement,
    RandomPad,
    Shift,
    moved,
)
from netwright.data.operation import Batch, Operation
from netwright.data.policy import RandAugment, TrivialAugment
from netwright.data.timing import Delay, Gain, Noise
from netwright.data.window import ResizedCrop
from netwright.errors import RecipeError, nearest

__all__ = [
    "OPERATIONS",
    "AlternatingFlip",
    "Batch",
    "ColourJitter",
    "CutMix",
    "Cutout",
    "Delay",
    "Flip",
    "Gain",
    "Lighting",
    "Mirroring",
    "Mixup",
    "Noise",
    "Operation",
    "RandomPad",
    "ResizedCrop",
    "Shift",
    "augment",
    "from_json",
    "to_json",
]


OPERATIONS: dict[str, type[Operation]] = {
    "shift": Shift,
    "random-pad": RandomPad,
    "flip": Flip,
    "alternating-flip": AlternatingFlip,
    "resized-crop": ResizedCrop,
    "lighting": Lighting,
    "colour-jitter": ColourJitter,
    "cutout": Cutout,
    "mixup": Mixup,
    "cutmix": CutMix,
    "rand-augment": RandAugment,
    "trivial-augment": TrivialAugment,
    "delay": Delay,
    "gain": Gain,
    "noise": Noise,
}
"""Every operation by its name in a recipe."""
SHARES = ("part", "chance", "least", "brightness", "contrast", "saturation")
UNBOUND = 1000
"""What words may be at most that are no shares."""
_NAMES = {kind: name for name, kind in OPERATIONS.items()}


def augment(
    batch: Batch,
    operations: Sequence[Operation],
    classes: int,
    generator: Generator,
    place: tuple[int, int] | None = None,
    turns: Tensor | None = None,
) -> Batch:
    """The batch after the operations, one after another.

    Arguments:
        batch: the images and their labels.
        operations: in this order.
        classes: how many there are.
        generator: where everything random comes from.
        place: (first, count) where the images are some of a larger batch of `count`: what
            falls to them is then the same as if all were here.
        turns: how often each image of the larger batch was shown, counted from 0 or 1, (count,).

    >>> import torch
    >>> pixels = torch.arange(12, dtype=torch.uint8).view(1, 3, 2, 2)
    >>> flipped = augment(Batch(pixels, torch.tensor([0])), [Flip(1.0)], 2, torch.Generator())
    >>> flipped.pixels[0, 0].tolist()
    [[1, 0], [3, 2]]
    """
    first, count = place or (0, len(batch.pixels))
    own = slice(first, first + len(batch.pixels))
    draws = [(op, _drawn(op, count, generator, turns)[own]) for op in operations]
    for moving, group in groupby(draws, lambda draw: isinstance(draw[0], Movement)):
        run = list(group)
        moves = [(op, drawn) for op, drawn in run if isinstance(op, Movement)]
        if moving and len(moves) > 1:
            batch = Batch(moved(batch.pixels, moves), batch.labels)
        else:
            for operation, drawn in run:
                batch = operation.apply(batch, drawn, classes)
    return batch


def _drawn(operation: Operation, count: int, generator: Generator, turns: Tensor | None) -> Tensor:
    if turns is None:
        return operation.draw(count, generator)
    return operation.draw_in_turn(turns, generator)


def to_json(operations: Sequence[Operation]) -> list[dict[str, Any]]:
    """Operations as JSON's own types.

    >>> to_json([Shift(0.25)])
    [{'operation': 'shift', 'part': 0.25}]
    """
    return [{"operation": _NAMES[type(op)], **asdict(op)} for op in operations]  # type: ignore[call-overload]


def from_json(records: Sequence[Any]) -> tuple[Operation, ...]:
    """The inverse of `to_json`; `RecipeError` for a word or number it does not know."""
    return tuple(_operation(record) for record in records)


def _operation(record: Any) -> Operation:
    if not isinstance(record, dict) or "operation" not in record:
        raise RecipeError(f"an operation is {shown(record)}, wanted such as "
                          '{"operation": "shift", "part": 0.125}')  # fmt: skip
    values = dict(record)
    name = values.pop("operation")
    if name not in OPERATIONS:
        raise nearest("operation", str(name), OPERATIONS)
    kind = OPERATIONS[name]
    words = [field.name for field in fields(kind)]  # type: ignore[arg-type]
    for word, value in values.items():
        if word not in words:
            raise nearest(f"word of {name}", word, words)
        most = 1 if word in SHARES else UNBOUND
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= most:
            raise RecipeError(
                f"{name}: {word} is {shown(value)}, wanted a number from 0 to {most:,}"
            )
    return kind(**{word: float(value) for word, value in values.items()})
