"""Augmentation of whole batches: every image moved, recoloured or mixed in its own way.

An operation is a small value that JSON can hold. It first draws what it needs, a row an image,
then applies it; so a batch follows from the seed alone, and several processes that draw for the
whole batch and apply to their own slice of it do what one would. Pixels are uint8 (N, C, H, W);
an operation that computes in floating point rounds back. Labels become a distribution over the
classes, (N, classes), where images are mixed: each with its neighbour in the random order.

Movements by whole pixels (`Shift`, `RandomPad`, `Flip`) only say which row and column of the
image comes where; those that follow each other are one gather.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from itertools import groupby
from typing import Any, ClassVar, NamedTuple

import torch
from torch import Generator, Tensor
from torch.nn import functional as F

from netwright.data.operation import Batch, Operation, rounded
from netwright.data.policy import RandAugment, TrivialAugment
from netwright.errors import RecipeError, nearest

__all__ = [
    "OPERATIONS",
    "Batch",
    "ColourJitter",
    "CutMix",
    "Cutout",
    "Flip",
    "Lighting",
    "Mixup",
    "Movement",
    "Operation",
    "Places",
    "RandomPad",
    "ResizedCrop",
    "Shift",
    "augment",
    "from_json",
    "to_json",
]


class Places(NamedTuple):
    """Which row (N, H) and column (N, W) of its image a pixel comes from; -1 is none."""

    rows: Tensor
    columns: Tensor


class Movement(Operation):
    """An operation that moves whole pixels."""

    def places(self, places: Places, drawn: Tensor) -> Places:
        """Where the pixels come from after this movement."""
        raise NotImplementedError

    def apply(self, batch: Batch, drawn: Tensor, classes: int) -> Batch:
        return Batch(_moved(batch.pixels, [(self, drawn)]), batch.labels)


@dataclass(frozen=True)
class Shift(Movement):
    """Every image shifted by up to `part` of its side, its border mirrored: what padding and a
    random crop do (He et al. 2015, arXiv:1512.03385, section 4.2: 4 of 32 pixels).
    """

    part: float = 0.125

    def draw(self, count: int, generator: Generator) -> Tensor:
        return torch.rand(count, 2, generator=generator)

    def places(self, places: Places, drawn: Tensor) -> Places:
        moved = list[Tensor]()
        for index, share in zip(places, drawn.T, strict=True):
            size = index.shape[1]
            source = torch.arange(size) + _shifts(share, self.part, size)
            moved.append(index.gather(1, _mirrored(source, size)))
        return Places(*moved)


@dataclass(frozen=True)
class RandomPad(Shift):
    """Every image shifted by up to `part` of its side, black where it was not
    (Takahashi et al. 2018, arXiv:1811.09030, section 2, call the crop of a padded image so).
    """

    def places(self, places: Places, drawn: Tensor) -> Places:
        moved = list[Tensor]()
        for index, share in zip(places, drawn.T, strict=True):
            size = index.shape[1]
            source = torch.arange(size) + _shifts(share, self.part, size)
            inside = (source >= 0) & (source < size)
            moved.append(index.gather(1, source.clamp(0, size - 1)).where(inside, -1))
        return Places(*moved)


@dataclass(frozen=True)
class Flip(Movement):
    """Images mirrored left to right with that chance (Krizhevsky et al. 2012, section 4.1)."""

    chance: float = 0.5

    def draw(self, count: int, generator: Generator) -> Tensor:
        return torch.rand(count, generator=generator)

    def places(self, places: Places, drawn: Tensor) -> Places:
        flips = (drawn < self.chance)[:, None]
        return Places(places.rows, torch.where(flips, places.columns.flip(1), places.columns))

    def apply(self, batch: Batch, drawn: Tensor, classes: int) -> Batch:
        flips = (drawn < self.chance).nonzero()[:, 0].to(batch.pixels.device)
        mirrored = batch.pixels.index_select(0, flips).flip(-1)
        return Batch(batch.pixels.index_copy(0, flips, mirrored), batch.labels)


@dataclass(frozen=True)
class ResizedCrop(Operation):
    """A random window of every image, of `least` to all of its area and a ratio of its sides of
    3/4 to 4/3, resized to the whole (Szegedy et al. 2014, arXiv:1409.4842, section 6).
    """

    least: float = 0.35

    def draw(self, count: int, generator: Generator) -> Tensor:
        return torch.rand(count, 4, generator=generator)

    def apply(self, batch: Batch, drawn: Tensor, classes: int) -> Batch:
        size = batch.pixels.shape[2:]
        windows = self.windows(drawn, *size).tolist()
        # One by one: the kernel for bytes takes a window many times faster than `grid_sample`
        # takes it of a batch.
        pixels = batch.pixels if batch.pixels.device.type == "cpu" else batch.pixels.float()
        moved = [
            F.interpolate(pixels[i : i + 1, :, y : y + high, x : x + wide], size, mode="bilinear")
            for i, (y, x, high, wide) in enumerate(windows)
        ]
        whole = torch.cat(moved)
        return Batch(whole if whole.dtype == torch.uint8 else rounded(whole), batch.labels)

    def windows(self, drawn: Tensor, height: int, width: int) -> Tensor:
        """(top, left, height, width) of every window in whole pixels, (N, 4)."""
        area = self.least + (1 - self.least) * drawn[:, 0]
        ratio = torch.exp((2 * drawn[:, 1] - 1) * math.log(4 / 3))
        sides = torch.stack([(area / ratio).sqrt() * height, (area * ratio).sqrt() * width], 1)
        whole = torch.tensor([height, width])
        sides = torch.minimum(sides.round().long().clamp(min=1), whole)
        corners = (drawn[:, 2:] * (whole - sides + 1)).long().clamp(max=whole - sides)
        return torch.cat([corners, sides], 1)


@dataclass(frozen=True)
class Lighting(Operation):
    """The colours of every image moved along the principal components of natural images
    (Krizhevsky et al. 2012, section 4.1: a standard deviation of 0.1). Needs 3 channels.
    """

    deviation: float = 0.1

    VALUES: ClassVar = (0.2175, 0.0188, 0.0045)
    """Eigenvalues of the covariance of ImageNet's colours from 0 to 1, as in the fb.resnet code."""
    VECTORS: ClassVar = (
        (-0.5675, 0.7192, 0.4009),
        (-0.5808, -0.0045, -0.8140),
        (-0.5836, -0.6948, 0.4203),
    )

    def draw(self, count: int, generator: Generator) -> Tensor:
        return self.deviation * torch.randn(count, 3, generator=generator)

    def apply(self, batch: Batch, drawn: Tensor, classes: int) -> Batch:
        pixels = batch.pixels
        if pixels.shape[1] != 3:
            return batch
        shift = (drawn * torch.tensor(self.VALUES)) @ torch.tensor(self.VECTORS).T
        moved = pixels.float() + 255 * shift.view(-1, 3, 1, 1).to(pixels.device)
        return Batch(rounded(moved), batch.labels)


