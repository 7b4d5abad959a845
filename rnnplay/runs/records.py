"""What a run says of itself: one record a line in metrics.jsonl, on stdout with --json, and to the engine's parent.

No torch here: the terminal interface reads these too.
"""

from __future__ import annotations

from typing import Annotated

import msgspec

from rnnplay.config import RENAMED, with_new_names

StepNumber = Annotated[int, msgspec.Meta(ge=0, le=10**13)]
Words = Annotated[str, msgspec.Meta(max_length=4000, pattern=r"^[^\x00-\x1f\x7f-\x9f]*$")]
"""One line to be shown: what somebody else's file has in it never reaches the terminal as an escape sequence."""


class Started(msgspec.Struct, frozen=True, kw_only=True, tag="started"):
    """A run begins or goes on. Not kept in metrics.jsonl (run.json says more)."""

    run: str
    parameters: int
    vocabulary: int
    device: str
    precision: str = "float32"
    threads: int = 0
    step: StepNumber = 0
    """Steps already done: 0 for a new run."""


class Step(msgspec.Struct, frozen=True, kw_only=True, tag="step"):
    """One update of the weights."""

    step: StepNumber
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

    step: StepNumber
    loss: float
    """Nats per token."""
    perplexity: float
    bits_per_character: float
    """Over the characters of the text, also for words; what `<unk>` hides counts 8 bits a byte."""
    best: bool = False
    """The lowest loss of this run so far."""
    unknown_fraction: float | None = None
    """Fraction of the tokens that are `<unk>`; None in records of versions that did not count them."""


class Tuned(msgspec.Struct, frozen=True, kw_only=True, tag="tuned"):
    """A live knob changed; it holds from the step after `step`."""

    step: StepNumber
    knob: Words
    """By its present name, whatever it was called when this was written."""
    value: float | str

    def __post_init__(self) -> None:
        if self.knob in RENAMED:
            msgspec.structs.force_setattr(self, "knob", RENAMED[self.knob])


class Checkpoint(msgspec.Struct, frozen=True, kw_only=True, tag="checkpoint"):
    """A checkpoint is on disk, whole."""

    step: StepNumber
    path: str


class Finished(msgspec.Struct, frozen=True, kw_only=True, tag="finished"):
    """The run is over, or stopped; the last checkpoint stands at `step`."""

    step: StepNumber
    reason: Words
    """"length", "early stop", "stopped" or "diverged"."""


class Skipped(msgspec.Struct, frozen=True, kw_only=True, tag="skipped"):
    """The step before this record did not reach the weights; its Step record tells the numbers it met."""

    step: StepNumber
    cause: Words
    """"loss not finite", "gradient not finite" or "gradient too large"."""
    where: Words = ""
    """The first parameter whose gradient was not finite, or the one with the largest, by name; empty where the loss
    itself was not finite."""


class Rollback(msgspec.Struct, frozen=True, kw_only=True, tag="rollback"):
    """The run went back from `step` to the state after step `to`: the steps between are abandoned.

    The records of the abandoned steps stay in metrics.jsonl before this one; readers forget what is after `to`.
    """

    step: StepNumber
    to: StepNumber
    cause: Words
    """"loss not finite", "gradient not finite", "gradient too large", "weights not finite", "loss far above its level"
    or "by hand"."""
    remedy: Words
    """"none", "lower-rate" or "clip"."""
    where: Words = ""
    """The parameter that was not finite, or whose gradient was not or was the largest, by name; empty where it was the
    loss."""
    changed: dict[Words, float | Words] = {}
    """Live knobs that the remedy changed, with their new values; a Tuned record follows for each."""
    count: int = 0
    """Rollbacks that the run has made of itself, this one included."""

    def __post_init__(self) -> None:
        if RENAMED.keys() & self.changed.keys():
            msgspec.structs.force_setattr(self, "changed", with_new_names(self.changed))


class Notice(msgspec.Struct, frozen=True, kw_only=True, tag="notice"):
    """Something that the user is to know at once, such as a full disk; training goes on."""

    step: StepNumber
    message: Words
    """One sentence."""


class Threads(msgspec.Struct, frozen=True, kw_only=True, tag="threads"):
    """From the step after `step` on, another number of threads is used: other programs have come, or have gone.

    Losses are the same bit for bit only between runs that used the same numbers of threads at the same steps.
    """

    step: StepNumber
    threads: int
    others: float
    """Cores that other programs used in the last seconds, on average."""
    asked: bool = False
    """The number was asked for and stays as it is, although there are fewer cores free than that."""

    @property
    def message(self) -> str:
        """In a sentence."""
        if self.asked:
            return (
                f"Other programs use {self.others:.1f} cores, so the {self.threads} threads that were asked for wait "
                "for each other; with --threads 0 a run uses the cores that are free."
            )
        count = "1 thread" if self.threads == 1 else f"{self.threads} threads"
        return f"{count} from here on: other programs use {self.others:.1f} cores"


Record = Started | Step | Validation | Tuned | Checkpoint | Finished | Skipped | Rollback | Notice | Threads
