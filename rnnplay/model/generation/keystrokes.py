"""How many keystrokes a model's suggestions save a simulated user who writes a given text.

At each place of the text the user sees the suggestions for what stands before it, newlines included, takes one that is
right, and otherwise types the next character. A suggestion is right if the text goes on with it. By which are offered:

    word          the suggested word, taken with one key, if it has at least two characters
    phrase        the phrase with one key, or if it is wrong its first word with one key; at least two characters
    one of five   that, or another of the most probable words with two keys, one to choose it and one to take it or the
                  phrase that it leads on to, where this takes the text further; at least three characters
    five keys     the same, but each of the words is taken with a key of its own; at least two characters

What is saved is 1 - keys / characters.

Hits are those of Madsen 2019 ("Visualizing memorization in RNNs", Distill): how often the word under way
is among the most probable 1, 3 or 5, by how many of its letters have been typed.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from rnnplay.config import CompletionConfig
from rnnplay.model.generation.completion import Suggestion
from rnnplay.text.tokenizers.characters import is_word_character

TYPED = 5
"""Hits are counted after 0 to this many letters of a word."""

TOPS = (1, 3, 5)

OFFERED = CompletionConfig(lines=True)


class Completes(Protocol):
    """Anything that suggests continuations, as Completer does."""

    def complete(self, text: str, bars: int, config: CompletionConfig) -> Suggestion | None:
        """Suggests how `text` may go on."""


@dataclass(frozen=True, slots=True)
class Saved:
    """Fractions of the keystrokes that are saved, by what is offered."""

    characters: int
    word: float
    phrase: float
    one_of_five: float
    five_keys: float
    hits: list[list[float]]
    """A row for each number of letters typed, from 0: the fraction of words among the most probable 1, 3 and 5."""


def keystrokes_saved(completer: Completes, text: str, offered: CompletionConfig = OFFERED) -> Saved:
    """Measures the keystrokes that `completer` saves a user who writes `text`, at least one character."""
    found: list[Suggestion] = []
    for at in range(len(text)):
        suggestion = completer.complete(text[:at], 1, offered)
        assert suggestion is not None  # it was given the time it needs
        found.append(suggestion)

    def saved(keys_for: Callable[[Suggestion, str], tuple[int, int]]) -> float:
        at = keys = 0
        while at < len(text):
            pressed, written = keys_for(found[at], text[at : at + 200])
            at, keys = at + written, keys + pressed
        return 1 - keys / len(text)

    return Saved(len(text), saved(_word), saved(_phrase), saved(_one_of_five), saved(_five_keys), _hits(text, found))


def _word(found: Suggestion, rest: str) -> tuple[int, int]:
    """The keys pressed, and the characters written with them, where the text goes on with `rest`."""
    return 1, _right([found.suggestion], rest)


def _phrase(found: Suggestion, rest: str) -> tuple[int, int]:
    return 1, _right([found.phrase, found.suggestion], rest)


def _one_of_five(found: Suggestion, rest: str) -> tuple[int, int]:
    written = _phrase(found, rest)[1]
    chosen = _right([text for word in found.words for text in (word.text, word.phrase)], rest)
    return (2, chosen) if chosen > written + 1 else (1, written)


def _five_keys(found: Suggestion, rest: str) -> tuple[int, int]:
    return 1, _right([found.phrase, found.suggestion, *(word.text for word in found.words)], rest)


def _right(suggestions: Sequence[str], rest: str) -> int:
    """The length of the longest of `suggestions` that `rest` begins with, at least 1, the next character."""
    return max([len(text) for text in suggestions if rest.startswith(text)], default=1) or 1


def _hits(text: str, found: list[Suggestion]) -> list[list[float]]:
    counts = [[0] * len(TOPS) for _ in range(TYPED + 1)]
    asked = [0] * (TYPED + 1)
    for start in range(1, len(text)):
        if not is_word_character(text[start]) or is_word_character(text[start - 1]):
            continue
        end = start
        while end < len(text) and is_word_character(text[end]):
            end += 1
        if end == len(text):
            break  # it may go on
        for typed in range(min(TYPED + 1, end - start)):
            asked[typed] += 1
            at = start + typed
            # A word of a word model may have marks after its letters: what matters is that the text goes on with it.
            right = [len(word.text) >= end - at and text.startswith(word.text, at) for word in found[at].words]
            for column, top in enumerate(TOPS):
                counts[typed][column] += any(right[:top])
    return [[count / max(1, number) for count in row] for row, number in zip(counts, asked, strict=True)]
