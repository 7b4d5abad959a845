"""Shows how a download goes on, on stderr."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

from rnnplay.cli.support.console import note, printable
from rnnplay.common.formatting import size_text
from rnnplay.text.corpora.transfer import Progress

_REDRAW_SECONDS = 0.2


@contextmanager
def shown_progress(wanted: str) -> Iterator[Progress | None]:
    """Gives what `fetch` reports to: a line that changes, in a terminal only. Says how to go on after ctrl+c."""
    drawn = -_REDRAW_SECONDS
    terminal = sys.stderr.isatty()

    def show(done: int, total: int) -> None:
        nonlocal drawn
        now = time.monotonic()
        if now - drawn < _REDRAW_SECONDS and done != total:
            return
        drawn = now
        of = f" of {size_text(total)}, {done / total:.0%}" if total else ""
        sys.stderr.write(f"\r\x1b[K{printable(wanted)[:60]}: {size_text(done)}{of}")
        sys.stderr.flush()

    try:
        yield show if terminal else None
    except KeyboardInterrupt:
        _end_line(terminal)
        note("Stopped; the same command goes on from where it was.")
        raise
    finally:
        _end_line(terminal)


def _end_line(terminal: bool) -> None:
    if terminal:
        sys.stderr.write("\r\x1b[K")
        sys.stderr.flush()
