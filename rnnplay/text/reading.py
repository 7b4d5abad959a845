"""A text file as a stream of strings: encodings, newlines, and sentences about what cannot be read.

Read as UTF-8 (with or without a byte order mark), or as UTF-16 or UTF-32 where such a mark says so. Newlines come
out as "\\n" whatever they were. All other characters, control characters included, are data and left as they are.
"""

from __future__ import annotations

import codecs
import io
import os
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from rnnplay.errors import InputError
from rnnplay.text.cards import clean

CHUNK_BYTES = 1 << 20

# UTF-32 first: its little-endian mark begins with UTF-16's.
_BYTE_ORDER_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_LONGEST_MARK = 4


def iter_text(
    path: Path, chunk_bytes: int = CHUNK_BYTES, progress: Callable[[int], None] | None = None
) -> Iterator[str]:
    """The text of the file at `path`, in pieces of about `chunk_bytes` bytes; no piece is empty.

    The pieces depend on the content and on `chunk_bytes` only. `progress` is called with the number of bytes read so
    far after each chunk. Raises InputError for what is not a readable text file, at the byte where that shows.
    """
    size = check_text_file(path).st_size
    with reading(path), path.open("rb") as file:
        yield from _decoded(file, path, max(chunk_bytes, _LONGEST_MARK), size, progress)


def check_text_file(path: Path) -> os.stat_result:
    """The stat of `path`; raises InputError unless it is a plain file with something in it."""
    name = clean(str(path))
    with reading(path):
        found = path.stat()
    if stat.S_ISDIR(found.st_mode):
        raise InputError(f"{name} is a folder; give the path of one text file.")
    if not stat.S_ISREG(found.st_mode):
        raise InputError(f"{name} is a device or a pipe; save the text to a file and give its path.")
    if found.st_size == 0:
        raise InputError(f"{name} is empty; give a file with text in it.")
    return found


@contextmanager
def reading(path: Path) -> Iterator[None]:
    """Turns what the system says against reading `path` into an InputError."""
    name = clean(str(path))
    try:
        yield
    except FileNotFoundError as error:
        raise InputError(f"There is no file {name}; give the path of a text file.") from error
    except PermissionError as error:
        raise InputError(f"{name} may not be read (permission denied); change its permissions or copy it.") from error
    except OSError as error:
        raise InputError(f"{name} cannot be read ({error.strerror or error}); give another file.") from error
    except ValueError as error:  # a path with a zero byte in it
        raise InputError(f"{name} cannot be a file's path; give the path of a text file.") from error


def changed(path: Path) -> InputError:
    """The error for a file that is not what it was when reading began."""
    return InputError(f"{clean(str(path))} changed while it was being read; start again when it is complete.")


def _decoded(
    file: io.BufferedReader, path: Path, chunk_bytes: int, size: int, progress: Callable[[int], None] | None
) -> Iterator[str]:
    data = file.read(chunk_bytes)
    mark, encoding = next((pair for pair in _BYTE_ORDER_MARKS if data.startswith(pair[0])), (b"", "utf-8"))
    decoder = codecs.getincrementaldecoder(encoding)("strict")
    newlines = io.IncrementalNewlineDecoder(None, translate=True)
    offset = len(mark)  # in bytes, of the first byte that the decoder has not been given
    done = len(data)
    last = not data
    data = data[len(mark) :]
    anything = False
    while True:
        if encoding == "utf-8" and (at := data.find(0)) >= 0:
            raise _binary(path, offset + at)
        waiting = len(decoder.getstate()[0])  # bytes of a character cut by the chunk's end
        try:
            text = decoder.decode(data, last)
        except UnicodeDecodeError as error:
            raise _bad_byte(path, encoding, error, offset - waiting + error.start) from error
        if encoding != "utf-8" and "\0" in text:
            raise _binary(path, None)
        text = newlines.decode(text, last)
        if progress is not None and not last:
            progress(done)
        if text:
            anything = True
            yield text
        if last:
            break
        offset += len(data)
        data = file.read(chunk_bytes)
        done += len(data)
        last = not data
        if done > size:  # someone writes faster than we read, perhaps without end
            raise changed(path)
    if not anything:
        raise InputError(f"{clean(str(path))} is empty; give a file with text in it.")


def _bad_byte(path: Path, encoding: str, error: UnicodeDecodeError, offset: int) -> InputError:
    byte = error.object[error.start]
    shown = encoding.upper().removesuffix("-LE").removesuffix("-BE")
    mend = f"leave what does not fit out with `iconv -c -f {shown} -t UTF-8 OLD.txt > NEW.txt`"
    if shown == "UTF-8":
        mend += ", or, if all of it is in another encoding, name that one in place of UTF-8"
    return InputError(
        f"{clean(str(path))} is not valid {shown}: the byte 0x{byte:02X} at offset {offset:,} does not fit; {mend}."
    )


def _binary(path: Path, offset: int | None) -> InputError:
    where = "" if offset is None else f" at offset {offset:,}"
    return InputError(
        f"{clean(str(path))} is not text: it has a zero byte{where}; give a text file (UTF-16 without a byte order "
        "mark can be converted with `iconv -f UTF-16LE -t UTF-8 OLD.txt > NEW.txt`)."
    )
