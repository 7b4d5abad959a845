"""Lists the corpora: bundled cards, the user's own cards, and loose .txt files in the workspace's corpora/."""

from __future__ import annotations

import difflib
import os
from dataclasses import dataclass
from pathlib import Path

from rnnplay.common.commands import quoted
from rnnplay.common.confinement import check_reachable
from rnnplay.common.files import composed
from rnnplay.errors import InputError
from rnnplay.knob_texts import corpus_parts
from rnnplay.text.corpora.cards import Card, card_title, clean, read_card
from rnnplay.text.corpora.downloads import find_download, is_url
from rnnplay.text.corpora.joining import (
    PART_NAMES,
    files_of_folder,
    files_of_pattern,
    is_pattern,
    joined,
    own_parts,
    split_of,
)
from rnnplay.text.corpora.reading import not_plain
from rnnplay.text.corpora.unpacking import is_packed, text_name, unpacked
from rnnplay.workspace import Workspace, bundled_corpora

__all__ = ["Card", "Corpus", "card_problems", "expanded", "find_corpus", "list_corpora"]

MOST_NAMED = 30


@dataclass(frozen=True, slots=True)
class Corpus:
    """A text to train on; `materialise` gives the file that is read, generated or converted to UTF-8 if need be."""

    name: str
    card: Card
    path: Path | None
    parts: tuple[Path, ...] = ()
    """For a folder, a pattern or several texts: the files that are joined."""
    several: bool = False
    """Whether several texts were named."""
    split_by_file: bool = False
    """Whether `parts` are for training, validation and test, as their names say."""

    @property
    def made(self) -> bool:
        """Whether the text that is read has to be made first: generated, joined or unpacked."""
        return self.path is None or is_packed(self.path)

    def split(self, cache: Path) -> str:
        """The split that the files themselves make; "" if they make none. Reads them."""
        return split_of(self._unpacked(cache)) if self.split_by_file else ""

    @property
    def about_parts(self) -> str:
        """Says which file is which part; "" if the split is not that of the files."""
        if not self.split_by_file:
            return ""
        names = [f"{clean(part.name)} for {what}" for part, what in zip(self.parts, PART_NAMES, strict=False)]
        rest = "" if len(names) == len(PART_NAMES) else " (there is no file for test)"
        return f"The files of {clean(self.name)} are its split: {', '.join(names)}{rest}."

    def _unpacked(self, cache: Path) -> list[Path]:
        return [unpacked(part, cache) if is_packed(part) else part for part in self.parts]

    def materialise(self, cache: Path) -> Path:
        """The text as a file on disk, first generated under `cache` if need be; raises InputError."""
        if self.parts:
            return joined(self._unpacked(cache), cache)
        if self.path is None:
            from rnnplay.text.corpora.cached_texts import materialise

            return materialise(self.card.source, cache)
        if not _exists(self.path):
            raise InputError(f"The text of corpus {_quoted(self.name)}, {clean(str(self.path))}, is no longer there.")
        path = self.path
        if is_packed(path):
            path = unpacked(path, cache)
        if self.card.encoding:
            from rnnplay.text.corpora.cached_texts import converted

            return converted(path, self.card.encoding, cache)
        return path


def list_corpora(workspace: Workspace) -> list[Corpus]:
    """Every usable corpus, by name; a corpus of the workspace hides a bundled one of the same name."""
    return _scan(workspace)[0]


def card_problems(workspace: Workspace) -> list[str]:
    """One sentence for each card or text that `list_corpora` left out."""
    return list(_scan(workspace)[1].values())


