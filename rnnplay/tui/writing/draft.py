"""The text in the scratchpad, kept in the workspace at all times, and the file that it belongs to. No widgets."""

from __future__ import annotations

import os
from codecs import BOM_UTF8
from pathlib import Path

import msgspec

from rnnplay.common.confinement import check_reachable
from rnnplay.common.files import TAKEN, lock_now, open_own, read_small, replacing
from rnnplay.errors import EncodingError, InputError
from rnnplay.workspace import Workspace

FILE = "draft.json"
MOST_DRAFTS = 9
"""Scratchpads that may be open in one workspace at the same time."""
MOST_BYTES = 5_000_000
"""Larger files are not opened."""

_MOST_IN_FILE = 8 * MOST_BYTES


class Draft(msgspec.Struct, kw_only=True):
    """A text, where the cursor stands in it, and the file to which it is saved."""

    text: str = ""
    cursor: tuple[int, int] = (0, 0)
    """Row and column."""
    file: str = ""
    """The absolute path; "" for a text that was not saved yet."""
    unsaved: bool = False
    """Whether the file lacks something of the text."""
    newline: str = "\n"
    """How lines end in the file; in `text` with a newline."""
    mark: bool = False
    """Whether the file begins with UTF-8's byte order mark."""
    seen: str = ""
    """What `stamp` said of the file when it was last read or written; "" if that is not known."""

    @property
    def name(self) -> str:
        """The file's name; "untitled" without one."""
        return Path(self.file).name if self.file else "untitled"

    @property
    def changed_elsewhere(self) -> bool:
        """Whether another program has written to the file, or replaced it, since it was read or written here."""
        return bool(self.file and self.seen) and stamp(Path(self.file)) not in ("", self.seen)


class DraftPlace:
    """A file of the workspace that keeps the text of the scratchpad; no other process has it until this one ends."""

    def __init__(self, workspace: Workspace) -> None:
        """Takes the first file that no other process has."""
        self._workspace = workspace
        self._descriptor: int | None = None
        self.number = 0
        """1 for draft.json, 2 for draft-2.json, which is taken while another process has the first, and so on."""
        if not any(self._take(number) for number in range(1, MOST_DRAFTS + 1)):
            raise InputError(f"{MOST_DRAFTS} scratchpads are open in this workspace; close one, or name another one.")

    @property
    def path(self) -> Path:
        """The file."""
        return self._path(self.number)

    def other(self) -> int:
        """The number of the next file with a text that is in no other file; 0 if no other has one or may be taken."""
        numbers: list[int] = [*range(self.number + 1, MOST_DRAFTS + 1), *range(1, self.number)]
        for number in numbers:
            kept = load_draft(self._path(number))
            if kept.unsaved and kept.text.strip() and not self._taken(number):
                return number
        return 0

    def move_on(self) -> bool:
        """Takes that file in place of this one; returns False if there is none."""
        number = self.other()
        return number > 0 and self._take(number)

    def release(self) -> None:
        """Lets other processes have the file."""
        if self._descriptor is not None:
            descriptor, self._descriptor = self._descriptor, None
            os.close(descriptor)

    def _path(self, number: int) -> Path:
        return self._workspace.root / (FILE if number == 1 else f"draft-{number}.json")

    def _take(self, number: int) -> bool:
        try:
            descriptor: int | None = self._locked(number)
        except OSError as error:
            if error.errno in TAKEN:
                return False
            descriptor = None  # a workspace for reading only, or a file system without locks
        self.release()
        self.number, self._descriptor = number, descriptor
        return True

    def _taken(self, number: int) -> bool:
        try:
            os.close(self._locked(number))
        except OSError as error:
            return error.errno in TAKEN
        return False

    def _locked(self, number: int) -> int:
        # The draft itself is replaced by another file at each change.
        descriptor = open_own(self._workspace.cache / f"{self._path(number).stem}.lock", os.O_RDWR | os.O_CREAT)
        try:
            lock_now(descriptor)
        except OSError:
            os.close(descriptor)
            raise
        return descriptor


