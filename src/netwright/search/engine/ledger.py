"""The trials of a study that several workers share: each is claimed, evaluated and kept once.

A claim is one entry of the storage, written under a lock that one worker has at a time; it names
the worker, whose own lock shows that it lives. The claim of a worker that was killed is given up
and made once more, with the same seed.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any, Self
from uuid import uuid4

from netwright.errors import SearchError
from netwright.search.engine.identity import difference
from netwright.search.engine.storage import INSTALL, Place, shown
from netwright.search.trial import Trial

try:
    from optuna.exceptions import UpdateFinishedTrialError
    from optuna.study import StudyDirection
    from optuna.trial import FrozenTrial, TrialState, create_trial
except ImportError:
    raise SearchError(f"a study that is kept needs Optuna: {INSTALL}") from None

__all__ = ["Claim", "Ledger"]

Ask = Callable[[list[Trial]], Trial | None]
"""The trials so far -> the next one, running; None where there is none."""

RECORD = "netwright"
"""The attribute of a study that says what it searches."""
KEPT = ("learnt", "latency")
"""What in it came of the study itself, and stays: what the strategy learnt before the first trial
(`Strategy.prepare`), how long nets took where they were measured."""
CLAIM, BACK = "claim", "given back"
"""The attributes of an entry that say who claimed it, and that it was given back."""
KILLED = "the process that evaluated it was killed, twice; perhaps memory did not suffice"


@dataclass(frozen=True)
class Claim:
    """A trial that a worker has to evaluate.

    id: of the entry in the storage
    trial: what is evaluated
    worker: who does so
    token: of this claim alone, so that one whose confirmation was lost is known again
    kills: how many workers were killed over it before
    """

    id: int
    trial: Trial
    worker: str
    token: str
    kills: int = 0


class Ledger:
    """The entries of a study; every method waits while the storage is out of reach. `with` closes
    the storage at the end.
    """

    def __init__(self, place: Place, study: int) -> None:
        self.place, self.study = place, study
        self._ended: dict[int, Trial] = {}

    @classmethod
    def opened(cls, place: Place, record: dict[str, Any] | None = None) -> Ledger:
        """The study of a place. With a `record` it is begun where it is not there yet, and has to
        be of the same `identity` where it is; without one it has to be there.
        """

        def act() -> Ledger:
            with place.locks.turn():
                try:
                    study = place.storage.get_study_id_from_name(place.study)
                except KeyError:
                    if record is None:
                        raise SearchError(
                            f"there is no study {place.study} in {shown(place.where)}; begin it "
                            "with: netwright search SPACE DATA"
                        ) from None
                    begin = place.storage.create_new_study
                    study = begin([StudyDirection.MAXIMIZE], place.study)
                ledger = cls(place, study)
                if record is not None:
                    ledger._agree(record)
                return ledger

        try:
            return place.reach(act)
        except BaseException:
            place.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.place.close()

    def _agree(self, record: dict[str, Any]) -> None:
        """Notes what the study is; `SearchError` where it is another one already."""
        before = self._record()
        if before and (differing := difference(before["identity"], record["identity"])):
            by = "--out" if "setup" in record else "study= or storage="
            raise SearchError(
                f"the study {self.place.study} in {shown(self.place.where)} was begun with "
                f"{differing}; begin another study, by another {by}"
            )
        record = {**record, **{word: before[word] for word in KEPT if word in before}}
        if before != record:
            self.place.storage.set_study_user_attr(self.study, RECORD, record)

    @property
    def record(self) -> dict[str, Any]:
        """What the study searches, as it was begun or gone on with last."""
        return self.place.reach(self._record)

    def kept(self, word: str) -> dict[str, Any]:
        """What came of the study itself, of `KEPT`; nothing where it did not yet."""
        return self.record.get(word, {})

    def keep(self, word: str, value: dict[str, Any]) -> None:
        """Keeps what came of the study."""

        def act() -> None:
            with self.place.locks.turn():
                record = {**self._record(), word: value}
                self.place.storage.set_study_user_attr(self.study, RECORD, record)

        if value != self.kept(word):
            self.place.reach(act)

    def _record(self) -> dict[str, Any]:
        return self.place.storage.get_study_user_attrs(self.study).get(RECORD, {})

    def trials(self) -> list[Trial]:
        """All trials in the order they were asked in; a claim that was given up is none."""
        return self.place.reach(lambda: self._trials(self._entries()))

    def claim(self, worker: str, ask: Ask) -> Claim | None:
        """The next trial for a worker: one of somebody who was killed, else what `ask` makes of
        the trials so far; None where that is None.
        """
        token = uuid4().hex
        return self.place.reach(lambda: self._claim(worker, token, ask))

    def report(self, claim: Claim, step: int, score: float) -> None:
        """How good the net of a claim is so far."""
        with suppress(UpdateFinishedTrialError):  # given up by others: `end` will add what came
            self.place.reach(
                lambda: self.place.storage.set_trial_intermediate_value(claim.id, step, score)
            )

    def end(self, claim: Claim, trial: Trial) -> None:
        """Keeps what came of a claim, whatever others think has become of its worker."""
        self.place.reach(lambda: self._end(claim, trial))

    def give_back(self, claim: Claim) -> None:
        """Leaves a claim to be made again, as if it had not been made."""

        def act() -> None:
            with suppress(UpdateFinishedTrialError):
                self.place.storage.set_trial_user_attr(claim.id, BACK, value=True)
                self.place.storage.set_trial_state_values(claim.id, TrialState.FAIL)

        self.place.reach(act)

    def _entries(self) -> list[FrozenTrial]:
        return self.place.storage.get_all_trials(self.study, deepcopy=False)

    def _trials(self, entries: Sequence[FrozenTrial]) -> list[Trial]:
        """By their numbers; of one that several entries are of, the first that is complete."""
        trials = dict[int, Trial]()
        for trial in filter(None, map(self._trial, entries)):
            before = trials.get(trial.number)
            if before is None or before.state != "complete":
                trials[trial.number] = trial
        return [trials[number] for number in sorted(trials)]

    def _trial(self, entry: FrozenTrial) -> Trial | None:
        """The trial of an entry; None for one that somebody else made or that was given up."""
        if _id(entry) in self._ended:
            return self._ended[_id(entry)]
        if not _words(entry):
            return None
        trial = Trial.from_json(entry.user_attrs["trial"])
        if not entry.state.is_finished():  # its end may be half written
            steps = sorted(entry.intermediate_values.items())
            curve = {"curve": [value for _, value in steps]} if steps else {}
            return replace(trial, state="running", score=None, record={**trial.record, **curve})
        if trial.state == "running":
            if _words(entry)["kills"] == 0 or BACK in entry.user_attrs:
                return None
            trial = replace(trial, state="failed", reason=KILLED)
        self._ended[_id(entry)] = trial
        return trial

    def _claim(self, worker: str, token: str, ask: Ask) -> Claim | None:
        storage = self.place.storage
        with self.place.locks.turn():
            entries = self._entries()
            for entry in entries:
                if _words(entry).get("token") == token:  # the confirmation was lost
                    trial = Trial.from_json(entry.user_attrs["trial"])
                    return Claim(_id(entry), trial, **_words(entry))
            entries = self._without_dead(entries, worker)
            again = self._left(entries)
            if again is not None:
                trial, kills = again
            else:
                asked = ask(self._trials(entries))
                if asked is None:
                    return None
                trial, kills = asked, 0
            words: dict[str, Any] = {"worker": worker, "token": token, "kills": kills}
            attributes = {"trial": trial.to_json(), CLAIM: words}
            entry = create_trial(state=TrialState.RUNNING, user_attrs=attributes)
            return Claim(storage.create_new_trial(self.study, entry), trial, **words)

    def _without_dead(self, entries: list[FrozenTrial], worker: str) -> list[FrozenTrial]:
        """The entries, after those of workers that are no more were given up."""
        others = {_words(entry).get("worker") for entry in entries
                  if entry.state == TrialState.RUNNING} - {worker, None}  # fmt: skip
        gone = {other for other in others if self.place.locks.gone(str(other))}
        for entry in entries:
            if entry.state == TrialState.RUNNING and _words(entry).get("worker") in gone:
                with suppress(UpdateFinishedTrialError):  # it has ended at this moment
                    self.place.storage.set_trial_state_values(_id(entry), TrialState.FAIL)
        return self._entries() if gone else entries

    def _left(self, entries: Sequence[FrozenTrial]) -> tuple[Trial, int] | None:
        """The first trial that was given up and has to be made again, and its kills."""
        covered = {trial.number for trial in self._trials(entries)}
        lost = dict[int, tuple[Trial, int]]()  # by the last claim of each
        for entry in entries:
            if _words(entry) and entry.state.is_finished() and self._trial(entry) is None:
                trial = Trial.from_json(entry.user_attrs["trial"])
                if trial.number not in covered:
                    kills = _words(entry)["kills"] + (BACK not in entry.user_attrs)
                    lost[trial.number] = trial, kills
        return lost[min(lost)] if lost else None

    def _end(self, claim: Claim, trial: Trial) -> None:
        storage, text = self.place.storage, trial.to_json()
        complete = trial.state == "complete"
        state = TrialState.COMPLETE if complete else TrialState.FAIL
        values = [trial.score] if trial.score is not None else None
        try:
            storage.set_trial_user_attr(claim.id, "trial", text)
            storage.set_trial_state_values(claim.id, state, values)
        except UpdateFinishedTrialError:
            for entry in self._entries():
                own = _words(entry).get("token") == claim.token
                if own and entry.user_attrs["trial"] == text and entry.state == state:
                    return  # it was kept, the confirmation was lost
            words = {"worker": claim.worker, "token": claim.token, "kills": claim.kills}
            attributes = {"trial": text, CLAIM: words}
            entry = create_trial(state=state, values=values, user_attrs=attributes)
            storage.create_new_trial(self.study, entry)


def _id(entry: FrozenTrial) -> int:
    """The number of an entry in its storage, which is what storages ask for."""
    return entry._trial_id  # noqa: SLF001


def _words(entry: FrozenTrial) -> dict[str, Any]:
    """Who claimed an entry; nothing where somebody else made it."""
    return entry.user_attrs.get(CLAIM, {})
