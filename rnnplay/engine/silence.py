"""Decides whether an engine responds, from what was sent to it and when it was last heard from.

No processes or widgets.

An engine that trains sends events by itself. One that has been quiet for a while is sent a Ping, which a thread answers
whatever the engine is doing: without an answer, its process is suspended, or stuck so that no thread can run.
"""

from __future__ import annotations

from collections.abc import Callable
from time import monotonic

from rnnplay.engine import messages

QUIET_SECONDS = 1.5
"""Seconds after the last event until the engine is pinged."""

SILENT_SECONDS = 1.5
"""Seconds after which an unanswered Ping is reported."""

STARTING_SECONDS = 60.0
"""The same before the engine is ready: it imports torch, perhaps from a slow disk."""

BUSY_SECONDS = 10.0
"""Seconds after which a long operation (a step, a checkpoint, reading a text) is reported, although threads answer."""


class Silence:
    """The silence of one engine, measured from its start."""

    def __init__(self, clock: Callable[[], float] = monotonic) -> None:
        self._clock = clock
        self._looked = self._heard = clock()
        self._asked: float | None = self._heard
        """When the oldest unanswered command was sent; any event counts as an answer."""
        self._pinged: float | None = self._heard
        """When the last unanswered Ping was sent; at first, when the engine was started."""
        self._ready = False
        self._busy: float | None = None
        """Since when the engine has been busy with one thing, if its last event says so."""

    def sent(self, command: messages.Command) -> None:
        """Notes that `command` was sent to the engine."""
        if self._asked is None:
            self._asked = self._clock()
        if self._pinged is None and isinstance(command, messages.Ping):
            self._pinged = self._clock()

    def heard(self, event: messages.Event) -> None:
        """Notes that the engine sent `event`."""
        self._heard, self._asked, self._pinged = self._clock(), None, None
        self._ready |= isinstance(event, messages.Ready)
        busy = event.busy if isinstance(event, messages.Pong) else 0.0
        self._busy = self._heard - busy if busy else None

    def look(self, expected: bool) -> bool:
        """Returns whether to send a Ping; called about once a second. `expected`: events should come by themselves."""
        now = self._clock()
        # This process was suspended, not the engine: its events are waiting to be read.
        if now - self._looked > QUIET_SECONDS + 1:
            self._heard = now
            self._asked = now if self._asked is not None else None
            self._pinged = now if self._pinged is not None else None
        self._looked = now
        if not self._ready or self._pinged is not None:
            return False
        waits = self._asked is not None and now - self._asked >= QUIET_SECONDS
        return waits or ((expected or self._busy is not None) and now - self._heard >= QUIET_SECONDS)

    @property
    def unanswered(self) -> float:
        """Seconds since the unanswered Ping was sent; 0 if there is none."""
        return self._clock() - self._pinged if self._pinged is not None else 0.0

    @property
    def silent(self) -> float:
        """Seconds since the engine was last heard from, if a Ping has gone unanswered for too long; otherwise 0."""
        limit = SILENT_SECONDS if self._ready else STARTING_SECONDS
        return self._clock() - self._heard if self._pinged is not None and self.unanswered >= limit else 0.0

    @property
    def busy(self) -> float:
        """Seconds that the engine has been busy with one thing, once there are enough to report; otherwise 0."""
        seconds = self._clock() - self._busy if self._busy is not None else 0.0
        return seconds if seconds >= BUSY_SECONDS else 0.0
