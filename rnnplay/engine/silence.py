"""Whether an engine answers: what the parent has asked it, and when it last heard of it. No process, no widgets.

An engine that trains speaks by itself. One that has said nothing for a while is sent a Ping, which a thread answers
whatever the engine is doing: without an answer its process is stopped, or stuck in a way that no thread gets its turn.
"""

from __future__ import annotations

from collections.abc import Callable
from time import monotonic

from rnnplay.engine import messages

QUIET_SECONDS = 1.5
"""So long after the last event an engine is asked whether it is there."""

SILENT_SECONDS = 1.5
"""A Ping unanswered for so long is told of."""

STARTING_SECONDS = 60.0
"""The same for an engine that has not said that it is ready: it imports torch, perhaps from a slow disk."""

BUSY_SECONDS = 10.0
"""Its threads answer, but what it is at (a step, a checkpoint, a text) has taken so long: that is told of, too."""


class Silence:
    """Of one engine, from its start on."""

    def __init__(self, clock: Callable[[], float] = monotonic) -> None:
        self._clock = clock
        self._looked = self._heard = clock()
        self._asked: float | None = self._heard
        """When the oldest question was asked that has not been answered; any event is an answer."""
        self._pinged: float | None = self._heard
        """When it was last pinged, if it has not answered; at first, when it was started."""
        self._ready = False
        self._busy: float | None = None
        """Since when the engine is at one thing, if the last that was heard of it says so."""

    def sent(self, command: messages.Command) -> None:
        """The engine was sent `command`."""
        if self._asked is None:
            self._asked = self._clock()
        if self._pinged is None and isinstance(command, messages.Ping):
            self._pinged = self._clock()

    def heard(self, event: messages.Event) -> None:
        """The engine sent `event`."""
        self._heard, self._asked, self._pinged = self._clock(), None, None
        self._ready |= isinstance(event, messages.Ready)
        busy = event.busy if isinstance(event, messages.Pong) else 0.0
        self._busy = self._heard - busy if busy else None

    def look(self, expected: bool) -> bool:
        """Look about once a second; whether to send a Ping. `expected`: the engine should be speaking by itself."""
        now = self._clock()
        if now - self._looked > QUIET_SECONDS + 1:  # it was this process that stood still: what came waits to be read
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
        """Seconds since the Ping that has not been answered; 0 if there is none."""
        return self._clock() - self._pinged if self._pinged is not None else 0.0

    @property
    def silent(self) -> float:
        """Seconds since the engine was last heard of, if it has left a Ping unanswered for too long; else 0."""
        told = SILENT_SECONDS if self._ready else STARTING_SECONDS
        return self._clock() - self._heard if self._pinged is not None and self.unanswered >= told else 0.0

    @property
    def busy(self) -> float:
        """Seconds that the engine has been at one thing, once they are to be told of; else 0."""
        seconds = self._clock() - self._busy if self._busy is not None else 0.0
        return seconds if seconds >= BUSY_SECONDS else 0.0
