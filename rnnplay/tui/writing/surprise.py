"""Where each token of a part of a text stands, with the probability that the model gave it. No widgets."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import exp, log

import msgspec

from rnnplay.config import RunConfig
from rnnplay.inspection.questions import MAX_TOKENS
from rnnplay.inspection.results import TokenPrediction, WordCandidate
from rnnplay.text.tokenizers.characters import is_word_character
from rnnplay.text.tokenizers.utf8 import joined, piece_text, split_unfinished
from rnnplay.text.tokenizers.vocabulary import UNKNOWN
from rnnplay.tui.chart.axes import format_value
from rnnplay.tui.heatmap.shades import BAD, fractions, level
from rnnplay.tui.widgets.visible import percentage, visible_token

CONTEXT_CHARACTERS = 400
"""What the model reads before the part that is looked at, so that its first tokens are predicted from something."""
CLOSING = ".,;:!?)]}"
"""Marks before which there is no space."""
_LOST = 12
"""A token is looked for within this many characters, as a tokenizer may have dropped some."""
_SPACING = ("␣", "⁀", "␣␣␣␣")
"""Tokens between words that no text has as they are shown."""


@dataclass(frozen=True, slots=True)
class Reading:
    """One token of the text, or those that together are a character, and what the model expected there."""

    start: int
    """Its place in characters from the beginning of the text."""
    end: int
    level: int
    """Shade of its surprisal, 0 to 8."""
    prediction: TokenPrediction
    """Of several tokens: the sum of their surprisals, the product of their probabilities, no rank."""
    count: int = 1
    """How many tokens it is."""
    spaced: bool = False
    """Whether spaces between tokens are no part of them."""

    @property
    def alternatives(self) -> list[WordCandidate]:
        """What the model expected instead, as it can be written: no part of a character, no `<unk>`."""
        texts = [(one, piece_text(one.token)) for one in self.prediction.top]
        return [
            WordCandidate(text=text, probability=one.probability)
            for one, text in texts
            if one.token not in (UNKNOWN, *_SPACING) and text == joined(text)
        ]

    def replaced(self, line: str, start: int, end: int, text: str) -> tuple[int, str]:
        """Where to put `text` in place of `start` to `end` of `line`, and the text, with spaces between words."""
        if not self.spaced or text.isspace():
            return start, text
        before, after = line[:start], line[end:]
        word = is_word_character(text[0])
        if word and before and is_word_character(before[-1]):
            text = f" {text}"
        elif text in CLOSING and before.endswith(" ") and before.strip():
            start -= 1
        if word and after and is_word_character(after[0]):
            text = f"{text} "
        return start, text


class Readings:
    """The tokens of a part of a text, in order."""

    def __init__(self, found: Sequence[Reading] = ()) -> None:
        self._found = list(found)
        self._starts = [one.start for one in self._found]

    def __bool__(self) -> bool:
        return bool(self._found)

    def at(self, place: int) -> Reading | None:
        """The token that has the character `place`; None if none has."""
        number = bisect_right(self._starts, place) - 1
        found = self._found[number] if number >= 0 else None
        return found if found is not None and place < found.end else None

    def between(self, start: int, end: int) -> list[Reading]:
        """The tokens of which a character is in `start` to `end`."""
        first = max(0, bisect_right(self._starts, start) - 1)
        return [one for one in self._found[first : bisect_right(self._starts, end - 1)] if one.end > start]


def placed(text: str, offset: int, tokens: Sequence[TokenPrediction], config: RunConfig, size: int) -> list[Reading]:
    """Finds `tokens` of a run with settings `config` in `text`, which begins at character `offset`.

    size: of the vocabulary; a full shade is as surprising as a blind guess among all tokens. Tokens that are not in the
    text as they are, such as <unk>, have no place.
    """
    searched = text.lower() if config.lowercase and len(text.lower()) == len(text) else text
    whole = list(whole_characters(tokens) if config.tokens in ("byte", "bpe") else ((one, 1) for one in tokens))
    levels = [level(one) for one in fractions([token.surprisal for token, _ in whole], log(max(size, 2)))]
    found: list[Reading] = []
    at = 0
    for (token, count), shade in zip(whole, levels, strict=True):
        start = searched.find(token.token, at, at + len(token.token) + _LOST) if token.token else -1
        if start < 0:
            continue
        at = start + len(token.token)
        spaced = config.tokens == "word"
        found.append(Reading(offset + start, offset + at, 0 if shade == BAD else shade, token, count, spaced))
    return found


def whole_characters(tokens: Iterable[TokenPrediction]) -> list[tuple[TokenPrediction, int]]:
    """Joins tokens that are parts of a character until they are whole ones; of how many tokens each is."""
    found: list[tuple[TokenPrediction, int]] = []
    waiting: list[TokenPrediction] = []
    for token in tokens:
        waiting.append(token)
        text, unfinished = split_unfinished("".join(piece_text(one.token) for one in waiting))
        if unfinished:
            continue
        if len(waiting) == 1:
            found.append((token, 1))
        else:
            nats = sum(one.surprisal for one in waiting)
            together = msgspec.structs.replace(
                waiting[0], token=text, surprisal=nats, probability=exp(-nats), rank=None
            )
            found.append((together, len(waiting)))
        waiting = []
    return found


def token_text(reading: Reading | None) -> str:
    """Describes the token under the cursor: "token e · 12% · rank 3 · surprisal 2.1 nats"; "" at the end of a line."""
    if reading is None:
        return "surprisal: move the cursor onto a token"
    one = reading.prediction
    rank = "" if one.rank is None else f" · rank {one.rank:,}"
    tokens = "token" if reading.count == 1 else f"{reading.count} tokens"
    return (
        f"{tokens} {visible_token(one.token)} · {percentage(one.probability)}{rank} · surprisal "
        f"{format_value(one.surprisal)} nats"
    )


class Look:
    """Which parts of a text the model is asked to read, one after the other, and what has come of them."""

    def __init__(self) -> None:
        self._of: tuple[int, str] | None = None
        """What is looked at: where it begins, and the text."""
        self._read_to = 0
        self._asked: tuple[int, str, int] | None = None
        """Offset, text, and how many of its characters were read already or are only the context."""
        self._found: list[Reading] = []

    def ask(self, text: str, start: int, end: int) -> str | None:
        """What to ask the model to read next, so that all of `start` to `end` is read; None if it is, or was asked."""
        of = start, text[start:end]
        if of != self._of:
            self._of, self._read_to, self._asked, self._found = of, start, None, []
        if self._asked is not None or self._read_to >= end:
            return None
        self._asked = part_to_read(text, self._read_to, end)
        return self._asked[1]

    def take(self, text: str, tokens: Sequence[TokenPrediction], config: RunConfig, size: int) -> Readings | None:
        """Takes the answer; returns all that was found so far, or None if the text has changed since."""
        if self._asked is None:
            return None
        offset, part, skipped = self._asked
        self._asked = None
        if text[offset : offset + len(part)] != part:
            self._of = None
            return None
        self._found += [one for one in placed(part, offset, tokens, config, size) if one.start >= offset + skipped]
        self._read_to = offset + len(part)
        return Readings(self._found)


def part_to_read(text: str, start: int, end: int) -> tuple[int, str, int]:
    """Returns what to ask the model to read `start` to `end` of `text`: its offset, the text, and the context's length.

    The context begins after a newline where there is one. A text of more tokens than can be asked about, even if each
    is a byte, is cut, between words if it has any.
    """
    first = max(0, start - CONTEXT_CHARACTERS)
    if first:
        first = text.find("\n", first, start) + 1 or first
    data = text[first : min(end, first + MAX_TOKENS)].encode("utf-8", "replace")
    stop = first + len(data[:MAX_TOKENS].decode("utf-8", "ignore"))
    if stop < end:
        stop = max((at for at in (text.rfind(space, start + 1, stop) for space in " \n") if at > start), default=stop)
    return first, text[first:stop], start - first
