"""First weights that need not be learnt: patches are whitened, maps are passed on."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from netwright.errors import RecipeError

__all__ = ["LEARNING", "PATCHES", "first", "pass_on", "principal", "whiten"]

PATCHES = 4096
"""Images whose patches are looked at."""
LEARNING = 3 / 8
"""The share of the epochs in which biases of the first convolution learn, as in Jordan's code."""
EPSILON = 5e-4
"""Added to every variance, so that directions without any are not blown up."""


def whiten(model: nn.Module, images: Tensor) -> None:
    """Sets the first convolution to the principal components of its patches, each divided by its
    standard deviation, and their negatives; its kernel learns no more.

    `images` are normalised, (N, C, H, W); some thousands are enough. Filters beyond twice the
    inputs of a window stay as they are. `RecipeError` where the convolution has fewer.
    (Coates & Ng 2012; Jordan 2024, arXiv:2404.00498, section 3.2.)
    """
    _, conv = first(model)
    inputs = conv.weight[0].numel() if conv is not None else 0
    if conv is None or conv.groups > 1 or conv.out_channels < 2 * inputs:
        raise RecipeError(
            "the recipe whitens the first convolution, which needs two filters for each input of "
            f"its window: {2 * inputs or 'some'}; got "
            f"{conv.out_channels if conv is not None else 'no convolution'}; "
            "choose a recipe without whiten, or another net"
        )
    filters = principal(images, conv.kernel_size)
    weight = torch.cat([filters, -filters])
    with torch.no_grad():
        conv.weight[: 2 * inputs] = weight.to(conv.weight)
    conv.weight.requires_grad_(False)


def first(model: nn.Module) -> tuple[str, nn.Conv2d | None]:
    """The first convolution and its path; none, if there is none."""
    modules = model.named_modules()
    found = ((path, module) for path, module in modules if isinstance(module, nn.Conv2d))
    return next(found, ("", None))


def principal(images: Tensor, kernel: tuple[int, ...]) -> Tensor:
    """The principal components of all patches, each divided by its standard deviation, that with
    the largest variance first: (C k k, C, k, k) in double precision.
    """
    inputs = images.shape[1] * kernel[0] * kernel[1]
    patches = nn.functional.unfold(images.double(), kernel)
    flat = patches.transpose(1, 2).reshape(-1, inputs)
    covariance = flat.T @ flat / len(flat)
    variances, directions = torch.linalg.eigh(covariance)
    filters = (directions / (variances + EPSILON).sqrt()).T.flip(0)
    return filters.view(inputs, images.shape[1], *kernel)


def pass_on(model: nn.Module) -> None:
    """Sets the first filters of every convolution with at least as many filters as inputs, the
    first convolution left out, to pass one input on each, as they would were there no convolution
    (Dirac's kernels; Zagoruyko & Komodakis 2017, arXiv:1706.00388; Jordan 2024, section 3.1).
    """
    convs = [module for module in model.modules() if isinstance(module, nn.Conv2d)]
    for conv in convs[1:]:
        inputs = conv.weight.shape[1]
        if conv.groups == 1 and conv.out_channels >= inputs:
            nn.init.dirac_(conv.weight.data[:inputs])
