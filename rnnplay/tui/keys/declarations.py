"""Generates table.json, every key with its id, from the screens that declare them.

`python -m rnnplay.tui.keys.declarations`; a test holds the table up to date. Importing all screens takes most of a
second, reading the table none.
"""

from __future__ import annotations

import importlib
import json
import pkgutil
from collections.abc import Iterator
from pathlib import Path

from textual.binding import Binding
from textual.dom import DOMNode

import rnnplay.tui
from rnnplay.tui.keys.catalogue import PLACES, TABLE
from rnnplay.tui.keys.names import parse_key


def declared() -> dict[str, tuple[str, list[str]]]:
    """Returns what each id does and its default keys, as Textual names them, by place; imports all screens."""
    for module in pkgutil.walk_packages(rnnplay.tui.__path__, "rnnplay.tui."):
        if "textual_patches" not in module.name:
            importlib.import_module(module.name)
    found: dict[str, tuple[str, list[str]]] = {}
    for node in sorted(node_classes(), key=lambda one: (one.__module__, one.__qualname__)):
        for binding in own_bindings(node) if node.__module__.startswith("rnnplay.") else ():
            assert binding.id is not None, f"{node.__qualname__}: {binding.key} has no id"
            words = binding.id.partition(".")[2].replace("-", " ").capitalize()
            _, keys = found.setdefault(binding.id, (binding.description or words, []))
            keys += [key for one in binding.key.split(",") if (key := parse_key(one)) not in keys]
    order = list(PLACES)
    return {one: found[one] for one in sorted(found, key=lambda one: order.index(one.partition(".")[0]))}


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


def table_text() -> str:
    """Returns the text of table.json, a line for each id."""
    lines = (f"  {json.dumps(one)}: {json.dumps(what, ensure_ascii=False)}" for one, what in declared().items())
    return "{\n" + ",\n".join(lines) + "\n}\n"


def main() -> None:
    """Writes the table."""
    Path(TABLE).write_text(table_text(), encoding="utf-8")


if __name__ == "__main__":
    main()
