"""The keys in force: what a binding's id is bound to, how texts name it, and keymap.toml, which changes it.

Every binding has an id, `place.what`; bindings that share one are one key to the user, whatever they do on the screen
that is shown. Only a file that exists is read.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from pathlib import Path

from textual.binding import Binding, BindingsMap
from textual.dom import DOMNode
from textual.keys import REPLACED_KEYS, format_key, key_to_character

from rnnplay.tui.settings import settings_path

Keymap = Mapping[str, tuple[str, ...]]
"""The keys of each binding id that the user has changed, as Textual names them."""

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
MODIFIERS = ("ctrl", "alt", "shift", "super")
_SPAN = re.compile(r"`(\[(?=.+\]`))?([^`\s]{1,16}?(?: [^`\s]{1,16}?)?)(\])?`")
_ID = re.compile(r"\{([a-z-]+\.[a-z0-9-]+)\}")

_changed: Keymap = {}


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
    from rnnplay.tui.keys.catalogue import read_keymap

    return read_keymap(path)


def use(keymap: Keymap) -> None:
    """Makes `keymap` the one in force, for every binding and text of this process."""
    global _changed
    _changed = keymap


def changed() -> Keymap:
    """Returns what the user has changed."""
    return _changed


def remapped(bindings: BindingsMap) -> BindingsMap:
    """Returns `bindings` with the keys in force, in their order; of several on one key, the first enabled acts.

    Textual's own `apply_keymap` drops whatever shares a key with a binding that moves away from it.
    """
    if not _changed:
        return bindings.copy()
    done: dict[str, list[Binding]] = {}
    moved: set[tuple[str, str, bool]] = set()
    for _, binding in bindings:
        keys = _changed.get(binding.id or "")
        if keys is None:
            done.setdefault(binding.key, []).append(binding)
            continue
        one = (binding.id or "", binding.action, binding.priority)
        if one not in moved:  # else it is the same binding's second key
            moved.add(one)
            for key in keys:
                done.setdefault(key, []).append(binding.with_key(key))
    return BindingsMap.from_keys(done)


# --- names ----------------------------------------------------------------------------------------------------------


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


def key_name(binding_id: str, *, begins: bool = False) -> str:
    """Returns the key in force for a binding as texts name it; raises KeyError.

    `begins`: it begins a sentence, so a word such as space has a capital.
    """
    keys = _changed.get(binding_id)
    name = key_label(keys[0] if keys else _default_key(binding_id))
    return name[0].upper() + name[1:] if begins and len(name) > 1 else name


class _Playground:
    """The keys of the playground, as texts name them: KEYS.train, KEYS.go_back."""

    def __getattr__(self, name: str) -> str:
        return key_name("playground." + name.replace("_", "-"))


KEYS = _Playground()


def fill_keys(text: str) -> str:
    """Returns a text with the names of keys in place of the ids that it has in braces, as in {playground.train}."""

    def named(match: re.Match[str]) -> str:
        try:
            return key_name(match[1])
        except KeyError:  # the text quotes something that only looks like one
            return match[0]

    return _ID.sub(named, text)


@cache
def _default_key(binding_id: str) -> str:
    for node in node_classes():
        for binding in own_bindings(node):
            if binding.id == binding_id:
                return parse_key(binding.key.split(",")[0])
    from rnnplay.tui.keys.catalogue import default_key  # the module with this binding has not been needed yet

    return default_key(binding_id)


def node_classes() -> Iterator[type[DOMNode]]:
    """Yields every class of Textual's nodes that is loaded."""
    waiting: list[type[DOMNode]] = [DOMNode]
    seen = set(waiting)
    while waiting:
        yield (node := waiting.pop())
        new = [one for one in node.__subclasses__() if one not in seen]
        seen.update(new)
        waiting += new


def own_bindings(node: type[DOMNode]) -> list[Binding]:
    """Returns the bindings that a class itself declares."""
    return [one for one in node.__dict__.get("BINDINGS", ()) if isinstance(one, Binding)]


def with_keys_in_force(text: str, nodes: Iterable[DOMNode | type[DOMNode]]) -> str:
    """Returns a help text with the keys in force in place of the default ones.

    A key is a code span (`t`); which binding is meant, the first of `nodes` says that has one on this key.
    """
    if not _changed:
        return text
    ids: dict[str, str] = {}
    for node in nodes:
        for _, binding in node._merged_bindings or ():
            if binding.id is not None:
                ids.setdefault(parse_key(binding.key), binding.id)

    def span(match: re.Match[str]) -> str:
        before, words, after = match.groups(default="")
        if after and not before:
            words, after = words + after, ""
        return f"`{before}{' '.join(map(in_force, words.split()))}{after}`"

    def in_force(word: str) -> str:
        try:
            keys = _changed.get(ids.get(parse_key(word), ""))
        except ValueError:
            return word
        return key_label(keys[0]) if keys else word

    return _SPAN.sub(span, text)
