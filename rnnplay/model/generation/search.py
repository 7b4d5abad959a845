"""Finds how a text is likely to go on: its most probable next words, and the phrase that saves the most keystrokes.

The continuations of a text are a tree, of which each node is a token and its probability the product of those on its
way. It is searched from the most promising node on (best first), several nodes in one step of the model.

A word is complete where a character comes that belongs to none: a candidate is any number of spaces and marks and then
one word, and its probability that of the node times that of all tokens by which the word would end there. Each token
of a word model is a whole word.

A phrase is a node where a word has not begun, or more probably ends than not. It is right with the node's probability
p, and its first word, of m characters, with a larger one, q; the phrase is taken with one key instead of its n
characters, and if it is wrong perhaps the word is. So it saves p (n - m) + q (m - 1) keystrokes on average, and the
phrase is the one that saves the most.
"""

from __future__ import annotations

import heapq
from collections.abc import Hashable
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from rnnplay.config import CompletionConfig
from rnnplay.model.generation.context import UNKNOWN_ID, Writer
from rnnplay.model.generation.stepper import Floats, Steps
from rnnplay.text.tokenizers.build import Tokenizer
from rnnplay.text.tokenizers.characters import is_word_character

TOGETHER = 8
"""Nodes stepped together: with more, those less probable are stepped before it is known that they are not needed."""

BRANCHES = 8
"""Most children of a node that are kept, the most probable ones."""

LONGEST = 48
"""Characters of the longest phrase or word."""

MARKS = 6
"""Most characters before a candidate's word begins."""


LEAST = 0.002
"""Continuations less probable than this are not searched."""

PULL = 0.5
"""How much longer texts are preferred: a node's place in the search is its probability times (1 + length)^PULL."""


@dataclass(slots=True)
class Found:
    """What was found: each a text to append and its probability, the best first."""

    words: list[tuple[str, float]] = field(default_factory=list)
    phrase: str = ""
    first_word: str = ""
    """The phrase's own beginning, to the end of its first word."""


@dataclass(slots=True)
class _Node:
    text: str
    token: int
    probability: float
    state: Floats
    """The state before `token`."""
    writer: Writer
    in_word: bool
    """Whether the text ends within a word."""
    first_word: str = ""
    """The text up to the end of its first word, once that is complete."""
    first: float = 0.0
    """The probability of that."""


def search(
    stepper: Steps,
    tokenizer: Tokenizer,
    logits: Floats,
    state: Floats,
    writer: Writer,
    in_word: bool,
    config: CompletionConfig,
) -> Found:
    """Searches the continuations of a text after which the model has `logits` (V,) and `state` (S,).

    `writer` has written the text; `in_word`: whether it ends within a word. Raises CheckpointError for a model whose
    numbers are not finite.
    """
    return _Search(stepper, tokenizer, config).run(logits, state, writer, in_word)


