"""Follows a run that another process trains, by reading what that process adds to the files of its folder.

Only what was appended to metrics.jsonl is read. The place up to which it was read, and some earlier ones, are kept
with a checksum of the bytes before them: a file that was cut back, because the run was resumed from an earlier
checkpoint, is read on from the last of them that still holds. A file in which none does was written anew.

On a file system of several machines the lock may not tell that another machine trains the run. It then counts as being
trained while its file grows. Each look opens the files anew, which makes NFS ask its server.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from enum import Enum
from pathlib import Path
from stat import S_ISDIR
from typing import NamedTuple
from zlib import crc32

from rnnplay.common.files import open_plain
from rnnplay.common.jsonl import UNDECODABLE, decode_line
from rnnplay.common.limits import reason
from rnnplay.errors import InputError
from rnnplay.runs.folder import RunFolder
from rnnplay.runs.info import RunInfo
from rnnplay.runs.lock import Holder, holder, last_holder
from rnnplay.runs.metrics.records import Finished, Record, Rollback
from rnnplay.runs.metrics.step_columns import ColumnReader, Position, StepColumns

AT_ONCE_BYTES = 1 << 20
"""More than this, appended since the last look, is read as columns, thinned if necessary."""
QUIET_SECONDS = 60.0
"""A run whose lock is free, but may be held on another machine, has ended if its file did not change for so long."""
CHECKED_BYTES = 256
TAIL_BYTES = 1 << 13
MOST_PLACES = 48

Stamp = tuple[int, int, int, int]


class Standing(Enum):
    """What is known of a run's training."""

    TRAINED = "trained"
    """A process holds its lock."""
    WRITTEN = "written"
    """Its file grows, though no lock is seen: another machine trains it."""
    ENDED = "ended"
    """It is over, or was stopped: its last record says so."""
    LEFT = "left"
    """Nobody trains it, and no record says that it ended: its process was killed."""
    GONE = "gone"
    """Its folder was removed, or moved out of its place."""
    UNREADABLE = "unreadable"


class News(NamedTuple):
    """What has happened since the last look, to be applied in the order of the fields."""

    standing: Standing
    holder: Holder | None = None
    """Who trains it, or, while it is WRITTEN, who seems to."""
    another: bool = False
    """Whether the files are another run's, or were written anew: everything must be read again."""
    renamed: RunFolder | None = None
    """The folder under its new name."""
    info: RunInfo | None = None
    """run.json, if it has changed."""
    cut: int | None = None
    """The step after which the file was cut off; `records` begin there."""
    records: tuple[Record | StepColumns, ...] = ()
    more: bool = False
    """Whether more is waiting to be read: look again at once."""
    trouble: str = ""
    """A sentence that says why it cannot be read."""

    @property
    def silent(self) -> bool:
        """Whether nothing was found but the standing."""
        return not (self.another or self.renamed or self.info or self.records or self.trouble) and self.cut is None


class _Place(NamedTuple):
    """A line end of the file."""

    position: Position
    step: int
    """The step of the run there."""
    check: int
    """Checksum of the bytes before it."""


