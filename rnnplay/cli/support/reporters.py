"""Reports the progress of `rnnplay train`: as JSON lines, a bar in a terminal, or plain lines in a log."""

from __future__ import annotations

import os
import sys
import time
from collections import deque
from collections.abc import Callable
from typing import Protocol

import click

from rnnplay.cli.support.console import printable
from rnnplay.cli.support.failures import tell
from rnnplay.common.formatting import count_text, duration_text, fixed, size_text, unknown_text
from rnnplay.common.jsonl import encode_line
from rnnplay.runs.metrics.event_text import event_text
from rnnplay.runs.metrics.records import Finished, Notice, Record, Rollback, Skipped, Started, Step, Threads, Validation

FLUSH_SECONDS = 0.05
REDRAW_SECONDS = 0.2
PLAIN_SECONDS = 5.0


class Reporter(Protocol):
    """Reports records and progress. None of the methods raises, so that a step is never interrupted."""

    closed: bool
    """Whether the reader is gone: training should end."""
    failure: OSError | None
    """Why records cannot be written, if that is not because the reader left."""

    def preparing(self, what: str, done: int, total: int, /) -> None:
        """Reports progress before training: `done` of `total` bytes."""

    def record(self, record: Record, /) -> None:
        """Reports one record of the run."""

    def tick(self, fraction: float, seconds_left: float | None, /) -> None:
        """Reports progress between steps and within long validations."""

    def say(self, message: str, /) -> None:
        """Shows one sentence to the user."""

    def close(self) -> None:
        """Writes what is left and restores the terminal."""


class JsonReporter:
    """Writes one record per line on stdout, in batches at most FLUSH_SECONDS old, and nothing else there.

    Until `close`, file descriptor 1 is stderr, so that no library's output gets between the records.
    """

    def __init__(self) -> None:
        self.closed = False
        self.failure: OSError | None = None
        self._lines: list[bytes] = []
        self._flushed = self._ticked = 0.0
        sys.stdout.flush()
        try:
            self._standard: int | None = sys.stdout.fileno()
            self._out: int | None = os.dup(self._standard)
            os.dup2(sys.stderr.fileno(), self._standard)
        except (OSError, ValueError):  # stdout is not a real file, as in tests
            self._standard = self._out = None

    def preparing(self, _what: str, _done: int, _total: int, /) -> None:
        """Does nothing: preparation is not among the records."""

    def record(self, record: Record, /) -> None:
        self.write(record)

    def write(self, value: object) -> None:
        """Writes `value` as one line."""
        self._lines.append(encode_line(value))
        if time.monotonic() - self._flushed >= FLUSH_SECONDS:
            self._flush()

    def tick(self, _fraction: float, _seconds_left: float | None, /) -> None:
        now = time.monotonic()
        # With slow steps a line must not wait for the next one.
        if now - self._flushed >= FLUSH_SECONDS or now - self._ticked >= FLUSH_SECONDS:
            self._flush()
        self._ticked = now

    def say(self, message: str, /) -> None:
        tell(message)

    def close(self) -> None:
        self._flush()
        if self._out is not None and self._standard is not None:
            sys.stdout.flush()
            os.dup2(self._out, self._standard)
            os.close(self._out)
            self._out = None

    def _flush(self) -> None:
        data = b"".join(self._lines)
        self._lines.clear()
        self._flushed = time.monotonic()
        if not data or self.closed:
            return
        try:
            if self._out is None:
                click.echo(data, nl=False)
                return
            while data:
                data = data[os.write(self._out, data) :]
        except BrokenPipeError:  # the reader has enough
            self.closed = True
        except OSError as error:
            self.closed, self.failure = True, error


