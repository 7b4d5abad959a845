"""Reads a text the way training does, for all inspections, and leaves the model unchanged."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch import Tensor

from rnnplay.errors import InputError
from rnnplay.inspection.questions import MAX_TOKENS
from rnnplay.model import cells
from rnnplay.model.generation.context import ends_on_space
from rnnplay.model.language_model import LanguageModel
from rnnplay.text.tokenizers.build import Tokenizer


@contextmanager
def undisturbed(model: LanguageModel) -> Iterator[None]:
    """Turns dropout off and float32 on inside the block, and restores the mode afterwards; autograd still works."""
    mode = model.training
    model.eval()
    try:
        # cuDNN cannot run the backward pass of an RNN in evaluation mode.
        with torch.autocast(model.device.type, enabled=False), torch.backends.cudnn.flags(enabled=False):
            yield
    finally:
        model.train(mode)


def finite_weights(model: LanguageModel) -> bool:
    """Returns whether all weights are finite; they are not once a model has diverged."""
    return all(bool(weight.isfinite().all()) for weight in model.parameters())


@dataclass(frozen=True, slots=True)
class EncodedText:
    """A text as a model reads it, after a newline if the vocabulary has one."""

    ids: list[int]
    """Token ids of the text itself, at least one."""
    before: list[int]
    """The newline's id, or empty."""
    restart: int | None
    """The token id before which the state is reset to zero, if each line was its own sequence in training."""

    @property
    def all(self) -> list[int]:
        """All ids that are read."""
        return self.before + self.ids

    def begins(self, ids: Sequence[int]) -> list[int]:
        """Indices in `ids`, a prefix of `all`, at which the state is zero: 0 and every restart."""
        return [0, *(place for place, token in enumerate(ids) if place and token == self.restart)]


def encode_text(model: LanguageModel, tokenizer: Tokenizer, text: str) -> EncodedText:
    """Encodes `text`; raises InputError if it is empty or longer than MAX_TOKENS."""
    if ends_on_space(tokenizer, text):
        text = text[:-1]
    ids = tokenizer.encode(text[: 64 * MAX_TOKENS]).tolist()
    if not ids:
        raise InputError("There is no text to inspect; enter at least one token.")
    if len(ids) > MAX_TOKENS:
        raise InputError(f"The text has more than {MAX_TOKENS:,} tokens; inspect a shorter part of it.")
    newline = tokenizer.newline
    return EncodedText(ids, [] if newline is None else [newline], newline if model.config.feed == "lines" else None)


def hidden_states(
    model: LanguageModel, embedded: Tensor, begins: Sequence[int], hook: cells.LayerHook | None = None
) -> Tensor:
    """Returns the top layer's hidden states (T, H) for embeddings (T, E), with a zero state at each of `begins`.

    With `hook` (see cells.step) the cells are computed step by step, otherwise by torch.nn's layers in their current
    mode.
    """
    parts = []
    for start, stop in zip(begins, [*begins[1:], len(embedded)], strict=True):
        part, state = embedded[None, start:stop], model.zero_state(1)
        hidden = model.rnn(part, state)[0] if hook is None else cells.unroll(model.rnn, part, state, hook)[0]
        parts.append(hidden[0])
    return torch.cat(parts)
