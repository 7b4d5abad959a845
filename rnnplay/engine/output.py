"""What the engine's process prints: fd 1 and 2 go to a log, which is kept short, however much a library prints."""

from __future__ import annotations

import contextlib
import os
import stat
import sys
import threading
from pathlib import Path

from rnnplay.common.files import check_own, open_own, open_plain
from rnnplay.errors import InputError

LARGEST = 1 << 21
"""Bytes of a log; for the seconds until the next look it may be larger."""
KEPT = 1 << 18
"""Of a larger one, so much of its beginning, where the cause often stands, and of its end stays."""
LOOKS_SECONDS = 0.5
LEFT_OUT = b"\n[Lines were left out here, so that this file stays small.]\n"


def redirect_output(log: Path) -> None:
    """Send fd 1 and 2 to the end of `log`. Raises OSError, or InputError where `log` may be another file."""
    log.parent.mkdir(parents=True, exist_ok=True)
    check_own(log)
    sys.stdout.flush()
    sys.stderr.flush()
    descriptor = open_own(log, os.O_RDWR | os.O_APPEND | os.O_CREAT)
    try:
        shorten(descriptor)
        os.dup2(descriptor, 1)
        os.dup2(descriptor, 2)
    finally:
        os.close(descriptor)


def follow_log(log: Path) -> None:
    """Sends fd 1 and 2 to `log` anew where another file is there by now, or none: the run's folder was made anew."""
    with contextlib.suppress(OSError, InputError):
        if not log.exists() or not os.path.samestat(log.lstat(), os.fstat(1)):
            redirect_output(log)


def keep_short(descriptor: int = 1) -> None:
    """From now on, look twice a second whether what is printed has become too much."""

    def look() -> None:
        while True:
            wait.wait(LOOKS_SECONDS)
            shorten(descriptor)

    wait = threading.Event()
    threading.Thread(target=look, name="log", daemon=True).start()


def shorten(descriptor: int) -> None:
    """Takes the middle out of a log of more than LARGEST bytes, which is open for reading and appending."""
    with contextlib.suppress(OSError):
        found = os.fstat(descriptor)
        if found.st_size <= LARGEST or not stat.S_ISREG(found.st_mode):
            return
        pieces = []
        for place in (0, found.st_size - KEPT):
            os.lseek(descriptor, place, os.SEEK_SET)
            pieces.append(os.read(descriptor, KEPT))
        os.ftruncate(descriptor, 0)
        os.write(descriptor, LEFT_OUT.join(pieces))


def last_lines(log: Path, count: int = 5) -> tuple[str, ...]:
    """The last lines of a log that say something; none if it cannot be read."""
    try:
        with os.fdopen(open_plain(log, os.O_RDONLY), "rb") as file:
            file.seek(max(0, os.fstat(file.fileno()).st_size - 4_096))
            text = file.read(4_096).decode(errors="replace")
    except OSError:
        return ()
    return tuple(line.strip() for line in text.splitlines() if line.strip())[-count:]
