"""Where a sample ends: stop strings however the text is cut into pieces, and whole sentences."""

from __future__ import annotations

import pytest

from rnnplay.model.generation.endings import before_stop, to_sentence_end


def cut(text: str, size: int) -> list[str]:
    return [text[at : at + size] for at in range(0, len(text), size)]


@pytest.mark.parametrize("size", [1, 2, 3, 100])
@pytest.mark.parametrize(
    ("text", "stops", "expected"),
    [
        ("one two three", [" three"], "one two"),
        ("one two three", ["two", "e t"], "on"),
        ("aaab", ["aab"], "a"),
        ("ababac", ["abac"], "ab"),
        ("the en", ["the end"], "the en"),
        ("the end", ["the end"], ""),
        ("a\n\nb", ["\n\n"], "a"),
        ("nothing", [], "nothing"),
    ],
)
def test_a_text_ends_before_a_stop_string(size: int, text: str, stops: list[str], expected: str) -> None:
    pieces = list(before_stop(cut(text, size), stops))
    assert "".join(pieces) == expected
    assert all(pieces)


def test_text_is_not_held_back_longer_than_it_may_be_a_stop_string() -> None:
    pieces = before_stop(iter(["a", "st", "x", "s"]), ["stop"])
    assert [next(pieces), next(pieces)] == ["a", "stx"]


@pytest.mark.parametrize(
    ("text", "length", "expected"),
    [
        ("He ran. She sat. All.", 3, "He ran."),
        ("He ran. She sat. All.", 7, "He ran."),
        ("He ran. She sat. All.", 8, "He ran. She sat."),
        ('"Go." He went.', 2, '"Go."'),
        ("It is 3.5 miles. So.", 2, "It is 3.5 miles."),
        ("What?! No", 2, "What?!"),
        ("a title\n\nThe text.", 2, "a title"),
        ("one\ntwo. x", 2, "one\ntwo."),
        ("猫走了。狗来了。", 2, "猫走了。"),
        ("no end at all", 3, "no end at all"),
        ("short", 99, "short"),
    ],
)
def test_a_sample_goes_on_to_the_end_of_a_sentence(text: str, length: int, expected: str) -> None:
    assert "".join(to_sentence_end(cut(text, 1), length)) == expected


def test_a_sentence_that_ends_within_a_long_token() -> None:
    assert "".join(to_sentence_end(["He", " ran", ". She", " sat"], 2)) == "He ran."
