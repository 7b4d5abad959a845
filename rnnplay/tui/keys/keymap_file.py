"""keymap.toml, which changes keys: where it is, and the check of each of its lines. Only a file that exists is read."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

from rnnplay.common.commands import shell_command
from rnnplay.common.files import read_small
from rnnplay.common.toml.text import parse_toml, toml_text
from rnnplay.errors import InputError
from rnnplay.tui.keys.catalogue import PLACES, Keymap, declared_keys
from rnnplay.tui.keys.declarations import own_bindings
from rnnplay.tui.keys.names import SAME_BYTES, is_text, key_label, parse_key
from rnnplay.tui.settings import settings_path
from rnnplay.workspace import shortened_path

TYPING = ("prompt", "setup", "scratchpad", "everywhere")
"""Places where text is typed; no key there may be one that types, unless it is so by default."""
MOVES = frozenset(("up", "down", "left", "right", "home", "end", "pageup", "pagedown", "enter", "tab", "shift+tab"))
"""Keys that move from one thing to the next or press it, wherever nothing else is bound to them."""


def keymap_path() -> Path:
    """Returns the path of the user's keys: keymap.toml beside the settings."""
    return settings_path().with_name("keymap.toml")


def load_keymap() -> tuple[Keymap, list[str]]:
    """Returns what keymap.toml changes, and a sentence for each line that cannot be used; nothing without a file."""
    path = keymap_path()
    try:
        if not path.exists():
            return {}, []
    except OSError:
        return {}, []
    return read_keymap(path)


def read_keymap(path: Path) -> tuple[Keymap, list[str]]:
    """Returns what the file changes, and a sentence on each line that cannot be used; the others hold.

    Never raises: an interface that does not open cannot be told to use other keys.
    """
    shown = shortened_path(str(path))
    try:
        data = read_small(path, 1 << 16)
        text = toml_text(data, shown)
        values = parse_toml(data, shown)
    except InputError as error:
        return {}, [f"{error} The keys are the default ones."]
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or error
        return {}, [f"{shown} cannot be read: {why}. The keys are the default ones."]
    accepted: dict[str, tuple[str, ...]] = {}
    problems = []
    lines = _lines(text)
    for one, value in _flat(values):
        try:
            accepted[one] = _checked(one, value)
        except InputError as error:
            problems.append(f"{shown}{_at(lines, one)}: {error}")
    for one, reason in _without_conflicts(accepted):
        problems.append(f"{shown}{_at(lines, one)}: {reason}")
    return {one: keys for one, keys in accepted.items() if list(keys) != list(declared_keys()[one][1])}, problems


def _flat(values: dict[str, Any]) -> Iterator[tuple[str, object]]:
    for place, inner in values.items():
        if isinstance(inner, dict) and "." not in place:
            yield from ((f"{place}.{name}", value) for name, value in inner.items())
        else:
            yield place, inner


def _lines(text: str) -> dict[str, int]:
    """The number of the line on which each id stands, counted from 1."""
    found: dict[str, int] = {}
    table = ""
    for number, line in enumerate(text.split("\n"), 1):
        if match := re.match(r"\s*\[([\w-]+)\]", line):
            table = match[1] + "."
        elif match := re.match(r"\s*\"?([\w.-]+)\"?\s*=", line):
            found.setdefault(table + match[1], number)
    return found


def _at(lines: dict[str, int], one: str) -> str:
    return f", line {lines[one]}" if one in lines else ""


def _checked(one: str, value: object) -> tuple[str, ...]:
    """The keys for an id, as Textual names them; raises InputError."""
    known = declared_keys()
    if one not in known:
        import difflib

        near = difflib.get_close_matches(one, known, 1)
        raise InputError(
            f"there is no key {one!r}; "
            + (f"did you mean {near[0]}?" if near else shell_command("keys") + " lists them.")
        )
    given = [value] if isinstance(value, str) else value
    if not isinstance(given, list) or not given or not all(isinstance(key, str) and key for key in given):
        raise InputError(f'{one} must be a key in quotes, like "t", or several, like ["t", "f9"].')
    place, default = one.partition(".")[0], known[one][1]
    keys = []
    for text in given:
        try:
            key = parse_key(text)
        except ValueError as error:
            upper = re.fullmatch(r"shift\+(\w)", text, re.IGNORECASE)
            hint = f"write {upper[1].upper()!r}" if upper else "write it like t, T, +, f5, ctrl+k or alt+1"
            raise InputError(f"{one}: there is no key {text!r}; {hint}.") from error
        if key not in default:
            _refuse(one, place, key, text, any(one in MOVES for one in default))
        keys.append(key)
    return tuple(dict.fromkeys(keys))


def _refuse(one: str, place: str, key: str, text: str, moves: bool) -> None:
    """Raises InputError if no id but those which have it by default may have this key, written as `text`."""
    name = key_label(key)
    same = f"{text} is {name} in most terminals, and " if key in SAME_BYTES.values() and "ctrl" in text.lower() else ""
    types = is_text(key) and not (place == "setup" and moves and key in MOVES)
    if types and place in TYPING and one != "everywhere.help":
        raise InputError(
            f"{one}: {same}typing needs {name}, and this key works while text is typed; take one with ctrl or alt."
        )
    if key in MOVES and not moves:
        raise InputError(f"{one}: {same}{name} moves or presses what has the focus; take another key.")
    if key in _of_textual():
        raise InputError(f"{one}: {name} is taken everywhere ({_of_textual()[key]}); take another key.")


@cache
def _of_textual() -> dict[str, str]:
    """Keys that work everywhere and are not rnnplay's, with what they do."""
    from textual.app import App
    from textual.screen import Screen

    found = {"ctrl+p": "the palette of commands", "ctrl+c": "copy"}
    for node in (App, Screen):
        for binding in own_bindings(node):
            for key in binding.key.split(","):
                found.setdefault(parse_key(key), binding.description.lower() or binding.action)
    return {key: what for key, what in found.items() if key not in ("ctrl+q", "escape")}


def _without_conflicts(accepted: dict[str, tuple[str, ...]]) -> Iterator[tuple[str, str]]:
    """Takes ids out of `accepted` until no key has two meanings on one screen; yields each with the reason.

    Keys that are shared by default, such as `left` in a field and on a chart, go on being shared.
    """
    known = declared_keys()
    while True:
        now = {one: accepted.get(one, keys) for one, (_, keys) in known.items()}
        found = next(_conflicts(accepted, now), None)
        if found is None:
            return
        one, other, key = found
        del accepted[one]
        yield (
            one,
            f"{one}: {key_label(key)} is already the key of {other} on the same screen; take another, or change both.",
        )


def _conflicts(accepted: dict[str, tuple[str, ...]], now: dict[str, tuple[str, ...]]) -> Iterator[tuple[str, str, str]]:
    known = declared_keys()
    for one in reversed(accepted):  # of two that clash, the one above holds
        for other, keys in now.items():
            shared = set(keys) & set(now[one])
            if other != one and shared and _meet(one, other) and not set(known[one][1]) & set(known[other][1]):
                yield one, other, min(shared)


def _meet(one: str, other: str) -> bool:
    """Whether keys of both can work on one screen."""
    here, there = (set(PLACES[each.partition(".")[0]][1].split()) for each in (one, other))
    return "*" in here or "*" in there or bool(here & there)
