"""Which earlier tokens a prediction depends on (Madsen, Visualizing memorization in RNNs, Distill 2019)."""

from __future__ import annotations

import torch

from rnnplay.inspection.reading import hidden_states, read_text, undisturbed
from rnnplay.inspection.results import Connectivity
from rnnplay.model.language_model import LanguageModel
from rnnplay.text.tokenizers.build import Tokenizer


def connectivity(
    model: LanguageModel, tokenizer: Tokenizer, text: str, position: int = -1, run: str = "", step: int = 0
) -> Connectivity:
    """‖∂ logit / ∂ embedding of token i‖² for each i up to `position`, of the most probable token after it, float32.

    The logit, not the probability: no other token's enters. `position` counts from the end if negative, and is
    brought within the text. The newline that the text begins after is read, but not shown; before the line that a
    model of lines is in, all is 0. Raises InputError for a text that is empty or too long.
    """
    reading = read_text(model, tokenizer, text)
    last = len(reading.ids) - 1
    position = min(max(0, position + len(reading.ids) if position < 0 else position), last)
    first = len(reading.before)
    ids = reading.all[: first + position + 1]
    with undisturbed(model):
        with torch.no_grad():
            embedded = model.embedding(torch.tensor(ids, device=model.device))  # (T, E)
        embedded.requires_grad_()
        with torch.enable_grad():
            hidden = hidden_states(model, embedded, reading.begins(ids))  # (T, H)
            logits = model.logits(hidden[-1])  # (V,)
            target = int(logits.argmax())
            (gradient,) = torch.autograd.grad(logits[target], embedded)  # (T, E)
    strengths = gradient.double().square().sum(1)[first:]
    return Connectivity(
        run=run,
        step=step,
        tokens=[tokenizer.tokens[token] for token in reading.ids],
        position=position,
        target=tokenizer.tokens[target] if bool(logits.isfinite().all()) else None,
        strengths=strengths.tolist(),
    )
