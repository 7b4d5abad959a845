"""What a model reads of a prompt, and how the tokens that it draws become text."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from rnnplay.model.language_model import LanguageModel
from rnnplay.text.tokenizers.build import Tokenizer
from rnnplay.text.tokenizers.utf8 import split_unfinished
from rnnplay.text.tokenizers.vocabulary import Ids

UNKNOWN_ID = 0
"""<unk> in every vocabulary; never drawn."""


class Writer:
    """Converts tokens to text one by one, spacing each by its predecessor."""

    def __init__(self, tokenizer: Tokenizer, context: Sequence[int] | Ids, prompt: str) -> None:
        self._tokenizer = tokenizer
        self._previous = int(context[-1])
        self._unfinished = ""
        """The first bytes of a character."""
        # Where the one space that a prompt ends on is not read (`prompt_ids`), it must not be written twice.
        self._drop_space = ends_on_space(tokenizer, prompt)

    def copy(self) -> Writer:
        """One that goes on from here by itself."""
        other: Writer = object.__new__(Writer)
        other._tokenizer, other._previous = self._tokenizer, self._previous
        other._unfinished, other._drop_space = self._unfinished, self._drop_space
        return other

    def fits(self, token: int) -> bool:
        """Whether `token` can follow: where the prompt's space was not read, one that begins with a space."""
        return not self._drop_space or self._tokenizer.decode_after(self._previous, token).startswith(" ")

    def write(self, token: int) -> str:
        """Returns what `token` adds to the text; "" while a character of several tokens is unfinished."""
        piece, self._unfinished = split_unfinished(
            self._unfinished + self._tokenizer.decode_after(self._previous, token)
        )
        self._previous = token
        if self._drop_space:
            piece = piece.removeprefix(" ")
            self._drop_space = False
        return piece


def prompt_ids(model: LanguageModel, tokenizer: Tokenizer, prompt: str) -> Ids:
    """What the model reads before it writes: a newline if it has one, and the prompt; at least one id.

    A model of lines has seen nothing before a line's own beginning, so it is given the last line only.
    """
    if ends_on_space(tokenizer, prompt):
        prompt = prompt[:-1]
    newline = [] if tokenizer.newline is None else [tokenizer.newline]
    if model.config.feed == "lines" and newline:
        prompt = prompt.rpartition("\n")[2]
    ids = np.concatenate([np.array(newline, np.int64), tokenizer.encode(prompt)])
    if not len(ids):
        ids = tokenizer.encode(" ")
    return ids if len(ids) else np.array([UNKNOWN_ID])


def ends_on_space(tokenizer: Tokenizer, prompt: str) -> bool:
    """Whether `prompt` ends on a space that the model should not read."""
    # For a word model a space between two words is not a token; one at the end would be read as a second space. For
    # byte pairs it is part of the next word's token, and alone a token that words seldom follow.
    return (
        tokenizer.kind in ("word", "bpe") and prompt.endswith(" ") and bool(prompt[:-1].strip()) and prompt[-2] != " "
    )
