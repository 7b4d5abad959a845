"""The words of a text, by which candidates for the word under way are judged."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable
from functools import lru_cache

from rnnplay.text.tokenizers.characters import is_word_character
from rnnplay.text.tokenizers.units import tokens_in

MOST_WORDS = 50_000
"""Words of a text that are kept, the most frequent ones."""

LONGEST = 48
_APOSTROPHES = "'’"


class KnownWords:
    """A set of words; upper and lower case, and apostrophes at either end, make no difference."""

    def __init__(self, words: Iterable[str]) -> None:
        self._lists = [_in_order(words)]

    def __bool__(self) -> bool:
        return any(self._lists)

    def with_those_of(self, text: str) -> KnownWords:
        """These and the words of `text`, but not one under way at its end."""
        other = KnownWords(words_of(text.removesuffix(word_begun(text))))
        other._lists += self._lists
        return other

    def knows(self, word: str) -> bool:
        """Whether `word` is one of them, or a number."""
        word = word.casefold().strip(_APOSTROPHES)
        return word.isdecimal() or any(_next(words, word) == word for words in self._lists)

    def begins(self, part: str) -> bool:
        """Whether one of them, or a number, begins with `part`."""
        part = part.casefold().lstrip(_APOSTROPHES)
        return part.isdecimal() or self.knows(part) or any(_next(words, part).startswith(part) for words in self._lists)


def _in_order(words: Iterable[str]) -> list[str]:
    return sorted({word.casefold().strip(_APOSTROPHES) for word in words} - {""})


def _next(words: list[str], part: str) -> str:
    """The first of `words` that does not come before `part`; "" if there is none."""
    at = bisect_left(words, part)
    return words[at] if at < len(words) else ""


def words_of(text: str) -> list[str]:
    """The words of `text`, in order; a hyphen stands between two."""
    return [word for piece in text.split() for word in _words_between_spaces(piece)]


@lru_cache(maxsize=4096)
def _words_between_spaces(piece: str) -> tuple[str, ...]:
    """Kept, as at every key the same few thousand characters are divided again."""
    return tuple(word for token in tokens_in(piece) for word in _words_in(token))


def _words_in(token: str) -> list[str]:
    return [word for word in token.split("-") if word[:1].isalnum()]


def frequent_words(chunks: Iterable[str], most: int = MOST_WORDS) -> list[str]:
    """The most frequent words of a text that is given in `chunks`, cut between words; the most frequent first."""
    counts: Counter[str] = Counter()
    for chunk in chunks:
        counts.update(tokens_in(chunk))
    words: Counter[str] = Counter()
    for token, count in counts.items():
        for word in _words_in(token):
            if len(word) <= LONGEST:
                words[word] += count
    return [word for word, _ in words.most_common(most)]


def word_begun(text: str) -> str:
    """The word under way at the end of `text`; "" where none is."""
    at = len(text)
    while at and is_word_character(text[at - 1]) and len(text) - at < LONGEST:
        at -= 1
    return text[at:]
