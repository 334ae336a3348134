"""What the frozen layers of a trained net make of images, computed once.

A layer's features are the averages of its maps over their positions, so that a linear model on
them is again a net: the layers up to there, global average pooling, one dense unit.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack
from time import perf_counter
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from netwright.building import fast
from netwright.core.classifier import classifiers
from netwright.core.net import Net
from netwright.core.wiring import Sequential
from netwright.errors import RuleError
from netwright.nets.heads import pooled
from netwright.train.batches import Images, together

__all__ = ["LATE", "averaged", "extract", "layers", "seconds_each", "up_to"]

LATE = "classifier"
"""The layer that stands for what goes into the classifier."""
FEW, ROUNDING = 8, {"fp32": 1e-3, "bf16": 0.1}
"""Images on which a fast twin is held against its model, and how far features may be apart, as a
share of their norm: those of a layer after an activation that was computed early are further."""


def layers(net: Net) -> list[str]:
    """Layers whose features are worth a look, from the middle of the net to its end: the last
    part at each size of map from an eighth of the image down, and what goes into the classifier.

    >>> from netwright import net
    >>> layers(net("resnet18"))
    ['stage2', 'stage3', 'classifier']
    """
    last = dict[tuple[int, ...], str]()
    heads = classifiers(net)
    if isinstance(net.spec, Sequential):
        for name, row in _ends(net).items():
            output = row.output
            if len(output) == 3 and 1 < output[1] <= net.input[1] // 8:
                last[output[1:]] = name
        if heads and last:  # the last map, averaged, is what goes into the classifier
            last.popitem()
    return [*last.values(), *([LATE] if heads else [])]


def _ends(net: Net) -> dict[str, Any]:
    """The last row of every part of the spec."""
    return {row.path.partition(".")[0]: row for row in net.plan().rows if not row.auxiliary}


def up_to(net: Net, layer: str, classes: int) -> Net:
    """The net up to a layer, with a pooled head of `classes`: what a linear model on its
    features is. `RuleError` where the net has no such layer.
    """
    if layer == LATE:
        return net.but(classes=classes)
    if not isinstance(net.spec, Sequential) or layer not in net.spec.names:
        raise RuleError(f"{net.name} has no part {layer!r}; there are: {', '.join(layers(net))}")
    names = net.spec.names
    kept = {name: net.spec.part(name) for name in names[: names.index(layer) + 1]}
    return Net(Sequential(**kept, head=pooled(classes)), net.input, f"{net.name}-{layer}")


def extract(
    model: nn.Module, net: Net, images: Images, wanted: Sequence[str], precision: str = "fp32",
    tell: Callable[[int], None] = lambda count: None,
) -> dict[str, np.ndarray]:  # fmt: skip
    """Features (N, channels) of every layer that is `wanted`, in one pass in evaluation mode: by a
    fast twin of the model, unless it gives others on the first images. `tell` hears of how many
    images they are there.
    """
    way = _way(model, net, images, wanted, precision)
    return _features(*way, net, _counting(images.inorder(), tell), wanted, precision)


def seconds_each(
    model: nn.Module, net: Net, images: Images, wanted: Sequence[str], precision: str = "fp32"
) -> float:
    """Seconds that `extract` takes for an image, once it runs; of at least two images."""
    way = _way(model, net, images, wanted, precision)
    batches = images.inorder(min(together(images.shape, images.device), (len(images) + 1) // 2))
    done = len(next(batches))  # worker processes have begun by then
    begun = perf_counter()
    _features(*way, net, batches, wanted, precision)
    return (perf_counter() - begun) / (len(images) - done)


def _counting(batches: Iterable[Tensor], tell: Callable[[int], None]) -> Iterator[Tensor]:
    done = 0
    for x in batches:
        yield x
        done += len(x)
        tell(done)


def _way(
    model: nn.Module, net: Net, images: Images, wanted: Sequence[str], precision: str
) -> tuple[nn.Module, nn.Module]:
    """What is asked for features, and the module whose layers are seen."""
    model.eval()
    twin: Any = fast(model, torch.bfloat16 if precision == "bf16" else torch.float32)
    own, fast_way = (model, model), (twin, twin.body)
    first = [next(images.inorder(FEW))]
    exact, quick = (_features(*way, net, first, wanted, precision) for way in (own, fast_way))
    alike = all(_alike(exact[layer], quick[layer], precision) for layer in wanted)
    return fast_way if alike else own


def _features(
    ask: nn.Module, body: nn.Module, net: Net, batches: Iterable[Tensor], wanted: Sequence[str],
    precision: str,
) -> dict[str, np.ndarray]:  # fmt: skip
    """The features of batches that are asked of a module, seen at the layers of its `body`."""
    pages: dict[str, list[Tensor]] = {layer: [] for layer in wanted}
    with ExitStack() as hooks, torch.inference_mode():
        for layer in wanted:
            if layer == LATE:
                module = body.get_submodule(classifiers(net)[0])
                hook = module.register_forward_pre_hook(_entering(pages[layer]))
            else:
                module = body.get_submodule(layer)
                hook = module.register_forward_hook(_leaving(pages[layer]))
            hooks.callback(hook.remove)
        for x in batches:
            cast = precision == "bf16" and ask is body
            with torch.autocast(x.device.type, torch.bfloat16, enabled=cast):
                ask(x)
    return {layer: torch.cat(values).cpu().numpy() for layer, values in pages.items()}


def _alike(first: np.ndarray, second: np.ndarray, precision: str) -> bool:
    """Whether features are the same up to rounding."""
    apart = np.linalg.norm(first - second) / max(float(np.linalg.norm(first)), 1e-12)
    return bool(apart <= ROUNDING[precision])


def _entering(page: list[Tensor]) -> Callable[..., None]:
    """A hook that keeps what goes into a module."""
    return lambda _, xs: page.append(averaged(xs[0]))


def _leaving(page: list[Tensor]) -> Callable[..., None]:
    """A hook that keeps what comes out of a module."""
    return lambda _, xs, y: page.append(averaged(y))


def averaged(value: Tensor) -> Tensor:
    """Maps (N, C, ...) by their means over positions, (N, C)."""
    flat = value.float()
    return flat.mean(tuple(range(2, flat.ndim))) if flat.ndim > 2 else flat
