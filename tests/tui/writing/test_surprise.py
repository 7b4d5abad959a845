"""The tokens that the model scored are found where they stand in the text."""

from __future__ import annotations

import math

import pytest

from rnnplay.config import RunConfig
from rnnplay.inspection.questions import MAX_TOKENS
from rnnplay.inspection.results import Candidate, TokenPrediction
from rnnplay.text.tokenizers.byte_values import ByteTokenizer
from rnnplay.tui.writing.surprise import CONTEXT_CHARACTERS, Look, Reading, Readings, part_to_read, placed

CHAR, BYTE, WORD = RunConfig(), RunConfig(tokens="byte"), RunConfig(tokens="word")


def tokens(*texts: str, surprisal: float = 1.0) -> list[TokenPrediction]:
    probability = math.exp(-surprisal)
    return [TokenPrediction(token=text, surprisal=surprisal, probability=probability, rank=1, top=[]) for text in texts]


def scored(text: str, *top: str) -> list[TokenPrediction]:
    """Each byte of `text`, with probability 1/2."""
    tokenizer = ByteTokenizer()
    names = [tokenizer.tokens[one] for one in tokenizer.encode(text)]
    candidates = [Candidate(token=one, probability=0.1) for one in top]
    return [TokenPrediction(token=one, surprisal=math.log(2), probability=0.5, rank=1, top=candidates) for one in names]


def test_every_character_has_its_token() -> None:
    text = "abc\nd"
    found = Readings(placed(text, 100, tokens(*text), CHAR, 65))
    assert [one.start for one in found.between(100, 105)] == [100, 101, 102, 103, 104]
    assert (found.at(99), found.at(105)) == (None, None)
    second = found.at(101)
    assert second is not None and second.prediction.token == "b"


def test_words_are_found_between_spaces_and_unknown_ones_have_no_place() -> None:
    text = "the  zyzzy cat"
    found = Readings(placed(text, 0, tokens("the", "<unk>", "cat"), WORD, 10))
    assert [(one.start, one.end) for one in found.between(0, len(text))] == [(0, 3), (11, 14)]
    assert found.at(4) is None


def test_a_lowercase_model_reads_capitals_too() -> None:
    (found,) = placed("The", 0, tokens("the"), RunConfig(tokens="word", lowercase=True), 10)
    assert (found.start, found.end) == (0, 3)


def test_bytes_of_a_character_are_one_reading() -> None:
    """Their surprisals add up; what is only a part of a character cannot be written in its place."""
    found = placed("aé日!", 0, scored("aé日!", "b", "<0xC3>", "<unk>"), BYTE, 257)
    assert [(one.start, one.end, one.count) for one in found] == [(0, 1, 1), (1, 2, 2), (2, 3, 3), (3, 4, 1)]
    assert [one.prediction.token for one in found] == ["a", "é", "日", "!"]
    assert math.isclose(found[2].prediction.probability, 1 / 8) and found[2].prediction.rank is None
    assert [one.text for one in found[1].alternatives] == ["b"]


def test_byte_pairs_with_parts_of_characters() -> None:
    config = RunConfig(tokens="bpe")
    pieces = [TokenPrediction(token=one, surprisal=1.0, probability=0.4, rank=2, top=[]) for one in
              ("the", " <0xE6><0x97>", "<0xA5>本")]  # fmt: skip
    found = placed("the 日本", 7, pieces, config, 500)
    assert [(one.start, one.end, one.count) for one in found] == [(7, 10, 1), (10, 13, 2)]


def test_alternatives_of_words_are_words() -> None:
    top = [Candidate(token=one, probability=0.1) for one in ("cat", "␣", "<unk>", "\n", "⁀")]
    one = TokenPrediction(token="dog", surprisal=1.0, probability=0.4, rank=2, top=top)
    assert [word.text for word in Reading(0, 3, 1, one).alternatives] == ["cat", "\n"]


def test_the_context_is_read_and_not_shown() -> None:
    text = "x" * 50 + "\n" + "y" * 1000
    assert [part_to_read(text, 440, 500)[0], len(part_to_read(text, 440, 500)[1])] == [51, 449]
    look = Look()
    part = look.ask(text, 440, 500)
    assert part is not None
    assert look.ask(text, 440, 500) is None, "it was asked"
    found = look.take(text, tokens(*part), CHAR, 65)
    assert found is not None and found.at(439) is None and found.at(440) is not None
    assert look.ask(text, 440, 500) is None, "it is read"
    assert part_to_read("abc", 0, 3) == (0, "abc", 0)


def test_more_than_can_be_asked_about_is_read_in_parts() -> None:
    """Bytes count, as each may be a token; a part ends between words where there are any."""
    text = "日本 " * 3000
    look, config = Look(), BYTE
    parts = 0
    found = None
    while (part := look.ask(text, 100, 8900)) is not None:
        assert len(part.encode()) <= MAX_TOKENS
        parts += 1
        found = look.take(text, scored(part), config, 257)
    assert parts > 6
    assert found is not None
    assert [one.start for one in found.between(0, len(text))] == list(range(100, 8900))
    one_word = part_to_read("z" * 100_000, 50_000, 90_000)
    assert (50_000 - one_word[0], len(one_word[1])) == (CONTEXT_CHARACTERS, MAX_TOKENS)


def test_a_text_that_changed_meanwhile_is_read_anew() -> None:
    look = Look()
    part = look.ask("abc", 0, 3)
    assert part is not None
    assert look.take("abd", tokens(*part), CHAR, 65) is None
    assert look.ask("abd", 0, 3) == "abd"


def test_an_unpredicted_token_is_not_shaded() -> None:
    assert placed("a", 0, tokens("a", surprisal=math.nan), CHAR, 65)[0].level == 0
    assert placed("a", 0, tokens("a", surprisal=50), CHAR, 65)[0].level == 8


@pytest.mark.parametrize(
    ("line", "token", "text", "after"),
    [
        ("upon, he", ",", "the", "upon the he"),
        ("(dog) x", ")", "cat", "(dog cat x"),
        ("the dog ran", "dog", ",", "the, ran"),
        ("the dog ran", "dog", "cat", "the cat ran"),
        ("a\n", "a", "\n", "\n\n"),
    ],
)
def test_a_word_in_the_place_of_another_stands_between_spaces(line: str, token: str, text: str, after: str) -> None:
    (reading,) = placed(line, 0, tokens(token), WORD, 10)
    start, put = reading.replaced(line, reading.start, reading.end, text)
    assert line[:start] + put + line[reading.end :] == after


def test_byte_pairs_bring_their_spaces_with_them() -> None:
    (reading,) = placed("the dog", 0, tokens(" dog"), RunConfig(tokens="bpe"), 10)
    assert reading.replaced("the dog", 3, 7, "m") == (3, "m")
