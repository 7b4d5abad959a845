"""How well a model predicts a text it was not trained on."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import torch

from rnnplay.errors import InputError
from rnnplay.model.language_model import IGNORED, LanguageModel, State, autocast
from rnnplay.text.encoded import EncodedSplit
from rnnplay.text.feeds import Batch, evaluation_batches
from rnnplay.text.tokenizers import Tokenizer

ROWS = 8
"""Parts of a stream read side by side while training. Each begins with a zero state, which costs it some 10 nats."""

TOKENS_A_ROW = 2048
"""At least so many, that those nats do not show."""

TIMESTEPS = 256

LOGITS = 1 << 23
"""At most so many numbers at a time."""


@dataclass(frozen=True, slots=True)
class Evaluation:
    """One pass over (a part of) a split."""

    loss: float
    """Mean over the tokens, nats."""
    perplexity: float
    """e^loss."""
    bits_per_character: float
    """All tokens' nats / ln 2 / characters of the text they stand for."""
    tokens: int
    characters: float


def evaluate(
    model: LanguageModel,
    split: EncodedSplit,
    feed: Literal["stream", "lines"],
    tokenizer: Tokenizer,
    precision: torch.dtype = torch.float32,
    limit: int = 0,
    poll: Callable[[], None] = lambda: None,
    rows: int = 0,
) -> Evaluation:
    """Reads the first `limit` tokens of `split` (0: all) once, state carried, and scores each.

    `rows`: how many parts of the stream are read side by side; 1 reads it as one sequence, exactly and slowly;
    0 chooses. `poll` is called between chunks. The model's mode is put back as it was. Raises InputError for an
    empty split.
    """
    if not rows:
        tokens = min(len(split.ids), limit or len(split.ids))
        rows = max(1, min(ROWS, tokens // TOKENS_A_ROW)) if feed == "stream" else 4 * ROWS
    length = max(16, min(TIMESTEPS, LOGITS // (rows * tokenizer.size)))
    nats, tokens, state = 0.0, 0, None
    training = model.training
    try:
        for batch in evaluation_batches(split, feed, rows, length, tokenizer.newline, limit):
            model.eval()  # also after `poll`, whatever it did
            with torch.inference_mode():
                chunk_nats, state = _score(model, batch, None if batch.reset else state, precision)
            nats += chunk_nats
            tokens += batch.tokens
            poll()
    finally:
        model.train(training)
    if not tokens:
        raise InputError("This part of the text is empty; choose another part, or give it a share of the text.")
    characters = split.characters * tokens / _all_tokens(split, feed)
    loss = nats / tokens
    return Evaluation(
        loss=loss,
        perplexity=math.exp(loss) if loss < 709 else math.nan if math.isnan(loss) else math.inf,
        bits_per_character=nats / math.log(2) / characters if characters else math.nan,
        tokens=tokens,
        characters=characters,
    )


def target_ids(batch: Batch, device: torch.device) -> torch.Tensor:
    """The targets, shape (B·T,), IGNORED where they do not count."""
    targets = torch.from_numpy(batch.targets).to(device)
    if batch.mask is not None:
        targets = targets.masked_fill(~torch.from_numpy(batch.mask).to(device), IGNORED)
    return targets.flatten()


def _score(model: LanguageModel, batch: Batch, state: State | None, precision: torch.dtype) -> tuple[float, State]:
    with autocast(model.device, precision):
        inputs, targets = torch.from_numpy(batch.inputs).to(model.device), target_ids(batch, model.device)
        loss, state = model.loss(inputs, targets, state, reduction="sum")
    return float(loss), state


def _all_tokens(split: EncodedSplit, feed: str) -> int:
    # Of a stream the first token is never a target; lines predict each of theirs.
    return max(1, len(split.ids) - 1) if feed == "stream" else max(1, len(split.ids))
