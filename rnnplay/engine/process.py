"""The engine process: how it begins, and that it saves a checkpoint however it is told to end."""

from __future__ import annotations

import signal
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

from rnnplay.common.signals import ending_signals
from rnnplay.engine import messages
from rnnplay.engine.engine import Engine
from rnnplay.engine.output import keep_short
from rnnplay.engine.wire import Inbox, Outbox
from rnnplay.workspace import Workspace


def main(workspace: Path, commands: BinaryIO, events: BinaryIO) -> None:
    """Serves one parent until it sends Quit, closes the pipe, or a signal tells the process to end."""
    quits: list[Callable[[], None]] = []
    ended_by: list[int] = []

    def quit_soon() -> None:
        for put in quits:
            put()

    def ask_to_end(number: int, _frame: object) -> None:
        ended_by.append(number)
        quit_soon()

    keep_short()
    outbox = Outbox(events, on_closed=quit_soon)
    pongs: list[Callable[[], None]] = []
    inbox = Inbox(
        commands,
        on_bad_line=lambda text: outbox.post(messages.Failed(message=text)),
        on_ping=lambda: [pong() for pong in pongs],
    )
    quits.append(lambda: inbox.put(messages.Quit()))
    for number in ending_signals():
        signal.signal(number, ask_to_end)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    engine = Engine(Workspace(workspace), inbox, outbox)
    pongs.append(engine.pong)
    engine.run()
    outbox.close()
    if ended_by:  # everything is saved; the parent should see which signal it was
        signal.signal(ended_by[0], signal.SIG_DFL)
        signal.raise_signal(ended_by[0])
