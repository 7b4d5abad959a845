"""A text scored token by token: what the model expected before it saw each."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from rnnplay.common.quality import perplexity
from rnnplay.inspection.reading import hidden_states, read_text, undisturbed
from rnnplay.inspection.results import Candidate, Predictions, TokenPrediction
from rnnplay.model import cells
from rnnplay.model.language_model import LanguageModel
from rnnplay.text.tokenizers.build import Tokenizer

TOP = 10

CHUNK_LOGITS = 1 << 22
"""At most so many numbers at a time."""


def predictions(
    model: LanguageModel,
    tokenizer: Tokenizer,
    text: str,
    run: str = "",
    step: int = 0,
    hook: cells.LayerHook | None = None,
) -> Predictions:
    """Scores `text`, float32; `hook` as in cells.step.

    Where the vocabulary has no newline to begin after, the first token is not predicted: its numbers are NaN, it has
    no rank, and it does not count. Raises InputError for a text that is empty or too long.
    """
    reading = read_text(model, tokenizer, text)
    read = reading.all
    inputs, targets = read[:-1], torch.tensor(read[1:], device=model.device)
    found = [] if reading.before else [_unpredicted(tokenizer, read[0])]
    if inputs:
        with undisturbed(model), torch.inference_mode():
            embedded = model.embedding(torch.tensor(inputs, device=model.device))  # (T, E)
            hidden = hidden_states(model, embedded, reading.begins(inputs), hook)  # (T, H)
            size = max(1, CHUNK_LOGITS // model.vocabulary)
            for start in range(0, len(inputs), size):
                part = slice(start, start + size)
                found += _scored(model, tokenizer, hidden[part], targets[part])
    nats = [one.surprisal for one in found[len(found) - len(inputs) :]]
    loss = sum(nats) / len(nats) if nats else math.nan
    return Predictions(
        run=run,
        step=step,
        tokens=found,
        loss=loss,
        perplexity=perplexity(loss),
        unknown=tokenizer.unknown_in(text),
        unknown_fraction=reading.ids.count(0) / len(reading.ids),
    )


def _scored(model: LanguageModel, tokenizer: Tokenizer, hidden: Tensor, targets: Tensor) -> list[TokenPrediction]:
    logits = model.logits(hidden)  # (T, V)
    logs = torch.log_softmax(logits.double(), dim=-1)
    own = logs.gather(1, targets[:, None])  # (T, 1)
    ranks = ((logs > own).sum(1) + 1).tolist()
    finite = logits.isfinite().all(1).tolist()
    shares, likeliest = logs.topk(min(TOP, logs.shape[1]))  # (T, 10)
    numbers = own[:, 0].tolist(), ranks, shares.exp().tolist(), likeliest.tolist()
    rows = zip(targets.tolist(), finite, *numbers, strict=True)
    return [
        TokenPrediction(
            token=tokenizer.tokens[token],
            surprisal=-log,
            probability=math.exp(log),
            rank=rank if ranked else None,
            top=[
                Candidate(token=tokenizer.tokens[other], probability=share)
                for other, share in zip(others, top, strict=True)
            ]
            if ranked
            else [],
        )
        for token, ranked, log, rank, top, others in rows
    ]


def _unpredicted(tokenizer: Tokenizer, token: int) -> TokenPrediction:
    return TokenPrediction(token=tokenizer.tokens[token], surprisal=math.nan, probability=math.nan, rank=None, top=[])
