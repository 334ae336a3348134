"""Measuring a machine: probes of every kind of operation, whole nets to hold the sum against."""

from __future__ import annotations

import gc
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager

import torch
from torch import nn

from netwright.core.join import Add, Cat, Mul
from netwright.core.net import Net
from netwright.core.plan import Row
from netwright.core.shape import Shape
from netwright.core.spec import Spec
from netwright.core.wiring import Concat, Gate, Sequential, Sum
from netwright.nets.registry import find
from netwright.speed import regression
from netwright.speed.latency import Rates, Setting, amounts, kind, kinds, predict, spread
from netwright.speed.machine import device_name, timed
from netwright.units import (
    GELU,
    AvgPool,
    BatchNorm,
    ChannelLayerNorm,
    ChannelShuffle,
    Conv,
    GlobalAvgPool,
    HardSwish,
    Identity,
    Linear,
    MaxPool,
    ReLU,
    Sigmoid,
    SiLU,
    Upsample,
)

__all__ = ["calibrate", "measured", "setting"]

HELD_OUT = (
    ("resnet18", 160), ("mobilenet_v2", 160), ("squeezenet1_1", 160), ("densenet121", 128),
    ("shufflenet_v2_x1_0", 160), ("efficientnet_b0", 128), ("vgg11", 96), ("resnet50", 128),
)  # fmt: skip
"""Nets, and the side of their input, on which the sum of units is held against the truth."""
PATIENCE = 0.04
"""Seconds for which one probe is repeated."""


def setting(dtype: str = "float32", channels_last: bool = False) -> Setting:
    """How this machine runs nets now."""
    return Setting(device_name(), torch.get_num_threads(), dtype, channels_last)


def _probes() -> Iterator[tuple[Spec, Shape]]:
    """Units of every kind, at the shapes that nets have."""
    for c, side in ((16, 64), (32, 56), (64, 56), (64, 28), (128, 28), (256, 14), (512, 7)):
        yield Conv(c, 3, bias=False), (c, side, side)
        yield Conv(2 * c, 3, 2, bias=False), (c, side, side)
        yield Conv(4 * c, 1, bias=False), (c, side, side)
        yield Conv(max(8, c // 4), 1, bias=False), (c, side, side)
        yield Conv(c, 3, groups=c, bias=False), (c, side, side)
        yield Conv(c, 5, 2, groups=c, bias=False), (c, side, side)
        yield Conv(c, 3, groups=max(2, c // 8), bias=False), (c, side, side)
        for unit in (MaxPool(3, 2, 1), AvgPool(2), GlobalAvgPool(), BatchNorm(), ReLU(), SiLU(),
                     Sigmoid(), HardSwish(), GELU(), ChannelLayerNorm(), Upsample(2),
                     ChannelShuffle(2)):  # fmt: skip
            yield unit, (c, side, side)
        for join in (Sum(Identity(), Identity()), Concat(Identity(), Identity())):
            yield join, (c, side, side)
        yield Gate(Identity(), GlobalAvgPool(keep=True)), (c, side, side)
    for c, kernel, stride, side in ((3, 7, 2, 224), (3, 3, 2, 224), (3, 3, 1, 64), (64, 5, 1, 28)):
        yield Conv(32, kernel, stride, bias=False), (c, side, side)
    for c, side in ((64, 112), (64, 111), (96, 55), (256, 27), (192, 28)):
        yield MaxPool(3, 2, ceil=True), (c, side, side)
        yield MaxPool(3, 1, 1), (c, side, side)
        yield Conv(c // 4, 1), (c, side, side)
        yield Conv(c // 2, 3), (c // 4, side, side)
    for c, groups, side in ((128, 32, 28), (256, 32, 14), (240, 3, 28)):
        yield Conv(c, 1 if groups == 3 else 3, groups=groups, bias=False), (c, side, side)
    for inputs, width in ((64, 10), (512, 1000), (1280, 1000), (2048, 1000), (4096, 4096),
                          (9216, 4096), (128, 8)):  # fmt: skip
        yield Linear(width), (inputs,)
    for c, side in ((256, 56), (96, 112), (1024, 14)):
        yield Conv(64, 1, bias=False), (c, side, side)
        yield Conv(c, 3, groups=c, bias=False), (c, side, side)
        for unit in (BatchNorm(), ReLU(), SiLU()):
            yield unit, (c, side, side)


@contextmanager
def _quiet() -> Generator[None]:
    """No collection of garbage while the clock runs."""
    collects = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if collects:
            gc.enable()


def _seconds(run: Callable[[], object], patience: float = PATIENCE, least: int = 5) -> float:
    """Seconds of a call, the first quartile: what others do on the machine only adds."""
    place = torch.cuda.is_available()

    def whole() -> None:
        run()
        if place:
            torch.cuda.synchronize()

    for _ in range(2):
        whole()
    taken: list[float] = []
    with _quiet():
        while len(taken) < least or (sum(taken) < patience and len(taken) < 200):
            taken.append(timed(whole))
    return sorted(taken)[len(taken) // 4]


def _prepared(net: Net, how: Setting, batch: int) -> tuple[nn.Module, torch.Tensor]:
    place = "cuda" if torch.cuda.is_available() else "cpu"
    dtype = getattr(torch, how.dtype)
    model = net.build(init="torch", seed=0).eval().to(place, dtype)
    x = torch.randn(batch, *net.input).to(place, dtype)
    if how.channels_last and x.dim() == 4:
        model = model.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        x = x.contiguous(memory_format=torch.channels_last)
    return model, x


def measured(net: Net, how: Setting, batch: int = 1, patience: float = 1.0) -> float:
    """Seconds of a batch of the built net in inference, the first quartile of its runs."""
    model, x = _prepared(net, how, batch)
    with torch.inference_mode():
        return _seconds(lambda: model(x), patience)


def _row(net: Net) -> Row:
    """The row that a probe is about: the one unit that is not free."""
    rows = [row for row in net.plan().rows if not isinstance(row.unit, Identity)]
    return next((row for row in rows if isinstance(row.unit, Add | Cat | Mul)), rows[0])


def calibrate(how: Setting, progress: Callable[[int, int], None] = lambda done, of: None) -> Rates:
    """The rates of this machine, from probes of every kind and a few whole nets.

    `progress` hears how many of the probes are done. Takes some 20 seconds.
    """
    probes = [Net(Sequential(unit=spec), shape, "probe") for spec, shape in _probes()]
    item, steps = 2 if "16" in how.dtype else 4, len(probes) + len(HELD_OUT)
    samples: dict[str, list[tuple[tuple[float, ...], float]]] = {name: [] for name in kinds()}
    for i, net in enumerate(probes):
        row = _row(net)
        own = kind(row)
        assert own is not None
        samples[own].append((amounts(row, 1, item), measured(net, how, patience=PATIENCE)))
        progress(i + 1, steps)
    fitted = {name: regression.rates([row for row, _ in pairs], [took for _, took in pairs])
              for name, pairs in samples.items()}  # fmt: skip
    rates, ratios = Rates(how, fitted, 0.0), list[float]()
    for i, (name, side) in enumerate(HELD_OUT):
        net = find(name, input=(3, side, side))
        took = measured(net, how, patience=0.3)
        ratios.append(took / predict(net.plan(dtype=how.dtype), rates).seconds)
        progress(len(probes) + i + 1, steps)
    shift, error = spread(ratios)
    scaled = {name: tuple(shift * rate for rate in row) for name, row in fitted.items()}
    return Rates(how, scaled, error)