def find_corpus(name_or_path: str, workspace: Workspace) -> Corpus:
    """Finds the corpus of that name, or of the text (or card) at that path, or of several, with commas between them.

    A path wins if it contains a separator or a suffix and the file exists. Raises InputError, which names the available
    corpora and the closest one.
    """
    wanted = name_or_path.strip()
    if not wanted:
        raise InputError("The corpus's name is empty; give a corpus's name or the path of a text.")
    corpora, problems = _scan(workspace)
    known = {corpus.name: corpus for corpus in corpora}
    has_separator = any(separator in wanted for separator in (os.sep, os.altsep, "/") if separator)
    name = composed(wanted)
    if wanted.startswith("~") and name in known:  # before ~ is expanded to somebody's home folder
        return known[name]
    if is_url(wanted):
        fetch = workspace.command("corpora", "fetch", wanted)
        raise InputError(f"{clean(wanted)[:200]} is a web address; fetch the text first, then use its name: {fetch}")
    path = expanded(wanted)
    check_reachable(path)
    if (has_separator or wanted.startswith("~") or path.suffix) and _exists(path):
        return _from_path(path, workspace)
    if name in known:
        return known[name]
    if len(named := corpus_parts(wanted)) > 1:
        return _several([find_corpus(part, workspace) for part in named])
    if is_pattern(wanted):
        return _joined(_folder_name(path), files_of_pattern(str(path)))
    for place, problem in problems.items():
        if wanted in (place.stem, place.name):
            raise InputError(problem)
    if has_separator or wanted.startswith("~"):
        _check_visible(path)
        raise InputError(f"There is no file {clean(wanted)}; give the path of a text, or one of: {_names(corpora)}.")
    if find_download(name) is not None:
        fetch = workspace.command("corpora", "fetch", name)
        raise InputError(f"The text {_quoted(wanted)} is not here yet; download it first: {fetch}")
    written = quoted(f".{os.sep}{wanted}")
    here = f" (for the file {clean(wanted)} in this folder write {written})" if _exists(path) else ""
    raise InputError(
        f"There is no corpus {_quoted(wanted)}{here}; {_closest(wanted, corpora)}there are: {_names(corpora)}."
    )


def _scan(workspace: Workspace) -> tuple[list[Corpus], dict[Path, str]]:
    """All corpora by name, and for each file that was left out the reason."""
    found: dict[str, Corpus] = {}
    problems: dict[Path, str] = {}
    folders = [workspace.corpora]
    if not _same(workspace.corpora, bundled_corpora()):
        folders.append(bundled_corpora())
    for folder in folders:
        here = _cards(folder, problems)
        if folder == workspace.corpora:
            _add_loose_texts(folder, here, problems)
        for name, corpus in here.items():
            found.setdefault(name, corpus)
    return [found[name] for name in sorted(found)], problems


def _cards(folder: Path, problems: dict[Path, str]) -> dict[str, Corpus]:
    found: dict[str, Corpus] = {}
    for place in _files(folder, ".toml"):
        try:
            corpus = _from_card(place)
        except InputError as error:
            problems[place] = str(error)
            continue
        if corpus.name in found:
            problems[place] = f"The card {clean(str(place))} has the name {_quoted(corpus.name)}, as another card does."
        else:
            found[corpus.name] = corpus
    return found


def _add_loose_texts(folder: Path, found: dict[str, Corpus], problems: dict[Path, str]) -> None:
    described = {corpus.path for corpus in found.values()}
    # A text whose card is broken must not turn into a loose text: its feed would silently be another.
    broken = {place.stem for place in problems if place.parent == folder}
    for place in _files(folder, ".txt"):
        name = composed(clean(place.stem))
        if place in described or place.stem in broken:
            continue
        if not name:
            problems[place] = f"The text {clean(str(place))} has no name but white space; rename it."
        elif name in found:
            problems[place] = f"The text {clean(str(place))} has the name {_quoted(name)}, as another has; rename it."
        else:
            found[name] = Corpus(name, Card(name=name, title=card_title(name), file=place.name), place)


def _from_card(place: Path) -> Corpus:
    card = read_card(place)
    path = place.parent / card.file if card.file else None
    if path is not None and not _is_file(path):
        raise InputError(f"The card {clean(str(place))} names the file {_quoted(card.file)}, which is not beside it.")
    return Corpus(card.name, card, path)


