"""How long nets take on this machine: predicted for all where a strategy minimises that, measured
for the few that may be on the front.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from netwright.core.net import Net
from netwright.errors import SearchError
from netwright.search.fronts import front
from netwright.search.strategy import longest
from netwright.search.trial import Trial

__all__ = ["LATENCY", "contenders", "latencies", "predicted", "setting", "timed"]

LATENCY = "latency"
PATIENCE = 0.3
"""Seconds for which a net is run again and again."""


def predicted(net: Net) -> float:
    """Seconds of an image in inference by the rates that `netwright calibrate` has measured on this
    machine; `SearchError` where it has not.
    """
    latency = net.plan().latency()
    if latency is None:
        raise SearchError("a search that minimises latency needs this machine's rates; run "
                          "`netwright calibrate` first, or minimise macs")  # fmt: skip
    return latency.seconds


def contenders(trials: Sequence[Trial], net: Callable[[Trial], Net]) -> list[Trial]:
    """The complete trials of the longest training that may be on the front of score and latency:
    all that none beats by the predicted latency, as sure as that is (`netwright calibrate`);
    without it those that none beats in parameters and MACs.
    """
    done = longest(trials)
    spans = [net(trial).plan().latency() for trial in done]
    pairs = [(trial, span) for trial, span in zip(done, spans, strict=True) if span is not None]
    if len(pairs) < len(done):
        return front(done)
    return [trial for trial, span in pairs
            if not any(other.points >= trial.points and rival.high < span.low
                       for other, rival in pairs)]  # fmt: skip


def latencies(
    trials: Sequence[Trial], net: Callable[[Trial], Net], kept: Mapping[str, float] | None = None
) -> dict[str, float]:
    """Measured seconds of one image in inference, by the hash of the net, of the contenders among
    the trials; `kept` are not measured again.
    """
    from netwright.speed.measure import measured
    from netwright.speed.measure import setting as how

    seconds = dict(kept or {})
    for trial in contenders(trials, net):
        if trial.hash not in seconds:
            seconds[trial.hash] = measured(net(trial), how(), patience=PATIENCE)
    return seconds


def timed(trials: Sequence[Trial], seconds: Mapping[str, float]) -> list[Trial]:
    """The trials of the longest training whose latency was measured, with it among their costs."""
    return [replace(trial, costs={**trial.costs, LATENCY: seconds[trial.hash]})
            for trial in longest(trials) if trial.hash in seconds]  # fmt: skip


def setting() -> str:
    """Where and how nets are measured now."""
    from netwright.speed.measure import setting as how

    return str(how())
