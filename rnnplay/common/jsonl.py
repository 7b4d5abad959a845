"""JSON Lines, the format of all records: in pipes, in metrics.jsonl and on stdout with --json.

JSON has no NaN or infinity, and a loss may be either; they are written as the strings "nan", "inf" and "-inf".
"""

from __future__ import annotations

import math
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO, TypeVar

import msgspec

from rnnplay.common.files import open_own
from rnnplay.errors import InputError

T = TypeVar("T")

UNDECODABLE = msgspec.DecodeError, UnicodeDecodeError, RecursionError
"""What decoding raises for bytes that are not what was asked for."""

CHUNK_BYTES = 1 << 22
TAIL_BYTES = 1 << 13

_encoder = msgspec.json.Encoder()


def encode_line(record: object) -> bytes:
    """Encodes `record` (a msgspec Struct, dict or list) as one line of JSON, newline included."""
    line = _encoder.encode(record)
    # msgspec writes non-finite floats as null; only then is the slower walk through the record needed.
    if b"null" in line:
        line = _encoder.encode(_spell_non_finite(msgspec.to_builtins(record)))
    return line + b"\n"


def decode_line(line: bytes | str, type_: type[T] | Any) -> Any:
    """Decodes the record on one line and checks it against `type_`; raises msgspec.ValidationError or DecodeError."""
    # Only when not strict does msgspec read "nan" and "inf" as floats.
    return msgspec.json.decode(line, type=type_, strict=False)


def _spell_non_finite(value: Any) -> Any:
    if isinstance(value, float) and not math.isfinite(value):
        return "nan" if math.isnan(value) else "inf" if value > 0 else "-inf"
    if isinstance(value, dict):
        return {key: _spell_non_finite(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_spell_non_finite(item) for item in value]
    return value


def append_lines(path: Path, data: bytes) -> None:
    """Appends whole lines to a file, which need not exist. Raises OSError, or InputError for one that is another's."""
    descriptor = open_own(path, os.O_RDWR | os.O_CREAT | os.O_APPEND)
    try:
        cut_partial_line(descriptor)
        while data:
            data = data[os.write(descriptor, data) :]
    finally:
        os.close(descriptor)


def cut_partial_line(descriptor: int) -> int:
    """Cuts off a last line without its end, left by a failed write or a killed process; returns the size."""
    size = os.lseek(descriptor, 0, os.SEEK_END)
    if not size:
        return 0
    start = size - 1
    os.lseek(descriptor, start, os.SEEK_SET)
    if os.read(descriptor, 1) == b"\n":
        return size
    end = size
    while start > 0 and size - start <= CHUNK_BYTES:
        start = max(0, end - TAIL_BYTES)
        os.lseek(descriptor, start, os.SEEK_SET)
        found = os.read(descriptor, end - start).rfind(b"\n")
        if found >= 0:
            os.ftruncate(descriptor, start + found + 1)
            return start + found + 1
        end = start
    os.ftruncate(descriptor, 0 if start == 0 else size)
    return 0 if start == 0 else size


def whole_lines(file: BinaryIO, path: Path, at_once: int = CHUNK_BYTES) -> Iterator[bytes]:
    """Yields the rest of `file` in pieces of about `at_once` bytes that end at line ends."""
    rest = b""
    while chunk := file.read(at_once):
        rest += chunk
        end = rest.rfind(b"\n") + 1
        if end:
            yield rest[:end]
            rest = rest[end:]
        elif len(rest) > CHUNK_BYTES:
            raise InputError(f"{path} has a line of more than {CHUNK_BYTES:,} bytes; it is not rnnplay's.")
