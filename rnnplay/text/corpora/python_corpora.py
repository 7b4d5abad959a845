"""Two corpora from every Python installation: the language reference's prose and the standard library's source.

Both are written into the cache from the running Python; the same version gives the same bytes.
"""

from __future__ import annotations

import importlib
import os
import re
import sys
import sysconfig
import tokenize
from collections.abc import Iterable, Iterator
from pathlib import Path

from rnnplay.errors import InputError

LARGEST_SOURCE = 16_000_000
"""Characters of python-source: whole files are added as long as they fit."""

LEFT_OUT = {
    "__pycache__",
    "dist-packages",
    "encodings",  # tables of characters, 1.5 MB of them
    "idle_test",
    "site-packages",
    "test",
    "tests",
}
"""Folders, at any depth."""


def docs_text() -> Iterator[str]:
    """The language reference's prose by topic, in alphabetical order; raises InputError if it is not installed."""
    try:
        topics = dict(importlib.import_module("pydoc_data.topics").topics)
    except (ImportError, AttributeError) as error:
        raise InputError(
            f"This Python ({sys.executable}) came without pydoc_data, so there is no corpus python-docs; "
            "install it (Debian: the package libpython3-stdlib) or choose another corpus."
        ) from error
    if not topics:
        raise InputError("The pydoc_data of this Python is empty, so there is no corpus python-docs; choose another.")
    return _prose(topics)


def source_text() -> Iterator[str]:
    """The standard library's .py files, each after a line that names it; raises InputError if there are none."""
    library = Path(sysconfig.get_path("stdlib"))
    files = library_files(library)
    if not files:
        raise InputError(
            f"This Python has no source files in {library}, so there is no corpus python-source; choose another."
        )
    return _sources(library, files)


def library_files(library: Path) -> list[str]:
    """Relative paths (with /) of the .py files under `library` that are worth training on, in order."""
    found = []
    for folder, folders, names in os.walk(library):
        folders[:] = [name for name in folders if name not in LEFT_OUT and not name.startswith((".", "config-"))]
        inside = Path(folder).relative_to(library).as_posix()
        for name in names:
            relative = name if inside == "." else f"{inside}/{name}"
            # Generated when Python was built here, so it differs between machines; topics.py is the other corpus.
            machine_own = name.startswith(("_sysconfigdata", "sitecustomize"))
            if name.endswith(".py") and not machine_own and relative != "pydoc_data/topics.py":
                found.append(relative)
    return sorted(found)


def _prose(topics: dict[str, str]) -> Iterator[str]:
    """Removes repeated long paragraphs: topics quote one another's sections."""
    seen: set[str] = set()
    for name in sorted(topics):
        text = re.sub(r"[ \t]+$", "", topics[name].expandtabs().replace("\r\n", "\n"), flags=re.MULTILINE)
        text = re.sub(r"^[*=\-~^\"#+]{3,}\n", "", text, flags=re.MULTILINE)  # the lines under headings
        paragraphs = []
        for paragraph in re.split(r"\n{2,}", text.strip("\n")):
            key = " ".join(paragraph.split())
            if not key or (len(key) > 60 and key in seen):
                continue
            seen.add(key)
            paragraphs.append(paragraph)
        if paragraphs:
            yield "\n\n".join(paragraphs) + "\n\n\n"


def _sources(library: Path, files: Iterable[str]) -> Iterator[str]:
    room = LARGEST_SOURCE
    for relative in files:
        try:
            with tokenize.open(library / relative) as file:  # honours the file's own coding line
                text = file.read()
        except (OSError, SyntaxError, UnicodeDecodeError, LookupError):
            continue  # not valid in its own encoding: some libraries ship such files on purpose
        if not text.strip() or "\0" in text:
            continue
        text = f"# File: {relative}\n{text.rstrip()}\n\n\n"
        if len(text) <= room:
            room -= len(text)
            yield text


def python_version() -> str:
    number = ".".join(str(part) for part in sys.version_info[:3])
    level = sys.version_info.releaselevel
    return f"{sys.implementation.name}-{number}" + ("" if level == "final" else f"{level}{sys.version_info.serial}")