class _Status:
    """The latest step, smoothed loss, validation and clipping, as one line."""

    def __init__(self, steps: int) -> None:
        self._steps = steps
        self._step: Step | None = None
        self._loss: float | None = None
        self._validation: Validation | None = None
        self._clipped: deque[bool] = deque(maxlen=100)

    @property
    def step(self) -> int:
        """The number of the latest step, 0 before the first."""
        return self._step.step if self._step is not None else 0

    def take(self, record: Record, /) -> None:
        if isinstance(record, Step):
            self._step = record
            # Smoothed over some 20 steps; a NaN is shown only as long as it lasts.
            former = record.loss if self._loss is None or self._loss != self._loss else self._loss
            self._loss = former + 0.05 * (record.loss - former)
            self._clipped.append(record.clipped)
        elif isinstance(record, Validation):
            self._validation = record
        elif isinstance(record, Rollback):
            self._loss = None  # smoothed anew after the rollback
            self._clipped.clear()

    def parts(self, seconds_left: float | None) -> list[tuple[int, str]]:
        """Returns (importance, text) in the order of display; the least important are dropped from a long line."""
        if self._step is None or self._loss is None:
            return [(9, "starting")]
        total = f"/{self._steps:,}" if self._steps else ""
        clipped = 100 * sum(self._clipped) / max(1, len(self._clipped))
        parts = [(9, f"step {self._step.step:,}{total}"), (8, f"loss {fixed(self._loss, 3)}")]
        if self._validation is not None:
            parts.append((6, f"valid {fixed(self._validation.loss, 3)}"))
        parts.append((5, f"grad {fixed(self._step.grad_norm, 2)}"))
        parts.append((3, f"{clipped:.0f}% clipped"))
        parts.append((4, f"{count_text(self._step.tokens_per_second)} tok/s"))
        if seconds_left is not None:
            parts.append((7, f"{duration_text(seconds_left)} left"))
        return parts

    def line(self, seconds_left: float | None, width: int) -> str:
        parts = self.parts(seconds_left)
        while len(parts) > 1 and len("  ".join(text for _, text in parts)) > width:
            parts.remove(min(parts))
        return "  ".join(text for _, text in parts)


def started_line(title: str, record: Started) -> str:
    """Returns the line about the beginning of a run."""
    on = f"{record.device} {record.precision}" + (f" {record.threads} threads" if record.threads > 1 else "")
    resumed = f" · from step {record.step:,}" if record.step else ""
    return (
        f"{title} · {count_text(record.parameters)} parameters · {record.vocabulary:,} different tokens · {on}{resumed}"
    )


def validation_line(record: Validation) -> str:
    """Returns the line about a validation, at most 80 columns wide up to step 99,999."""
    parts = (
        f"step {record.step:,}",
        f"valid {fixed(record.loss, 4 if record.loss < 10 else 3)}",
        f"perplexity {fixed(record.perplexity, 2 if record.perplexity < 1000 else 0)}",
        f"bits/char {fixed(record.bits_per_character, 3)}",
        unknown_text(record.unknown_fraction),
        "best" if record.best else "",
    )
    return "  ".join(part for part in parts if part)


def event_line(record: Record) -> str:
    """Returns the line about a validation or another event of the run; "" for a record that is none."""
    if isinstance(record, Validation):
        return validation_line(record)
    if isinstance(record, Skipped | Rollback | Threads):
        return f"step {record.step:,}  {event_text(record).removeprefix('step ')}"
    return record.message if isinstance(record, Notice) else ""


