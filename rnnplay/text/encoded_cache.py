"""Encoded corpora on disk: a folder each, there whole or not at all, made again whenever it is not as it should be.

```
<cache>/encoded/index.json      content hashes of files by path, size and time, so that an unchanged file is not read
<cache>/encoded/<key>/          meta.json, vocabulary.json, and for each part its ids and, for lines, their starts
```
The key is a hash of the text's content and of every setting that the ids depend on.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import stat
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import numpy as np
from numpy.typing import NDArray

from rnnplay.errors import InputError, RnnplayError
from rnnplay.plain_files import read_small
from rnnplay.text.cards import clean
from rnnplay.text.mapped import check_ids, check_lines, ends_check, mapped
from rnnplay.text.reading import changed, check_text_file, reading
from rnnplay.text.splitting import PARTS
from rnnplay.text.tokenizers import Tokenizer, load_tokenizer
from rnnplay.text.vocabulary import AnyIds, id_type

FORMAT = 2
_KEY_FORMAT = 1
"""Of the keys, which have stayed as they were in format 1."""
_BLOCK = 1 << 20
_LARGEST_META = 1 << 16
_LARGEST_VOCABULARY = 1 << 29
_LARGEST_INDEX = 1 << 24
_MOST_CHARACTERS = 1 << 50
_MOST_INDEXED = 1000
_SHA256 = re.compile("[0-9a-f]{64}")
_TOO_FRESH_NS = 100_000_000
"""A file changed this shortly before it was hashed could change again with the same time: it is not indexed."""
_ABANDONED_S = 24 * 3600.0


class PartMeta(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One part of an encoded corpus."""

    tokens: int
    characters: int
    lines: int | None
    ids_check: int
    lines_check: int | None
    unknown: int = 0
    """How many of the tokens are `<unk>`."""
    hidden: int = 0
    """Bytes (UTF-8) of the text that are read as `<unk>`."""


class Part(NamedTuple):
    """One part of an encoded corpus, as it is loaded."""

    ids: AnyIds
    """Mapped."""
    about: PartMeta
    line_starts: NDArray[np.int64] | None
    """Mapped."""


