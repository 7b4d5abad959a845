"""Finds the signals that end a process, names them, and turns them into a request to stop."""

from __future__ import annotations

import signal
import sys
import threading
from collections.abc import Sequence
from types import FrameType, TracebackType
from typing import Any

_NAMES = (
    *("SIGHUP", "SIGINT", "SIGQUIT", "SIGTERM", "SIGUSR1", "SIGUSR2", "SIGALRM", "SIGVTALRM", "SIGPROF", "SIGXCPU"),
    *("SIGIO", "SIGPWR", "SIGSTKFLT", "SIGEMT", "SIGABRT", "SIGTRAP", "SIGSYS"),
)
"""Without SIGSEGV and the like: a process that continues after one hits the same fault again."""
_REAL_TIME: Sequence[int] = ()
"""The signals from SIGRTMIN to SIGRTMAX, where there are such."""
if sys.platform != "win32" and sys.platform != "darwin":
    _REAL_TIME = range(signal.SIGRTMIN, signal.SIGRTMAX + 1)
_AT_ONCE = "SIGQUIT"
r"""ctrl-\ still ends the process at once."""


def ending_signals() -> list[int]:
    """Returns the signals that end a process by default, may come from another program, and can be handled here.

    Those that the parent ignores (nohup) and those that a library handles are left out.
    """
    named = [int(getattr(signal, name)) for name in _NAMES if hasattr(signal, name)]
    return [number for number in (*named, *_REAL_TIME) if signal.getsignal(number) not in (signal.SIG_IGN, None)]


def signal_name(number: int) -> str:
    """Returns a signal's name as `kill -l` prints it, such as SIGTERM or SIGRTMIN+3."""
    if number in _REAL_TIME[1:-1]:
        return f"SIGRTMIN+{number - _REAL_TIME[0]}"
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"


class StopSignals:
    """While the block runs, ctrl-C and other signals that would end the process set `asked` instead.

    A second signal ends the process. One that the parent ignores stays ignored.
    """

    def __init__(self) -> None:
        self.asked = False
        self._former: dict[int, Any] = {}

    def __enter__(self) -> StopSignals:
        if threading.current_thread() is threading.main_thread():  # Python allows handlers only there
            for number in ending_signals():
                if signal_name(number) != _AT_ONCE:
                    self._former[number] = signal.signal(number, self._ask)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._restore()

    def ignore(self, number: int) -> None:
        """Ignores a signal from now on, after the block as well, unless one has been received already."""
        if self._former.pop(number, None) is not None:
            signal.signal(number, signal.SIG_IGN)

    def _ask(self, _number: int, _frame: FrameType | None) -> None:
        self.asked = True
        self._restore()

    def _restore(self) -> None:
        while self._former:
            number, former = self._former.popitem()
            signal.signal(number, former)
