"""What is looked at: a model, the images as it takes them, and the class that is asked about."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from numbers import Integral
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from PIL import Image
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from netwright.core.net import Net
from netwright.core.shape import show
from netwright.data.image import Preprocessing, upright
from netwright.data.reading import opened
from netwright.errors import LookError, nearest
from netwright.look.runs import Fitted, Trained

__all__ = ["Picture", "Subject", "subject"]


class Picture(NamedTuple):
    """An image as the model takes it, (1, C, H, W); as it is shown, uint8 (H, W, 3); and what
    there is to say of how one became the other.
    """

    x: Tensor
    pixels: np.ndarray
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Subject:
    """A model, what its images go through, and the names of its classes, where anybody says;
    `notes` is what a look passes over: training mode, compilation. `run` is the one it is of.
    """

    model: nn.Module
    preprocessing: Preprocessing | None = None
    classes: tuple[str, ...] | None = None
    notes: tuple[str, ...] = ()
    run: Fitted | None = field(default=None, repr=False, compare=False)

    def picture(self, image: Any) -> Picture:
        """A path, a file's bytes, a Pillow image, an array (H, W[, C]) or a tensor (C, H, W), for
        the model.

        A tensor of floats is taken as it is. Everything else goes through the preprocessing;
        without one its values are divided by 255 where they are bytes, which is noted.
        """
        if isinstance(image, Picture):
            return image
        picture = self._picture(image)
        net = getattr(self.model, "net", None)
        shape = tuple(picture.x.shape[1:])
        notes = list(picture.notes)
        if isinstance(net, Net) and shape != tuple(net.input):
            notes.append(f"the image is {show(shape)}, the net was described for {show(net.input)}")
        return picture._replace(notes=(*notes, *self.notes))

    def of_pixels(self, pixels: np.ndarray) -> Tensor:
        """uint8 (H, W, 3) at the model's own size, as a `Picture` shows it, as the model takes
        it (1, C, H, W).
        """
        given = self.preprocessing
        count = given.channels if given else channels_of(self.model) or 3
        x = torch.tensor(pixels[:, :, :count].transpose(2, 0, 1), dtype=torch.float32) / 255
        return self._placed(self.normal(x[None]))

    def normal(self, values: Tensor) -> Tensor:
        """Values from 0 to 1 (N, C, H, W) as the model takes them, where its weights are."""
        given = self.preprocessing
        if given is not None and given.mean:
            mean, std = (torch.tensor(row).view(1, -1, 1, 1).to(values)
                         for row in (given.mean, given.std))  # fmt: skip
            values = (values - mean) / std
        weight = self._weight(values)
        return values.to(weight.device, weight.dtype)

    def _picture(self, image: Any) -> Picture:
        if isinstance(image, Tensor) and image.is_floating_point():
            return self._of_tensor(image)
        if isinstance(image, Tensor):
            image = image.detach().cpu().numpy()
            image = image.squeeze(0) if image.ndim == 4 else image
            image = image.transpose(1, 2, 0) if image.ndim == 3 else image
        if isinstance(image, np.ndarray) and not np.isfinite(image).all():
            raise LookError("the image has values that are not finite")
        if not isinstance(image, str | Path | bytes | Image.Image | np.ndarray):
            raise LookError("an image is a path, a file's bytes, a Pillow image, an array or a "
                            f"tensor; got a {type(image).__name__}")  # fmt: skip
        if self.preprocessing is None:
            return self._plain(image)
        notes: tuple[str, ...] = ()
        if _is_share(image) and self.preprocessing.range == (0.0, 255.0):
            image = (np.asarray(image) * 255).round().astype(np.uint8)
            notes = ("values from 0 to 1 were taken for shares of 255",)
        pixels = self.preprocessing.image(image)
        return Picture(self._placed(self.preprocessing(image)[None]), _rgb(pixels), notes)

    def index(self, target: int | str | None, scores: Tensor) -> int:
        """The class asked for, by index or name; the top one of `scores` (classes) for None."""
        count = scores.shape[-1]
        if target is None:
            return int(scores.argmax())
        if isinstance(target, str):
            if self.classes is None:
                raise LookError(f"the model does not name its classes; give the index of "
                                f"{target!r}, 0 to {count - 1}")  # fmt: skip
            if target not in self.classes:
                raise nearest("class", target, self.classes)
            return self.classes.index(target)
        if isinstance(target, bool) or not isinstance(target, Integral) or not 0 <= target < count:
            raise LookError(f"there is no class {target!r}; wanted 0 to {count - 1}")
        return int(target)

    def name(self, index: int) -> str:
        """A class as it is shown."""
        return self.classes[index] if self.classes else f"class {index}"

    def shown(self, x: Tensor) -> np.ndarray:
        """(C, H, W) as it went into the model, back as uint8 (H, W, 3)."""
        values = x.detach().cpu().float()
        if self.preprocessing and len(self.preprocessing.mean) == len(values):
            rows = (self.preprocessing.mean, self.preprocessing.std)
            mean, std = (torch.tensor(row).view(-1, 1, 1) for row in rows)
            values = values * std + mean
        elif values.min() < 0 or values.max() > 1:
            span = (values.max() - values.min()).clamp(min=1e-12)
            values = (values - values.min()) / span
        pixels = (values.clamp(0, 1) * 255).round().byte()
        return _rgb(pixels.permute(1, 2, 0).numpy())

    def _of_tensor(self, image: Tensor) -> Picture:
        x = image.detach()
        x = x[None] if x.dim() == 3 else x
        if x.dim() != 4 or len(x) != 1:
            raise LookError(f"one image as a tensor is (C, H, W), got {tuple(image.shape)}")
        if not bool(x.isfinite().all()):
            raise LookError("the image has values that are not finite")
        notes: list[str] = []
        if x.abs().max() > 20:
            notes.append(f"values up to {x.abs().max():.3g}: the tensor looks unnormalised")
        elif self.preprocessing and x.min() >= 0 and x.max() <= 1 and x.max() > 0:
            notes.append("all values lie within 0 and 1: the tensor looks unnormalised; hand over "
                         "the image itself to have it normalised")  # fmt: skip
        return Picture(self._placed(x), self.shown(x[0]), tuple(notes))

    def _plain(self, image: Any) -> Picture:
        """Values from 0 to 1, as nothing is known of the model's images."""
        channels = channels_of(self.model) or 3
        if isinstance(image, str | Path | bytes):
            with opened(image) as whole:
                image = upright(whole, channels)
        elif isinstance(image, Image.Image):
            image = upright(image, channels)
        values = np.asarray(image)
        values = values[..., None] if values.ndim == 2 else values
        if values.ndim != 3:
            raise LookError(f"an image is (H, W) or (H, W, C), got an array {values.shape}")
        scaled = values / 255 if values.dtype == np.uint8 else values
        x = torch.tensor(np.ascontiguousarray(scaled.transpose(2, 0, 1)), dtype=torch.float32)
        note = ("nobody says how the model's images are normalised; these values go from "
                f"{x.min():.3g} to {x.max():.3g}")  # fmt: skip
        return Picture(self._placed(x[None]), self.shown(x), (note,))

    def _placed(self, x: Tensor) -> Tensor:
        """On the model's device, in the type of its weights; fit for gradients, whatever mode the
        caller is in.
        """
        weight = self._weight(x)
        with torch.inference_mode(False):
            return x.clone().to(weight.device, weight.dtype)

    def _weight(self, other: Tensor) -> Tensor:
        """One of the model's, which says where and of which type its images are; else `other`."""
        return next((p for p in self.model.parameters() if p.is_floating_point()), other)


