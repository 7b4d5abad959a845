"""Finds how a text is likely to go on: its most probable next words, and the phrase that saves the most keystrokes.

The continuations of a text are a tree, of which each node is a token and its probability the product of those on its
way. It is searched from the most promising node on (best first), several nodes in one step of the model.

A word is complete where a character comes that belongs to none: a candidate is any number of spaces and marks and then
one word, and its probability that of the node times that of all tokens by which the word would end there. Each token
of a word model is a whole word.

Where the corpus's words are known, a word that is none of them, and begins none, is less probable by a factor, the
prior: a model of characters spells words that there are not.

A phrase is a node where a word has not begun, or more probably ends than not. It is right with the node's probability
p, and its first word, of m characters, with a larger one, q; the phrase is taken with one key instead of its n
characters, and if it is wrong perhaps the word is. What n characters save is u(n) = (n - 1)^0.6 rather than n - 1, as
some of them a later suggestion would have saved anyway. So the phrase saves p (u(n) - u(m)) + q u(m) on average, and is
the one that saves the most; likewise that to which each of the words leads on.

As byte pairs, a word that was begun may be other tokens than its beginning, so the letters of that are not read but
asked for, and the search begins with all ways to write them in tokens (begun.py).
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
from rnnplay.model.generation.begun import LEAST, TOGETHER, Begun
from rnnplay.model.generation.context import UNKNOWN_ID, Writer
from rnnplay.model.generation.filters import softmax
from rnnplay.model.generation.stepper import Floats, Steps
from rnnplay.text.known_words import KnownWords, word_begun
from rnnplay.text.tokenizers.build import Tokenizer
from rnnplay.text.tokenizers.characters import is_word_character

BRANCHES = 8
"""Most children of a node that are kept, the most probable ones."""

LONGEST = 48
"""Characters of the longest phrase or word."""

MARKS = 6
"""Most characters before a candidate's word begins."""


WORTH = 0.6
"""The exponent of u above, chosen on 8,000 characters of tinyshakespeare; 0.5 and 0.7 are next to as good."""

ENDS = 0.5
"""Within a word, a phrase may end where the word ends with at least this probability."""

PULL = 0.5
"""How much longer texts are preferred: a node's place in the search is its probability times (1 + length)^PULL."""


@dataclass(frozen=True, slots=True)
class Word:
    """A continuation of a text to the end of a word."""

    text: str
    probability: float
    phrase: str
    """What it leads on to, itself at least."""


@dataclass(slots=True)
class Found:
    """What was found, the best first."""

    words: list[Word] = field(default_factory=list)
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
    begun: str = ""
    """The word under way at its end."""
    judged: bool = False
    """Whether it is known already that the word under way is none of the corpus's."""


def search(
    stepper: Steps,
    tokenizer: Tokenizer,
    logits: Floats,
    state: Floats,
    writer: Writer,
    text: str,
    config: CompletionConfig,
    known: KnownWords | None = None,
    begun: Begun | None = None,
) -> Found:
    """Searches the continuations of `text`, after which the model has `logits` (V,) and `state` (S,).

    `writer` has written the text; `known`: the words of the corpus; `begun`: the ways to write the word under way,
    where it was not read. Raises CheckpointError for a model whose numbers are not finite.
    """
    return _Search(stepper, tokenizer, config, known).run(logits, state, writer, text, begun)


def worth(characters: int) -> float:
    """The keystrokes that a suggestion of so many characters saves, if it is right."""
    return float((characters - 1) ** WORTH) if characters > 1 else 0.0


