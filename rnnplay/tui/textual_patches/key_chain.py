"""The keys in force, where Textual asks which keys there are."""

from __future__ import annotations

from typing import Any

from textual.binding import BindingsMap
from textual.dom import DOMNode
from textual.keys import key_to_character
from textual.screen import Screen

from rnnplay.tui.keymap import remapped, use
from rnnplay.tui.keys.keymap_file import load_keymap


def _binding_chain(screen: Screen[Any]) -> list[tuple[DOMNode, BindingsMap]]:
    """The bindings from the focused widget outwards, without the keys that it takes as text.

    Textual removes those first and then applies its keymap; a command that was moved from a letter to ctrl+letter would
    not work while text is typed, and one that was moved to a letter would seem to.
    """
    focused = screen.focused
    if focused is not None and not focused.loading:
        nodes: list[DOMNode] = list(focused.ancestors_with_self)
    else:
        nodes = [screen, screen.app]
    chain = [(node, remapped(node._bindings)) for node in nodes]
    for index, (_, bindings) in enumerate(chain):
        for taker in nodes[:index]:
            for key in list(bindings.key_to_bindings):
                if taker.check_consume_key(key, key_to_character(key)):
                    del bindings.key_to_bindings[key]
    return chain


def install_keymap() -> list[str]:
    """Puts the user's keys in force; returns a sentence on each line of keymap.toml that cannot be used."""
    keymap, problems = load_keymap()
    use(keymap)
    if keymap:
        Screen._binding_chain = property(_binding_chain)  # type: ignore[assignment]
    return problems
