"""Completes what a user types: words, phrases, and the most probable next tokens."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from itertools import takewhile
from typing import Any, cast

import numpy as np

from rnnplay.config import CompletionConfig
from rnnplay.errors import RnnplayError
from rnnplay.model import cells
from rnnplay.model.generation.adaptation.adapted_prompt import AdaptedPrompt, Learned
from rnnplay.model.generation.begun import Begun, next_pieces, ways_to_write
from rnnplay.model.generation.context import UNKNOWN_ID, Writer, prompt_ids, unread_word
from rnnplay.model.generation.filters import softmax
from rnnplay.model.generation.forced import HookedStepper
from rnnplay.model.generation.prompt_state import PromptState
from rnnplay.model.generation.search import Word, search, worth
from rnnplay.model.generation.stepper import Floats, Steps, stepper_of
from rnnplay.model.language_model import LanguageModel
from rnnplay.text.known_words import KnownWords
from rnnplay.text.tokenizers.build import Tokenizer
from rnnplay.text.tokenizers.preparing import prepared
from rnnplay.text.tokenizers.prompt_text import PromptText
from rnnplay.text.tokenizers.vocabulary import Ids

RECENT = 4000
"""Characters at the end of the text whose words count as known, like those of the corpus."""

END = 256
"""While a long text is being read, the answer is by its last tokens alone: this many, and up to as many more."""

_Read = Callable[[Ids], tuple[Floats, Floats] | None]


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A model's suggestions for continuing a text."""

    suggestion: str
    """What to append: the first word of `phrase`."""
    next: list[tuple[str, float]]
    """The most probable next tokens as displayed, with their probabilities over the whole vocabulary.

    None if the model gives no finite numbers. Within a word of a word model: words that begin with what was typed. Of
    byte pairs: what continues it, a piece at a time, with probabilities among all ways to write what was typed.
    """
    unknown: list[str]
    """Pieces of the text that the model reads as <unk>."""
    texts: list[str] = field(default_factory=list)
    """What each of `next` adds to the text; "" for <unk>."""
    words: list[Word] = field(default_factory=list)
    """The most probable continuations to the end of a word, the best first."""
    phrase: str = ""
    """The continuation that saves the most keystrokes on average; "" if none is worth suggesting."""
    learned: Learned | None = None
    """What was learned from the text, by a model that adapts to it."""
    read: float = 1.0
    """The fraction of the text that has been read; below 1 the suggestions are by the end of the text alone."""


def complete(
    model: LanguageModel,
    tokenizer: Tokenizer,
    text: str,
    bars: int,
    hook: cells.LayerHook | None = None,
    config: CompletionConfig | None = None,
) -> Suggestion:
    """Suggests how `text` may go on, with its `bars` most probable next tokens.

    `hook`: as in cells.step, for a model whose cells are to be changed; the text is then read step by step, slowly.
    """
    found = Completer(model, tokenizer, hook).complete(text, bars, config or CompletionConfig())
    assert found is not None  # it was given the time it needs
    return found


