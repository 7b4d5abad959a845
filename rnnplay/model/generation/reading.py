"""Reads a text with a model: the logits and the state after it."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from rnnplay.model.generation.stepper import Floats, as_row, as_state, stepper_of
from rnnplay.model.language_model import LanguageModel
from rnnplay.text.tokenizers.vocabulary import Ids

FEW = 8
"""Up to this many tokens are read one by one; for more, torch.nn's layers are quicker."""

CHUNK = 4096
"""Most tokens that torch.nn's layers read in one call, which bounds the memory."""


def read(model: LanguageModel, ids: Sequence[int] | Ids, state: Floats | None = None) -> tuple[Floats, Floats]:
    """Reads `ids` (at least one) after `state` (S,), None for zeros; returns the logits (V,) and the state (S,).

    Both are the caller's own. Raises CheckpointError if the logits are not finite.
    """
    batch = stepper_of(model).batch(1)
    if len(ids) > FEW:
        for start in range(0, len(ids), CHUNK):
            state = _read_chunk(model, ids[start : start + CHUNK], state)
    batch.states[0] = 0 if state is None else state
    if len(ids) > FEW:
        logits = batch.score()
    else:
        for token in ids:
            logits = batch.step([token])
    return logits[0].copy(), batch.states[0].copy()


def _read_chunk(model: LanguageModel, ids: Sequence[int] | Ids, state: Floats | None) -> Floats:
    mode = model.training
    model.eval()  # no dropout between layers
    try:
        with torch.inference_mode(), torch.autocast(model.device.type, enabled=False):
            embedded = model.embedding(torch.as_tensor(ids, device=model.device)[None])  # (1, T, E)
            before = model.zero_state(1) if state is None else as_state(state, model)
            return as_row(model.rnn(embedded, before)[1])
    finally:
        model.train(mode)
