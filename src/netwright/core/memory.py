"""Bytes of a training step, by the life of every value: forward, backward, optimiser."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from math import prod
from typing import Any

from netwright.core.cost import Kept
from netwright.core.plan import Plan
from netwright.errors import BudgetError, nearest

__all__ = ["OPTIMISERS", "Training", "largest_batch", "training"]

OPTIMISERS = {
    "sgd": 0, "momentum": 1, "adagrad": 1, "rmsprop": 1, "lion": 1, "adam": 2, "adamw": 2,
    "nadam": 2,
}  # fmt: skip
"""Numbers that an optimiser keeps a parameter."""

INPUT = -1
"""The net's own input, where rows are called by their index."""


@dataclass(frozen=True)
class Training:
    """What a training step of a plan's batch needs, in bytes, values in the plan's type,
    weights in their own.

    `weights` are parameters and buffers, `gradients` as many as learnt parameters, `state` is
    the optimiser's. `saved` is what autograd keeps from the forward to the backward pass, each
    storage once (what `torch.autograd.graph.saved_tensors_hooks` sees, parameters left out).
    `peak` is the most alive at once, all of these included. `unknown` names the units whose
    saving nobody gave a rule: what they hold inside is not in the figures.

    Frozen parts have neither gradients nor state, and keep nothing unless a gradient passes
    through them; then they count as if they learnt, which is at least what they keep.
    """

    weights: int
    gradients: int
    state: int
    saved: int
    peak: int
    unknown: tuple[str, ...] = ()


def training(plan: Plan, optimiser: str = "adamw") -> Training:
    """What training at `plan` needs with one of `OPTIMISERS`.

    The peak is found by walking the rows forward and back: a value lives until its last
    reader, or its keeper's backward pass; a gradient of a value from its last reader's
    backward pass to its own; gradients of parameters once their unit was passed. Scratch
    memory of kernels is not in it.

    >>> from netwright import net
    >>> need = training(net("resnet50").plan(batch=32))
    >>> need.gradients == net("resnet50").plan().params * 4, need.state == 2 * need.gradients
    (True, True)
    """
    if optimiser not in OPTIMISERS:
        raise nearest("optimiser", optimiser, OPTIMISERS)
    lives = _Lives(plan)
    gradients = sum([plan.stored(row).learnt for row in plan])
    state = gradients * OPTIMISERS[optimiser]
    fixed = plan.weight_bytes + state
    peak = max(fixed + lives.peak, fixed + gradients)
    return Training(plan.weight_bytes, gradients, state, lives.saved, peak, lives.unknown)


def largest_batch(plan: Plan, limit: int, optimiser: str | None = None) -> int:
    """The most images at once for which `limit` bytes do: in training with that optimiser,
    in inference without one.

    Raises `BudgetError` where one image is too many.
    """

    def need(batch: int) -> int:
        at = replace(plan, batch=batch)
        return training(at, optimiser).peak if optimiser else at.memory

    if need(1) > limit:
        raise BudgetError(
            f"{plan.name} needs {need(1):,} bytes for one image, {limit:,} are allowed; "
            "try a smaller input or type"
        )
    fits = 1
    while need(2 * fits) <= limit:
        fits *= 2
    step = fits
    while step := step // 2:
        fits += step if need(fits + step) <= limit else 0
    return fits


class _Lives:
    """Who keeps what, and until when, in one forward and backward pass."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.rows = plan.rows
        rules = [row.unit.kept(*row.inputs, y=row.output) for row in self.rows]
        self.unknown = tuple(
            dict.fromkeys(
                row.unit.label for row, rule in zip(self.rows, rules, strict=True) if rule is None
            )
        )
        self.rules = [rule or Kept() for rule in rules]
        self.root = self._roots()
        self.learns = self._learning()
        self.keeper = self._keepers()

    def _roots(self) -> dict[int, int]:
        """Value -> the value whose storage it is a view of, or itself."""
        root = {INPUT: INPUT}
        for i, (row, rule) in enumerate(zip(self.rows, self.rules, strict=True)):
            root[i] = root[row.sources[0]] if rule.view else i
        return root

    def _learning(self) -> dict[int, bool]:
        """Value -> whether a gradient flows to it."""
        learns = {INPUT: False}
        for i, row in enumerate(self.rows):
            own = self.plan.stored(row).learnt
            learns[i] = own != 0 or any(learns[source] for source in row.sources)
        return learns

    def _keepers(self) -> dict[int, int]:
        """Storage -> the first row that keeps it: its backward pass is the last to need it."""
        keeper: dict[int, int] = {}
        for i, (row, rule) in enumerate(zip(self.rows, self.rules, strict=True)):
            if not self.learns[i]:
                continue
            kept = [*(row.sources if rule.input else ()), *((i,) if rule.output else ())]
            for value in kept:
                keeper.setdefault(self.root[value], i)
        return keeper

    def size(self, value: int) -> Any:
        """Bytes of a value."""
        elements = prod(self.plan.input) if value == INPUT else self.rows[value].elements
        return elements * self.plan.item * self.plan.batch

    def own(self, i: int) -> Any:
        """Bytes that row `i` keeps beside inputs and output."""
        if not self.learns[i]:
            return 0
        return self.rules[i].own(self.plan.item, self.plan.batch * self.rows[i].copies)

    @cached_property
    def saved(self) -> Any:
        """Bytes kept for the backward pass."""
        return sum(map(self.size, self.keeper)) + sum(map(self.own, range(len(self.rows))))

    @cached_property
    def peak(self) -> Any:
        """Most bytes of values and gradients alive at once."""
        last = self._last_reader()
        alive = peak = self.size(INPUT)
        for i in range(len(self.rows)):
            if self.root[i] == i:
                alive += self.size(i)
            alive += self.own(i)
            peak = max(peak, alive)
            alive -= sum(
                self.size(value)
                for value in {self.root[source] for source in self.rows[i].sources}
                if last[value] == i and value not in self.keeper and value != INPUT
            )
        return max(peak, self._backward(alive))

    def _backward(self, alive: Any) -> Any:
        """Most bytes alive on the way back, from what was alive at its beginning."""
        flowing: dict[int, Any] = {}
        freed: dict[int, list[int]] = {}
        for value, keeper in self.keeper.items():
            if value != INPUT:
                freed.setdefault(keeper, []).append(value)
        peak = alive
        for i in reversed(range(len(self.rows))):
            row = self.rows[i]
            if not self.learns[i]:
                continue
            arriving = flowing.pop(i, self.size(i))
            for source in {s for s in row.sources if s != INPUT and self.learns[s]}:
                flowing.setdefault(source, self.size(source))
            alive += self.plan.stored(row).learnt
            peak = max(peak, alive + arriving + sum(flowing.values()))
            alive -= self.own(i) + sum(map(self.size, freed.get(i, ())))
        return peak

    def _last_reader(self) -> dict[int, int]:
        last = {value: value for value in self.root.values()}
        for i, row in enumerate(self.rows):
            for source in row.sources:
                last[self.root[source]] = i
        return last
