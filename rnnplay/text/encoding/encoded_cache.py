"""Keeps encoded corpora on disk: a folder each, written atomically, and written again if it is found damaged.

```
<cache>/encoded/<key>/          meta.json, vocabulary.json, and for each part its ids and, for lines, their starts;
                                seen.json: which of them were checked (content_hash.py)
```
The key is a hash of the text's content and of every setting that the ids depend on. meta.json has a checksum of each
whole file, and of itself. Format 1 had checksums of 64 kB at the ends; its copies are opened only where the text is
gone.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import stat
import tempfile
import time
import zlib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import numpy as np
from numpy.typing import NDArray

from rnnplay.common.files import read_small
from rnnplay.common.limits import limit_met, limit_sentence, reason, way_out
from rnnplay.errors import InputError, RnnplayError
from rnnplay.text.corpora.cards import clean
from rnnplay.text.corpora.content_hash import CheckedFiles, Stamp
from rnnplay.text.encoding.mapped import BlockCheck, check_whole, ends_check, ids_below, mapped, rising_to
from rnnplay.text.tokenizers.build import Tokenizer, load_tokenizer
from rnnplay.text.tokenizers.splitting import PARTS
from rnnplay.text.tokenizers.vocabulary import AnyIds, id_type

FORMAT = 2
_KEY_FORMAT = 1
"""Version of the keys, unchanged since format 1."""
_LARGEST_META = 1 << 16
_LARGEST_VOCABULARY = 1 << 29
_MOST_CHARACTERS = 1 << 50
_ABANDONED_S = 24 * 3600.0


class PartMeta(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One part of an encoded corpus."""

    tokens: int
    characters: int
    lines: int | None
    ids_check: int
    """CRC-32 of the file (format 1: of its two ends)."""
    lines_check: int | None
    unknown: int = 0
    """Number of tokens that are `<unk>`."""
    hidden: int = 0
    """Bytes (UTF-8) of the text that were read as `<unk>`."""


class Part(NamedTuple):
    """One loaded part of an encoded corpus."""

    ids: AnyIds
    """Memory-mapped."""
    about: PartMeta
    line_starts: NDArray[np.int64] | None
    """Memory-mapped."""