class _Search:
    def __init__(
        self, stepper: Steps, tokenizer: Tokenizer, config: CompletionConfig, known: KnownWords | None
    ) -> None:
        self._stepper, self._tokenizer, self._config = stepper, tokenizer, config
        self._whole_words = tokenizer.kind == "word"
        self._known = known if known and config.prior < 1 and not self._whole_words else None
        self._outside = word_ends(cast(Hashable, tokenizer))
        self._heap: list[tuple[float, int, _Node]] = []
        self._count = 0
        self._words: dict[str, float] = {}
        self._leads: dict[str, tuple[float, str]] = {}
        """By first word: what the best phrase saves beyond it, and that phrase."""
        self._saves, self._phrase, self._first_word = config.floor, "", ""

    def run(self, logits: Floats, state: Floats, writer: Writer, text: str, begun: Begun | None) -> Found:
        word = word_begun(text)
        # The corpus cannot judge a word that begins as none of its own.
        judged = self._known is not None and bool(word) and not self._known.begins(word)
        root = _Node("", 0, 1.0, state, writer, ends_in_word(text), begun=word, judged=judged)
        left = self._config.effort
        if begun is not None:
            left -= begun.steps
            for way in begun.ways:
                child = self._child(root, way.token, way.probability, way.state, way.writer, way.text)
                if child is not None and child.probability >= LEAST:
                    self._take(child)
        else:
            self._grow(root, logits, state)
        while self._heap and left > 0:
            nodes: list[_Node] = []
            while self._heap and len(nodes) < min(TOGETHER, left):
                node = heapq.heappop(self._heap)[2]
                nodes.append(node)
            left -= len(nodes)
            for node, row, after in self._stepped(nodes):
                self._grow(node, row, after)
            if self._settled():
                break
        words = sorted(self._words.items(), key=lambda found: -found[1])[: self._config.words]
        found = [Word(word, probability, self._leads.get(word, (0.0, word))[1]) for word, probability in words]
        return Found(found, self._phrase, self._first_word)

    def _stepped(self, nodes: list[_Node]) -> list[tuple[_Node, Floats, Floats]]:
        """Yields each of `nodes` with the logits (V,) and the state (S,) after it."""
        batch = self._stepper.batch(len(nodes))
        batch.states[:] = [node.state for node in nodes]
        rows = batch.step([node.token for node in nodes]).copy()
        return list(zip(nodes, rows, batch.states.copy(), strict=True))

    def _settled(self) -> bool:
        """Whether no node that is left can change what was found."""
        if not self._heap or len(self._words) < self._config.words:
            return not self._heap
        most = max(entry[2].probability for entry in self._heap)
        least = sorted(self._words.values(), reverse=True)[self._config.words - 1]
        return most < least and most * worth(LONGEST) < self._saves

    def _grow(self, node: _Node, logits: Floats, state: Floats) -> None:
        """Adds the children of `node`, and what it completes."""
        scores = softmax(logits, UNKNOWN_ID)
        if not self._whole_words and node.in_word and node.text:
            ends = float(scores[self._outside].sum())
            factor = 1.0 if self._known is None or node.judged or self._known.knows(node.begun) else self._config.prior
            if not node.first_word:
                self._words[node.text] = self._words.get(node.text, 0.0) + node.probability * ends * factor
            if ends >= ENDS:
                self._consider(node, factor)
        if len(node.text) >= LONGEST:
            return
        order = np.argpartition(scores, -BRANCHES)[-BRANCHES:] if len(scores) > BRANCHES else np.arange(len(scores))
        for token in order.tolist():
            probability = node.probability * float(scores[token])
            if probability < LEAST or not node.writer.fits(token):
                continue
            writer = node.writer.copy()
            child = self._child(node, token, probability, state, writer, writer.write(token))
            if child is not None and child.probability >= LEAST:
                self._take(child)

    def _child(
        self, node: _Node, token: int, probability: float, state: Floats, writer: Writer, piece: str
    ) -> _Node | None:
        """The node after `node` and `token`, which adds `piece`; None if it must not be suggested."""
        if "\n" in piece and not self._config.lines:
            return None
        text = node.text + piece
        inside = is_word_character(piece[-1]) if piece else node.in_word
        child = _Node(text, token, probability, state, writer, inside, node.first_word, node.first, node.begun)
        child.judged = node.judged
        begins = bool(piece) and not is_word_character(piece[0])
        if begins and node.in_word and node.begun:
            self._judge(child, node.begun, whole=True)
            child.begun, child.judged = "", False
            if not node.first_word and node.text:
                share = child.probability / probability if probability else 0.0
                child.first_word, child.first = node.text, node.probability * share
        if piece:
            child.begun = (child.begun if not begins else "") + word_begun(piece) if inside else ""
            if not inside or (begins and not child.begun):
                child.judged = False
            self._judge(child, child.begun, whole=False)
        if not child.first_word and not inside and len(text) > MARKS:
            return None
        return child

    def _judge(self, node: _Node, word: str, whole: bool) -> None:
        """Makes `node` less probable if `word`, or as long as it is not `whole` its beginning, is not known."""
        if self._known is None or not word or node.judged:
            return
        if not (self._known.knows(word) if whole else self._known.begins(word)):
            node.probability *= self._config.prior
            node.judged = True

    def _take(self, child: _Node) -> None:
        """Lets the search go on from `child`."""
        if self._whole_words and child.in_word and not child.first_word:
            self._words[child.text] = self._words.get(child.text, 0.0) + child.probability
            child.first_word, child.first = child.text, child.probability
        if self._whole_words or not child.in_word:
            self._consider(child, 1.0)
        self._count += 1
        heapq.heappush(self._heap, (-child.probability * (1 + len(child.text)) ** PULL, self._count, child))

    def _consider(self, node: _Node, factor: float) -> None:
        """Takes the text of `node` as the phrase if it saves more than the best one so far."""
        text, probability = node.text, node.probability * factor
        if not text.strip(" "):
            return
        saves = probability * worth(len(text))
        if node.first_word and node.first_word != text:  # which can be taken alone
            beyond = probability * (worth(len(text)) - worth(len(node.first_word)))
            saves = beyond + node.first * worth(len(node.first_word))
            if beyond > self._leads.get(node.first_word, (0.0, ""))[0]:
                self._leads[node.first_word] = beyond, text
        if saves > self._saves:
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
