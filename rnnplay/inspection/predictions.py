"""Scores a text token by token, and finds which earlier tokens a prediction depends on."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from rnnplay.common.formatting import perplexity
from rnnplay.inspection.forward_pass import encode_text, hidden_states, undisturbed
from rnnplay.inspection.results import Candidate, Connectivity, Predictions, TokenPrediction
from rnnplay.model import cells
from rnnplay.model.language_model import LanguageModel
from rnnplay.text.tokenizers.build import Tokenizer

CANDIDATES = 10
"""Most probable tokens reported at each position."""

CHUNK_LOGITS = 1 << 22
"""Limit on the logits in memory at once."""


def predictions(
    model: LanguageModel,
    tokenizer: Tokenizer,
    text: str,
    run: str = "",
    step: int = 0,
    hook: cells.LayerHook | None = None,
) -> Predictions:
    """Scores `text` in float32, with `hook` as in cells.step.

    Without a newline in the vocabulary the first token is not predicted: its numbers are NaN, it has no rank, and it
    does not count towards the loss. Raises InputError for a text that is empty or too long.
    """
    encoded = encode_text(model, tokenizer, text)
    read = encoded.all
    inputs, targets = read[:-1], torch.tensor(read[1:], device=model.device)
    found = [] if encoded.before else [_unpredicted(tokenizer, read[0])]
    if inputs:
        with undisturbed(model), torch.inference_mode():
            embedded = model.embedding(torch.tensor(inputs, device=model.device))  # (T, E)
            hidden = hidden_states(model, embedded, encoded.begins(inputs), hook)  # (T, H)
            size = max(1, CHUNK_LOGITS // model.vocabulary)
            for start in range(0, len(inputs), size):
                part = slice(start, start + size)
                found += _scored(model, tokenizer, hidden[part], targets[part])
    nats = [token.surprisal for token in found[len(found) - len(inputs) :]]
    loss = sum(nats) / len(nats) if nats else math.nan
    return Predictions(
        run=run,
        step=step,
        tokens=found,
        loss=loss,
        perplexity=perplexity(loss),
        unknown=tokenizer.unknown_in(text),
        unknown_fraction=encoded.ids.count(0) / len(encoded.ids),
    )


def _scored(model: LanguageModel, tokenizer: Tokenizer, hidden: Tensor, targets: Tensor) -> list[TokenPrediction]:
    logits = model.logits(hidden)  # (T, V)
    logs = torch.log_softmax(logits.double(), dim=-1)
    own = logs.gather(1, targets[:, None])  # (T, 1)
    ranks = ((logs > own).sum(1) + 1).tolist()
    finite = logits.isfinite().all(1).tolist()
    logs_of_best, best = logs.topk(min(CANDIDATES, logs.shape[1]))  # (T, 10)
    numbers = own[:, 0].tolist(), ranks, logs_of_best.exp().tolist(), best.tolist()
    rows = zip(targets.tolist(), finite, *numbers, strict=True)
    return [
        TokenPrediction(
            token=tokenizer.tokens[token],
            surprisal=-log,
            probability=math.exp(log),
            rank=rank if ranked else None,
            top=[
                Candidate(token=tokenizer.tokens[other], probability=probability)
                for other, probability in zip(others, top, strict=True)
            ]
            if ranked
            else [],
        )
        for token, ranked, log, rank, top, others in rows
    ]


def _unpredicted(tokenizer: Tokenizer, token: int) -> TokenPrediction:
    return TokenPrediction(token=tokenizer.tokens[token], surprisal=math.nan, probability=math.nan, rank=None, top=[])


def connectivity(
    model: LanguageModel, tokenizer: Tokenizer, text: str, position: int = -1, run: str = "", step: int = 0
) -> Connectivity:
    """Computes ‖∂ logit / ∂ embedding of token i‖² for i up to `position`, for the most probable next token.

    See Madsen, "Visualizing memorization in RNNs", Distill 2019. The logit rather than the probability is
    differentiated, so that no other token contributes. A negative `position` counts from the end; it is clamped to the
    text. The newline in front of the text is read, but not reported; for a model that reads line by line, tokens before
    the current line are 0. Runs in float32. Raises InputError for a text that is empty or too long.
    """
    encoded = encode_text(model, tokenizer, text)
    last = len(encoded.ids) - 1
    position = min(max(0, position + len(encoded.ids) if position < 0 else position), last)
    first = len(encoded.before)
    ids = encoded.all[: first + position + 1]
    with undisturbed(model):
        with torch.no_grad():
            embedded = model.embedding(torch.tensor(ids, device=model.device))  # (T, E)
        embedded.requires_grad_()
        with torch.enable_grad():
            hidden = hidden_states(model, embedded, encoded.begins(ids))  # (T, H)
            logits = model.logits(hidden[-1])  # (V,)
            target = int(logits.argmax())
            (gradient,) = torch.autograd.grad(logits[target], embedded)  # (T, E)
    strengths = gradient.double().square().sum(1)[first:]
    return Connectivity(
        run=run,
        step=step,
        tokens=[tokenizer.tokens[token] for token in encoded.ids],
        position=position,
        target=tokenizer.tokens[target] if bool(logits.isfinite().all()) else None,
        strengths=strengths.tolist(),
    )
