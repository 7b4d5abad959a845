"""The tokens that the model scored are found where they stand in the text."""

from __future__ import annotations

import math

from rnnplay.inspection.results import TokenPrediction
from rnnplay.tui.writing.surprise import CONTEXT_CHARACTERS, MOST_CHARACTERS, part_to_read, placed


def tokens(*texts: str, surprisal: float = 1.0) -> list[TokenPrediction]:
    probability = math.exp(-surprisal)
    return [TokenPrediction(token=text, surprisal=surprisal, probability=probability, rank=1, top=[]) for text in texts]


def test_every_character_has_its_token() -> None:
    text = "abc\nd"
    found = placed(text, 100, tokens(*text), 65)
    assert [one.start for one in found.between(100, 105)] == [100, 101, 102, 103, 104]
    assert (found.at(99), found.at(105)) == (None, None)
    second = found.at(101)
    assert second is not None and second.prediction.token == "b"


def test_words_are_found_between_spaces_and_unknown_ones_have_no_place() -> None:
    text = "the  zyzzy cat"
    found = placed(text, 0, tokens("the", "<unk>", "cat"), 10)
    assert [(one.start, one.end) for one in found.between(0, len(text))] == [(0, 3), (11, 14)]
    assert found.at(4) is None


def test_the_context_is_read_and_not_shown() -> None:
    text = "x" * 50 + "\n" + "y" * 1000
    offset, part, context = part_to_read(text, 440, 500)
    assert (offset, len(part), context) == (51, 449, 389)
    found = placed(part, offset, tokens(*part), 65, context)
    assert found.at(439) is None
    assert found.at(440) is not None
    offset, part, context = part_to_read("z" * 100_000, 50_000, 90_000)
    assert (50_000 - offset, len(part) - context) == (CONTEXT_CHARACTERS, MOST_CHARACTERS)
    assert part_to_read("abc", 0, 3) == (0, "abc", 0)


def test_an_unpredicted_token_is_not_shaded() -> None:
    assert placed("a", 0, tokens("a", surprisal=math.nan), 65).between(0, 1)[0].level == 0
    assert placed("a", 0, tokens("a", surprisal=50), 65).between(0, 1)[0].level == 8