@dataclass(frozen=True)
class ColourJitter(Operation):
    """Brightness, contrast and saturation of every image multiplied by 1 - x to 1 + x
    (Howard 2013, arXiv:1312.5402, section 2.2).
    """

    brightness: float = 0.4
    contrast: float = 0.4
    saturation: float = 0.4

    def draw(self, count: int, generator: Generator) -> Tensor:
        return 2 * torch.rand(count, 3, generator=generator) - 1

    def apply(self, batch: Batch, drawn: Tensor, classes: int) -> Batch:
        pixels = batch.pixels
        spread = torch.tensor([self.brightness, self.contrast, self.saturation])
        factors = (1 + drawn * spread).T.to(pixels.device)
        bright, contrast, saturation = factors[:, :, None, None, None]
        moved = pixels.float() * bright
        moved = moved.lerp(_grey(moved).mean((1, 2, 3), keepdim=True), 1 - contrast)
        moved = moved.lerp(_grey(moved), 1 - saturation)
        return Batch(rounded(moved), batch.labels)


@dataclass(frozen=True)
class Cutout(Operation):
    """A square of `part` of the side of every image, anywhere, becomes grey
    (DeVries & Taylor 2017, arXiv:1708.04552).
    """

    part: float = 0.25

    def draw(self, count: int, generator: Generator) -> Tensor:
        return torch.rand(count, 2, generator=generator)

    def apply(self, batch: Batch, drawn: Tensor, classes: int) -> Batch:
        inside = _boxes(batch.pixels, torch.full((len(drawn),), self.part), drawn)
        return Batch(batch.pixels.masked_fill(inside, 128), batch.labels)