class Meta(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The contents of meta.json."""

    format: int
    key: str
    parts: list[PartMeta]
    vocabulary_check: int = 0
    """CRC-32 of vocabulary.json."""
    check: int = 0
    """CRC-32 of this struct, encoded with 0 here."""

    @property
    def checksum(self) -> int:
        """Computes the value that `check` should have."""
        return zlib.crc32(msgspec.json.encode(msgspec.structs.replace(self, check=0)))


def cache_key(sha256: str, settings: dict[str, Any]) -> str:
    """The name of the folder for this content with these settings."""
    described = msgspec.json.encode({"format": _KEY_FORMAT, "sha256": sha256, **settings}, order="sorted")
    return hashlib.sha256(described).hexdigest()[:40]


class PartFiles:
    """Writes one part's files and keeps count."""

    def __init__(self, folder: Path, part: str, newline: int | None) -> None:
        """`newline`: its id if the starts of lines are to be recorded, else None."""
        self._ids = _ChecksummedFile(folder / f"{part}.ids")
        self._lines = None if newline is None else _ChecksummedFile(folder / f"{part}.lines")
        self._newline = newline
        self.tokens = 0
        self.lines = 0
        self.unknown = 0
        self.hidden = 0
        """Maintained by the encoder."""
        if self._lines is not None:
            self._lines.write(np.zeros(1, dtype=np.int64))

    def write(self, ids: AnyIds) -> None:
        """Appends `ids`."""
        self._ids.write(ids)
        if self._lines is not None:
            starts = np.flatnonzero(ids == self._newline) + (self.tokens + 1)
            self._lines.write(starts.astype(np.int64))
            self.lines += len(starts)
        self.tokens += len(ids)
        self.unknown += len(ids) - int(np.count_nonzero(ids))

    def close(self, characters: int) -> PartMeta:
        """Flushes everything to disk."""
        lines_check = self._lines.close() if self._lines is not None else None
        lines = self.lines if self._lines is not None else None
        return PartMeta(self.tokens, characters, lines, self._ids.close(), lines_check, self.unknown, self.hidden)

    def abandon(self) -> None:
        """Closes the files without completing them."""
        for file in (self._ids, self._lines):
            if file is not None:
                file.file.close()


class _ChecksummedFile:
    """A file being written, with its running checksum."""

    def __init__(self, path: Path) -> None:
        self.file = path.open("wb")
        self._crc = 0

    def write(self, values: NDArray[Any]) -> None:
        data = np.ascontiguousarray(values).data
        self._crc = zlib.crc32(data, self._crc)
        self.file.write(data)

    def close(self) -> int:
        self.file.flush()
        os.fsync(self.file.fileno())
        self.file.close()
        return self._crc


Loaded = tuple[Tokenizer, list[Part]]


def load(cache: Path, key: str, old: bool = False) -> Loaded | None:
    """Loads the folder `key`; None if it is missing or not, to the last byte, what was written.

    `old`: accept the format of an earlier version, too, which checks the ends of the files only.
    """
    folder = cache / "encoded" / key
    try:
        meta = msgspec.json.decode(read_small(folder / "meta.json", _LARGEST_META), type=Meta)
        whole = meta.format == FORMAT
        if meta.key != key or len(meta.parts) != len(PARTS) or not (whole or (old and meta.format == 1)):
            return None
        vocabulary = read_small(folder / "vocabulary.json", _LARGEST_VOCABULARY)
        if whole and (meta.checksum != meta.check or zlib.crc32(vocabulary) != meta.vocabulary_check):
            return None
        tokenizer = load_tokenizer(vocabulary)
        parts, checked = [], CheckedFiles(folder)
        for part, about in zip(PARTS, meta.parts, strict=True):
            path, dtype = folder / f"{part}.ids", id_type(tokenizer.size)
            ids = mapped(path, dtype, about.tokens)
            _check(path, dtype, about.ids_check, ids_below(tokenizer.size, dtype), checked, whole)
            starts = None
            if about.lines is not None:
                path = folder / f"{part}.lines"
                starts = mapped(path, np.int64, about.lines + 1)
                _check(path, np.int64, about.lines_check, rising_to(len(ids), len(starts)), checked, whole)
            if not 0 <= about.characters <= _MOST_CHARACTERS or not 0 <= about.unknown <= about.tokens:
                raise ValueError("counts")
            if not 0 <= about.hidden <= _MOST_CHARACTERS:
                raise ValueError("hidden")
            parts.append(Part(ids, about, starts))
        checked.save()
    except (OSError, ValueError, OverflowError, RecursionError, InputError, msgspec.DecodeError) as error:
        if limit := limit_met(error):  # a limit of this process: the files themselves may be fine
            raise RnnplayError(limit_sentence(limit)) from error
        return None
    return tokenizer, parts


def _check(
    path: Path, dtype: type[Any], check: int | None, check_block: BlockCheck, checked: CheckedFiles, whole: bool
) -> None:
    """Raises ValueError unless the file is what was written; reads it if it may have changed since the last check."""
    if check is None:
        raise ValueError(path.name)
    if not whole:
        if ends_check(path) != check:
            raise ValueError(path.name)
        check_whole(path, dtype, None, check_block)
        return
    stamp = Stamp.of(path.stat(), check)
    if not checked.contains(path, stamp):
        check_whole(path, dtype, check, check_block)
        checked.add(path, stamp)


@contextmanager
def new_folder(cache: Path, key: str) -> Iterator[Path]:
    """Gives a folder to write into, which becomes `key`'s if the block succeeds and is removed otherwise.

    If another process was faster, its folder stays. Raises RnnplayError if it cannot be written.
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
        if limit := limit_met(error):
            raise RnnplayError(limit_sentence(limit)) from error
        raise RnnplayError(
            f"The encoded corpus cannot be written to {clean(str(home))} ({reason(error)}); "
            f"{way_out(error)}, or choose another folder with --workspace."
        ) from error
    finally:
        if folder is not None:
            shutil.rmtree(folder, ignore_errors=True)


def write_meta(folder: Path, key: str, tokenizer: Tokenizer, parts: list[PartMeta]) -> None:
    """Writes the small files of an encoded corpus."""
    vocabulary = tokenizer.to_bytes()
    meta = Meta(FORMAT, key, parts, zlib.crc32(vocabulary))
    meta = msgspec.structs.replace(meta, check=meta.checksum)
    for name, data in (("vocabulary.json", vocabulary), ("meta.json", msgspec.json.encode(meta))):
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
            # It is damaged; it is moved away whole, as another process may be reading it.
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
