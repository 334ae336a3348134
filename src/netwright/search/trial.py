"""One evaluated net of a search, as a record that storages keep."""

from __future__ import annotations

import json
import math
from dataclasses import asdict, dataclass, field, fields
from typing import Any, Literal, cast

from netwright.errors import SearchError

__all__ = ["STATES", "STRATEGY", "State", "Trial"]

State = Literal["complete", "failed", "running"]
STATES: tuple[State, ...] = ("complete", "failed", "running")
STRATEGY = "strategy"
"""What a record calls the strategy that proposed the trial, where several may share a study."""


@dataclass(frozen=True)
class Trial:
    """What was asked, and what came of it; scores are maximised.

    number: the trial's place in the order they were asked in
    code: of the net in its space
    key: the canonical code; trials of one key are of one function
    hash: the net's identity, `Net.hash`
    score: what the evaluator returned; None unless complete
    state: `running`, `complete` or `failed`
    reason: why it failed, in one line
    seconds: how long the evaluation took
    costs: `params` and `macs` of the net; `latency` in seconds where it is asked for
    seed: that of the evaluation
    fidelity: share of the whole training that was asked for, above 0 and at most 1
    record: what else is kept: the strategy's note, the recipe, the curve
    """

    number: int
    code: str
    key: str
    hash: str
    score: float | None = None
    state: State = "running"
    reason: str = ""
    seconds: float = 0.0
    costs: dict[str, float] = field(default_factory=dict[str, float])
    seed: int = 0
    fidelity: float = 1.0
    record: dict[str, Any] = field(default_factory=dict[str, Any])

    def __post_init__(self) -> None:
        if self.state not in STATES:
            raise SearchError(f"trial {self.number}: state {self.state!r} is none of {STATES}")
        scored = isinstance(self.score, int | float) and math.isfinite(self.score)
        if scored != (self.state == "complete"):
            raise SearchError(
                f"trial {self.number} is {self.state} with score {self.score!r}; "
                "complete ones have a finite score, others none"
            )

    @property
    def points(self) -> float:
        """The score of a complete trial."""
        if self.score is None:
            raise SearchError(f"trial {self.number} is {self.state} and has no score")
        return self.score

    def cost(self, name: str) -> float:
        """What its net costs by that measure; `SearchError` where that is not known."""
        if name not in self.costs:
            raise SearchError(f"trial {self.number} has no cost {name!r}; it has: "
                              f"{', '.join(sorted(self.costs)) or 'none'}")  # fmt: skip
        return self.costs[name]

    @property
    def share(self) -> float:
        """The share of the whole training that it had: `fidelity` in whole epochs, where the
        evaluator's record has how many those were (`epochs`, and of the `whole`).
        """
        epochs, whole = self.record.get("epochs"), self.record.get("whole")
        if isinstance(epochs, int) and isinstance(whole, int):
            return epochs / whole
        return self.fidelity

    @property
    def note(self) -> dict[str, Any]:
        """How the strategy came to it (`Proposal.note`)."""
        note = self.record.get("note")
        return cast("dict[str, Any]", note) if isinstance(note, dict) else {}

    def to_json(self) -> str:
        """The trial as JSON; `from_json` reads it."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> Trial:
        """A trial from its JSON; `SearchError` for another text.

        >>> trial = Trial(0, "10", "10", "ab", 0.5, "complete")
        >>> Trial.from_json(trial.to_json()) == trial
        True
        """
        try:
            given = json.loads(text)
        except ValueError as error:
            raise SearchError(f"a trial is not readable: {error}") from None
        names = {item.name for item in fields(cls)}
        if not isinstance(given, dict) or not {"number", "code", "key", "hash"} <= set(
            cast("dict[str, Any]", given)
        ):
            raise SearchError(f"{text[:80]!r} is no trial; wanted its fields, as `to_json` writes")
        values = cast("dict[str, Any]", given)
        return cls(**{name: value for name, value in values.items() if name in names})
