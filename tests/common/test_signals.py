"""Every signal that would end a process is known and has a name."""

from __future__ import annotations

import signal
import sys

import pytest

from rnnplay.common.signals import ending_signals, signal_name

OTHERS = (
    *("SIGKILL", "SIGSTOP", "SIGTSTP", "SIGTTIN", "SIGTTOU", "SIGCONT"),  # cannot be handled, or stop and continue
    *("SIGSEGV", "SIGBUS", "SIGFPE", "SIGILL"),  # would come again
    *("SIGCHLD", "SIGURG", "SIGWINCH", "SIGINFO"),  # end nothing
    *("SIGPIPE", "SIGXFSZ"),  # Python ignores them
)


@pytest.mark.skipif(sys.platform == "win32", reason="has few signals, and other ones")
def test_none_is_forgotten() -> None:
    others = {getattr(signal, name) for name in OTHERS if hasattr(signal, name)}
    assert {int(number) for number in signal.valid_signals() - others} == set(ending_signals())


def test_what_the_parent_ignores_is_not_handled() -> None:
    former = signal.signal(signal.SIGTERM, signal.SIG_IGN)
    try:
        assert signal.SIGTERM not in ending_signals()
    finally:
        signal.signal(signal.SIGTERM, former)
    assert signal.SIGTERM in ending_signals()


def test_names() -> None:
    assert signal_name(signal.SIGTERM) == "SIGTERM"
    assert signal_name(200) == "signal 200"
    if hasattr(signal, "SIGRTMIN"):
        edges = (signal.SIGRTMIN, signal.SIGRTMIN + 3, signal.SIGRTMAX)
        assert [signal_name(number) for number in edges] == ["SIGRTMIN", "SIGRTMIN+3", "SIGRTMAX"]
