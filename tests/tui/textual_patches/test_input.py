"""Any bytes in any pieces are events or nothing, never an error, and a key pressed afterwards is a key."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st
from textual import constants, events
from textual.message import Message

from rnnplay.tui import keymap
from rnnplay.tui.textual_patches import input as terminal_input
from rnnplay.tui.textual_patches.input import END, START, PasteStalled, TerminalInput

HOSTILE = b"a\x1b[A b\x1bt c\x1b[200~ d\x1b]0;title\x07 \x1b\x1b[201 e\x1b"

sequences = st.sampled_from(
    [
        *(START, END, START[:3], END[:4], b"\x1b", b"\x1b[", b"\x1b[M", b"\x1b[M \xff", b"\x1bO"),
        *(b"\x1b[99999999u", b"\x1b[55296u", b"\x1b[97;1;99999999u", b"\x1b[97:65;2u", b"\x1b[;;u"),
        *(b"\x1b[48;0;0;0;0t", b"\x1b[48;9;9;9;9t", b"\x1b[<0;1;1M", b"\x1b[<64;99999999999;1M", b"\x1b[?2026;2$y"),
        *("é本".encode(), b"\xff", b"\xc3", b"caf\xe9", b"\x00", b"ab"),
    ]
)
streams = st.lists(sequences | st.binary(max_size=8), max_size=12).map(b"".join)
cuts = st.lists(st.integers(0, 200), max_size=8)


def pieces_of(stream: bytes, places: list[int]) -> list[bytes]:
    """`stream` cut at those places."""
    at = sorted({place % (len(stream) + 1) for place in places} | {0, len(stream)})
    return [stream[start:end] for start, end in itertools.pairwise(at)]


def read(stream: bytes, places: list[int], encoding: str = "utf-8") -> list[object]:
    """What comes of a stream in pieces."""
    reader = TerminalInput(encoding)
    return [seen(event) for piece in pieces_of(stream, places) for event in reader.feed(piece)]


def seen(event: Message) -> object:
    """What a test compares."""
    if isinstance(event, events.MouseEvent):
        return type(event).__name__, event.x, event.y, event.button
    return ("paste", event.text) if isinstance(event, events.Paste) else getattr(event, "key", event)


@pytest.fixture
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever is waited for is over at the next tick."""
    monkeypatch.setattr(constants, "ESCAPE_DELAY", 0.0)
    monkeypatch.setattr(terminal_input, "STALLED_SECONDS", 0.0)
    monkeypatch.setattr(terminal_input, "GIVEN_UP_SECONDS", 0.0)


@pytest.mark.usefixtures("hasty")
def test_any_bytes_are_survived_and_the_next_key_is_a_key() -> None:
    @given(streams, cuts)
    def check(stream: bytes, places: list[int]) -> None:
        reader = TerminalInput()
        for piece in pieces_of(stream, places):
            came = list(reader.feed(piece))
            assert all(
                letter.isascii() or letter.encode()
                for event in came
                for letter in getattr(event, "character", "") or ""
            ), "half of a surrogate pair would be sent to the engine"
        list(reader.tick())
        list(reader.feed(b"\x1b"))  # gives up a paste
        list(reader.tick())
        list(reader.feed(b"~"))  # ends a number that was begun, and half a character
        list(reader.tick())
        assert [seen(event) for event in reader.feed(b"q")] == ["q"]

    check()


@given(cuts)
def test_a_paste_with_escapes_in_it_is_one_event_between_the_keys(places: list[int]) -> None:
    stream = b"x" + START + HOSTILE + END + b"y" + START + b"second" + END + b"\x1b[B"
    text = HOSTILE.replace(b"\x1b", b"").decode()
    assert read(stream, places) == ["x", ("paste", text), "y", ("paste", "second"), "down"]


@given(cuts)
def test_characters_in_pieces_and_what_is_none(places: list[int]) -> None:
    assert read("é本".encode() + b"caf\xe9 \xff", places) == [
        *"é本caf",
        *("replacement_character", "space", "replacement_character"),
    ]
    assert read(START + b"caf\xe9" + END, places) == [("paste", "caf�")]


def test_keys_are_read_in_the_encoding_of_the_terminal() -> None:
    stream = "本é".encode("gb18030")
    assert read(stream + START + stream + END, [1, 3, 9], "gb18030") == ["本", "é", ("paste", "本é")]


@pytest.mark.parametrize("encoding", ["utf-16", "utf-32", "no-such-thing"])
def test_an_encoding_that_no_terminal_has_is_taken_for_utf_8(encoding: str) -> None:
    reader = TerminalInput(encoding)
    assert [seen(event) for piece in (b"\xa0", b"\x84\x9b\xad\x05", b"x") for event in reader.feed(piece)][-1] == "x"


@given(cuts)
def test_the_mouse_in_its_oldest_form_is_the_mouse(places: list[int]) -> None:
    pressed, released = b"\x1b[M\x20\xe9\xc3", b"\x1b[M\x23\x21\x21"
    came = read(b"a" + pressed + released + b"b", places)
    assert came == ["a", ("MouseDown", 200.0, 162.0, 1), ("MouseUp", 0.0, 0.0, 1), "b"]


