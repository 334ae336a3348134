"""How far a look is: reported while it goes on, and ended early with what there is."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextvars import ContextVar
from time import monotonic
from types import TracebackType
from typing import Self, TypeVar

__all__ = ["EARLY", "Pace", "Tell", "ends"]

Item = TypeVar("Item")
Tell = Callable[[float], None]
"""Hears the share that is done."""
EARLY = "stopped early"
"""What a note of an early end begins with."""


def ends(notes: Iterable[str]) -> list[str]:
    """The notes of an early end."""
    return [note for note in notes if note.startswith(EARLY)]


_around: ContextVar[Pace | None] = ContextVar("pace", default=None)
"""The innermost one whose block is entered."""


class Pace:
    """Within the block a Ctrl-C, or the end of `seconds`, ends the loop `over` something, once
    one round is done: what was computed until then is the result. A Ctrl-C within a block inside
    of another one's ends both.

    >>> with Pace(4, seconds=0) as pace:
    ...     rounds = [item for item in pace.over("abcd")]
    >>> rounds, pace.note("letters")
    (['a'], ('stopped early, after 1 of 4 letters',))
    """

    def __init__(self, total: int, tell: Tell | None = None, seconds: float | None = None) -> None:
        self.total, self.tell, self.seconds = total, tell, seconds
        self.done = 0
        self.early = False
        self.stopped = False  # by a Ctrl-C in a block inside of this one's

    def __enter__(self) -> Self:
        self._start = monotonic()
        self._outer = _around.get()
        _around.set(self)
        return self

    def over(
        self, items: Iterable[Item], size: Callable[[Item], int] = lambda item: 1
    ) -> Iterator[Item]:
        """The items, as long as there is time; each counts for as many as its `size`."""
        for item in items:
            late = self.seconds is not None and monotonic() - self._start >= self.seconds
            if (late or self.stopped) and self.done:
                self.early = True
                return
            yield item
            self.done += size(item)
            if self.tell:
                self.tell(min(1.0, self.done / self.total))

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None,
        trace: TracebackType | None,
    ) -> bool:  # fmt: skip
        _around.set(self._outer)
        ends = kind is KeyboardInterrupt and self.done > 0
        if ends:
            self.early = self.early or self.done < self.total
        if self._outer is not None:
            self._outer.stopped |= ends or self.stopped
        return ends

    def note(self, rounds: str) -> tuple[str, ...]:
        """What there is to say of an early end, nothing else."""
        if not self.early:
            return ()
        return (f"{EARLY}, after {self.done} of {self.total} {rounds}",)
