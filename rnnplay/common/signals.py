"""Which signals end a process, and what they are called."""

from __future__ import annotations

import signal

_NAMES = (
    *("SIGHUP", "SIGINT", "SIGQUIT", "SIGTERM", "SIGUSR1", "SIGUSR2", "SIGALRM", "SIGVTALRM", "SIGPROF", "SIGXCPU"),
    *("SIGIO", "SIGPWR", "SIGSTKFLT", "SIGEMT", "SIGABRT", "SIGTRAP", "SIGSYS"),
)
"""Not SIGSEGV and its like: a process that goes on after one meets the same fault again."""


def ending_signals() -> list[int]:
    """All that end a process that does not expect them, may come from another program, and can be handled here.

    What the parent has chosen to ignore (nohup), and what a library handles by itself, is not among them.
    """
    named = [int(getattr(signal, name)) for name in _NAMES if hasattr(signal, name)]
    real_time = range(signal.SIGRTMIN, signal.SIGRTMAX + 1) if hasattr(signal, "SIGRTMIN") else ()
    return [number for number in (*named, *real_time) if signal.getsignal(number) not in (signal.SIG_IGN, None)]


def signal_name(number: int) -> str:
    """As `kill -l` has it, such as SIGTERM or SIGRTMIN+3."""
    if hasattr(signal, "SIGRTMIN") and signal.SIGRTMIN < number < signal.SIGRTMAX:
        return f"SIGRTMIN+{number - signal.SIGRTMIN}"
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"