def _from_path(path: Path, workspace: Workspace) -> Corpus:
    if path.is_dir():
        folder = path.absolute()
        parts = own_parts(folder)
        return _joined(folder.name, parts or files_of_folder(folder), split_by_file=bool(parts))
    if not _is_file(path):
        raise not_plain(path)
    path = path.absolute()
    if not str(path).isascii() and any(0xD800 <= ord(character) <= 0xDFFF for character in str(path)):
        add = workspace.command("corpora", "add", str(path), name="text")
        raise InputError(  # run.json could not name it
            f"The path {clean(str(path))} is not valid UTF-8; rename the file, or copy it with: {add}"
        )
    if path.suffix == ".toml":
        return _from_card(path)
    for corpus in list_corpora(workspace):
        if corpus.path is not None and _same(corpus.path, path):
            return corpus  # so that the feed named in its card is used
    name = composed(clean(text_name(path)))
    return Corpus(name, Card(name=name, title=card_title(name), file=path.name), path)


def _joined(name: str, parts: tuple[Path, ...], split_by_file: bool = False) -> Corpus:
    name = composed(clean(name)) or "texts"
    title = f"{card_title(name)}, {len(parts):,} files"
    return Corpus(name, Card(name=name, title=title), None, parts, split_by_file=split_by_file)


def _several(found: list[Corpus]) -> Corpus:
    parts: dict[Path, None] = {}  # without repetitions, in the order in which they are named
    for corpus in found:
        files = corpus.parts or (() if corpus.path is None else (corpus.path,))
        if not files:
            raise InputError(f"{_quoted(corpus.name)} is generated, so it cannot be one of several; leave it out.")
        if corpus.card.encoding:
            raise InputError(f"{_quoted(corpus.name)} is not UTF-8, so it cannot be one of several; add a copy of it.")
        parts |= dict.fromkeys(files)
    feeds = {corpus.card.feed for corpus in found}
    name = f"{found[0].name} and {len(found) - 1} more"
    feed = found[0].card.feed if len(feeds) == 1 else "stream"
    return Corpus(name, Card(name=name, title=f"{name}, {len(parts):,} files", feed=feed), None, tuple(parts), True)


def _folder_name(pattern: Path) -> str:
    """The name of the last folder before the pattern's first sign."""
    whole = [part for part in pattern.absolute().parts if not is_pattern(part)]
    return whole[-1] if len(whole) > 1 else "texts"


def _files(folder: Path, suffix: str) -> list[Path]:
    try:
        return sorted(
            place
            for place in folder.iterdir()
            if place.suffix == suffix and not place.name.startswith(".") and _is_file(place)
        )
    except OSError:
        return []  # a workspace that does not exist yet has no corpora of its own


def expanded(text: str) -> Path:
    """Returns the path `text` with ~ expanded; raises InputError if the home folder is unknown."""
    try:
        return Path(text).expanduser()
    except RuntimeError as error:
        raise InputError(f"The home folder in {clean(text)} is not known; give the whole path.") from error


def _exists(path: Path) -> bool:
    try:
        return path.exists()
    except (OSError, ValueError):  # a name that is too long or contains a zero byte
        return False


def _check_visible(path: Path) -> None:
    """Raises InputError if whether there is something at `path` is not for this user to see."""
    try:
        path.stat()
    except PermissionError as error:
        raise InputError(
            f"{clean(str(path))} may not be read (permission denied); change the permissions of its folder."
        ) from error
    except (OSError, ValueError):
        pass  # it is missing


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except (OSError, ValueError):
        return False


def _same(one: Path, other: Path) -> bool:
    try:
        return one.samefile(other)
    except OSError:
        return False


def _closest(wanted: str, corpora: list[Corpus]) -> str:
    by_lower = {corpus.name.casefold(): corpus.name for corpus in corpora}
    near = difflib.get_close_matches(wanted.casefold().removesuffix(".txt"), by_lower, n=1)
    return f"did you mean {by_lower[near[0]]}? " if near else ""


def _names(corpora: list[Corpus]) -> str:
    names = [name if len(name) <= 40 else name[:39] + "…" for name in (corpus.name for corpus in corpora[:MOST_NAMED])]
    more = f" and {len(corpora) - MOST_NAMED} more" if len(corpora) > MOST_NAMED else ""
    return (", ".join(names) + more) or "none yet"


def _quoted(name: str) -> str:
    return f"'{clean(name)}'"