class TerminalReporter:
    """Shows a bar on stderr, with lines above it for validations and events."""

    def __init__(self, title: str, steps: int, clock: Callable[[], float] = time.monotonic) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, Progress, TextColumn

        self.closed = False
        self.failure: OSError | None = None
        self._title = title
        self._clock = clock
        self._status = _Status(steps)
        self._drawn = -REDRAW_SECONDS
        self._fraction = 0.0
        self._console = Console(stderr=True, highlight=False)
        # Redrawn here, not by rich's own thread, which would compete with the trainer for Python's lock.
        self._progress = Progress(
            BarColumn(bar_width=20),
            TextColumn("{task.description}", markup=False),
            console=self._console,
            auto_refresh=False,
        )
        self._task = self._progress.add_task("", total=1.0)
        self._progress.start()

    def preparing(self, what: str, done: int, total: int, /) -> None:
        fraction = done / total if total else 0.0
        size = f" {fraction:.0%} of {size_text(total)}" if total else ""
        self._draw(fraction, f"{printable(what)}{size}", force=done >= total)

    def record(self, record: Record, /) -> None:
        self._status.take(record)
        if isinstance(record, Started):
            self.say(started_line(self._title, record))
        elif isinstance(record, Finished):
            reached = 1.0 if record.reason in ("length", "early stop") else self._fraction
            self._draw(reached, self._status.line(None, self._console.width - 22), force=True)
        elif line := event_line(record):
            self.say(line)

    def tick(self, fraction: float, seconds_left: float | None, /) -> None:
        if self._clock() - self._drawn >= REDRAW_SECONDS:
            self._draw(fraction, self._status.line(seconds_left, self._console.width - 22))

    def say(self, message: str, /) -> None:
        self._progress.print(printable(message), markup=False, soft_wrap=True)

    def close(self) -> None:
        self._progress.stop()

    def _draw(self, fraction: float, text: str, force: bool = False) -> None:
        if force or self._clock() - self._drawn >= REDRAW_SECONDS:
            self._drawn, self._fraction = self._clock(), fraction
            self._progress.update(self._task, completed=min(fraction, 1.0), description=text)
            try:
                self._progress.refresh()
            except OSError:
                self.closed = True


class PlainReporter:
    """Writes lines on stderr: events, and the progress every few seconds."""

    def __init__(self, title: str, steps: int, clock: Callable[[], float] = time.monotonic) -> None:
        self.closed = False
        self.failure: OSError | None = None
        self._title = title
        self._clock = clock
        self._status = _Status(steps)
        self._last_line = clock()
        self._told_step = -1

    def preparing(self, what: str, done: int, total: int, /) -> None:
        if total and self._clock() - self._last_line >= PLAIN_SECONDS:
            self.say(f"{what} {done / total:.0%} of {size_text(total)}")

    def record(self, record: Record, /) -> None:
        self._status.take(record)
        if isinstance(record, Started):
            self.say(started_line(self._title, record))
        elif line := event_line(record):
            self.say(line)

    def tick(self, _fraction: float, seconds_left: float | None, /) -> None:
        # During a validation, which may take long, there is nothing new to tell.
        if self._clock() - self._last_line >= PLAIN_SECONDS and self._status.step != self._told_step:
            self._told_step = self._status.step
            self.say(self._status.line(seconds_left, 200))

    def say(self, message: str, /) -> None:
        self._last_line = self._clock()
        try:
            click.echo(printable(message), err=True)
        except OSError:
            self.closed = True

    def close(self) -> None:
        """Does nothing."""


class Silent:
    """Reports nothing: for commands that print their result at the end."""

    closed: bool = False
    failure: OSError | None = None

    def preparing(self, _what: str, _done: int, _total: int, /) -> None:
        """Does nothing."""

    def record(self, _record: Record, /) -> None:
        """Does nothing."""

    def tick(self, _fraction: float, _seconds_left: float | None, /) -> None:
        """Does nothing."""

    def say(self, _message: str, /) -> None:
        """Does nothing."""

    def close(self) -> None:
        """Does nothing."""


def choose_reporter(as_json: bool, title: str, steps: int) -> Reporter:
    """Returns the reporter for the kind of output; `steps`: the run's length, 0 if it is not counted in steps."""
    if as_json:
        return JsonReporter()
    if sys.stderr.isatty() and os.environ.get("TERM") != "dumb":
        return TerminalReporter(title, steps)
    return PlainReporter(title, steps)
