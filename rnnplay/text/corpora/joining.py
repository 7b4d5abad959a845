"""Several files as one text: those of a folder, or those that a pattern such as `notes/*.md` matches.

A folder may have a file each for training, validation and test, as published corpora do; these are joined in that
order, and the split is where they meet.
"""

from __future__ import annotations

import glob
import hashlib
import re
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
PART_NAMES = {"training": ("train", "training"), "validation": ("valid", "validation", "val", "dev"), "test": ("test",)}
"""Words in the names of such files: train.txt, wiki.valid.tokens, ptb-test.txt."""


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


def own_parts(folder: Path) -> tuple[Path, ...]:
    """The files in `folder` for training, validation and, if there is one, test; () unless it has the first two.

    Raises InputError if one of them is there twice.
    """
    found: dict[str, list[Path]] = {part: [] for part in PART_NAMES}
    for path in sorted(folder.iterdir()):
        words = re.split(r"[\W_]+", path.name.casefold())
        named = [part for part, names in PART_NAMES.items() if not set(names).isdisjoint(words)]
        if len(named) == 1 and not path.name.startswith(".") and path.is_file():
            found[named[0]].append(path)
    if not (found["training"] and found["validation"]):
        return ()
    for part, paths in found.items():
        if len(paths) > 1:
            names = " and ".join(clean(path.name) for path in paths)
            raise InputError(f"{clean(str(folder))} has several files for {part}, {names}; leave one of them there.")
    return tuple(paths[0] for paths in found.values() if paths)


def split_of(parts: Sequence[Path]) -> str:
    """The split, in percent of the characters, that cuts a text joined of own parts where they meet."""
    characters = [sum(map(len, _pieces([part]))) for part in parts]
    shares = [100 * count / max(1, sum(characters)) for count in (*characters, 0)[:3]]
    return "/".join(f"{share:.12f}".rstrip("0").rstrip(".") for share in shares)


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
