"""JSON Lines, the format of all records: in pipes, in metrics.jsonl and on stdout with --json.

JSON has no NaN or infinity, and a loss may be either; they are written as the strings "nan", "inf" and "-inf".
"""

from __future__ import annotations

import math
from typing import Any, TypeVar

import msgspec

T = TypeVar("T")

UNDECODABLE = msgspec.DecodeError, UnicodeDecodeError, RecursionError
"""What decoding raises for bytes that are not what was asked for."""

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
