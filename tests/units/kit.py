"""What a unit brings to the conformance kit.

Every module in `samples/` has `SAMPLES`, a list of `Sample`; `WRONG`, unit name -> fields it
must refuse; `MISFITS`, unit name -> (input shape or shapes, fields) that do not fit. They are
found by themselves.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

import torch
from torch import Tensor, nn

from netwright.core.shape import Shape
from netwright.core.spec import Unit

__all__ = ["MISFITS", "SAMPLES", "WRONG", "Sample"]


class Sample:
    """A unit with input shapes, and what the kit should know of it.

    `macs` is the count by hand where PyTorch's counter misses the operation, or takes sums by
    a convolution with ones for products. `inputs` makes inputs that random numbers cannot
    stand for (boxes, labels). `surrogate` turns the module into one whose gradient is not zero
    exactly where there is a path, where `oracles.surrogate` cannot; `support` says why no
    gradient can show the field (empty: it can). `random` marks units that differ from run to
    run in training. `smooth` is False where gradcheck cannot hold (steps, sampling).
    `compiles` says why `torch.compile(fullgraph=True)` cannot.
    """

    def __init__(
        self,
        unit: Unit,
        *shapes: Shape,
        macs: int | None = None,
        inputs: Callable[[int], Sequence[Tensor]] | None = None,
        surrogate: Callable[[nn.Module], nn.Module] | None = None,
        support: str = "",
        random: bool = False,
        smooth: bool = True,
        compiles: str = "",
    ) -> None:
        self.unit = unit
        self.shapes = shapes
        self.macs = macs
        self.inputs = inputs
        self.surrogate = surrogate
        self.support = support
        self.random = random
        self.smooth = smooth
        self.compiles = compiles

    def module(self) -> nn.Module:
        """The unit's module, its weights the same at every call, in evaluation mode."""
        torch.manual_seed(0)
        return self.unit.module(*self.shapes).eval()

    def tensors(self, batch: int = 2) -> list[Tensor]:
        """Inputs, the same at every call."""
        torch.manual_seed(1)
        if self.inputs is not None:
            return list(self.inputs(batch))
        return [torch.rand(batch, *shape) for shape in self.shapes]

    def __str__(self) -> str:
        shapes = " + ".join("x".join(map(str, shape)) for shape in self.shapes)
        return f"{self.unit!r} at {shapes}"


def _modules() -> list[ModuleType]:
    found: list[ModuleType] = []
    for path in sorted((Path(__file__).parent / "samples").glob("*.py")):
        spec = importlib.util.spec_from_file_location(f"samples_{path.stem}", path)
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        found.append(module)
    return found


SAMPLES: dict[str, list[Sample]] = {}
WRONG: dict[str, list[dict[str, Any]]] = {}
MISFITS: dict[str, list[tuple[Any, dict[str, Any]]]] = {}
for _module in _modules():
    for _sample in _module.SAMPLES:
        SAMPLES.setdefault(type(_sample.unit).__name__, []).append(_sample)
    WRONG.update(getattr(_module, "WRONG", {}))
    MISFITS.update(getattr(_module, "MISFITS", {}))
