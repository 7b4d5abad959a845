"""Redirects what the engine process prints, fd 1 and 2, to a log, and keeps the log short."""

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
"""Limit on the log's size in bytes; between two checks it may be exceeded."""
KEPT = 1 << 18
"""Bytes kept of the beginning of a log that is too large, which often names the cause, and of its end."""
CHECK_SECONDS = 0.5
LEFT_OUT = b"\n[Lines were omitted here to keep this file small.]\n"


def redirect_output(log: Path) -> None:
    """Redirects fd 1 and 2 to the end of `log`. Raises OSError, or InputError if `log` is not the engine's own file."""
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
    """Redirects fd 1 and 2 to `log` again if that file was replaced or removed, as when its folder was recreated."""
    with contextlib.suppress(OSError, InputError):
        if not log.exists() or not os.path.samestat(log.lstat(), os.fstat(1)):
            redirect_output(log)


def keep_short() -> None:
    """Starts a thread that shortens the log on fd 1 whenever it has grown too large."""

    def watch() -> None:
        while True:
            wait.wait(CHECK_SECONDS)
            shorten(1)

    wait = threading.Event()
    threading.Thread(target=watch, name="log", daemon=True).start()


def shorten(descriptor: int) -> None:
    """Cuts the middle out of a log larger than LARGEST bytes, which must be open for reading and appending."""
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


def last_lines(log: Path) -> tuple[str, ...]:
    """Returns the last five lines of a log that are not blank; none if it cannot be read."""
    try:
        with os.fdopen(open_plain(log, os.O_RDONLY), "rb") as file:
            file.seek(max(0, os.fstat(file.fileno()).st_size - 4_096))
            text = file.read(4_096).decode(errors="replace")
    except OSError:
        return ()
    return tuple(line.strip() for line in text.splitlines() if line.strip())[-5:]
