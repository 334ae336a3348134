"""Seconds of a plan from the measured rates of a machine; pure arithmetic.

A unit's time is linear in its multiply-adds, the bytes it reads and writes, and the bytes of
its weights, with coefficients for its kind of operation: convolutions of different shape
reach different rates, element-wise units are bound by memory, all have an overhead.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from math import exp, log, prod
from pathlib import Path
from tempfile import TemporaryFile

from netwright.core.operation import Kind
from netwright.core.plan import Plan, Row
from netwright.errors import NetwrightError
from netwright.report.numbers import counted
from netwright.speed.machine import file_of, read, write

__all__ = ["Latency", "Rates", "Setting", "amounts", "keep", "kind", "kinds", "latest",
           "need_file", "predict", "rates_kept", "spread"]  # fmt: skip

NAME = "latency"
"""What the kept rates are called."""
_WITHOUT_MACS = {
    Kind.AVERAGING: "pool",
    Kind.POOLING: "pool",
    Kind.ACTIVATION: "curve",
    Kind.NORMALISATION: "norm",
    Kind.REARRANGEMENT: "move",
    Kind.RESAMPLING: "move",
}
"""The kinds of rows that do not multiply; all others are light."""


@dataclass(frozen=True)
class Setting:
    """How nets are run: the machine, its threads, the type and the layout of tensors."""

    machine: str
    threads: int
    dtype: str = "float32"
    channels_last: bool = False

    def __str__(self) -> str:
        layout = ", channels last" if self.channels_last else ""
        return f"{self.machine}, {counted(self.threads, 'thread')}, {self.dtype}{layout}"


@dataclass(frozen=True)
class Rates:
    """Seconds a unit of what `amounts` tells, for each kind of operation.

    `error` is the spread (one standard deviation) of the logarithm of measured over predicted
    on nets that were held out: 0.1 says within about 10%.
    """

    setting: Setting
    seconds: Mapping[str, tuple[float, ...]]
    error: float


@dataclass(frozen=True)
class Latency:
    """Predicted seconds of a batch in inference; `low` to `high` is one standard error."""

    seconds: float
    low: float
    high: float
    setting: Setting


def kind(row: Row) -> str | None:
    """The kind of operation a row is; None for those that only look at their input anew."""
    rule = row.unit.kept(*row.inputs, y=row.output)
    noise = row.unit.kind is Kind.REGULARISATION and not row.ops
    if (rule is not None and rule.view) or noise:
        return None
    window = row.unit.sliding(row.input)
    if row.macs and window is not None:
        if window.groups == 1:
            return "pointwise" if prod(window.kernel) == 1 else "convolution"
        return "depthwise" if window.groups == row.input[0] else "grouped"
    if row.macs:
        return "matrix"
    return _WITHOUT_MACS.get(row.unit.kind, "light")


def kinds() -> tuple[str, ...]:
    """All kinds, those that multiply first."""
    return ("convolution", "pointwise", "depthwise", "grouped", "matrix", "pool", "curve",
            "norm", "move", "light")  # fmt: skip


def amounts(row: Row, batch: int, item: int) -> tuple[float, ...]:
    """What a row's time is linear in: itself, its MACs, its MACs an input and an output
    channel (narrow convolutions do not fill a processor), bytes moved, bytes of weights.
    """
    read = sum(prod(shape) for shape in row.inputs) * row.copies
    moved = (read + row.elements) * batch * item
    if not row.macs:
        return (1.0, row.ops * batch, 0.0, 0.0, moved, 0.0)
    work = row.macs * batch
    return (1.0, work, work / row.input[0], work / row.output[0], moved, row.params * item)


def predict(plan: Plan, rates: Rates) -> Latency:
    """The latency of a plan's batch by these rates."""
    seconds = 0.0
    for row in plan.rows:
        own = None if row.auxiliary else kind(row)
        if own is not None:
            seconds += sum(
                rate * amount
                for rate, amount in zip(
                    rates.seconds[own], amounts(row, plan.batch, plan.item), strict=True
                )
            )
    spread = exp(rates.error)
    return Latency(seconds, seconds / spread, seconds * spread, rates.setting)


def rates_kept() -> list[Rates]:
    """The rates that `netwright calibrate` measured, the latest last."""
    try:
        return [
            Rates(Setting(**one["setting"]),
                  {name: tuple(map(float, row)) for name, row in one["seconds"].items()},
                  float(one["error"]))
            for one in read(NAME)["rates"]
            if {*one["seconds"]} == {*kinds()}
        ]  # fmt: skip
    except (ValueError, TypeError, KeyError, AttributeError):
        return []


def latest(dtype: str = "float32", channels_last: bool | None = None) -> Rates | None:
    """The rates measured last for that type, and layout if one is asked for; None without."""
    for rates in reversed(rates_kept()):
        how = rates.setting
        if how.dtype == dtype and channels_last in (None, how.channels_last):
            return rates
    return None


def need_file() -> Path:
    """The file of the rates, which can be written; `NetwrightError` where it cannot."""
    file = file_of(NAME)
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        with TemporaryFile(dir=file.parent):
            pass
    except OSError as error:
        raise NetwrightError(f"cannot write {file}: {error.strerror}") from None
    return file


def keep(rates: Rates) -> Path:
    """Writes rates beside those of other settings, and says where."""
    others = [one for one in rates_kept() if one.setting != rates.setting]
    try:
        return write(NAME, {"rates": [asdict(one) for one in (*others, rates)]})
    except OSError as error:
        raise NetwrightError(f"cannot write {file_of(NAME)}: {error.strerror}") from None


def spread(ratios: list[float]) -> tuple[float, float]:
    """Geometric mean of ratios, and the standard deviation of their logarithms."""
    logs = [log(ratio) for ratio in ratios]
    mean = sum(logs) / len(logs)
    return exp(mean), (sum((x - mean) ** 2 for x in logs) / max(1, len(logs) - 1)) ** 0.5
