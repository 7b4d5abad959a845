"""When a view asks the engine again, and when what training reports is painted: often enough to be live."""

from __future__ import annotations

from collections.abc import Callable
from time import monotonic

LOST_SECONDS = 15.0
"""A question not answered for so long is taken for lost."""


UPDATE_SECONDS = 0.2
"""Between two repaints of what training reports."""
TYPING_SECONDS = 0.25
"""After a key, the next one is awaited so long."""
STALE_SECONDS = 0.4
"""Charts older than this are brought up to date behind a key's echo."""


class Pace:
    """The questions of one view. Times are seconds of one clock."""

    def __init__(self, every: float, share: float = 1.0) -> None:
        """At most one question in `every` seconds, and answers that take no more than `share` of the time."""
        self.every = every
        self.share = share
        self._asked: float | None = None
        self._waiting = False
        self._wanted = True
        self._cost = 0.0

    @property
    def waiting(self) -> bool:
        """Whether a question is under way."""
        return self._waiting

    def want(self) -> None:
        """The user chose something else: ask as soon as may be, whatever is under way."""
        self._wanted = True

    def asked(self, now: float) -> None:
        """A question was sent."""
        self._asked = now
        self._waiting, self._wanted = True, False

    def answered(self, cost: float = 0.0) -> None:
        """It was answered, which took the engine `cost` seconds."""
        self._waiting = False
        self._cost = cost

    def due(self, now: float, moved: bool, training: bool = True) -> bool:
        """Whether to ask at `now`; `moved`: the weights are not those of the last answer.

        The share counts only while `training`: nothing is held up after it.
        """
        if self._wanted or self._asked is None:
            return True
        since = now - self._asked
        if self._waiting:
            return since >= LOST_SECONDS
        return moved and since >= max(self.every, self._cost / self.share if training else 0.0)


class Repaints:
    """When news is painted. Between two keys of a typist it waits, so that the next key never waits for the charts."""

    def __init__(self, clock: Callable[[], float] = monotonic) -> None:
        self._clock = clock
        self._due = False
        self._typed = self._painted = 0.0

    def news(self) -> bool:
        """There is something to paint; whether to look again in UPDATE_SECONDS."""
        new, self._due = not self._due, True
        return new

    def wait(self) -> float | None:
        """Seconds to wait before it is painted, 0 to do it now; None: it has been painted."""
        return max(0.0, TYPING_SECONDS - (self._clock() - self._typed)) if self._due else None

    def typed(self) -> bool:
        """A key; whether to paint behind its echo: while somebody types on and on, there is no better moment."""
        self._typed = self._clock()
        return self._due and self._typed - self._painted > STALE_SECONDS

    def painted(self) -> None:
        """All of it has been painted."""
        self._due, self._painted = False, self._clock()
