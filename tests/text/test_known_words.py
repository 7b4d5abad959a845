"""The words of a corpus, by which candidates are judged."""

from __future__ import annotations

import pytest

from rnnplay.text.known_words import KnownWords, frequent_words, word_begun, words_of


def test_words_are_letters_with_apostrophes_and_end_at_hyphens() -> None:
    assert words_of("He'll well-known: 'tis, naïve; 3 नमस्ते") == ["He'll", "well", "known", "tis", "naïve", "3", "नमस्ते"]


def test_the_most_frequent_come_first() -> None:
    assert frequent_words(["a b-a ", "c a b"], most=2) == ["a", "b"]


@pytest.mark.parametrize(
    ("word", "knows", "begins"),
    [
        ("the", 1, 1),
        ("The", 1, 1),
        ("'the", 1, 1),
        ("th", 0, 1),
        ("thx", 0, 0),
        ("1990", 1, 1),
        ("ä", 0, 1),
        ("z", 0, 0),
    ],
)
def test_what_is_known_and_what_begins_a_known_word(word: str, knows: bool, begins: bool) -> None:
    words = KnownWords(["the", "Ähre", "o'er"])
    assert (words.knows(word), words.begins(word)) == (bool(knows), bool(begins))


def test_words_of_the_text_itself_are_known_but_for_the_one_under_way() -> None:
    words = KnownWords(["the"]).with_those_of("Zaphod met Zar")
    assert words.knows("zaphod") and words.knows("the") and not words.knows("zar")


@pytest.mark.parametrize(("text", "begun"), [("the ca", "ca"), ("the ", ""), ("don't", "don't"), ("-b", "b")])
def test_the_word_under_way(text: str, begun: str) -> None:
    assert word_begun(text) == begun
