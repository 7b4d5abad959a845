"""A paste is text and nothing else, whatever escape characters are in it and however it arrives in pieces."""

from __future__ import annotations

import itertools
import re

from hypothesis import given
from hypothesis import strategies as st
from textual import events

from rnnplay.tui.paste import END, START, Parser, PasteCleaner

HOSTILE = "a\x1b[A b\x1bt c\x1b[200~ d\x1b]0;title\x07 \x1b\x1b[201 e\x1b"


def pieces_of(text: str, cuts: list[int]) -> list[str]:
    """`text` cut at those places."""
    places = sorted({cut % (len(text) + 1) for cut in cuts} | {0, len(text)})
    return [text[start:end] for start, end in itertools.pairwise(places)]


@given(st.lists(st.integers(0, 200)))
def test_a_paste_with_escapes_in_it_is_one_event_between_the_keys(cuts: list[int]) -> None:
    parser = Parser()
    stream = "x" + START + HOSTILE + END + "y" + START + "second" + END + "\x1b[B"
    came = [event for piece in pieces_of(stream, cuts) for event in parser.feed(piece)]
    assert [event.text if isinstance(event, events.Paste) else getattr(event, "key", event) for event in came] == [
        "x",
        HOSTILE.replace("\x1b", ""),
        "y",
        "second",
        "down",
    ]


@given(st.lists(st.sampled_from([START, END, "\x1b", "[", "20", "1~", "0~", "ab"])), st.lists(st.integers(0, 100)))
def test_what_is_cleaned_does_not_depend_on_the_pieces(parts: list[str], cuts: list[int]) -> None:
    stream = "".join(parts) + END
    cleaner = PasteCleaner()
    paste = re.compile(f"{re.escape(START)}(.*?){re.escape(END)}")
    whole = paste.sub(lambda found: START + found[1].replace("\x1b", "") + END, stream)
    assert "".join(cleaner.clean(piece) for piece in pieces_of(stream, cuts)) == whole


def test_an_empty_piece_still_ends_the_stream() -> None:
    parser = Parser()
    list(parser.feed("a"))
    list(parser.feed(""))
    assert parser.is_eof
