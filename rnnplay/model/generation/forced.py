"""Steps a model whose cells are changed by a hook: as the equations are written, for a search to go on from."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from rnnplay.errors import CheckpointError
from rnnplay.model import cells
from rnnplay.model.generation.stepper import Floats, as_row
from rnnplay.model.language_model import LanguageModel, State


class HookedStepper:
    """Steps a model with the quantities of its cells changed by a hook (see cells.step)."""

    def __init__(self, model: LanguageModel, hook: cells.LayerHook) -> None:
        self.model, self.hook = model, hook

    def batch(self, rows: int) -> HookedBatch:
        """Buffers for `rows` sequences."""
        return HookedBatch(self, rows)

    def read(self, ids: Sequence[int]) -> tuple[Floats, Floats]:
        """The logits (V,) and the state (S,) after `ids`. Raises CheckpointError if the logits are not finite."""
        with torch.inference_mode(), torch.autocast(self.model.device.type, enabled=False):
            embedded = self.model.embedding(torch.tensor([ids], device=self.model.device))  # (1, T, E)
            hidden, state, _ = cells.unroll(self.model.rnn, embedded, self.model.zero_state(1), self.hook)
            return _checked(self.model.logits(hidden[0, -1])), as_row(state)


class HookedBatch:
    """As stepper.Batch."""

    def __init__(self, stepper: HookedStepper, rows: int) -> None:
        self._own = stepper
        config = stepper.model.config
        width = config.layers * config.hidden * (2 if config.cell == "lstm" else 1)
        self.states: Floats = np.zeros((rows, width), np.float32)

    def step(self, tokens: Sequence[int]) -> Floats:
        """Reads one more token of each sequence; returns the logits (B, V). Raises CheckpointError."""
        model = self._own.model
        config = model.config
        with torch.inference_mode(), torch.autocast(model.device.type, enabled=False):
            rows = torch.from_numpy(self.states).to(model.device).view(len(tokens), -1, config.layers, config.hidden)
            parts = rows.permute(1, 2, 0, 3).contiguous()  # (1 or 2, L, B, H)
            state: State = (parts[0], parts[1]) if config.cell == "lstm" else parts[0]
            x = model.embedding(torch.tensor(tokens, device=model.device))  # (B, E)
            steps, after = cells.step(model.rnn, x, state, self._own.hook)
            joined = torch.stack(after) if isinstance(after, tuple) else after[None]
            self.states = joined.permute(2, 0, 1, 3).reshape(len(tokens), -1).cpu().numpy()
            return _checked(model.logits(steps[-1].hidden))


def _checked(logits: Tensor) -> Floats:
    logits = logits.cpu()
    if not bool(torch.isfinite(logits).all()):
        raise CheckpointError(
            "The model's numbers are no longer finite, as its training diverged; take an earlier checkpoint.", None
        )
    found: Floats = logits.numpy()
    return found