class Follower:
    """Reads on in a run's files; `look` returns the news."""

    def __init__(
        self,
        folder: RunFolder,
        created: str,
        start: Position | None = None,
        *,
        every_step: bool = False,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Follows the run created at `created` (`RunInfo.created`), whose metrics.jsonl was read up to `start`.

        `every_step`: no step is ever left out, however many are waiting.
        """
        self.folder = folder
        self.position = start or Position()
        """Up to where metrics.jsonl was read."""
        self._created = created
        self._every_step = every_step
        self._clock = clock
        self._places: list[_Place] = []
        self._stamp: Stamp | None = None
        self._info_stamp: Stamp | None = None
        self._inode = _inode(folder.path)
        self._finished = False
        """Whether the last record is Finished."""
        self._changed: float | None = None
        """When the file was last seen to have changed; None before."""
        self._unreadable = ""
        self._begin()

    def look(self) -> News:
        """Reads what is new. Blocks for as long as the disk takes; never raises."""
        by = holder(self.folder.path)  # before the records: the last one is written before the lock is released
        try:
            news = self._read(by)
            return news._replace(holder=last_holder(self.folder.path)) if news.standing is Standing.WRITTEN else news
        except (FileNotFoundError, NotADirectoryError) as error:
            return self._missing(by, error)
        except InputError as error:
            self._unreadable = str(error)
            return News(Standing.UNREADABLE, by, trouble=self._unreadable)
        except OSError as error:
            why = f"{error.filename or self.folder.path} cannot be read ({reason(error)}); it is tried again."
            return News(Standing.UNREADABLE, by, trouble=why)

    def _begin(self) -> None:
        """Notes the last places before the start, and whether the run had ended there."""
        end, tail = self.position, b""
        try:
            descriptor = open_plain(self.folder.log.path, os.O_RDONLY)
        except OSError:
            pass
        else:
            try:
                tail = _before(descriptor, end.bytes, TAIL_BYTES)
            finally:
                os.close(descriptor)
        if end.bytes and not tail:
            return  # it has become another file
        # At the end of a run there are records of other kinds, of which a resumed run cuts off some.
        places = [_Place(end, 0, _check(tail))]
        lines = tail.splitlines(keepends=True)[-MOST_PLACES // 2 :]
        for number, line in enumerate(reversed(lines)):
            try:
                record: Record = decode_line(line, Record)
            except UNDECODABLE:
                break
            if not number:
                self._note(record)
            places[-1] = places[-1]._replace(step=_step_after(record))
            tail = tail[: len(tail) - len(line)]
            before = Position(places[-1].position.bytes - len(line), places[-1].position.lines - 1)
            if len(tail) < CHECKED_BYTES and before.bytes > len(tail):
                break
            places.append(_Place(before, 0, _check(tail)))
        if len(places) > 1:
            del places[-1]  # the step there is not known
        self._places = places[::-1]

    def _read(self, by: Holder | None) -> News:
        info = self._read_info()
        if info is not None and info.created != self._created:
            return News(self._standing(by), by, another=True)
        try:
            descriptor = open_plain(self.folder.log.path, os.O_RDONLY)
        except FileNotFoundError:
            if self.position.bytes or _inode(self.folder.path) != self._inode:
                raise
            return News(self._standing(by), by, info=info)  # nothing was recorded yet
        try:
            stamp = _stamp(os.fstat(descriptor))
            if stamp == self._stamp:
                if self._unreadable:
                    return News(Standing.UNREADABLE, by, info=info, trouble=self._unreadable)
                return News(self._standing(by), by, info=info)
            if self._stamp is not None or self._seems_written(stamp):
                self._changed = self._clock()
            self._stamp, self._unreadable = stamp, ""
            cut = self._cut_back(descriptor, stamp[0])
            if not self._places:
                return News(self._standing(by), by, another=True)
            records, more = self._new_records(descriptor, stamp[0])
        finally:
            os.close(descriptor)
        if more:
            self._stamp = None
        return News(self._standing(by), by, info=info, cut=cut, records=records, more=more)

    def _read_info(self) -> RunInfo | None:
        """Reads run.json if it has changed since the last look."""
        stamp = _stamp((self.folder.path / "run.json").stat())
        if stamp == self._info_stamp:
            return None
        info = self.folder.info()
        self._info_stamp = stamp
        return info

    def _cut_back(self, descriptor: int, size: int) -> int | None:
        """Returns to the last place that still holds; returns its step, or None if that is where reading ended."""
        found = False
        while self._places and not self._holds(descriptor, size, self._places[-1]):
            self._places.pop()
            found = True
        if not found or not self._places:
            return None
        place = self._places[-1]
        self.position, self._finished = place.position, False
        return place.step

    @staticmethod
    def _holds(descriptor: int, size: int, place: _Place) -> bool:
        end = place.position.bytes
        return end <= size and _check(_before(descriptor, end, CHECKED_BYTES)) == place.check

    def _new_records(self, descriptor: int, size: int) -> tuple[tuple[Record | StepColumns, ...], bool]:
        waiting = size - self.position.bytes
        records: list[Record | StepColumns]
        if waiting > AT_ONCE_BYTES and not self._every_step:
            reader = ColumnReader(self.folder.log, self.position)
            records = list(reader.read())
            self.position, more = reader.end, False
        else:
            found = _read_at(descriptor, self.position.bytes, min(waiting, AT_ONCE_BYTES))
            whole = found[: found.rfind(b"\n") + 1]  # the last line may still be being written
            records = [*self.folder.log.decode(whole, self.position.lines)]
            self.position = Position(self.position.bytes + len(whole), self.position.lines + whole.count(b"\n"))
            more = waiting > len(found)
            if more and not whole:
                raise InputError(f"{self.folder.log.path} has a line of more than {AT_ONCE_BYTES:,} bytes; remove it.")
        if records:
            last = records[-1]
            step = last.step[-1] if isinstance(last, StepColumns) else _step_after(last)
            check = _check(_before(descriptor, self.position.bytes, CHECKED_BYTES))
            self._places.append(_Place(self.position, step, check))
            if len(self._places) > MOST_PLACES:  # those further back are further apart
                del self._places[1 : MOST_PLACES // 2 : 2]
            self._note(last)
        return tuple(records), more

    def _note(self, last: Record | StepColumns) -> None:
        self._finished = isinstance(last, Finished)

    def _standing(self, by: Holder | None) -> Standing:
        if self._finished:
            return Standing.ENDED
        if by is not None:
            return Standing.TRAINED
        if self._changed is None or self._clock() - self._changed >= QUIET_SECONDS:
            return Standing.LEFT
        last = last_holder(self.folder.path)
        # Of a process of this machine the lock tells for certain.
        return Standing.WRITTEN if last is None or last.host else Standing.LEFT

    def _seems_written(self, stamp: Stamp) -> bool:
        """Whether another machine had the lock, and the file changed just now, by clocks that may differ."""
        if abs(time.time() - stamp[1] / 1e9) >= QUIET_SECONDS:
            return False
        last = last_holder(self.folder.path)
        return last is not None and bool(last.host)

    def _missing(self, by: Holder | None, error: OSError) -> News:
        """Returns why a file is missing: it alone is gone, or the folder has another name or is gone."""
        self._stamp = self._info_stamp = None
        if self._inode is not None and _inode(self.folder.path) == self._inode:
            what = error.filename or self.folder.path
            return News(Standing.UNREADABLE, by, trouble=f"{what} is missing; it is looked for again.")
        parent = self.folder.path.parent
        if self._inode is not None:
            try:
                with os.scandir(parent) as entries:
                    names = [entry.name for entry in entries if entry.inode() == self._inode[1]]
            except OSError:
                names = []
            for name in names:
                moved = RunFolder(parent / name)
                if _inode(moved.path) == self._inode and not name.startswith("."):
                    self.folder = moved
                    return News(Standing.LEFT, renamed=moved)
        return News(Standing.GONE)


def _stamp(found: os.stat_result) -> Stamp:
    return found.st_size, found.st_mtime_ns, found.st_dev, found.st_ino


def _inode(folder: Path) -> tuple[int, int] | None:
    try:
        found = folder.stat()
    except OSError:
        return None
    return (found.st_dev, found.st_ino) if S_ISDIR(found.st_mode) else None


def _before(descriptor: int, end: int, count: int) -> bytes:
    """The last `count` bytes before `end`, or as many as there are."""
    return _read_at(descriptor, max(0, end - count), min(count, end))


def _read_at(descriptor: int, start: int, count: int) -> bytes:
    os.lseek(descriptor, start, os.SEEK_SET)
    return os.read(descriptor, count)


def _check(before: bytes) -> int:
    return crc32(before[-CHECKED_BYTES:])


def _step_after(record: Record) -> int:
    return record.to if isinstance(record, Rollback) else record.step
