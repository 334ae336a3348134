"""How a trained net is asked for many answers: its norms folded, and in bf16 where that pays."""

from __future__ import annotations

import json
from typing import Any

import torch
from torch import nn

from netwright.building import fast
from netwright.core.net import Net
from netwright.errors import nearest
from netwright.speed.machine import machine, remembered, timed
from netwright.speed.training import faster
from netwright.train.settings import PRECISIONS

__all__ = ["quick", "quickest"]

ANSWERS = "answers"
"""What the kept measurements are called."""
BATCH, REPETITIONS = 16, 3


def quick(model: nn.Module, *, precision: str = "fp32") -> nn.Module:
    """A twin of a built net in evaluation mode: `fp32`, `bf16`, or with `auto` what this machine
    was measured to answer faster in.
    """
    if precision not in PRECISIONS:
        raise nearest("precision", precision, PRECISIONS)
    chosen = quickest(model) if precision == "auto" else precision
    return fast(model, torch.bfloat16 if chosen == "bf16" else torch.float32)


def quickest(model: nn.Module) -> str:
    """`bf16` where this machine answers faster with it, else `fp32`; measured once a net."""
    net: Any = model.net
    assert isinstance(net, Net)

    def measure() -> list[float]:
        x = torch.randn(BATCH, *net.input, generator=torch.Generator().manual_seed(0))
        x = x.to(next(model.parameters()).device)
        twins = [fast(model, dtype) for dtype in (torch.float32, torch.bfloat16)]
        with torch.inference_mode():
            rounds = [[timed(lambda twin=twin: float(twin(x).sum())) for twin in twins]
                      for _ in range(REPETITIONS)]  # fmt: skip
        return [min(taken) for taken in zip(*rounds, strict=True)]

    key = json.dumps([machine(), net.hash], sort_keys=True)
    exact, short = remembered(ANSWERS, key, measure, _is_pair, sum)
    return faster({"fp32": exact, "bf16": short})


def _is_pair(value: Any) -> bool:
    return (isinstance(value, list) and len(value) == 2
            and all(isinstance(seconds, float) and seconds > 0 for seconds in value))  # fmt: skip
