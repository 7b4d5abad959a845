"""Text typed into fields: the line that is edited, and the config that the texts of several fields make."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from rich.cells import cell_len
from textual.content import Content

from rnnplay.config import ConfigT, Value, knobs, with_values
from rnnplay.errors import ConfigError
from rnnplay.tui.widgets.visible import visible_line

KEYS = ("backspace", "delete", "left", "right", "home", "end", "ctrl+a", "ctrl+e", "ctrl+u", "ctrl+k", "ctrl+w")
"""What `press` knows."""
_NUMBER_SO_FAR = re.compile(r"[+-]?[\d,_']*[.,]?[\d_]*((?<=[\d.])e[+-]?\d*)?", re.IGNORECASE)


@dataclass
class TypedLine:
    """A line of text under the keys that edit it; `caret` is the character that the caret stands before."""

    text: str = ""
    caret: int = 0

    def insert(self, text: str) -> None:
        """Put `text` where the caret is."""
        self.text = self.with_inserted(text)
        self.caret += len(text)

    def with_inserted(self, text: str) -> str:
        """What `insert` would make of it."""
        return self.text[: self.caret] + text + self.text[self.caret :]

    def press(self, key: str) -> bool:
        """One of KEYS; returns whether the text is another now."""
        before, after = self.text[: self.caret], self.text[self.caret :]
        if key == "backspace":
            before = before[:-1]
        elif key == "delete":
            after = after[1:]
        elif key == "ctrl+u":
            before = ""
        elif key == "ctrl+k":
            after = ""
        elif key == "ctrl+w":
            before = before.rstrip().rpartition(" ")[0]
        changed = before + after != self.text
        self.text = before + after
        steps = {"left": -1, "right": 1}.get(key, 0)
        ends = {"home": 0, "ctrl+a": 0, "end": len(self.text), "ctrl+e": len(self.text)}
        self.caret = min(max(ends.get(key, len(before) + steps), 0), len(self.text))
        return changed

    def render(self, room: int, style: str) -> Content:
        """As much of it as there is room for, the caret in it."""
        text = visible_line(self.text) + " "
        start = 0
        while cell_len(text[start : self.caret + 1]) > room and start < self.caret:
            start += 1
        end = len(text)
        while cell_len(text[start:end]) > room and end > start:
            end -= 1
        shown = text[start:end]
        caret = self.caret - start
        content = Content.styled(shown, style).stylize("reverse", caret, caret + 1)
        return content.pad_right(max(0, room - cell_len(shown)))


def may_become_number(text: str) -> bool:
    """Whether `text` is a number, right or wrong, or the beginning of one."""
    return _NUMBER_SO_FAR.fullmatch(text) is not None


def with_texts(config: ConfigT, texts: Mapping[str, str]) -> tuple[ConfigT, dict[str, str]]:
    """`config` with the values that `texts` gives by knob, and by knob why a text is not in it.

    Values that are allowed only together (embedding and hidden of a tied model) are taken together.
    """
    values: dict[str, Value] = {}
    errors: dict[str, str] = {}
    for name, text in texts.items():
        try:
            values[name] = knobs(type(config))[name].parse(text)
        except ConfigError as error:
            errors[name] = str(error)
    try:
        return with_values(config, values), errors
    except ConfigError:
        pass
    for name, value in reversed(values.items()):  # what was typed last is what is wanted now
        try:
            config = with_values(config, {name: value})
        except ConfigError as error:
            errors[name] = str(error)
    return config, errors
