"""The records of a run: one per line in metrics.jsonl and with --json, and in messages to the interface.

Does not load torch, as the interface reads these too.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Annotated

import msgspec

from rnnplay.config import RENAMED, with_new_names

StepNumber = Annotated[int, msgspec.Meta(ge=0, le=10**13)]
Words = Annotated[str, msgspec.Meta(max_length=4000, pattern=r"^[^\x00-\x1f\x7f-\x9f]*$")]
"""One line of text for display, cleaned: a file from elsewhere cannot send escape sequences to the terminal."""


class Started(msgspec.Struct, frozen=True, kw_only=True, tag="started"):
    """A run begins or resumes. Not kept in metrics.jsonl (run.json says more)."""

    run: str
    parameters: int
    vocabulary: int
    device: str
    precision: str = "float32"
    threads: int = 0
    step: StepNumber = 0
    """Steps already done; 0 for a new run."""


class Step(msgspec.Struct, frozen=True, kw_only=True, tag="step"):
    """One update of the weights."""

    step: StepNumber
    loss: float
    """Mean cross-entropy over the step's tokens, nats per token."""
    grad_norm: float
    """L2 norm over all parameters, before clipping."""
    grad_norm_clipped: float
    """The same after clipping."""
    clipped: bool
    lr: float
    """The learning rate of this step: base rate times schedule."""
    tokens: int
    """Tokens trained on since the run's first step."""
    tokens_per_second: float


class Validation(msgspec.Struct, frozen=True, kw_only=True, tag="validation"):
    """A loss over the validation split after `step` steps, with the hidden state carried."""

    step: StepNumber
    loss: float
    """Nats per token."""
    perplexity: float
    bits_per_character: float
    """Over the characters of the text, for words too; what `<unk>` hides counts 8 bits per byte."""
    best: bool = False
    """Whether this is the lowest loss of the run so far."""
    unknown_fraction: float | None = None
    """Fraction of the tokens that are `<unk>`; None in records of versions that did not count them."""


def best_validation(validations: Iterable[Validation]) -> Validation | None:
    """The one of the lowest finite loss, the earliest of equals; None if none is finite."""
    return min((one for one in validations if math.isfinite(one.loss)), key=lambda one: one.loss, default=None)


def lowest(losses: Iterable[float | None]) -> float | None:
    """The lowest of those that are known and finite; None if there is none."""
    return min((loss for loss in losses if loss is not None and math.isfinite(loss)), default=None)


class Tuned(msgspec.Struct, frozen=True, kw_only=True, tag="tuned"):
    """A live knob changed; the change applies from the step after `step`."""

    step: StepNumber
    knob: Words
    """By its present name, whatever it was called when this was written."""
    value: float | str

    def __post_init__(self) -> None:
        if self.knob in RENAMED:
            msgspec.structs.force_setattr(self, "knob", RENAMED[self.knob])


class Checkpoint(msgspec.Struct, frozen=True, kw_only=True, tag="checkpoint"):
    """A checkpoint is complete on disk."""

    step: StepNumber
    path: str


class Finished(msgspec.Struct, frozen=True, kw_only=True, tag="finished"):
    """The run is over, or stopped; the last checkpoint is at `step`."""

    step: StepNumber
    reason: Words
    """"length", "early stop", "stopped" or "diverged"."""


class Skipped(msgspec.Struct, frozen=True, kw_only=True, tag="skipped"):
    """The step before this record did not change the weights; its Step record has the numbers."""

    step: StepNumber
    cause: Words
    """"loss not finite", "gradient not finite" or "gradient too large"."""
    where: Words = ""
    """The first parameter whose gradient was not finite, or the one with the largest; empty if it was the loss."""


class Rollback(msgspec.Struct, frozen=True, kw_only=True, tag="rollback"):
    """The run was rolled back from `step` to the state after step `to`: the steps between are undone.

    Their records stay in metrics.jsonl before this one; readers drop those after `to`.
    """

    step: StepNumber
    to: StepNumber
    cause: Words
    """"loss not finite", "gradient not finite", "gradient too large", "weights not finite", "loss far above its level"
    or "by hand"."""
    remedy: Words
    """"none", "lower-rate" or "clip"."""
    where: Words = ""
    """The parameter that was not finite, or whose gradient was not or was the largest; empty if it was the loss."""
    changed: dict[Words, float | Words] = {}
    """Live knobs that the remedy changed, with their new values; a Tuned record follows for each."""
    count: int = 0
    """Automatic rollbacks of the run, this one included."""

    def __post_init__(self) -> None:
        if RENAMED.keys() & self.changed.keys():
            msgspec.structs.force_setattr(self, "changed", with_new_names(self.changed))


class Notice(msgspec.Struct, frozen=True, kw_only=True, tag="notice"):
    """Something that the user should know at once, such as a full disk; training continues."""

    step: StepNumber
    message: Words
    """One sentence."""


class Threads(msgspec.Struct, frozen=True, kw_only=True, tag="threads"):
    """From the step after `step` on, another number of threads is used, because other programs started or ended.

    Losses are identical bit for bit only between runs that used the same numbers of threads at the same steps.
    """

    step: StepNumber
    threads: int
    others: float
    """Cores that other programs used in the last seconds, on average."""
    asked: bool = False
    """Whether the number was asked for and stays, although fewer cores are free."""

    @property
    def message(self) -> str:
        """The record in a sentence."""
        if self.asked:
            return (
                f"Other programs use {self.others:.1f} cores, so the {self.threads} threads that were asked for wait "
                "for each other; with --threads 0 a run uses the cores that are free."
            )
        count = "1 thread" if self.threads == 1 else f"{self.threads} threads"
        return f"{count} from here on: other programs use {self.others:.1f} cores"


Record = Started | Step | Validation | Tuned | Checkpoint | Finished | Skipped | Rollback | Notice | Threads
