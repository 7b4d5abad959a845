"""Says on stderr what a command is working on, while it has nothing else to show."""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

FIRST_SECONDS = 1.0
"""What takes less is done in silence."""
REDRAW_SECONDS = 0.5


@contextmanager
def working(what: str, fraction: Callable[[], float] | None = None) -> Iterator[None]:
    """While the block runs, shows `what`, such as "evaluating", and for how long, on a line that is erased at the end.

    In a terminal only, and from FIRST_SECONDS on. `fraction`: what is done so far, from 0 to 1. Nothing else may be
    written in the block.
    """
    if not sys.stderr.isatty() or os.environ.get("TERM") == "dumb":
        yield
        return
    stream, over, begun = sys.stderr, threading.Event(), time.monotonic()

    def show() -> None:
        wait = FIRST_SECONDS
        while not over.wait(wait):
            wait = REDRAW_SECONDS
            done = f"{fraction():.0%}, " if fraction is not None else ""
            with suppress(OSError, ValueError):
                stream.write(f"\r\x1b[K{what}: {done}{time.monotonic() - begun:.0f} s")
                stream.flush()
        if wait == REDRAW_SECONDS:
            with suppress(OSError, ValueError):
                stream.write("\r\x1b[K")
                stream.flush()

    thread = threading.Thread(target=show, name="working", daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
