"""When a view asks the engine again: often enough to be live, seldom enough not to hold up training."""

from __future__ import annotations

LOST_SECONDS = 15.0
"""A question not answered for so long is taken for lost."""


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
