"""The keys that edit a line, and what may be typed into a number."""

from __future__ import annotations

import pytest

from rnnplay.tui.setup.typed_text import TypedLine, may_become_number


@pytest.mark.parametrize(
    ("keys", "text", "caret"),
    [
        ("backspace", "12 4", 4),
        ("left backspace", "12 5", 3),
        ("left delete", "12 4", 4),
        ("delete right", "12 45", 5),
        ("home left delete", "2 45", 0),
        ("ctrl+a right ctrl+k", "1", 1),
        ("left ctrl+u", "5", 0),
        ("ctrl+w", "12", 2),
        ("home backspace ctrl+e", "12 45", 5),
    ],
)
def test_keys_edit_the_line(keys: str, text: str, caret: int) -> None:
    line = TypedLine("12 45", 5)
    for key in keys.split():
        before = line.text
        assert line.press(key) == (line.text != before)
    assert (line.text, line.caret) == (text, caret)


def test_the_caret_is_seen_in_any_room() -> None:
    line = TypedLine("0123456789", 10)
    for caret in (10, 7, 0):
        line.caret = caret
        for room in (1, 4, 20):
            shown = line.render(room, "")
            (at,) = [span.start for span in shown.spans if span.style == "reverse"]
            assert shown.plain[at] == (line.text + " ")[caret]
            assert len(shown.plain) == room


@pytest.mark.parametrize("text", ["", "1", "-", ".5", "1e", "1e-3", "2E+4", "12,345,678", "0,01", "1_000", "+3."])
def test_a_number_and_its_beginnings_can_be_typed(text: str) -> None:
    assert may_become_number(text)


@pytest.mark.parametrize("text", ["x", "1 ", "e", "1-", "1..", "--", "0x1", "nan", "1e5.", "１x", "?"])
def test_what_cannot_become_a_number_is_not_taken(text: str) -> None:
    assert not may_become_number(text)
