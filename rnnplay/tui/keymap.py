"""The keys in force: what a binding's id is bound to, and how texts name it.

Every binding has an id, `place.what`; bindings that share one are one key to the user, whatever they do on the screen
that is shown.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from textual.binding import Binding, BindingsMap
from textual.dom import DOMNode

from rnnplay.tui.keys.catalogue import Keymap, default_key
from rnnplay.tui.keys.names import key_label, parse_key

_SPAN = re.compile(r"`(\[(?=.+\]`))?([^`\s]{1,16}?(?: [^`\s]{1,16}?)?)(\])?`")
_ID = re.compile(r"\{([A-Za-z][a-z-]*\.[a-z0-9-]+)\}")

_changed: Keymap = {}


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


def key_name(binding_id: str, *, begins: bool = False) -> str:
    """Returns the key in force for a binding as texts name it; raises KeyError.

    `begins`: it begins a sentence, so a word such as space has a capital.
    """
    keys = _changed.get(binding_id)
    name = key_label(keys[0] if keys else default_key(binding_id))
    return name[0].upper() + name[1:] if begins and len(name) > 1 else name


class _Playground:
    """The keys of the playground, as texts name them: KEYS.train, KEYS.go_back."""

    def __getattr__(self, name: str) -> str:
        return key_name("playground." + name.replace("_", "-"))


KEYS = _Playground()


def fill_keys(text: str) -> str:
    """Returns a text with the names of keys in place of the ids that it has in braces, as in {playground.train}.

    {Playground.pause}, with a capital, begins a sentence.
    """

    def named(match: re.Match[str]) -> str:
        try:
            return key_name(match[1].lower(), begins=match[1][0].isupper())
        except KeyError:  # the text quotes something that only looks like one
            return match[0]

    return _ID.sub(named, text)


def with_keys_in_force(text: str, nodes: Iterable[DOMNode | type[DOMNode]]) -> str:
    """Returns a help text with the keys in force in place of the default ones.

    A key is a code span (`t`); which binding is meant, the first of `nodes` says that has one on this key, Textual's
    own included, which cannot be changed. Where that is another widget's, the span has its id: `{lessons.open}`.
    """
    if not _changed:
        return fill_keys(text)
    ids: dict[str, str] = {}
    for node in nodes:
        for _, binding in node._merged_bindings or ():
            ids.setdefault(parse_key(binding.key) if binding.id else binding.key, binding.id or "")

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

    return fill_keys(_SPAN.sub(span, text))
