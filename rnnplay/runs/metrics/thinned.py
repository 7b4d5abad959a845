"""Reads a metrics.jsonl of any length in a fraction of a second, from a thinned copy of it that is kept beside it.

The copy, curves.bin, holds what `ColumnReader` yields for the file except its end: every record that is not a step, and
one in `every` pieces of the steps. The training process extends it now and then, and so does a reader that had to read
much. It is used only if it fits the file: the beginning, the bytes before its end, and samples between them are
compared. Otherwise the whole file is read.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
from collections.abc import Iterator
from pathlib import Path

import msgspec

from rnnplay.common.files import open_plain, read_small, replacing
from rnnplay.errors import RnnplayError
from rnnplay.runs.metrics import records
from rnnplay.runs.metrics.metrics_log import MetricsLog
from rnnplay.runs.metrics.step_columns import PIECE_BYTES, ColumnReader, Position, StepColumns

FORMAT = 1
FILE = "curves.bin"
STEP_BYTES = 1 << 24
"""Bytes of steps that are kept of a file; a longer one is thinned to half of this or more."""
WORTH_BYTES = 1 << 22
"""Bytes that must be read to justify writing a copy; fewer are read as quickly."""
MOST_ELSEWHERE = 200
"""Copies in the workspace's cache, of runs in whose folders nothing may be written."""
_LARGEST = 1 << 27
_ENDS, _SAMPLES, _SAMPLE_BYTES = 1 << 12, 15, 1 << 9
_HASH_BYTES = 32


class _Steps(msgspec.Struct, frozen=True, tag="steps"):
    """Consecutive steps, arrays as bytes of int64 and float64."""

    piece: int
    """The number of the piece of PIECE_BYTES in which they begin."""
    step: bytes
    values: bytes
    """Losses, gradient norms, and gradient norms after clipping."""


class _Copy(msgspec.Struct):
    format: int
    every: int
    end: Position
    """What comes after it in the file is not in the copy."""
    check: bytes
    """Hash of parts of the file before `end`."""
    items: list[_Steps | records.Record]


class ThinnedLog:
    """The records of a metrics.jsonl, with most steps of a long one left out. Loads numpy when it is read."""

    def __init__(self, log: MetricsLog, cache: Path | None = None) -> None:
        """`cache`: the workspace's, for copies of runs in whose folders nothing may be written."""
        self._log = log
        self._places = [log.path.with_name(FILE)]
        if cache is not None:
            key = hashlib.sha256(os.fsencode(log.path.absolute())).hexdigest()[:32]
            self._places.append(cache / "histories" / f"{key}.bin")
        self.end = Position()
        """The offset up to which the file was read."""
        self.read_bytes = 0
        """Bytes of the file that were read, rather than taken from the copy."""

    def read(self) -> Iterator[StepColumns | records.Record]:
        """Yields everything, oldest first; steps near the end are complete. Raises InputError, or OSError.

        Read to its end it writes or extends the copy, if that will save time.
        """
        size = _size(self._log.path)
        copy = self._kept()
        every = max(1, copy.every if copy is not None else 1)
        while size > every * STEP_BYTES:
            every *= 2
        if copy is None or (copy.every == 1 and every > 1):  # whose pieces are not told apart
            copy = _Copy(FORMAT, every, Position(), b"", [])
        elif copy.every != every:
            copy.every = every
            copy.items = [one for one in copy.items if not isinstance(one, _Steps) or one.piece % every == 0]
        for kept in copy.items:
            yield _columns(kept) if isinstance(kept, _Steps) else kept
        start = copy.end
        reader = ColumnReader(self._log, start, every=every)
        added: list[_Steps | records.Record] = []
        for item in reader.read():
            if reader.whole_from is None:
                added.append(_packed(item, reader.end.bytes) if isinstance(item, StepColumns) else item)
            yield item
        self.end, self.read_bytes = reader.end, reader.end.bytes - start.bytes
        if reader.whole_from is not None and reader.whole_from.bytes - start.bytes >= WORTH_BYTES:
            copy.items += added
            copy.end = reader.whole_from
            self._keep(copy)

    def extend_copy(self) -> None:
        """Reads what was appended, so that the next reader need not. Never raises OSError or RnnplayError."""
        with contextlib.suppress(OSError, RnnplayError):
            for _ in self.read():
                pass

    def _kept(self) -> _Copy | None:
        for place in self._places:
            try:
                data = read_small(place, _LARGEST)
                if hashlib.sha256(data[_HASH_BYTES:]).digest() != data[:_HASH_BYTES]:
                    continue
                copy = msgspec.msgpack.decode(data[_HASH_BYTES:], type=_Copy)
                fits = copy.format == FORMAT and copy.every > 0 and copy.check == _check(self._log.path, copy.end.bytes)
                if fits and all(_is_sound(one) for one in copy.items if isinstance(one, _Steps)):
                    return copy
            except (OSError, ValueError, RecursionError):  # msgspec's errors are ValueErrors
                continue
        return None

    def _keep(self, copy: _Copy) -> None:
        for place in self._places:
            with contextlib.suppress(OSError, ValueError):
                copy.check = _check(self._log.path, copy.end.bytes)
                body = msgspec.msgpack.encode(copy)
                if place is not self._places[0]:
                    _make_room(place.parent)
                if len(body) < _LARGEST - _HASH_BYTES:
                    with replacing(place) as file:
                        file.write(hashlib.sha256(body).digest() + body)
                return


def _make_room(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    others = sorted(folder.glob("*.bin"), key=lambda path: path.stat().st_mtime)
    for old in others[: len(others) - MOST_ELSEWHERE + 1]:
        old.unlink(missing_ok=True)


def _size(path: Path) -> int:
    with contextlib.suppress(OSError):
        return path.stat().st_size
    return 0


def _check(metrics: Path, size: int) -> bytes:
    """Hash of the beginning, the end and samples of the first `size` bytes; raises ValueError if there are fewer."""
    found = hashlib.sha256(b"%d" % size)
    with os.fdopen(open_plain(metrics, os.O_RDONLY), "rb", buffering=0) as file:
        if os.fstat(file.fileno()).st_size < size:
            raise ValueError("shorter than it was")
        places = [(0, _ENDS), (max(0, size - _ENDS), _ENDS)]
        places += [(size * number // (_SAMPLES + 1), _SAMPLE_BYTES) for number in range(1, _SAMPLES + 1)]
        for at, length in places:
            file.seek(at)
            found.update(file.read(min(length, size - at)))
    return found.digest()


def _packed(columns: StepColumns, at: int) -> _Steps:
    import numpy as np

    values = np.array([columns.loss, columns.grad_norm, columns.grad_norm_clipped], np.float64)
    return _Steps(at // PIECE_BYTES, np.array(columns.step, np.int64).tobytes(), values.tobytes())


def _columns(steps: _Steps) -> StepColumns:
    import numpy as np

    loss, norm, clipped = np.frombuffer(steps.values).reshape(3, -1).tolist()
    return StepColumns(np.frombuffer(steps.step, np.int64).tolist(), loss, norm, clipped, [])


def _is_sound(steps: _Steps) -> bool:
    import numpy as np

    if not steps.step or len(steps.step) % 8 or len(steps.values) != 3 * len(steps.step):
        return False
    numbers = np.frombuffer(steps.step, np.int64)
    return bool(numbers[0] >= 0 and (numbers[1:] > numbers[:-1]).all())
