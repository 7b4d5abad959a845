"""A run's records on their way: to whoever listens at once, and to metrics.jsonl as soon as the disk takes them."""

from __future__ import annotations

from collections.abc import Callable

from rnnplay.common.limits import reason
from rnnplay.runs.folder import RunFolder
from rnnplay.runs.records import Notice, Record, Rollback

RECORDS = "its records"
DURABLY = "its records onto the disk"
"""A system may take what it then cannot bring to the disk."""


class Journal:
    """Records, and what a user is told when the disk refuses: once when that begins, and once when it is over."""

    def __init__(self, folder: RunFolder, emit: Callable[[Record], None], step: int) -> None:
        """`step`: where the run is."""
        self._log, self._emit, self._step = folder.log, emit, step
        self._refused: set[str] = set()
        self._left_out = 0

    def record(self, record: Record, on_disk: Record | None = None) -> None:
        """Tells `record`; `on_disk` stands for it in metrics.jsonl, if given. Never raises OSError."""
        self._step = record.to if isinstance(record, Rollback) else record.step
        self._append(on_disk or record)
        self._emit(record)

    def tell(self, record: Record) -> None:
        """To those who listen alone."""
        self._emit(record)

    def keep(self, record: Record) -> None:
        """For metrics.jsonl alone."""
        self._append(record)

    def flush(self, durable: bool = False) -> int:
        """Hands what waits to the system; returns the size of metrics.jsonl. Never raises OSError."""
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
        """Something ("its records", "a checkpoint") could not be written; another attempt will be made."""
        first = not self._refused
        self._refused.add(what)
        if first:
            place = f", {error.filename}" if isinstance(error.filename, str) else ""
            self.notice(
                f"The run cannot write {what} ({reason(error)}{place}); training goes on, what is on disk stays, "
                "records wait in memory, and it will be tried again: make room or allow writing there."
            )

    def worked(self, what: str) -> None:
        """It could be written."""
        if self._refused:
            self._refused.discard(what)
            if not self._refused:
                left_out, self._left_out = self._log.left_out - self._left_out, self._log.left_out
                lost = f", but for {left_out:,} records of steps" if left_out else ""
                self.notice(f"The run can be written again; everything is on disk{lost}.")

    def notice(self, message: str) -> None:
        """One sentence for the user."""
        message = "".join(character if character.isprintable() else "�" for character in message)
        self.record(Notice(step=self._step, message=message[:2000]))

    def _append(self, record: Record) -> None:
        before = self._log.flushes
        try:
            self._log.append([record])
        except FileNotFoundError:
            pass  # the run's folder is gone: the records wait until it is made anew, within a second or so
        except OSError as error:
            self.failed(RECORDS, error)
        else:
            if self._refused and self._log.flushes != before:
                self.worked(RECORDS)