@dataclass(frozen=True)
class Mixup(Operation):
    """Every image and label averaged with another's, by a weight of Beta(alpha, alpha)
    (Zhang et al. 2017, arXiv:1710.09412, equation 2).
    """

    alpha: float = 0.2

    def draw(self, count: int, generator: Generator) -> Tensor:
        return _beta(self.alpha, count, generator)

    def apply(self, batch: Batch, drawn: Tensor, classes: int) -> Batch:
        weight, other = drawn.to(batch.pixels.device), _neighbours(batch.pixels)
        mixed = batch.pixels[other].float().lerp(batch.pixels.float(), weight.view(-1, 1, 1, 1))
        shares = shared(batch.labels, classes)
        return Batch(rounded(mixed), shares[other].lerp(shares, weight.view(-1, 1)))


@dataclass(frozen=True)
class CutMix(Operation):
    """A box of every image comes from another, and as much of its label
    (Yun et al. 2019, arXiv:1905.04899, equations 1 and 2).
    """

    alpha: float = 1.0

    def draw(self, count: int, generator: Generator) -> Tensor:
        weight = _beta(self.alpha, count, generator)
        return torch.cat([weight[:, None], torch.rand(count, 2, generator=generator)], 1)

    def apply(self, batch: Batch, drawn: Tensor, classes: int) -> Batch:
        other = _neighbours(batch.pixels)
        inside = _boxes(batch.pixels, (1 - drawn[:, 0]).sqrt(), drawn[:, 1:])
        mixed = torch.where(inside, batch.pixels[other], batch.pixels)
        kept = 1 - inside.float().mean((1, 2, 3)).view(-1, 1)
        shares = shared(batch.labels, classes)
        return Batch(mixed, shares[other].lerp(shares, kept))


OPERATIONS: dict[str, type[Operation]] = {
    "shift": Shift,
    "random-pad": RandomPad,
    "flip": Flip,
    "resized-crop": ResizedCrop,
    "lighting": Lighting,
    "colour-jitter": ColourJitter,
    "cutout": Cutout,
    "mixup": Mixup,
    "cutmix": CutMix,
    "rand-augment": RandAugment,
    "trivial-augment": TrivialAugment,
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
) -> Batch:
    """The batch after the operations, one after another.

    Arguments:
        batch: the images and their labels.
        operations: in this order.
        classes: how many there are.
        generator: where everything random comes from.
        place: (first, count) where the images are some of a larger batch of `count`: what
            falls to them is then the same as if all were here.

    >>> pixels = torch.arange(12, dtype=torch.uint8).view(1, 3, 2, 2)
    >>> flipped = augment(Batch(pixels, torch.tensor([0])), [Flip(1.0)], 2, torch.Generator())
    >>> flipped.pixels[0, 0].tolist()
    [[1, 0], [3, 2]]
    """
    first, count = place or (0, len(batch.pixels))
    own = slice(first, first + len(batch.pixels))
    draws = [(op, op.draw(count, generator)[own]) for op in operations]
    for moving, group in groupby(draws, lambda draw: isinstance(draw[0], Movement)):
        run = list(group)
        moves = [(op, drawn) for op, drawn in run if isinstance(op, Movement)]
        if moving and len(moves) > 1:
            batch = Batch(_moved(batch.pixels, moves), batch.labels)
        else:
            for operation, drawn in run:
                batch = operation.apply(batch, drawn, classes)
    return batch


