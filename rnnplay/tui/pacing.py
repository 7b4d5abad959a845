"""Rates of questions to the engine and of repaints, frequent enough for the display to be live."""

from __future__ import annotations

from collections.abc import Callable
from time import monotonic

LOST_SECONDS = 15.0
"""A question that is unanswered for this long counts as lost."""


UPDATE_SECONDS = 0.2
"""Time between two repaints of what training reports."""
TYPING_SECONDS = 0.25
"""Repaints wait this long after a key for the next one."""
STALE_SECONDS = 0.4
"""Charts older than this are repainted right after a key's echo."""


class Pace:
    """Paces the questions of one view. Times are seconds of the same clock."""

    def __init__(self, every: float, fraction: float = 1.0) -> None:
        """Allows one question in `every` seconds, and answers that take up to `fraction` of the engine's time."""
        self.every = every
        self.fraction = fraction
        self._asked: float | None = None
        self._waiting = False
        self._wanted = True
        self._cost = 0.0

    @property
    def waiting(self) -> bool:
        """Whether a question is under way."""
        return self._waiting

    def want(self) -> None:
        """Makes a question due at once, because the user chose something else."""
        self._wanted = True

    def asked(self, now: float) -> None:
        """Records that a question was sent at `now`."""
        self._asked = now
        self._waiting, self._wanted = True, False

    def answered(self, cost: float = 0.0) -> None:
        """Records an answer, which took the engine `cost` seconds."""
        self._waiting = False
        self._cost = cost

    def due(self, now: float, moved: bool, training: bool = True) -> bool:
        """Returns whether to ask at `now`; `moved`: the weights have changed since the last answer.

        The fraction of the engine's time is limited only while `training`, which the answers would delay.
        """
        if self._wanted or self._asked is None:
            return True
        since = now - self._asked
        if self._waiting:
            return since >= LOST_SECONDS
        return moved and since >= max(self.every, self._cost / self.fraction if training else 0.0)


class Repaints:
    """Schedules repaints in the pauses between a typist's keys, so that no key waits for the charts."""

    def __init__(self, clock: Callable[[], float] = monotonic) -> None:
        self._clock = clock
        self._due = False
        self._typed = self._painted = 0.0

    def news(self) -> bool:
        """Records that there is something to paint; returns whether to check again in UPDATE_SECONDS."""
        new, self._due = not self._due, True
        return new

    def wait(self) -> float | None:
        """Seconds to wait before painting, 0 to paint now; None if everything has been painted."""
        return max(0.0, TYPING_SECONDS - (self._clock() - self._typed)) if self._due else None

    def typed(self) -> bool:
        """Records a key; returns whether to repaint right after its echo: continuous typing leaves no better time."""
        self._typed = self._clock()
        return self._due and self._typed - self._painted > STALE_SECONDS

    def painted(self) -> None:
        """Records that everything has been painted."""
        self._due, self._painted = False, self._clock()
