"""Passes a run's records on: to listeners at once, and to metrics.jsonl as soon as the disk accepts them."""

from __future__ import annotations

from collections.abc import Callable

from rnnplay.common.limits import reason, way_out
from rnnplay.runs.folder import RunFolder
from rnnplay.runs.metrics.records import Notice, Record, Rollback

RECORDS = "its records"
DURABLY = "its records onto the disk"
"""Counted apart: a system may accept what it then cannot write to the disk."""


class Recorder:
    """Passes records on, and reports once when writing begins to fail, and once when it works again."""

    def __init__(self, folder: RunFolder, emit: Callable[[Record], None], step: int) -> None:
        """`step`: the current step of the run."""
        self._log, self._emit, self._step = folder.log, emit, step
        self._refused: set[str] = set()
        self._left_out = 0

    def record(self, record: Record, on_disk: Record | None = None) -> None:
        """Passes on `record`; `on_disk` replaces it in metrics.jsonl, if given. Never raises OSError."""
        self._step = record.to if isinstance(record, Rollback) else record.step
        self.append(on_disk or record)
        self._emit(record)

    def emit(self, record: Record) -> None:
        """Passes `record` to listeners only."""
        self._emit(record)

    def append(self, record: Record) -> None:
        """Adds `record` to metrics.jsonl only. Never raises OSError."""
        before = self._log.flushes
        try:
            self._log.append([record])
        except FileNotFoundError:
            pass  # the run's folder is gone: the records wait until it is created again, within some seconds
        except OSError as error:
            self.failed(RECORDS, error)
        else:
            if self._refused and self._log.flushes != before:
                self.worked(RECORDS)

    def flush(self, durable: bool = False) -> int:
        """Writes what is buffered (`durable`: with fsync); returns the size of metrics.jsonl. Never raises OSError."""
        try:
            self._log.flush(durable)
        except FileNotFoundError:
            pass
        except OSError as error:
            self.failed(DURABLY if durable else RECORDS, error)
        else:
            self.worked(RECORDS)
            if durable:
                self.worked(DURABLY)
        return self._log.size

    def failed(self, what: str, error: OSError) -> None:
        """Reports that `what` ("its records", "a checkpoint") could not be written; another attempt will follow."""
        first = not self._refused
        self._refused.add(what)
        if first:
            place = f", {error.filename}" if isinstance(error.filename, str) else ""
            self.notice(
                f"The run cannot write {what} ({reason(error)}{place}); training goes on, what is on disk stays, "
                f"records wait in memory, and it will be tried again: {way_out(error)}."
            )

    def worked(self, what: str) -> None:
        """Notes that `what` could be written, and reports when nothing fails any more."""
        if self._refused:
            self._refused.discard(what)
            if not self._refused:
                left_out, self._left_out = self._log.left_out - self._left_out, self._log.left_out
                lost = f", but for {left_out:,} records of steps" if left_out else ""
                self.notice(f"The run can be written again; everything is on disk{lost}.")

    def notice(self, message: str) -> None:
        """Records one sentence for the user."""
        message = "".join(character if character.isprintable() else "�" for character in message)
        self.record(Notice(step=self._step, message=message[:2000]))
