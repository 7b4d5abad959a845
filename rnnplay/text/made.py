"""Texts that are made where they are needed, and kept in the cache: from which sources, from another encoding."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable
from pathlib import Path

from rnnplay.errors import RnnplayError


def materialise(source: str, cache: Path) -> Path:
    """The text file of a card's `source` under `cache`, made if it is not there yet.

    Raises InputError if what it is made of is missing or there is no such source, RnnplayError if it cannot be written.
    """
    from rnnplay.text.synthetic.dependencies import TASKS, VERSION, training_text

    if source in TASKS:
        target = cache / f"{source}-{VERSION}.txt"
        return target if is_there(target) else write_whole(target, training_text(source))
    from rnnplay.text.python_corpora import materialise_python_corpus

    return materialise_python_corpus(source, cache)


def converted(path: Path, encoding: str, cache: Path) -> Path:
    """The text at `path`, which is in `encoding`, as UTF-8 under `cache`; raises InputError where it is not."""
    from rnnplay.text.detection import encoding_name
    from rnnplay.text.encoded_cache import content_hash
    from rnnplay.text.reading import iter_text

    name = encoding_name(encoding)
    target = cache / f"{content_hash(path, cache)[:32]}-{name}.txt"
    return target if is_there(target) else write_whole(target, iter_text(path, encoding=name))


def is_there(target: Path) -> bool:
    """Whether `target` is a plain file with something in it."""
    try:
        found = target.stat()
    except OSError:
        return False
    return stat.S_ISREG(found.st_mode) and found.st_size > 0


def write_whole(target: Path, pieces: Iterable[str]) -> Path:
    """Writes `target` so that it is there whole or not at all; raises RnnplayError.

    If another process was quicker, its file stays: it may be reading it already, and the bytes are the same.
    """
    beside = target.with_name(f".{target.name}.{os.getpid()}.partial")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with beside.open("w", encoding="utf-8", newline="\n", errors="replace") as file:
            for piece in pieces:
                file.write(piece)
            file.flush()
            os.fsync(file.fileno())
        try:
            os.link(beside, target)
        except OSError:  # it is there, or this file system has no links
            if not is_there(target):
                beside.replace(target)
    except OSError as error:
        raise RnnplayError(f"The text {target} cannot be written ({error.strerror}); make room or move it.") from error
    finally:
        if beside.exists():
            beside.unlink()
    return target