@pytest.mark.parametrize("sequence", [b"\x1b[99999999u", b"\x1b[55296u", b"\x1b[97;1;99999999u", b"\x1b[97:65;2u"])
def test_a_code_point_that_there_is_not_is_no_key(sequence: bytes) -> None:
    assert read(b"a" + sequence + b"b", []) == ["a", "b"]


@pytest.mark.usefixtures("hasty")
@given(cuts)
def test_a_paste_that_stalls_anywhere_is_still_one_paste_and_never_keys(places: list[int]) -> None:
    stream = b"tnx\n0q" + HOSTILE + END
    reader, came = TerminalInput(), []
    for piece in (START, *pieces_of(stream, places)):
        came += [seen(event) for event in reader.feed(piece)]
        if piece != b"\x1b":  # alone, it would be the key
            came += [seen(event) for event in reader.tick() if not isinstance(event, PasteStalled)]
    assert came == [("paste", "tnx\n0q" + HOSTILE.replace(b"\x1b", b"").decode())]


@pytest.mark.usefixtures("hasty")
def test_a_paste_whose_end_never_comes_is_said_to_stall_until_escape() -> None:
    reader = TerminalInput()
    assert not list(reader.feed(START + b"half"))
    assert [type(event) for event in reader.tick()] == [PasteStalled]
    assert not list(reader.tick()), "once"
    assert not list(reader.feed(b"t"))
    assert [type(event) for event in reader.tick()] == [PasteStalled]
    assert not list(reader.feed(b"\x1b"))
    assert [seen(event) for event in reader.tick()] == [("paste", "halft")]
    assert [seen(event) for event in reader.feed(b"q")] == ["q"]
    assert not list(reader.feed(END)), "which is late"


@pytest.mark.usefixtures("hasty")
def test_an_end_in_two_pieces_that_was_taken_for_escape_leaves_no_keys() -> None:
    reader = TerminalInput()
    list(reader.feed(START + b"half"))
    list(reader.feed(END[:1]))
    assert [seen(event) for event in reader.tick()] == [("paste", "half")]
    assert [seen(event) for event in reader.feed(END[1:] + b"q")] == ["q"]


def test_a_huge_paste_is_quick_and_its_end_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(terminal_input, "LARGEST_PASTE", 1_000_000)
    reader = TerminalInput()
    pieces = [START, *([b"x" * 4_096] * 5_000), b"the end", END]
    (pasted,) = [event for piece in pieces for event in reader.feed(piece)]
    assert isinstance(pasted, events.Paste)
    assert len(pasted.text) == 1_000_000
    assert pasted.text.endswith("xthe end")


@pytest.mark.usefixtures("hasty")
def test_escape_alone_is_a_key() -> None:
    reader = TerminalInput()
    assert not list(reader.feed(b"\x1b"))
    assert [seen(event) for event in reader.tick()] == ["escape"]
    assert [seen(event) for event in reader.feed(b"[M")] == ["left_square_bracket", "M"]


def test_alt_and_a_digit_is_that_key_and_no_character() -> None:
    """Terminals send escape and the digit; alt+1 to alt+5 take a word."""
    found = [event for event in TerminalInput().feed(b"\x1b2\x1b5") if isinstance(event, events.Key)]
    assert [(key.key, key.character) for key in found] == [("alt+2", None), ("alt+5", None)]


@pytest.mark.usefixtures("hasty")
@pytest.mark.parametrize(
    ("stream", "keys"),
    [
        (b"\x1bx", ["escape", "x"]),
        (b"\x1b-", ["escape", "minus"]),
        (b"\x1bO", ["escape", "O"]),
        (b"\x1b[", ["escape", "left_square_bracket"]),
        (b"\x1b \x1b=", ["escape", "space", "escape", "equals_sign"]),
        ("\x1bétn".encode(), ["escape", "é", "t", "n"]),
        (b"\x1ba\x1b\r", ["alt+a", "alt+enter"]),
        (b"\x1b\x11\r\x1b\x11", ["escape", "ctrl+q", "enter", "escape", "ctrl+q"]),
        (b"\x1bb\x1b\x7f\x1b\t", ["ctrl+left", "ctrl+w", "shift+tab"]),
        (b"\x1b[A\x1bOP\x1b[120;3u", ["up", "f1", "alt+x"]),
    ],
)
def test_escape_and_a_quick_key_are_two_keys_unless_they_are_alt_and_a_key_that_does_something(
    stream: bytes, keys: list[str]
) -> None:
    """What follows Escape is no longer typed into the field that it leaves."""
    reader = TerminalInput()
    found = [event for event in (*reader.feed(stream), *reader.tick()) if isinstance(event, events.Key)]
    assert [key.key for key in found] == keys
    assert not any(key.is_printable for key in found if "+" in key.key)


def test_alt_and_a_key_that_the_user_has_bound_is_that_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keymap, "_changed", {"playground.train": ("alt+k",)})
    found = [event for event in TerminalInput().feed(b"\x1bk\x1bl") if isinstance(event, events.Key)]
    assert [(key.key, key.character) for key in found] == [("alt+k", None), ("escape", "\x1b"), ("l", "l")]