def stamp(path: Path) -> str:
    """Tells whether a file is still the one it was: its inode, size and time of change; "" if it cannot be read."""
    try:
        found = path.stat()
    except (OSError, ValueError):
        return ""
    return f"{found.st_ino} {found.st_size} {found.st_mtime_ns}"


def load_draft(path: Path) -> Draft:
    """Reads the draft kept in `path`; an empty one if there is none that can be read."""
    try:
        return msgspec.json.decode(read_small(path, 8 * MOST_BYTES), type=Draft)
    except (OSError, ValueError, RecursionError):
        return Draft()


def keep_draft(draft: Draft, path: Path) -> None:
    """Writes the draft to `path` atomically. Raises OSError."""
    with replacing(path) as file:
        file.write(msgspec.json.encode(draft))


def open_draft(path: Path) -> tuple[Draft, str]:
    """Reads the text file `path`.

    Where saving would write other bytes than the file has, as in another encoding, the draft belongs to no file; a
    sentence says so, "" otherwise. Raises InputError if it is not a text, or too large.
    """
    check_reachable(path)
    from rnnplay.text.corpora.reading import reading  # not needed before a file is opened

    seen = stamp(path)
    try:
        text = _read(path)
    except EncodingError as error:
        text = _read(path, error.encoding)
    with reading(path), path.open("rb") as file:
        data = file.read(_MOST_IN_FILE)
    newline = "\r\n" if b"\r\n" in data else "\r" if b"\r" in data and b"\n" not in data else "\n"
    draft = Draft(text=text, file=str(path), newline=newline, mark=data.startswith(BOM_UTF8), seen=seen)
    if _encoded(draft) == data:
        return draft, ""
    try:
        data.decode("utf-8")
        why = "has lines that end in different ways"
    except UnicodeDecodeError:
        why = "is not in UTF-8"
    note = f"{path.name} {why}, so it was opened as a new text and stays as it is; {{scratchpad.save}} asks for a file."
    return Draft(text=text, unsaved=True), note


def _read(path: Path, encoding: str = "") -> str:
    from rnnplay.text.corpora.reading import iter_text

    pieces: list[str] = []
    size = 0
    for piece in iter_text(path, encoding=encoding):  # its lines end in newlines, whatever they end in there
        pieces.append(piece)
        size += len(piece)
        if size > MOST_BYTES:
            raise InputError(
                f"{path} has more than {MOST_BYTES:,} characters; open a part of it, or train on it as a corpus."
            )
    return "".join(pieces)


def _encoded(draft: Draft) -> bytes:
    """The bytes of its file. Raises UnicodeEncodeError."""
    return (BOM_UTF8 if draft.mark else b"") + draft.text.replace("\n", draft.newline).encode("utf-8")


def save_draft(draft: Draft, path: Path) -> Draft:
    """Writes the text to `path` atomically, in UTF-8, and returns the draft as saved. Raises InputError."""
    target = Path(os.path.realpath(path))  # a link stays a link
    try:
        data = _encoded(draft)
        with replacing(target, durable=True, keep_mode=True) as file:
            file.write(data)
    except UnicodeEncodeError as error:
        raise InputError("The text has half of a character (a surrogate), which UTF-8 lacks; remove it.") from error
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or str(error)
        raise InputError(f"{path} was not written ({why}); save under another name.") from error
    return msgspec.structs.replace(draft, file=str(path), unsaved=False, seen=stamp(path))


def typed_path(typed: str) -> Path:
    """The absolute path that a user typed. Raises InputError for an empty one, a folder, or one in a missing folder."""
    if not typed.strip():
        raise InputError("Type the path of the file to write.")
    path = Path(os.path.abspath(os.path.expanduser(typed.strip())))  # noqa: PTH100, PTH111 (these never raise)
    check_reachable(path)
    try:
        if "\0" in typed:
            raise ValueError
        if path.is_dir():
            raise InputError(f"{path} is a folder; add the name of a file.")
        if path.exists() and not path.is_file():
            raise InputError(f"{path} is not a plain file; save under another name.")
        if not path.parent.is_dir():
            raise InputError(f"There is no folder {path.parent}; create it first, or save elsewhere.")
    except (OSError, ValueError) as error:
        raise InputError(f"{path} is not a path that can be written to; save under another name.") from error
    return path
