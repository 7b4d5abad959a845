"""The clock that training is measured by: it stops while the process is stopped or the machine sleeps.

No clock of the system does that. The monotonic clocks of Linux and macOS exclude the time that the machine sleeps, that
of Windows and CLOCK_BOOTTIME do not, and all of them count the time that ctrl+z, SIGSTOP or a container's pause has
stopped the process. Processor time excludes all of it, but also time that counts: waiting for a disk, a GPU, or a turn
on a busy machine.

So the clock is read all the time: by its users and, while something is being timed, by a thread that does nothing else
and is scheduled however long a step waits. If it was not read for GAP_SECONDS, and neither that thread nor the main one
was running or waiting for a processor meanwhile (Linux counts both; two dozen busy programs and `nice` keep a thread
waiting for many seconds), the process was stopped.
"""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from weakref import WeakSet

INTERVAL_SECONDS = 0.25
"""Interval between two readings; up to this much of a stop may be counted."""

GAP_SECONDS = 2.0
"""A stop shorter than this is counted as working time."""

COARSE_GAP_SECONDS = 10.0
"""The same where the system does not report how long a thread waited for a processor."""

SecondsByThread = Mapping[int, float]
"""By thread id, seconds that it ran or waited for a processor."""


def stopped_seconds(wall: float, runnable: float, gap: float = GAP_SECONDS) -> float:
    """Returns the seconds that a process was stopped within `wall` seconds between two readings.

    `runnable`: seconds of these in which it ran or waited for a processor.
    """
    if wall < gap or runnable > 2 * INTERVAL_SECONDS + wall / 10:
        return 0.0
    return max(0.0, wall - runnable)


class WorkingTime:
    """A clock of the seconds that the process has worked, called like `time.perf_counter`. Thread-safe."""

    def __init__(
        self,
        wall: Callable[[], float] = time.perf_counter,
        runnable: Callable[[int], SecondsByThread] | None = None,
    ) -> None:
        """`runnable` is called with the id of the thread that reads the clock, 0 if there is none."""
        self._wall = wall
        self._runnable = runnable or runnable_seconds
        self._gap = GAP_SECONDS if runnable is not None or _waiting_is_reported() else COARSE_GAP_SECONDS
        self._changed = threading.Condition()
        self._last_reading = wall()
        self._runnable_before: SecondsByThread = {}
        self._stopped = 0.0
        self._users: WeakSet[object] = WeakSet()
        self._ended: threading.Event | None = None
        """Set to end the thread; None if there is none."""
        self._reader = 0

    def __call__(self) -> float:
        with self._changed:
            now = self._wall()
            if self._reader and now - self._last_reading >= self._gap:
                # A thread's waiting time is known only after it has run.
                self._changed.wait_for(lambda: self._wall() - self._last_reading < self._gap, timeout=self._gap)
                now = self._wall()
            if now - self._last_reading >= (self._gap if self._reader else INTERVAL_SECONDS):
                self._read(now)
            return now - self._stopped

    @property
    def stopped(self) -> float:
        """Seconds that the process was stopped, up to the last call."""
        return self._stopped

    def begin(self, user: object) -> None:
        """Starts timing for `user`, until `end` or until it is garbage-collected."""
        with self._changed:
            self._users.add(user)
            if self._ended is None:
                self._read(self._wall())
                self._ended = threading.Event()
                thread = threading.Thread(
                    target=self._read_repeatedly, args=(self._ended,), name="working time", daemon=True
                )
                thread.start()

    def end(self, user: object) -> None:
        """Ends timing for `user`."""
        with self._changed:
            self._users.discard(user)
            self._end_if_unused()

    def _read(self, now: float) -> None:
        runnable = self._runnable(self._reader)
        before = self._runnable_before
        passed = [seconds - before[thread] for thread, seconds in runnable.items() if thread in before]
        self._stopped += stopped_seconds(now - self._last_reading, max(passed, default=0.0), self._gap)
        self._last_reading, self._runnable_before = now, runnable
        self._changed.notify_all()

    def _read_repeatedly(self, ended: threading.Event) -> None:
        with self._changed:
            if not ended.is_set():
                self._reader = threading.get_native_id()
        while not ended.wait(INTERVAL_SECONDS):
            with self._changed:
                if not ended.is_set():
                    self._read(self._wall())
                    self._end_if_unused()

    def _end_if_unused(self) -> None:
        if not self._users and self._ended is not None:
            self._ended.set()
            self._ended, self._reader = None, 0


def runnable_seconds(reader: int) -> SecondsByThread:
    """Returns the seconds of the main thread, which takes part in all work, and of the one that reads the clock."""
    main = threading.main_thread()
    seconds: dict[int, float] = {}
    for thread in (main.native_id, reader):
        with suppress(OSError, ValueError):
            busy, waited, _ = Path(f"/proc/self/task/{thread}/schedstat").read_bytes().split()
            seconds[thread or 0] = (int(busy) + int(waited)) / 1e9
    return seconds or {0: _processor_seconds(main.ident)}


def _waiting_is_reported() -> bool:
    return Path("/proc/self/schedstat").exists()


def _processor_seconds(thread: int | None) -> float:
    if sys.platform != "win32" and thread is not None and hasattr(time, "pthread_getcpuclockid"):
        return time.clock_gettime(time.pthread_getcpuclockid(thread))
    return time.process_time()


working_time = WorkingTime()
"""The clock of this process."""
