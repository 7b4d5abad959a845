"""When a run should use fewer threads, and when it is worth measuring whether more are faster."""

from __future__ import annotations

import itertools
import statistics
from collections import deque
from typing import NamedTuple

from rnnplay.training.threads.free_cores import BUSY, Reading, free_cores, others

LOOK_SECONDS = 0.5
BUSY_LOOKS = 2
"""Number of readings whose mean shows that other programs have started; opening a screen takes less time."""
CALM_LOOKS = 4
"""Number of readings that show that they have ended, multiplied by how often they started in the last minute."""
MOST_CALM_LOOKS = 12
AGAIN_AFTER = (5.0, 30.0)
"""Seconds after the start at which the number is measured again: the first moment may not be typical."""


class Decision(NamedTuple):
    """How to change the number of threads."""

    most: int
    """Largest number of threads to use."""
    measure: bool
    """Whether to measure which number up to `most` is fastest, as more cores are free; otherwise `most` is used."""
    others: float
    """Cores that other programs use."""


class CoreWatch:
    """Decides when a run should use fewer threads, and when it is worth measuring whether more are faster."""

    def __init__(self, cores: int, count: int, free: int, start: Reading, allowed: int | None = None) -> None:
        """`count` threads were found fastest while `free` of `cores` were free; `allowed`: see `free_cores`."""
        self._cores = cores
        self._allowed = allowed
        self.count = count
        self._free = free
        self._before = start
        self._looks: deque[float] = deque(maxlen=MOST_CALM_LOOKS)
        self._measure_again = deque(start.seconds + seconds for seconds in AGAIN_AFTER)
        self._others_started: deque[float] = deque(maxlen=MOST_CALM_LOOKS)
        """When other programs started, in the last minute."""

    def due(self, seconds: float) -> bool:
        """Whether it is time for another reading."""
        return seconds - self._before.seconds >= LOOK_SECONDS

    def look(self, now: Reading) -> Decision | None:
        """Takes one more reading and returns what to change, if anything."""
        self._looks.append(others(self._before, now))
        self._before = now
        taken = statistics.fmean(list(self._looks)[-BUSY_LOOKS:])
        if len(self._looks) >= BUSY_LOOKS and taken > BUSY and self.count > self._free_cores(taken):
            if self._free == self._cores:  # otherwise the same programs use more of them
                self._others_started.append(now.seconds)
            return Decision(self._free_cores(taken), False, taken)
        while self._others_started and now.seconds - self._others_started[0] > 60:
            self._others_started.popleft()
        calm = min(MOST_CALM_LOOKS, CALM_LOOKS * max(1, len(self._others_started)))
        if len(self._looks) < calm:
            return None
        last = list(self._looks)[-calm:]
        taken = max(statistics.fmean(last), max(map(min, itertools.pairwise(last))))
        free = self._free_cores(taken)
        again = bool(self._measure_again) and now.seconds >= self._measure_again[0]
        if free > self._free or (again and free == self._free):
            if again:
                self._measure_again.popleft()
            return Decision(free, True, taken)
        return None

    def follow(self, count: int, free: int, now: Reading) -> None:
        """Records that `count` threads are used from now on, chosen while `free` cores were free."""
        self.count, self._free, self._before = count, free, now
        self._looks.clear()

    def _free_cores(self, taken: float) -> int:
        """Cores that no other program uses noticeably."""
        return free_cores(self._cores, taken, self._allowed)
