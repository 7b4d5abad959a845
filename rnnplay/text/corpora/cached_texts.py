"""Texts that are generated from a source, or converted from another encoding, and kept in the cache."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable
from pathlib import Path

from rnnplay.common.files import name_beside, read_small, replacing
from rnnplay.common.limits import reason, way_out
from rnnplay.errors import InputError, RnnplayError
from rnnplay.text.corpora.content_hash import content_hash


def materialise(source: str, cache: Path) -> Path:
    """Returns the text file of a card's `source` under `cache`, generated if it is missing or has changed.

    Raises InputError if there is no such source or its material is missing, RnnplayError if the text cannot be written.
    """
    from rnnplay.text.corpora.dependencies import TASKS, VERSION, training_text
    from rnnplay.text.corpora.python_corpora import docs_text, python_version, source_text

    if source in TASKS:
        target = cache / f"{source}-{VERSION}.txt"
        return kept(target, cache) or write_whole(target, training_text(source), cache)
    writers = {"python-docs": docs_text, "python-source": source_text}
    if source not in writers:
        raise InputError(f"There is no source '{source}' for a corpus; there are {' and '.join(writers)}.")
    target = cache / f"{source}-{python_version()}.txt"
    return kept(target, cache) or write_whole(target, writers[source](), cache)


def converted(path: Path, encoding: str, cache: Path) -> Path:
    """Returns the text at `path`, decoded from `encoding`, as UTF-8 under `cache`; raises InputError if that fails."""
    from rnnplay.text.corpora.detection import encoding_name
    from rnnplay.text.corpora.reading import iter_text

    name = encoding_name(encoding)
    target = cache / f"{content_hash(path, cache)[:32]}-{name}.txt"
    return kept(target, cache) or write_whole(target, iter_text(path, encoding=name), cache)


def kept(target: Path, cache: Path) -> Path | None:
    """Returns `target` if it is, to the last byte, what was written there; None otherwise."""
    try:
        expected = read_small(_hash_file(target), 100).decode(errors="replace")
        return target if content_hash(target, cache) == expected else None
    except (OSError, ValueError, InputError):
        return None


def write_whole(target: Path, pieces: Iterable[str | bytes], cache: Path) -> Path:
    """Writes `target` and its hash atomically; raises RnnplayError.

    If the same text is there already, it stays: another process may be reading it.
    """
    beside = name_beside(target)
    digest = hashlib.sha256()
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with beside.open("xb") as file:
            for piece in pieces:
                data = piece.encode(errors="replace") if isinstance(piece, str) else piece
                digest.update(data)
                file.write(data)
            file.flush()
            os.fsync(file.fileno())
        with replacing(_hash_file(target)) as file:
            file.write(digest.hexdigest().encode())
        if kept(target, cache) is None:
            beside.replace(target)
    except OSError as error:
        raise RnnplayError(f"The text {target} cannot be written ({reason(error)}); {way_out(error)}.") from error
    finally:
        beside.unlink(missing_ok=True)
    return target


def _hash_file(target: Path) -> Path:
    return target.with_name(f"{target.name}.sha256")
