r"""Reads a text file as a stream of strings, and reports unreadable ones in a sentence.

The encoding is UTF-8 (with or without a byte order mark), or UTF-16 or UTF-32 if such a mark says so. Newlines of any
kind become "\\n". All other characters, control characters included, are data and stay as they are. Any other encoding
must be named; otherwise the error says what the file looks like (detection.py).
"""

from __future__ import annotations

import codecs
import io
import os
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from rnnplay.common.commands import quoted
from rnnplay.errors import EncodingError, InputError
from rnnplay.text.corpora.cards import clean

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
_OR_BYTES = ", or train on its bytes (tokens byte)"
_given: dict[Path, str] = {}
"""By the path of a copy that was made of a text, what the user gave."""


def name_as(copy: Path, given: str) -> None:
    """Has messages about `copy`, made of a text that cannot be read itself, name what the user gave instead."""
    _given[copy] = given


def _called(path: Path) -> str:
    """What a message calls the file at `path`."""
    return clean(_given.get(path, str(path)))


def iter_text(
    path: Path,
    chunk_bytes: int = CHUNK_BYTES,
    progress: Callable[[int], None] | None = None,
    *,
    encoding: str = "",
    as_bytes: bool = False,
) -> Iterator[str]:
    """Yields the text of the file at `path` in non-empty pieces of about `chunk_bytes` bytes.

    The pieces depend on the content and on `chunk_bytes` only. `progress` is called with the number of bytes read so
    far after each chunk. `encoding`: Python's name of the encoding; "": given by a byte order mark, else UTF-8. Raises
    InputError for a file that is not readable text, once the reading reaches the fault.

    as_bytes: takes any file, every byte of it as it is; those that are not valid UTF-8 are carried, as in utf8.py of
    the tokenizers.
    """
    size = check_text_file(path).st_size
    with reading(path), path.open("rb") as file:
        if as_bytes:
            yield from _bytes(file, path, max(chunk_bytes, _LONGEST_MARK), size, progress)
            return
        yield from _decoded(file, path, max(chunk_bytes, _LONGEST_MARK), size, progress, encoding)


def check_text_file(path: Path) -> os.stat_result:
    """Returns the stat of `path`; raises InputError unless it is a regular, non-empty file."""
    name = _called(path)
    with reading(path):
        found = path.stat()
    if stat.S_ISDIR(found.st_mode):
        raise InputError(f"{name} is a folder; give the path of one text file.")
    if not stat.S_ISREG(found.st_mode):
        raise not_plain(path)
    if found.st_size == 0:
        raise InputError(f"{name} is empty; give a file with text in it.")
    return found


def not_plain(path: Path) -> InputError:
    """The error for a device, pipe or socket given as a text."""
    name = _called(path)
    if str(path) == os.devnull:
        return InputError(f"{name} is always empty; give a file with text in it.")
    stdin = ", or give - for standard input" if name.startswith("/dev/") else ""
    return InputError(f"{name} is a device or a pipe; save the text to a file and give its path{stdin}.")


@contextmanager
def reading(path: Path) -> Iterator[None]:
    """Turns the system's errors in reading `path` into InputError."""
    name = _called(path)
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
    """The error for a file that changed while it was being read."""
    return InputError(f"{_called(path)} changed while it was being read; start again when it is complete.")


def _bytes(
    file: io.BufferedReader, path: Path, chunk_bytes: int, size: int, progress: Callable[[int], None] | None
) -> Iterator[str]:
    decoder = codecs.getincrementaldecoder("utf-8")("surrogateescape")
    done = 0
    while data := file.read(chunk_bytes):
        done += len(data)
        if done > size:
            raise changed(path)
        if text := decoder.decode(data):
            yield text
        if progress is not None:
            progress(done)
    if text := decoder.decode(b"", final=True):
        yield text


def _decoded(
    file: io.BufferedReader,
    path: Path,
    chunk_bytes: int,
    size: int,
    progress: Callable[[int], None] | None,
    named: str,
) -> Iterator[str]:
    data = file.read(chunk_bytes)
    mark, marked_as = next((pair for pair in _BYTE_ORDER_MARKS if data.startswith(pair[0])), (b"", "utf-8"))
    encoding = named or marked_as
    if codecs.lookup(encoding) != codecs.lookup(marked_as):
        mark = b""  # in another encoding these bytes may be text
    decoder = codecs.getincrementaldecoder(encoding)("strict")
    newlines = io.IncrementalNewlineDecoder(None, translate=True)
    offset = len(mark)  # offset in bytes of the first byte that the decoder has not received
    done = len(data)
    last = not data
    data = data[len(mark) :]
    anything = False
    while True:
        if encoding == "utf-8" and (at := data.find(0)) >= 0:
            raise not_text(path, offset + at)
        waiting = len(decoder.getstate()[0])  # bytes of a character that the chunk's end has cut
        try:
            text = decoder.decode(data, last)
        except UnicodeDecodeError as error:
            raise not_text(path, offset - waiting + error.start, encoding, error) from error
        if encoding != "utf-8" and "\0" in text:
            raise not_text(path, None)
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
        if done > size:  # another process writes faster than we read, perhaps endlessly
            raise changed(path)
    if not anything:
        raise InputError(f"{_called(path)} is empty; give a file with text in it.")


def not_text(
    path: Path, offset: int | None, encoding: str = "utf-8", error: UnicodeDecodeError | None = None
) -> InputError:
    """The error for a file that is not text in `encoding` at `offset`: a zero byte there, or what `error` says.

    It says what the file looks like, and how to make a text of it.
    """
    from rnnplay.text.corpora.detection import guess

    name = _called(path)
    try:
        guessed = guess(path, offset or 0)
    except OSError:
        guessed = None
    if guessed is not None and not guessed.encoding:
        mend = f"{guessed.mend}{_OR_BYTES}" if guessed.mend == "give a text file" else guessed.mend
        if str(path) in mend and path in _given:  # a command for the copy
            mend = "unpack it, and make a text of what is in it"
        return InputError(f"{name} is {guessed.what}, not a text; {mend}.")
    shown = encoding.upper().removesuffix("-LE").removesuffix("-BE")
    if error is None:
        problem = "is not text: it has a zero byte" + ("" if offset is None else f" at offset {offset:,}")
    else:
        byte = error.object[error.start]
        problem = f"is not valid {shown}: the byte 0x{byte:02X} at offset {offset:,} does not fit"
    if guessed is not None and codecs.lookup(guessed.encoding) != codecs.lookup(encoding):
        seems = f"{guessed.what}, and would read: {guessed.excerpt} […]"
        return EncodingError(
            f"{name} {problem}; it looks like {seems}.", _given.get(path, str(path)), guessed.encoding, seems
        )
    if error is None:
        return InputError(f"{name} {problem}; give a text file{_OR_BYTES}.")
    if guessed is not None or shown.startswith("UTF-16"):
        text = Path(Path(_given[path]).stem) if path in _given else path
        new = quoted(f"{text.stem}-{shown.lower()}.txt")
        first = "unpack it, and " if path in _given else ""
        return InputError(
            f"{name} {problem}, though most of it is {shown}; {first}leave out what does not fit, and lose those "
            f"characters, with `iconv -c -f {shown} -t UTF-8 {quoted(str(text))} > {new}`."
        )
    return InputError(
        f"{name} {problem}; if it is text, name its encoding: `corpora add` has --encoding, and a card the field "
        "encoding (cp1252, gb18030, shift_jis, koi8_r, …)."
    )
