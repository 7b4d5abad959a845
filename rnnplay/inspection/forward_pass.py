"""How a text is read by all inspections: as training reads it, and leaving the model as it was."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch import Tensor

from rnnplay.errors import InputError
from rnnplay.model import cells
from rnnplay.model.generation.sampling import ends_on_space
from rnnplay.model.language_model import LanguageModel
from rnnplay.text.tokenizers.build import Tokenizer

MOST_TOKENS = 4096
"""Of a text that is inspected."""


@contextmanager
def undisturbed(model: LanguageModel) -> Iterator[None]:
    """Without dropout and in float32, the mode put back afterwards; gradients may be taken inside."""
    mode = model.training
    model.eval()
    try:
        # cuDNN cannot go back through a layer in evaluation mode.
        with torch.autocast(model.device.type, enabled=False), torch.backends.cudnn.flags(enabled=False):
            yield
    finally:
        model.train(mode)


def finite_weights(model: LanguageModel) -> bool:
    """False for a model that has diverged."""
    return all(bool(weight.isfinite().all()) for weight in model.parameters())


@dataclass(frozen=True, slots=True)
class EncodedText:
    """A text as a model reads it: a newline first, if the vocabulary has one, as texts begin after one."""

    ids: list[int]
    """The text's own, at least one."""
    before: list[int]
    """The newline, or nothing."""
    restart: int | None
    """The id before which the state is set to zero, where each line was a sequence of its own in training."""

    @property
    def all(self) -> list[int]:
        """Every id that is read."""
        return self.before + self.ids

    def begins(self, ids: Sequence[int]) -> list[int]:
        """Where in `ids`, all or the first of them, the state is zero: at 0, and at each restart."""
        return [0, *(place for place, token in enumerate(ids) if place and token == self.restart)]


def encode_text(model: LanguageModel, tokenizer: Tokenizer, text: str) -> EncodedText:
    """Raises InputError for a text that is empty or longer than MOST_TOKENS."""
    if ends_on_space(tokenizer, text):
        text = text[:-1]
    ids = tokenizer.encode(text[: 64 * MOST_TOKENS]).tolist()
    if not ids:
        raise InputError("There is no text to inspect; give at least one token of it.")
    if len(ids) > MOST_TOKENS:
        raise InputError(f"The text has more than {MOST_TOKENS:,} tokens; inspect a shorter part of it.")
    newline = tokenizer.newline
    return EncodedText(ids, [] if newline is None else [newline], newline if model.config.feed == "lines" else None)


def hidden_states(
    model: LanguageModel, embedded: Tensor, begins: Sequence[int], hook: cells.LayerHook | None = None
) -> Tensor:
    """The top layer's hidden states (T, H) over embedded (T, E), the state zero before each of `begins`.

    With a `hook` as in cells.step; else by torch.nn's layers, in the mode that the model is in.
    """
    parts = []
    for start, stop in zip(begins, [*begins[1:], len(embedded)], strict=True):
        part, state = embedded[None, start:stop], model.zero_state(1)
        hidden = model.rnn(part, state)[0] if hook is None else cells.unroll(model.rnn, part, state, hook)[0]
        parts.append(hidden[0])
    return torch.cat(parts)