class _Search:
    def __init__(self, stepper: Steps, tokenizer: Tokenizer, config: CompletionConfig) -> None:
        self._stepper, self._tokenizer, self._config = stepper, tokenizer, config
        self._whole_words = tokenizer.kind == "word"
        self._outside = word_ends(cast(Hashable, tokenizer))
        self._heap: list[tuple[float, int, _Node]] = []
        self._count = 0
        self._words: dict[str, float] = {}
        self._saves, self._phrase, self._first_word = config.floor, "", ""

    def run(self, logits: Floats, state: Floats, writer: Writer, in_word: bool) -> Found:
        root = _Node("", 0, 1.0, state, writer, in_word)
        self._grow(root, logits, state)
        left = self._config.effort
        while self._heap and left > 0:
            nodes: list[_Node] = []
            while self._heap and len(nodes) < min(TOGETHER, left):
                node = heapq.heappop(self._heap)[2]
                nodes.append(node)
            left -= len(nodes)
            batch = self._stepper.batch(len(nodes))
            batch.states[:] = [node.state for node in nodes]
            rows = batch.step([node.token for node in nodes]).copy()
            states = batch.states.copy()
            for node, row, after in zip(nodes, rows, states, strict=True):
                self._grow(node, row, after)
            if self._settled():
                break
        words = sorted(self._words.items(), key=lambda found: -found[1])[: self._config.words]
        return Found(words, self._phrase, self._first_word)

    def _settled(self) -> bool:
        """Whether no node that is left can change what was found."""
        if not self._heap or len(self._words) < self._config.words:
            return not self._heap
        most = max(entry[2].probability for entry in self._heap)
        least = sorted(self._words.values(), reverse=True)[self._config.words - 1]
        return most < least and most * (LONGEST - 1) < self._saves

    def _grow(self, node: _Node, logits: Floats, state: Floats) -> None:
        """Adds the children of `node`, and what it completes."""
        scores = np.exp(logits.astype(np.float64) - logits.max())
        scores[UNKNOWN_ID] = 0
        if node.writer.unread and self._tokenizer.kind == "bpe":  # what was typed is known
            scores[[not node.writer.fits(token) for token in range(len(scores))]] = 0
        scores /= scores.sum()
        if self._whole_words:
            ends = 1.0
        elif node.in_word and node.text:
            ends = float(scores[self._outside].sum())
            if not node.first_word:
                self._words[node.text] = self._words.get(node.text, 0.0) + node.probability * ends
            if ends >= 0.5:
                self._consider(node)
        if len(node.text) >= LONGEST:
            return
        order = np.argpartition(scores, -BRANCHES)[-BRANCHES:] if len(scores) > BRANCHES else np.arange(len(scores))
        for token in order.tolist():
            probability = node.probability * float(scores[token])
            if probability < LEAST:
                continue
            self._add(node, token, probability, state)

    def _add(self, node: _Node, token: int, probability: float, state: Floats) -> None:
        if not node.writer.fits(token):
            return
        writer = node.writer.copy()
        piece = writer.write(token)
        if "\n" in piece and not self._config.lines:
            return
        text = node.text + piece
        inside = is_word_character(piece[-1]) if piece else node.in_word
        first_word, first = node.first_word, node.first
        begins = bool(piece) and not is_word_character(piece[0])
        if not first_word and node.in_word and node.text and begins:
            first_word, first = node.text, node.probability
        if not first_word and not inside and len(text) > MARKS:
            return
        if self._whole_words and inside and not first_word:
            self._words[text] = self._words.get(text, 0.0) + probability
            first_word, first = text, probability
        child = _Node(text, token, probability, state, writer, inside, first_word, first)
        if self._whole_words or not inside:
            self._consider(child)
        self._count += 1
        heapq.heappush(self._heap, (-probability * (1 + len(text)) ** PULL, self._count, child))

    def _consider(self, node: _Node) -> None:
        """Takes the text of `node` as the phrase if it saves more than the best one so far."""
        text, probability = node.text, node.probability
        saves = probability * (len(text) - 1)
        if node.first_word and node.first_word != text:  # which can be taken alone
            saves = probability * (len(text) - len(node.first_word)) + node.first * (len(node.first_word) - 1)
        if saves > self._saves and text.strip(" "):
            self._saves, self._phrase, self._first_word = saves, text, node.first_word or text


@lru_cache(maxsize=4)
def word_ends(tokenizer: Any) -> NDArray[np.bool_]:
    """Which tokens end the word before them: those that begin with no part of one, nor of a character."""
    texts = [tokenizer.decode_after(None, token) for token in range(tokenizer.size)]
    ends = np.array(
        [bool(text) and not is_word_character(text[0]) and not "\ud800" <= text[0] < "\ue000" for text in texts]
    )
    ends[UNKNOWN_ID] = True
    return ends


def ends_in_word(text: str) -> bool:
    """Whether `text` ends within a word, or at the end of one."""
    return bool(text) and is_word_character(text[-1])
