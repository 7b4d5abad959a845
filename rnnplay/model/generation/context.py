"""What a model reads of a prompt, and how the tokens that it draws become text."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np

from rnnplay.model.language_model import LanguageModel
from rnnplay.text.tokenizers.build import Tokenizer
from rnnplay.text.tokenizers.prompt_text import PromptText
from rnnplay.text.tokenizers.utf8 import split_unfinished, to_bytes
from rnnplay.text.tokenizers.vocabulary import Ids

UNKNOWN_ID = 0
"""<unk> in every vocabulary; never drawn."""


LONGEST_WORD = 48
_WORD = re.compile(r" ?[^\W\d_]+\Z")


class Writer:
    """Converts tokens to text one by one, spacing each by its predecessor."""

    def __init__(
        self, tokenizer: Tokenizer, context: Sequence[int] | Ids, prompt: str, unread: str | None = None
    ) -> None:
        """`unread`: the end of `prompt` that is not in `context`; None: its last space, where that is not read."""
        self._tokenizer = tokenizer
        self._previous = int(context[-1])
        self._unfinished = ""
        """The first bytes of a character."""
        # What the prompt ends on and the model has not read must not be written twice.
        self.unread = (" " if ends_on_space(tokenizer, prompt) else "") if unread is None else unread

    def copy(self) -> Writer:
        """Returns a copy that goes on from here by itself."""
        other: Writer = object.__new__(Writer)
        other._tokenizer, other._previous = self._tokenizer, self._previous
        other._unfinished, other.unread = self._unfinished, self.unread
        return other

    @property
    def awaited(self) -> bytes:
        """The bytes of `unread` that are still to come; those of an unfinished character have."""
        return to_bytes(self.unread)[len(to_bytes(self._unfinished)) :]

    def fits(self, token: int) -> bool:
        """Whether `token` can follow: where a part of the prompt was not read, one that agrees with it."""
        if not self.unread:
            return True
        piece = to_bytes(self._unfinished + self._tokenizer.decode_after(self._previous, token))
        unread = to_bytes(self.unread)
        return piece.startswith(unread) or unread.startswith(piece)

    def write(self, token: int) -> str:
        """Returns what `token` adds to the text; "" while a character of several tokens is unfinished."""
        piece, self._unfinished = split_unfinished(
            self._unfinished + self._tokenizer.decode_after(self._previous, token)
        )
        self._previous = token
        if self.unread.startswith(piece):
            self.unread = self.unread[len(piece) :]
            return ""
        piece, self.unread = piece.removeprefix(self.unread), ""
        return piece


def prompt_ids(model: LanguageModel, tokenizer: Tokenizer, prompt: str, kept: PromptText | None = None) -> Ids:
    """What the model reads before it writes: a newline if it has one, and the prompt; at least one id.

    `kept` has the ids of an earlier prompt of the same model, of which only what has changed is encoded again.

    A model of lines has seen nothing before a line's own beginning, so it is given the last line only.
    """
    if ends_on_space(tokenizer, prompt):
        prompt = prompt[:-1]
    newline = [] if tokenizer.newline is None else [tokenizer.newline]
    if model.config.feed == "lines" and newline:
        prompt = prompt.rpartition("\n")[2]
    ids = kept.encode(prompt) if kept is not None else tokenizer.encode(prompt)
    ids = np.concatenate([np.array(newline, np.int64), ids])
    if not len(ids):
        ids = tokenizer.encode(" ")
    return ids if len(ids) else np.array([UNKNOWN_ID])


def unread_word(tokenizer: Tokenizer, text: str, ids: Ids) -> tuple[str, int]:
    """The unfinished word at the end of `text`, its space included, and the number of `ids` at the end that are it.

    In byte pairs a longer word is often other tokens than its beginning, so the beginning is not read, but required.
    For other kinds of token, and where the text ends on something else, returns "" and 0.
    """
    found = _WORD.search(text, max(0, len(text) - LONGEST_WORD - 1)) if tokenizer.kind == "bpe" else None
    if found is None:
        return "", 0
    own = tokenizer.encode(found[0])
    count = len(own)
    return (found[0], count) if count < len(ids) and ids[-count:].tolist() == own.tolist() else ("", 0)


def ends_on_space(tokenizer: Tokenizer, prompt: str) -> bool:
    """Whether `prompt` ends on a space that the model should not read."""
    # For a word model a space between two words is not a token; one at the end would be read as a second space. For
    # byte pairs it is part of the next word's token, and alone a token that words seldom follow.
    return (
        tokenizer.kind in ("word", "bpe") and prompt.endswith(" ") and bool(prompt[:-1].strip()) and prompt[-2] != " "
    )