def subject(model: Any, preprocessing: Preprocessing | None = None) -> Subject:
    """The model of an `nn.Module`, of what `Net.build` gives, or of a run of `fit`."""
    if isinstance(model, Subject):
        return model
    if isinstance(model, Net):
        raise LookError(f"{model.name} is a description without weights; net.build(weights=...) "
                        "makes a model to look into")  # fmt: skip
    if isinstance(model, nn.Module):
        loaded = getattr(getattr(model, "weights", None), "preprocess", None)
        own = loaded if isinstance(loaded, Preprocessing) else None
        return Subject(model, preprocessing or own, notes=_conditions(model))
    if isinstance(model, Trained):
        module = model.model()
        return Subject(module, preprocessing or model.preprocessing, model.classes,
                       _conditions(module),
                       model if isinstance(model, Fitted) else None)  # fmt: skip
    raise LookError(f"wanted a torch.nn.Module or a run, got a {type(model).__name__}")


def pictures(subject: Subject, images: Sequence[Any]) -> list[Picture]:
    """Some images, of one size."""
    shown = [subject.picture(image) for image in images]
    sizes = {tuple(picture.x.shape) for picture in shown}
    if not shown or len(sizes) > 1:
        raise LookError(f"wanted images of one size, got {sorted(sizes) or 'none'}")
    return shown


def channels_of(model: nn.Module) -> int | None:
    """Channels of a model's images: its net's, or those of its first convolution."""
    net = getattr(model, "net", None)
    if isinstance(net, Net):
        return net.input[0]
    convs = (part for part in model.modules() if isinstance(part, nn.Conv2d))
    first = next(convs, None)
    return None if first is None else first.in_channels


def _conditions(model: nn.Module) -> tuple[str, ...]:
    """What of a model's state a look passes over, in words."""
    notes: list[str] = []
    if any(part.training for part in model.modules()):
        notes.append("the model is in training mode; it was looked at in evaluation mode")
    if any("_orig_mod" in part._modules or part._compiled_call_impl is not None  # noqa: SLF001  torch.compile, in both its forms
           for part in model.modules()):  # fmt: skip
        notes.append("the model is compiled; it was run as it was written")
    if any(isinstance(part, _BatchNorm) and part.running_mean is None for part in model.modules()):
        notes.append("a norm keeps no statistics: what the model says of an image depends on those "
                     "beside it, so each was run alone")  # fmt: skip
    return tuple(notes)


def _is_share(image: Any) -> bool:
    """Whether an array's values are fractions, from 0 to 1: as bytes they would all be black."""
    return (isinstance(image, np.ndarray) and image.dtype.kind == "f" and image.size > 0
            and image.min() >= 0 and 0 < image.max() <= 1)  # fmt: skip


def _rgb(pixels: np.ndarray) -> np.ndarray:
    """(H, W, C) as (H, W, 3): grey in all, or the first three channels."""
    if pixels.shape[2] >= 3:
        return np.ascontiguousarray(pixels[:, :, :3])
    return np.repeat(pixels[:, :, :1], 3, axis=2)
