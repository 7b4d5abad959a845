"""Unpacks a text that is compressed with gzip, bzip2 or xz, or alone in a ZIP archive."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import IO, Any

from rnnplay.common.commands import quoted
from rnnplay.errors import InputError
from rnnplay.text.corpora.cached_texts import kept, write_whole
from rnnplay.text.corpora.cards import clean
from rnnplay.text.corpora.content_hash import content_hash
from rnnplay.text.corpora.reading import name_as

_HEADS = {".gz": b"\x1f\x8b", ".bz2": b"BZh", ".xz": b"\xfd7zXZ\0", ".zip": b"PK"}
"""What such a file begins with."""
SUFFIXES = tuple(_HEADS)
_COMPRESSED = (_HEADS[".gz"], _HEADS[".xz"], b"PK\x03\x04")
"""Beginnings that no text has."""
_BLOCK = 1 << 20
MOST_TIMES = 50
"""A file that unpacks to more than this many times its size is refused: texts become two to ten times smaller."""
HARMLESS = 64 << 20
"""Bytes that any file may unpack to."""


def is_packed(path: Path) -> bool:
    """Whether the file's name is that of a compressed text."""
    return path.suffix.lower() in SUFFIXES


def text_name(path: Path) -> str:
    """The name of the text at `path`, without the suffixes: "alice" for alice.txt and alice.txt.gz."""
    return Path(path.stem).stem if is_packed(path) and Path(path.stem).suffix in (".txt", ".md") else path.stem


def unpacked(path: Path, cache: Path, at: str = "") -> Path:
    """Returns the text in `path`, unpacked under `cache`; raises InputError.

    `at`: what a user calls it, if not by its path.
    """
    target = cache / f"{content_hash(path, cache)[:32]}-unpacked.txt"
    name_as(target, at or str(path))
    return kept(target, cache) or write_whole(target, pieces(path, at), cache)


def pieces(path: Path, at: str = "") -> Iterator[bytes]:
    """Yields the bytes of the text in `path`; raises InputError if it is damaged, huge, or not one."""
    import zipfile
    from lzma import LZMAError

    name = clean(at or str(path))
    try:
        with ExitStack() as stack:
            file, size = _opened(path, name, stack), 0
            most = max(HARMLESS, MOST_TIMES * path.stat().st_size)
            while block := file.read(_BLOCK):
                if not size and block.startswith(_COMPRESSED):
                    raise InputError(f"{name} has another compressed file in it; unpack it by hand and give the text.")
                size += len(block)
                if size > most:
                    raise InputError(
                        f"{name} unpacks to more than {MOST_TIMES} times its size, which a text hardly does; if it is "
                        "one, unpack it by hand and give that."
                    )
                yield block
            if not size:
                raise InputError(f"The text in {name} is empty; give a file with text in it.")
    except (EOFError, zlib.error, LZMAError, zipfile.BadZipFile, NotImplementedError, RuntimeError, OSError) as error:
        what = clean(str(error)) or type(error).__name__
        raise InputError(f"{name} cannot be unpacked ({what}); get it again, or unpack it by hand.") from error


def _opened(path: Path, name: str, stack: ExitStack) -> IO[bytes]:
    suffix = path.suffix.lower()
    with path.open("rb") as file:
        head = file.read(len(_HEADS[suffix]))
    if head and head != _HEADS[suffix]:
        raise InputError(f"{name} is no {suffix} file, whatever its name says; rename it if it is a text.")
    if suffix == ".zip":
        import zipfile

        archive = stack.enter_context(zipfile.ZipFile(path))
        inside = [one for one in archive.infolist() if not one.is_dir() and not _is_hidden(one.filename)]
        if len(inside) != 1:
            what = f"{len(inside):,} files" if inside else "no file"
            raise InputError(
                f"{name} has {what} in it, but needs one text; unpack it with `unzip {quoted(str(path))}` and give one."
            )
        if inside[0].flag_bits & 1:
            raise InputError(f"{name} is locked with a password; unpack it by hand and give the text.")
        return stack.enter_context(archive.open(inside[0]))
    import bz2
    import gzip
    import lzma

    openers: dict[str, Callable[[Path], Any]] = {".gz": gzip.open, ".bz2": bz2.open, ".xz": lzma.open}
    opened: IO[bytes] = stack.enter_context(openers[suffix](path))
    return opened


def _is_hidden(name: str) -> bool:
    # Nothing is written under these names, so that ".." in one does no harm.
    return any(part.startswith((".", "__MACOSX")) and part != ".." for part in name.split("/"))
