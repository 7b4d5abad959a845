"""The lines of the scratchpad end at newlines alone, so that a file is saved as it was opened."""

from __future__ import annotations

import pytest

from rnnplay.tui.writing.ghost_area import GhostArea

ENDS = "\x0b \x0c \x1c \x1d \x1e \x85 \u2028 \u2029"
"""Where str.splitlines ends lines, too."""


@pytest.mark.parametrize("text", ["", "\n", "a", "a\n", "a\n\n", ENDS, f"a{ENDS}\n{ENDS}b\x0c", "\x0c\n\x85"])
def test_what_is_opened_or_pasted_stays_as_it_is(text: str) -> None:
    area = GhostArea(text)
    assert area.content == text
    assert area.document.line_count == text.count("\n") + 1
    area.load_text(f"{text}b")
    assert area.content == f"{text}b"
    other = GhostArea("<>")
    end = other.document.replace_range((0, 1), (0, 1), text).end_location
    assert other.content == f"<{text}>"
    last = text.rpartition("\n")[2] if "\n" in text else f"<{text}"
    assert end == (text.count("\n"), len(last))


@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
def test_newlines_of_all_systems_end_lines(newline: str) -> None:
    assert GhostArea(newline.join(["a", "", "b", ""])).content == "a\n\nb\n"
