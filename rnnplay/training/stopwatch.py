"""Measures training time and speed."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager

from rnnplay.common.working_time import WorkingTime, working_time

WINDOW_SECONDS = 1.0


class Stopwatch:
    """Measures seconds of training, continuing from those of an earlier process.

    It stops while training is paused, the process is stopped or the machine sleeps.
    """

    def __init__(self, seconds: float = 0.0, clock: WorkingTime = working_time) -> None:
        self._clock = clock
        self._before = seconds
        self._since: float | None = None
        self._still = 0.0
        """The seconds that the clock had left out at the last call of `left_out`."""

    @property
    def seconds(self) -> float:
        """Seconds so far."""
        return self._before + (self._clock() - self._since if self._since is not None else 0.0)

    def start(self) -> None:
        """Starts, unless it runs already."""
        if self._since is None:
            self._since = self._clock()
            self._still = self._clock.stopped
            self._clock.begin(self)

    def stop(self) -> None:
        """Stops, unless it is stopped already."""
        self._before, self._since = self.seconds, None
        self._clock.end(self)

    @contextmanager
    def held(self) -> Iterator[None]:
        """Stops for anything that is not training, if it runs."""
        if self._since is None:
            yield
            return
        untold = self._clock.stopped - self._still
        self.stop()
        try:
            yield
        finally:
            self.start()
            self._still -= untold

    def left_out(self) -> float:
        """Seconds since the last call during which the process stood still although training was not paused."""
        if self._since is None:
            return 0.0
        before, self._still = self._still, self._clock.stopped
        return self._still - before


class Speed:
    """Measures the time of steps, averaged over the last second.

    The first step of a process also starts threads and allocates memory, which takes seconds on a busy machine; it
    counts only until there is another.
    """

    def __init__(self) -> None:
        self.known = False
        """Whether more than the first step was measured."""
        self._steps: deque[tuple[float, int]] = deque()
        self._seconds = 0.0
        self._tokens = 0

    def add(self, seconds: float, tokens: int) -> None:
        """Adds a step."""
        if self._steps and not self.known:
            self._steps.clear()
            self._seconds, self._tokens, self.known = 0.0, 0, True
        self._steps.append((seconds, tokens))
        self._seconds += seconds
        self._tokens += tokens
        while len(self._steps) > 1 and self._seconds - self._steps[0][0] >= WINDOW_SECONDS:
            old_seconds, old_tokens = self._steps.popleft()
            self._seconds -= old_seconds
            self._tokens -= old_tokens

    @property
    def tokens_per_second(self) -> float:
        """Tokens per second; 0 before the first step."""
        return self._tokens / self._seconds if self._seconds > 0 else 0.0

    @property
    def step_seconds(self) -> float:
        """Mean time of a step in seconds; 0 before the first."""
        return self._seconds / len(self._steps) if self._steps else 0.0


def stood_still(seconds: float) -> str:
    """Says that training stood still although it was not paused."""
    return (
        f"Training stood still for {seconds:,.0f} s (the process was stopped, or the machine slept); that is not "
        "counted as training time."
    )
