"""An n-gram of tokens, counted on a text: what a recurrent model has to be better than.

Its probabilities are interpolated as those of Witten & Bell 1991. With c(h w) the count of w after the context h, T(h)
the number of different tokens after it, and h' the context without its first token:

    p(w | h) = (c(h w) + T(h) p(w | h')) / (c(h) + T(h)),        before the empty context 1 / V
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from rnnplay.config import CompletionConfig
from rnnplay.model.generation.completion import RECENT, Suggestion
from rnnplay.model.generation.context import UNKNOWN_ID, Writer
from rnnplay.model.generation.search import search
from rnnplay.model.generation.stepper import Floats
from rnnplay.text.known_words import KnownWords
from rnnplay.text.tokenizers.build import Tokenizer


class NGram:
    """Counts of the tokens after each context of up to `order` - 1 tokens."""

    def __init__(self, ids: Sequence[int], size: int, order: int) -> None:
        """`ids`: of the text; `size`: of the vocabulary."""
        self.size, self.order = size, order
        self._counts: defaultdict[tuple[int, ...], Counter[int]] = defaultdict(Counter)
        for at, token in enumerate(ids):
            for length in range(min(order, at + 1)):
                self._counts[tuple(ids[at - length : at])][token] += 1
        self._kept = lru_cache(maxsize=100_000)(self._probabilities)

    def longest(self, context: Sequence[int]) -> Counter[int]:
        """The counts after the longest end of `context` that was seen; the empty one was."""
        for length in range(min(self.order - 1, len(context)), 0, -1):
            if counts := self._counts.get(tuple(context[len(context) - length :])):
                return counts
        return self._counts[()]

    def probabilities(self, context: Sequence[int]) -> NDArray[np.float64]:
        """The probabilities (V,) of the next token after `context`, of which the last `order` - 1 tokens count."""
        return self._kept(tuple(context[-(self.order - 1) :]) if self.order > 1 else ())

    def _probabilities(self, context: tuple[int, ...]) -> NDArray[np.float64]:
        shorter = self._kept(context[1:]) if context else np.full(self.size, 1 / self.size)
        if not (counts := self._counts.get(context)):
            return shorter
        found = len(counts) * shorter
        found[list(counts)] += list(counts.values())
        return found / (counts.total() + len(counts))


class NGramSteps:
    """Steps an n-gram as the search steps a model: its state is the last tokens."""

    def __init__(self, ngram: NGram) -> None:
        self.ngram = ngram

    def batch(self, rows: int) -> NGramBatch:
        """Buffers for `rows` sequences."""
        return NGramBatch(self.ngram, rows)


class NGramBatch:
    """Sequences that are stepped together."""

    def __init__(self, ngram: NGram, rows: int) -> None:
        self._ngram = ngram
        self.states: Floats = np.zeros((rows, ngram.order - 1), np.float32)

    def step(self, tokens: Sequence[int]) -> Floats:
        """Reads one more token of each sequence; returns log p (B, V)."""
        self.states = np.column_stack([self.states, np.asarray(tokens, np.float32)])[:, 1:]
        rows = [self._ngram.probabilities(row.astype(int).tolist()) for row in self.states]
        return np.log(rows).astype(np.float32)


class NGramCompleter:
    """Suggests as a model's Completer does: by the same search, with the same words known."""

    def __init__(self, ngram: NGram, tokenizer: Tokenizer, words: Sequence[str]) -> None:
        """`tokenizer`: of characters or bytes; `words`: the corpus's."""
        self._steps, self._tokenizer, self._words = NGramSteps(ngram), tokenizer, KnownWords(words)

    def complete(self, text: str, bars: int, config: CompletionConfig) -> Suggestion:  # noqa: ARG002
        """Suggests how `text` may go on."""
        order, tokenizer = self._steps.ngram.order, self._tokenizer
        newline = [] if tokenizer.newline is None else [tokenizer.newline]
        ids = [*newline, *tokenizer.encode(text[-4 * order :]).tolist()][-(order - 1) :]
        ids = [UNKNOWN_ID] * (order - 1 - len(ids)) + ids
        logits = np.log(self._steps.ngram.probabilities(ids)).astype(np.float32)
        known = self._words.with_those_of(text[-RECENT:]) if self._words else None
        writer = Writer(tokenizer, ids, text)
        found = search(self._steps, tokenizer, logits, np.asarray(ids, np.float32), writer, text, config, known)
        return Suggestion(found.first_word, [], [], words=found.words, phrase=found.phrase)
