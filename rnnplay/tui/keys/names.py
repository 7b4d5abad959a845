"""Names of keys: as users and texts write them, and as Textual does."""

from __future__ import annotations

import re

from textual.binding import Binding, BindingsMap
from textual.keys import REPLACED_KEYS, format_key, key_to_character

_MOVES = ("up", "down", "left", "right", "home", "end", "pageup", "pagedown")
NAMED = frozenset((*_MOVES, "insert", "delete", "backspace", "tab", "enter", "escape", "space")) | {
    f"f{number}" for number in range(1, 25)
}
"""Keys that are no character, as Textual names them."""
OTHER_NAMES = {
    "esc": "escape",
    "return": "enter",
    "pgup": "pageup",
    "pgdn": "pagedown",
    "del": "delete",
    "ins": "insert",
    "←": "left",
    "→": "right",
    "↑": "up",
    "↓": "down",
    "plus_sign": "plus",
    "hyphen_minus": "minus",
}
SAME_BYTES = {"ctrl+i": "tab", "ctrl+m": "enter", "ctrl+h": "backspace", "ctrl+left_square_bracket": "escape"}
"""Combinations that most terminals send as another key."""
_FUNCTION_KEYS = frozenset(f"f{number}" for number in range(1, 13))
_WITH_CTRL = ("space", "at", "backslash", "right_square_bracket", "circumflex_accent", "underscore")
"""What has a byte of its own with ctrl, beside the letters."""
MODIFIERS = ("ctrl", "alt", "shift", "super")


def parse_key(text: str) -> str:
    """Returns Textual's name of a key such as `t`, `+`, `Ctrl+K`, `esc`; raises ValueError if there is no such key."""
    if len(text) == 1 and text.isprintable():
        return OTHER_NAMES.get(text) or ("space" if text == " " else _name(text))
    *before, last = text.split("+") if not text.endswith("++") else [*text[:-2].split("+"), "+"]
    modifiers = sorted((one.strip().lower() for one in before), key=lambda one: (*MODIFIERS, one).index(one))
    last = last.strip()
    lower = OTHER_NAMES.get(last.lower(), last.lower())
    if any(one not in MODIFIERS for one in modifiers) or len(set(modifiers)) < len(modifiers):
        raise ValueError(text)
    if len(last) == 1:
        lower = _name(OTHER_NAMES.get(last, last.lower() if "ctrl" in modifiers else last))
    elif lower not in NAMED and (len(lower) < 3 or character_of(lower) is None):
        raise ValueError(text)
    if "shift" in modifiers and lower not in NAMED:
        raise ValueError(text)
    key = "+".join((*modifiers, lower))
    return SAME_BYTES.get(key, key)


def _name(character: str) -> str:
    for _, binding in BindingsMap([Binding(character, "")]) if character != "," else ():
        return OTHER_NAMES.get(binding.key, binding.key)
    return "comma"


def is_sent_everywhere(key: str) -> bool:
    """Returns whether every terminal can send the key, not only those with the kitty keyboard protocol."""
    *modifiers, last = key.split("+")
    if last in (*_MOVES, "insert", "delete") or last in _FUNCTION_KEYS:
        return "super" not in modifiers
    if modifiers == ["ctrl"]:
        return (len(last) == 1 and "a" <= last <= "z") or last in _WITH_CTRL
    if modifiers == ["alt"]:
        return last not in NAMED
    return key == "shift+tab" or (not modifiers and not re.fullmatch(r"f\d+", last))


def is_text(key: str) -> bool:
    """Returns whether a field of text takes this key: a character, or one that moves or deletes in it."""
    moves = ("enter", "backspace", "delete", "left", "right", "home", "end")
    return key in moves or character_of(key) is not None


def character_of(key: str) -> str | None:
    """Returns the character that a key types, None for one that types none."""
    if key == "space":
        return " "
    return None if key in NAMED else key_to_character(REPLACED_KEYS.get(key, key))


def key_label(key: str) -> str:
    """Returns a key as texts name it: `t`, `+`, `F5`, `ctrl+q`, `↑`, `escape`."""
    *modifiers, last = key.split("+")
    if re.fullmatch(r"f\d+", last):
        last = last.upper()
    elif last not in ("escape", "enter", "backspace", "delete", "pageup", "pagedown", "space"):
        last = format_key(last)
    return "+".join((*modifiers, last))
