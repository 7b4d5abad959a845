"""The clock that training is measured by: it stands still while the process is stopped or the machine sleeps.

No clock of the system does that. Linux's and macOS's monotonic clock leaves a machine's sleep out, that of Windows does
not (nor does CLOCK_BOOTTIME), and all of them count a process that ctrl+z, SIGSTOP or a container's pause has stopped.
Processor time leaves all of it out, but also what counts: waiting for a disk, a GPU, or a turn on a busy machine.

So somebody looks at the clock all the time: who reads it, and while something is being timed a thread that does nothing
else. That thread gets its turn whatever a long step waits for. If nobody has looked for GAP_SECONDS, and neither that
thread nor the main one has meanwhile had a processor or stood in the queue for one (Linux counts both; two dozen busy
programs and `nice` keep a thread waiting for many seconds), the process stood still.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from weakref import WeakSet

BEAT_SECONDS = 0.25
"""Interval between two looks; up to this much of a stop may be counted."""

GAP_SECONDS = 2.0
"""A stop shorter than this is counted."""

BLIND_GAP_SECONDS = 10.0
"""The same where the system does not report how long a thread waited for a processor."""

Attended = Mapping[int, float]
"""By thread, seconds that it ran or waited for a processor."""


def stood_still(wall: float, attended: float, gap: float = GAP_SECONDS) -> float:
    """Seconds that a process was stopped in `wall` seconds without a look; `attended` of them it ran or could have."""
    if wall < gap or attended > 2 * BEAT_SECONDS + wall / 10:
        return 0.0
    return max(0.0, wall - attended)


class WorkingTime:
    """A clock of the seconds that the process has worked, called like `time.perf_counter`. Thread-safe."""

    def __init__(
        self,
        wall: Callable[[], float] = time.perf_counter,
        attended: Callable[[int], Attended] | None = None,
    ) -> None:
        """`attended` is called with the id of the looking thread, 0 if there is none."""
        self._wall = wall
        self._attended = attended or attended_by
        self._gap = GAP_SECONDS if attended is not None or _counted() else BLIND_GAP_SECONDS
        self._turn = threading.Condition()
        self._looked = wall()
        self._then: Attended = {}
        self._still = 0.0
        self._users: WeakSet[object] = WeakSet()
        self._beating: threading.Event | None = None
        """Set to end the thread; None if there is none."""
        self._beater = 0

    def __call__(self) -> float:
        with self._turn:
            now = self._wall()
            if self._beater and now - self._looked >= self._gap:
                # A thread's time in the queue is known only after its turn.
                self._turn.wait_for(lambda: self._wall() - self._looked < self._gap, timeout=self._gap)
                now = self._wall()
            if now - self._looked >= (self._gap if self._beater else BEAT_SECONDS):
                self._look(now)
            return now - self._still

    @property
    def still(self) -> float:
        """Seconds, up to the last call, that the process was stopped."""
        return self._still

    def begin(self, user: object) -> None:
        """Starts timing for `user`, until `end` or until it is garbage-collected."""
        with self._turn:
            self._users.add(user)
            if self._beating is None:
                self._look(self._wall())
                self._beating = threading.Event()
                threading.Thread(target=self._beat, args=(self._beating,), name="working time", daemon=True).start()

    def end(self, user: object) -> None:
        """Ends timing for `user`."""
        with self._turn:
            self._users.discard(user)
            self._end_if_unused()

    def _look(self, now: float) -> None:
        attended = self._attended(self._beater)
        grown = [seconds - self._then[thread] for thread, seconds in attended.items() if thread in self._then]
        self._still += stood_still(now - self._looked, max(grown, default=0.0), self._gap)
        self._looked, self._then = now, attended
        self._turn.notify_all()

    def _beat(self, ended: threading.Event) -> None:
        with self._turn:
            if not ended.is_set():
                self._beater = threading.get_native_id()
        while not ended.wait(BEAT_SECONDS):
            with self._turn:
                if not ended.is_set():
                    self._look(self._wall())
                    self._end_if_unused()

    def _end_if_unused(self) -> None:
        if not self._users and self._beating is not None:
            self._beating.set()
            self._beating, self._beater = None, 0


def attended_by(beater: int) -> Attended:
    """For the main thread, which takes part in all work, and the one that looks at the clock."""
    main = threading.main_thread()
    seconds: dict[int, float] = {}
    for thread in (main.native_id, beater):
        with suppress(OSError, ValueError):
            busy, waited, _ = Path(f"/proc/self/task/{thread}/schedstat").read_bytes().split()
            seconds[thread or 0] = (int(busy) + int(waited)) / 1e9
    return seconds or {0: _processor_seconds(main.ident)}


def _counted() -> bool:
    return Path("/proc/self/schedstat").exists()


def _processor_seconds(thread: int | None) -> float:
    if thread is not None and hasattr(time, "pthread_getcpuclockid"):
        return time.clock_gettime(time.pthread_getcpuclockid(thread))
    return time.process_time()


working_time = WorkingTime()
"""The process's own clock."""
