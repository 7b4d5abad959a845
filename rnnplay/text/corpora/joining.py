"""Several files as one text: those of a folder, or those that a pattern such as `notes/*.md` matches."""

from __future__ import annotations

import glob
import hashlib
from collections.abc import Iterator, Sequence
from pathlib import Path

from rnnplay.errors import InputError
from rnnplay.text.corpora.cached_texts import kept, write_whole
from rnnplay.text.corpora.cards import clean
from rnnplay.text.corpora.content_hash import content_hash
from rnnplay.text.corpora.reading import iter_text

TEXTS = (".txt", ".md", ".markdown", ".rst", ".org", ".tex", ".srt", ".vtt")
"""Suffixes of the files of a folder that are taken for texts."""
MOST_FILES = 100_000


def is_pattern(text: str) -> bool:
    """Whether `text` has signs of a pattern in it."""
    return any(sign in text for sign in "*?[")


def files_of_folder(folder: Path) -> tuple[Path, ...]:
    """The texts in `folder` and the folders in it, hidden ones left out, by path; raises InputError for none."""
    found = _limited(
        (
            path
            for path in folder.rglob("*")
            if path.suffix.lower() in TEXTS
            and not any(part.startswith(".") for part in path.relative_to(folder).parts)
            and path.is_file()
        ),
        folder,
    )
    if not found:
        raise InputError(
            f"{clean(str(folder))} has no file in it that ends in {', '.join(TEXTS[:-1])} or {TEXTS[-1]}; give another "
            f"folder, or a pattern such as '{clean(str(folder / '*.log'))}'."
        )
    return found


def files_of_pattern(pattern: str) -> tuple[Path, ...]:
    """The files that `pattern` matches (** for any folders), by path; raises InputError for none."""
    paths = map(Path, glob.iglob(pattern, recursive=True))  # noqa: PTH207  (Path.glob takes no absolute pattern)
    found = _limited((path.absolute() for path in paths if path.is_file()), Path(pattern))
    if not found:
        raise InputError(f"No file matches {clean(pattern)}; check the folder and the pattern.")
    return found


def joined(parts: Sequence[Path], cache: Path) -> Path:
    """Returns a text of all `parts` under `cache`, each beginning on a line of its own; raises InputError."""
    hashes = "\n".join(content_hash(part, cache) for part in parts)
    target = cache / f"{hashlib.sha256(hashes.encode()).hexdigest()[:32]}-joined.txt"
    return kept(target, cache) or write_whole(target, _pieces(parts), cache)


def _pieces(parts: Sequence[Path]) -> Iterator[str]:
    for part in parts:
        last = ""
        for piece in iter_text(part):
            yield piece
            last = piece[-1]
        if last != "\n":
            yield "\n"


def _limited(paths: Iterator[Path], what: Path) -> tuple[Path, ...]:
    found: list[Path] = []
    for path in paths:
        found.append(path)
        if len(found) > MOST_FILES:
            raise InputError(f"{clean(str(what))} is more than {MOST_FILES:,} files; give fewer, or join them first.")
    return tuple(sorted(found))
