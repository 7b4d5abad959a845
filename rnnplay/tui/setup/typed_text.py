"""Text typed into fields: the edited line, and the config that results from the texts of several fields."""

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
"""The keys that `press` handles."""
_NUMBER_SO_FAR = re.compile(r"[+-]?[\d,_']*[.,]?[\d_]*((?<=[\d.])e[+-]?\d*)?", re.IGNORECASE)


@dataclass
class TypedLine:
    """A line of text and the keys that edit it; the caret stands before character `caret`."""

    text: str = ""
    caret: int = 0

    def insert(self, text: str) -> None:
        """Inserts `text` at the caret."""
        self.text = self.with_inserted(text)
        self.caret += len(text)

    def with_inserted(self, text: str) -> str:
        """The text that `insert` would produce."""
        return self.text[: self.caret] + text + self.text[self.caret :]

    def press(self, key: str) -> bool:
        """Handles one of KEYS; returns whether the text changed."""
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

    def render(self, width: int, style: str) -> Content:
        """The line in `width` cells, scrolled so that the caret is visible."""
        text = visible_line(self.text) + " "
        start = 0
        while cell_len(text[start : self.caret + 1]) > width and start < self.caret:
            start += 1
        end = len(text)
        while cell_len(text[start:end]) > width and end > start:
            end -= 1
        shown = text[start:end]
        caret = self.caret - start
        content = Content.styled(shown, style).stylize("reverse", caret, caret + 1)
        return content.pad_right(max(0, width - cell_len(shown)))


def may_become_number(text: str) -> bool:
    """Whether `text` is a number, valid or not, or the beginning of one."""
    return _NUMBER_SO_FAR.fullmatch(text) is not None


def with_texts(config: ConfigT, texts: Mapping[str, str]) -> tuple[ConfigT, dict[str, str]]:
    """`config` with the values of `texts` (by knob), and by knob why a text was not accepted.

    Values that are allowed only together (embedding and hidden of a tied model) are applied together.
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
    for name, value in reversed(values.items()):  # the text typed last takes precedence
        try:
            config = with_values(config, {name: value})
        except ConfigError as error:
            errors[name] = str(error)
    return config, errors