def shared(labels: Tensor, classes: int) -> Tensor:
    """Labels as shares of every class, (N, classes)."""
    return F.one_hot(labels, classes).float() if labels.ndim == 1 else labels


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
        raise RecipeError(f"an operation is {record!r}, wanted such as "
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
            raise RecipeError(f"{name}: {word} is {value!r}, wanted a number from 0 to {most:,}")
    return kind(**{word: float(value) for word, value in values.items()})


def _moved(pixels: Tensor, movements: Sequence[tuple[Movement, Tensor]]) -> Tensor:
    """All movements as one gather of pixels."""
    count, channels, height, width = pixels.shape
    places = Places(*(torch.arange(size).expand(count, size) for size in (height, width)))
    for movement, drawn in movements:
        places = movement.places(places, drawn)
    device = pixels.device
    rows, columns = (index.to(device) for index in places)
    moved = pixels[
        torch.arange(count, device=device)[:, None, None, None],
        torch.arange(channels, device=device)[None, :, None, None],
        rows.clamp(min=0)[:, None, :, None],
        columns.clamp(min=0)[:, None, None, :],
    ]
    outside = (rows < 0)[:, None, :, None] | (columns < 0)[:, None, None, :]
    return moved.masked_fill(outside, 0) if outside.any() else moved


def _shifts(share: Tensor, part: float, size: int) -> Tensor:
    """Whole pixels from -most to most, all alike, for shares from 0 to 1: (N, 1)."""
    most = max(1, round(part * size)) if part else 0
    return (share * (2 * most + 1)).long().clamp(max=2 * most)[:, None] - most


def _neighbours(pixels: Tensor) -> Tensor:
    """For every image another: the images are in random order, so it is the one beside it."""
    index = torch.arange(len(pixels), device=pixels.device)
    return (index ^ 1).clamp(max=len(pixels) - 1)


def _mirrored(index: Tensor, size: int) -> Tensor:
    """Positions outside 0..size-1 mirrored at the first and the last."""
    index = index.abs()
    return torch.where(index >= size, 2 * (size - 1) - index, index).clamp(0, size - 1)


def _boxes(pixels: Tensor, sides: Tensor, centres: Tensor) -> Tensor:
    """Masks (N, 1, H, W) of a box of that share of each side, centred at shares (N, 2)."""
    masks = list[Tensor]()
    for size, centre in zip(pixels.shape[2:], centres.T, strict=True):
        distance = (torch.arange(size) + 0.5 - centre[:, None] * size).abs()
        masks.append(distance < sides[:, None] * size / 2)
    return (masks[0][:, None, :, None] & masks[1][:, None, None, :]).to(pixels.device)


def _beta(alpha: float, count: int, generator: Generator) -> Tensor:
    """Draws of Beta(alpha, alpha) from the generator alone: X / (X + Y) of two Gamma draws by
    their logarithms, for draws of a small alpha are smaller than any number.
    """
    alpha = max(alpha, 1e-3)
    gamma: Any = torch._standard_gamma  # type: ignore[attr-defined]  # noqa: SLF001
    above = gamma(torch.full((2, count), alpha + 1, dtype=torch.double), generator=generator)
    uniform = 1 - torch.rand(2, count, generator=generator, dtype=torch.double)
    logs = above.log() + uniform.log() / alpha  # Gamma(a) = Gamma(a + 1) U^(1/a)
    return (logs[0] - logs[1]).sigmoid().float()


def _grey(pixels: Tensor) -> Tensor:
    """Luma of (N, 3, H, W), and the one channel of grey images, as (N, 1, H, W)."""
    if pixels.shape[1] != 3:
        return pixels.mean(1, keepdim=True)
    weights = torch.tensor([0.299, 0.587, 0.114], device=pixels.device).view(1, 3, 1, 1)
    return (pixels * weights).sum(1, keepdim=True)