class Meta(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """meta.json."""

    format: int
    key: str
    parts: list[PartMeta]


class _Indexed(msgspec.Struct, frozen=True):
    size: int
    mtime_ns: int
    sha256: str


def cache_key(sha256: str, settings: dict[str, Any]) -> str:
    """The name of the folder for this content under these settings."""
    described = msgspec.json.encode({"format": _KEY_FORMAT, "sha256": sha256, **settings}, order="sorted")
    return hashlib.sha256(described).hexdigest()[:40]


def content_hash(path: Path, cache: Path, progress: Callable[[int], None] | None = None) -> str:
    """The SHA-256 of the file at `path`; from the index if the file has not changed since. Raises InputError."""
    index_path = cache / "encoded" / "index.json"
    found = check_text_file(path)
    name = os.fspath(path.absolute()).encode(errors="surrogateescape").decode(errors="backslashreplace")
    index = _read_index(index_path)
    known = index.get(name)
    if known is not None and (known.size, known.mtime_ns) == (found.st_size, found.st_mtime_ns):
        return known.sha256
    digest = hashlib.sha256()
    done = 0
    with reading(path), path.open("rb") as file:
        while block := file.read(_BLOCK):
            digest.update(block)
            done += len(block)
            if done > found.st_size:  # someone writes faster than we read, perhaps without end
                raise changed(path)
            if progress is not None:
                progress(done)
    check_unchanged(path, found)
    if time.time_ns() - found.st_mtime_ns > _TOO_FRESH_NS:
        index.pop(name, None)
        index[name] = _Indexed(found.st_size, found.st_mtime_ns, digest.hexdigest())
        _write_index(index_path, dict(list(index.items())[-_MOST_INDEXED:]))
    return digest.hexdigest()


def check_unchanged(path: Path, before: os.stat_result) -> None:
    """Raises InputError if the file at `path` is not as it was."""
    now = check_text_file(path)
    if (now.st_size, now.st_mtime_ns) != (before.st_size, before.st_mtime_ns):
        raise changed(path)


class PartFiles:
    """Writes one part's files and keeps count; used by whoever encodes."""

    def __init__(self, folder: Path, part: str, newline: int | None) -> None:
        """newline: its id if the starts of lines are to be noted, else None."""
        self._ids = _Checked(folder / f"{part}.ids")
        self._lines = None if newline is None else _Checked(folder / f"{part}.lines")
        self._newline = newline
        self.tokens = 0
        self.lines = 0
        self.unknown = 0
        self.hidden = 0
        """Kept by whoever encodes."""
        if self._lines is not None:
            self._lines.write(np.zeros(1, dtype=np.int64))

    def write(self, ids: AnyIds) -> None:
        """Append `ids`."""
        self._ids.write(ids)
        if self._lines is not None:
            starts = np.flatnonzero(ids == self._newline) + (self.tokens + 1)
            self._lines.write(starts.astype(np.int64))
            self.lines += len(starts)
        self.tokens += len(ids)
        self.unknown += len(ids) - int(np.count_nonzero(ids))

    def close(self, characters: int) -> PartMeta:
        """Bring all to the disk."""
        lines_check = self._lines.close() if self._lines is not None else None
        lines = self.lines if self._lines is not None else None
        return PartMeta(self.tokens, characters, lines, self._ids.close(), lines_check, self.unknown, self.hidden)

    def abandon(self) -> None:
        """Close the files as they are."""
        for file in (self._ids, self._lines):
            if file is not None:
                file.file.close()


class _Checked:
    """A file being written."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.file = path.open("wb")

    def write(self, values: NDArray[Any]) -> None:
        self.file.write(np.ascontiguousarray(values).data)

    def close(self) -> int:
        self.file.flush()
        os.fsync(self.file.fileno())
        self.file.close()
        return ends_check(self.path)


Loaded = tuple[Tokenizer, list[Part]]


def load(cache: Path, key: str) -> Loaded | None:
    """What stands under `key`; None if it is not there or broken."""
    folder = cache / "encoded" / key
    try:
        meta = msgspec.json.decode(read_small(folder / "meta.json", _LARGEST_META), type=Meta)
        if meta.format != FORMAT or meta.key != key or len(meta.parts) != len(PARTS):
            return None
        tokenizer = load_tokenizer(read_small(folder / "vocabulary.json", _LARGEST_VOCABULARY))
        parts = []
        for part, about in zip(PARTS, meta.parts, strict=True):
            path, dtype = folder / f"{part}.ids", id_type(tokenizer.size)
            ids = mapped(path, dtype, about.tokens, about.ids_check)
            check_ids(path, dtype, tokenizer.size)
            starts = None
            if about.lines is not None:
                path = folder / f"{part}.lines"
                starts = mapped(path, np.int64, about.lines + 1, about.lines_check)
                check_lines(path, len(ids))
            if not 0 <= about.characters <= _MOST_CHARACTERS or not 0 <= about.unknown <= about.tokens:
                raise ValueError("counts")
            if not 0 <= about.hidden <= _MOST_CHARACTERS:
                raise ValueError("hidden")
            parts.append(Part(ids, about, starts))
    except (OSError, ValueError, OverflowError, RecursionError, InputError, msgspec.DecodeError):
        return None
    return tokenizer, parts


@contextmanager
def new_folder(cache: Path, key: str) -> Iterator[Path]:
    """A folder to write into, which becomes that of `key` when the block ends well, and is removed otherwise.

    Where another process was faster, its folder stays. Raises RnnplayError if the disk does not allow it.
    """
    home = cache / "encoded"
    folder: Path | None = None
    try:
        home.mkdir(parents=True, exist_ok=True)
        _remove_abandoned(home)
        folder = Path(tempfile.mkdtemp(prefix=f".{key[:12]}-", suffix=".partial", dir=home))
        yield folder
        _put_in_place(folder, home / key, cache, key)
    except OSError as error:
        raise RnnplayError(
            f"The encoded corpus cannot be kept in {clean(str(home))} ({error.strerror or error}); "
            "make room there or choose another folder with --workspace."
        ) from error
    finally:
        if folder is not None:
            shutil.rmtree(folder, ignore_errors=True)


def write_meta(folder: Path, key: str, tokenizer: Tokenizer, parts: list[PartMeta]) -> None:
    """The small files of an encoded corpus."""
    for name, data in (
        ("vocabulary.json", tokenizer.to_bytes()),
        ("meta.json", msgspec.json.encode(Meta(FORMAT, key, parts))),
    ):
        with (folder / name).open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())


def _put_in_place(folder: Path, target: Path, cache: Path, key: str) -> None:
    for _ in range(10):
        try:
            folder.rename(target)
        except OSError:
            if not os.path.lexists(target):
                raise
            if load(cache, key) is not None:
                return
            # What stands there is broken; it is moved away whole, since someone may have begun to read it.
            with suppress(OSError):
                broken = Path(tempfile.mkdtemp(prefix=".broken-", suffix=".partial", dir=target.parent))
                target.rename(broken / target.name)
                shutil.rmtree(broken, ignore_errors=True)
        else:
            return
    raise OSError(f"{target.name} cannot be replaced")


def _remove_abandoned(home: Path) -> None:
    for place in home.glob(".*.partial"):
        with suppress(OSError):
            found = place.lstat()
            if time.time() - found.st_mtime <= _ABANDONED_S:
                continue
            if stat.S_ISDIR(found.st_mode):
                shutil.rmtree(place, ignore_errors=True)
            else:
                place.unlink()


def _read_index(path: Path) -> dict[str, _Indexed]:
    try:
        index = msgspec.json.decode(read_small(path, _LARGEST_INDEX), type=dict[str, _Indexed])
    except (OSError, msgspec.DecodeError, ValueError, RecursionError):
        return {}
    return {name: about for name, about in index.items() if _SHA256.fullmatch(about.sha256)}


def _write_index(path: Path, index: dict[str, _Indexed]) -> None:
    # The index only saves time: where it cannot be written, all works without.
    with suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, beside = tempfile.mkstemp(prefix=".index-", suffix=".partial", dir=path.parent)
        with os.fdopen(handle, "wb") as file:
            file.write(msgspec.json.encode(index))
        Path(beside).replace(path)