class Completer:
    """Completes one text that changes from key to key; what the model has read of it is kept."""

    def __init__(
        self,
        model: LanguageModel,
        tokenizer: Tokenizer,
        hook: cells.LayerHook | None = None,
        adapted: AdaptedPrompt | None = None,
        words: Sequence[str] = (),
    ) -> None:
        """`hook`: see `complete`; `adapted`: what reads the text instead, and adapts to it; `words`: the corpus's."""
        self.model, self._tokenizer = model, tokenizer
        self._words = KnownWords(words)
        self._text = PromptText(tokenizer)
        self._adapted = adapted
        self._state = PromptState(model)
        self._end = PromptState(model)
        """The state of the end of a text that is being read."""
        self._hooked = HookedStepper(model, hook) if hook is not None else None

    def complete(
        self,
        text: str,
        bars: int,
        config: CompletionConfig,
        exact: bool = True,
        seconds: float | None = None,
        meanwhile: bool = False,
    ) -> Suggestion | None:
        """Suggests how `text` may go on; None if reading it takes more than `seconds`; the next call then reads on.

        `exact`: see PromptState.read. With `meanwhile` the end of the text is answered instead of None, by the model as
        it was trained. The suggestions of a diverged model are empty.
        """
        ids = prompt_ids(self.model, self._tokenizer, text, self._text)
        unknown = self._text.unknown_in(text)
        found = self._suggest(
            text, ids, unknown, bars, config, self._adapted, lambda of: self._read(of, exact, seconds)
        )
        if found is None and meanwhile:
            # It begins at a fixed place, so that a typed token costs one step here, too.
            begin = max(0, len(ids) - END) // END * END
            found = self._suggest(text, ids[begin:], unknown, bars, config, None, lambda of: self._end.read(of, exact))
            assert found is not None  # it was given the time it needs
            if begin or self._adapted is not None:  # else the end is all of it
                found = replace(found, read=min(0.99, self._fraction(ids)))
        return found

    def read(self, text: str, exact: bool = True, seconds: float | None = None) -> tuple[Floats, Floats] | None:
        """The logits and the state after `text`, which a sample goes on from; see PromptState.read."""
        return self._state.read(prompt_ids(self.model, self._tokenizer, text, self._text), exact, seconds)

    def _fraction(self, ids: Ids) -> float:
        if self._adapted is None:
            return self._state.fraction(ids)
        return self._adapted.learned.tokens / max(1, self._adapted.learned.of)

    def _suggest(
        self,
        text: str,
        ids: Ids,
        unknown: list[str],
        bars: int,
        config: CompletionConfig,
        adapted: AdaptedPrompt | None,
        read_ids: _Read,
    ) -> Suggestion | None:
        """Suggests how `text` may go on, as `read_ids` reads `ids`, or a beginning of them; None where that is None."""
        tokenizer = self._tokenizer
        beginning = unfinished_word(tokenizer, text, unknown, int(ids[-1]))
        try:
            if beginning and len(ids) > 1:
                read = read_ids(ids[:-1])
                if read is None:
                    return None
                learned = adapted.learned if adapted is not None else None
                started = self._words_started(beginning, read[0], unknown, int(ids[-1]), bars, config, learned)
                if started is not None:
                    return started
            unread, count = unread_word(tokenizer, text, ids)
            before = ids[: len(ids) - count]
            read = read_ids(before)
            if read is None:
                return None
            logits, state = read
            learned = adapted.learned if adapted is not None else None
            writer = Writer(tokenizer, before, text, unread if count else None)
            stepper: Steps = self._hooked or stepper_of(self.model)
            if adapted is not None:
                stepper = adapted.steps()
            begun: Begun | None = None
            if count:
                begun = ways_to_write(stepper, tokenizer, logits, state, writer)
                candidates, texts = next_pieces(stepper, tokenizer, begun, bars)
            else:
                candidates, texts = next_tokens(tokenizer, logits, writer, bars)
            found = search(stepper, tokenizer, logits, state, writer, text, config, self._known(text), begun)
            return Suggestion(found.first_word, candidates, unknown, texts, found.words, found.phrase, learned)
        except RnnplayError:  # a diverged model suggests nothing
            return Suggestion("", [], unknown)

    def _known(self, text: str) -> KnownWords | None:
        """The words of the corpus and those of the end of `text`."""
        return self._words.with_those_of(text[-RECENT:]) if self._words else None

    def _read(self, ids: Ids, exact: bool, seconds: float | None) -> tuple[Floats, Floats] | None:
        if self._hooked is not None:
            return self._hooked.read(ids.tolist())
        if self._adapted is not None:
            return self._adapted.read(ids, seconds)
        return self._state.read(ids, exact, seconds)

    def _words_started(
        self,
        beginning: str,
        logits: Floats,
        unknown: list[str],
        last: int,
        bars: int,
        config: CompletionConfig,
        learned: Learned | None,
    ) -> Suggestion | None:
        """The words of a word model that begin as the one under way; None if that is the most probable one itself."""
        tokenizer = self._tokenizer
        found = words_starting_with(tokenizer, beginning, logits)
        if not found or found[0][0] == last:
            return None
        shown = [(tokenizer.tokens[token], probability) for token, probability in found[:bars]]
        rests = [word[len(beginning) :] for word, _ in shown]
        # What was typed is known: probabilities are those among the words that begin with it.
        total = sum(probability for _, probability in found) or 1.0
        rest_of = {token: tokenizer.tokens[token][len(beginning) :] for token, _ in found}
        words = [
            Word(rest_of[token], probability / total, rest_of[token]) for token, probability in found if rest_of[token]
        ][: config.words]
        saves, suggestion = max(
            ((word.probability * worth(len(word.text)), word.text) for word in words), default=(0, "")
        )
        if saves <= config.floor:
            suggestion = ""
        others = [piece for piece in unknown if piece != beginning]
        return Suggestion(suggestion, shown, others, rests, words, suggestion, learned)


def next_tokens(
    tokenizer: Tokenizer, logits: Floats, writer: Writer, bars: int
) -> tuple[list[tuple[str, float]], list[str]]:
    """The `bars` most probable next tokens by logits (V,), with their probabilities; and what each adds to the text."""
    probabilities = softmax(logits)
    # The most probable few first: sorting all of 30,000 words takes 10 ms.
    least = np.partition(probabilities, -bars)[-bars] if 0 < bars < len(probabilities) else 0.0
    few = np.flatnonzero(probabilities >= least)
    order = few[np.argsort(-probabilities[few], kind="stable")[:bars]].tolist()
    texts = [writer.copy().write(token) if token != UNKNOWN_ID else "" for token in order]
    return [(tokenizer.tokens[token], float(probabilities[token])) for token in order], texts


def unfinished_word(tokenizer: Tokenizer, text: str, unknown: Sequence[str], last: int) -> str:
    """The unfinished word at the end of `text` that a word model could complete, as in the vocabulary; or ""."""
    if tokenizer.kind != "word":
        return ""
    if last != UNKNOWN_ID:
        words = [tokenizer.tokens[last]] if tokenizer.is_word_part(last) else []
    else:
        words = sorted(unknown, key=len, reverse=True)
    text = prepared(text, tokenizer.lowercase, tokenizer.normal_form)
    return next((word for word in words if text.endswith(word)), "")


def words_starting_with(tokenizer: Tokenizer, beginning: str, logits: Floats) -> list[tuple[int, float]]:
    """Ids of the words with that `beginning`, the most probable first, with probabilities over the whole vocabulary."""
    words = _words_in_order(cast(Any, tokenizer))
    first = bisect_left(words, (beginning, 0))
    ids = sorted(token for _, token in takewhile(lambda found: found[0].startswith(beginning), words[first:]))
    probabilities = softmax(logits)[ids].tolist()
    return sorted(zip(ids, probabilities, strict=True), key=lambda found: -found[1])


@lru_cache(maxsize=4)
def _words_in_order(tokenizer: Any) -> list[tuple[str, int]]:
    """The vocabulary without <unk>, in order, kept for the last few tokenizers."""
    return sorted((word, token) for token, word in enumerate(tokenizer.tokens) if token != UNKNOWN_ID)
