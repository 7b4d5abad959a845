"""Writes shell commands for the user to paste.

Quoted for POSIX shells (sh, bash, zsh). Invisible characters, such as a newline in a folder's name, are written as
$'\\n', which bash, zsh and a POSIX sh of 2024 read.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from rnnplay.common.terminal_text import sanitize_line


def shell_command(*words: str, workspace: str = "", **options: str | float | bool) -> str:
    """Returns the command `rnnplay` with these words: the command's names, then its arguments.

    Options are named as in Python: `clip_threshold=0.5`. One that is True is a switch; one that is False is left out.
    `workspace`: as the user gave it. Arguments that begin with a dash are put after "--".
    """
    given = {**options, "workspace": workspace or False}
    named = [piece for name, value in given.items() if value is not False for piece in _option(name, value)]
    dashed = next((at for at, word in enumerate(words) if word.startswith("-")), len(words))
    before, behind = list(words[:dashed]), list(words[dashed:])
    return _line(["rnnplay", *before, *named, *(["--", *behind] if behind else [])])


def repeat_command(given: Sequence[str], workspace: str = "", **options: str | float | bool) -> str:
    """Returns the command that the user typed, with these options added or replaced; True adds a switch it lacks.

    `given`: its words, from the command's name on. Groups of commands are not supported.
    """
    named = {"--" + name.replace("_", "-") for name in (*options, "workspace")}
    end = given.index("--") if "--" in given else len(given)
    kept: list[str] = []
    skip = False
    for word in given[:end]:
        if not skip and word.partition("=")[0] not in named:
            kept.append(word)
        skip = not skip and word in named
    if workspace:
        options = {"workspace": workspace, **options}
    pieces = [piece for name, value in options.items() for piece in _option(name, value)]
    return _line(["rnnplay", *kept[:1], *pieces, *kept[1:], *given[end:]])


def quoted(word: str) -> str:
    """Quotes one word for the shell."""
    import shlex

    if word == sanitize_line(word):
        return shlex.quote(word)
    escaped = word.replace("\\", "\\\\").replace("'", "\\'")
    return "$'" + re.sub(r"[^ -~]", _escape, escaped) + "'"


def _option(name: str, value: str | float | bool) -> list[str]:
    option = "--" + name.replace("_", "-")
    if value is True:
        return [option]
    text = value if isinstance(value, str) else f"{value:g}" if isinstance(value, float) else str(value)
    return [f"{option}={text}"] if text.startswith("-") else [option, text]


def _line(words: Sequence[str]) -> str:
    return " ".join(map(quoted, words))


def _escape(match: re.Match[str]) -> str:
    character = match[0]
    if character == sanitize_line(character):
        return character
    # As bytes: the shell would read \\u in its own encoding.
    return "".join(f"\\{byte:03o}" for byte in character.encode("utf-8", "surrogateescape"))
