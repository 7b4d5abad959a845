"""What a run says of itself: one record a line in metrics.jsonl, on stdout with --json, and to the engine's parent.

No torch here: the terminal interface reads these too.
"""

from __future__ import annotations

import msgspec


class Started(msgspec.Struct, frozen=True, kw_only=True, tag="started"):
    """A run begins or goes on. Not kept in metrics.jsonl (run.json says more)."""

    run: str
    parameters: int
    vocabulary: int
    device: str
    precision: str = "float32"
    threads: int = 0
    step: int = 0
    """Steps already done: 0 for a new run."""


class Step(msgspec.Struct, frozen=True, kw_only=True, tag="step"):
    """One update of the weights."""

    step: int
    loss: float
    """Mean over the step's tokens, nats per token."""
    grad_norm: float
    """L2 norm over all parameters, before clipping."""
    grad_norm_clipped: float
    """The same after clipping."""
    clipped: bool
    lr: float
    """The rate this step was taken with: base rate times schedule."""
    tokens: int
    """Tokens trained on since the run's first step."""
    tokens_per_second: float


class Validation(msgspec.Struct, frozen=True, kw_only=True, tag="validation"):
    """The validation split read with carried state, after `step` steps."""

    step: int
    loss: float
    """Nats per token."""
    perplexity: float
    bits_per_character: float
    """Over the characters of the text, also for words."""
    best: bool = False
    """The lowest loss of this run so far."""


class Tuned(msgspec.Struct, frozen=True, kw_only=True, tag="tuned"):
    """A live knob changed; it holds from the step after `step`."""

    step: int
    knob: str
    value: float | str


class Checkpoint(msgspec.Struct, frozen=True, kw_only=True, tag="checkpoint"):
    """A checkpoint is on disk, whole."""

    step: int
    path: str


class Finished(msgspec.Struct, frozen=True, kw_only=True, tag="finished"):
    """The run is over, or stopped; the last checkpoint stands at `step`."""

    step: int
    reason: str
    """"length", "stopped", "early stop"…"""


Record = Started | Step | Validation | Tuned | Checkpoint | Finished
