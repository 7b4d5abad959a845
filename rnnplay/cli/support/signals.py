"""Signals while training: the first asks for a stop with a checkpoint, the second ends the process at once."""

from __future__ import annotations

import signal
import threading
from types import FrameType, TracebackType
from typing import Any

from rnnplay.common.signals import ending_signals, signal_name

AT_ONCE = "SIGQUIT"
"""What ctrl-\\ sends still ends the process as it is."""


class StopSignals:
    """While the block runs, ctrl-C and whatever else would end the process set `asked`.

    A signal the parent had ignored stays ignored.
    """

    def __init__(self) -> None:
        self.asked = False
        self._former: dict[int, Any] = {}

    def __enter__(self) -> StopSignals:
        if threading.current_thread() is threading.main_thread():  # Python allows handlers only there
            for number in ending_signals():
                if signal_name(number) != AT_ONCE:
                    self._former[number] = signal.signal(number, self._ask)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._restore()

    def _ask(self, _number: int, _frame: FrameType | None) -> None:
        self.asked = True
        self._restore()

    def _restore(self) -> None:
        while self._former:
            number, former = self._former.popitem()
            signal.signal(number, former)
