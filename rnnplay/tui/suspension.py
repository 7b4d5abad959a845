"""Being stopped by a signal that cannot be caught, and going on.

Textual suspends on SIGTSTP (ctrl+z) and starts its terminal mode anew on SIGCONT. After a SIGSTOP, which no program is
told of, it starts that mode although it never left it: two threads read the keyboard, and leaving hangs.
"""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable


def watch_suspension(repaint: Callable[[], object]) -> None:
    """Let Textual's handler of SIGCONT run only after its handler of SIGTSTP; `repaint` after either.

    Call it on the event loop of the app, after its driver has started.
    """
    if not hasattr(signal, "SIGCONT"):
        return
    suspend, resume = signal.getsignal(signal.SIGTSTP), signal.getsignal(signal.SIGCONT)
    if not callable(suspend) or not callable(resume):
        return  # a driver without a terminal
    loop = asyncio.get_running_loop()
    suspended = False

    def stopped(number: int, frame: object) -> None:
        nonlocal suspended
        suspended = True
        suspend(number, frame)  # type: ignore[arg-type]

    def continued(number: int, frame: object) -> None:
        nonlocal suspended
        if suspended:
            suspended = False
            resume(number, frame)  # type: ignore[arg-type]
        loop.call_soon_threadsafe(repaint)

    signal.signal(signal.SIGTSTP, stopped)
    signal.signal(signal.SIGCONT, continued)
