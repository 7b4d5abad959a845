"""The contract between the terminal interface and the engine process. Read this first.

Both sides send one message per line of JSON (rnnplay.common.jsonl). Commands go to the engine's standard input; events
come back through a pipe of their own. `RunConfig` and `SamplingConfig` are in rnnplay.config; the records of training
are in rnnplay.runs.metrics.records and travel inside `Progress`, unchanged from metrics.jsonl.
"""

from __future__ import annotations

import msgspec

from rnnplay.config import AdaptationConfig, CompletionConfig, RunConfig, SamplingConfig
from rnnplay.inspection.questions import Question
from rnnplay.inspection.results import Candidate, Completed, Forced, Result, WordCandidate
from rnnplay.runs.metrics.records import Record

# --- commands: interface to engine ----------------------------------------------------------------------------


class BranchFrom(msgspec.Struct, frozen=True, kw_only=True):
    """What a new run is branched from, and what it takes over besides the weights."""

    checkpoint: str
    """"RUN@STEP", "RUN@best", or "RUN" for its latest."""
    created: str = ""
    """`RunInfo.created` of that run, if another that has taken its name is to be refused."""
    with_optimizer: bool = False
    shrink: float = 1.0
    """What all weights are multiplied by."""
    extend_vocabulary: bool = False
    """Whether tokens of the text that the parent's vocabulary lacks are added to it; otherwise the text is refused."""


class Train(msgspec.Struct, frozen=True, kw_only=True, tag="train"):
    """Start a run named `run`, or continue it from `checkpoint` if `resume` is set."""

    config: RunConfig
    run: str
    resume: bool = False
    checkpoint: str = "latest"
    """"latest", "best" or a step number."""
    branch: BranchFrom | None = None
    """For a new run: the checkpoint whose weights it begins with, instead of random ones."""


class Open(msgspec.Struct, frozen=True, kw_only=True, tag="open"):
    """Load a run's model to complete prompts, without training."""

    run: str
    checkpoint: str = "latest"


class Pause(msgspec.Struct, frozen=True, tag="pause"):
    """Pause training after the current step, and write a checkpoint."""


class Continue(msgspec.Struct, frozen=True, tag="continue"):
    """Resume training after Pause."""


class Stop(msgspec.Struct, frozen=True, tag="stop"):
    """End the run with a checkpoint, from which it can be resumed. The model stays loaded."""


class Save(msgspec.Struct, frozen=True, tag="save"):
    """Write a checkpoint now."""


class Tune(msgspec.Struct, frozen=True, kw_only=True, tag="tune"):
    """Set a live knob from the next step on."""

    knob: str
    value: float | str


class GoBack(msgspec.Struct, frozen=True, kw_only=True, tag="go_back"):
    """Return the current run to one of its checkpoints, at the user's request, and continue from there."""

    checkpoint: str = "latest"
    """"latest", "best" or a step number."""


class Allow(msgspec.Struct, frozen=True, kw_only=True, tag="allow"):
    """Train on up to a limit, and wait there for the next Allow; None: no limit.

    It holds for the run that is trained and for those that follow, so that one can be told to wait at its start. Limits
    are totals of the run, including what it trained before it was resumed, and are checked between two steps: a step
    that passes one is completed. While the run waits its clock stands still, nothing is saved, and prompts and
    inspections are answered.
    """

    steps: int | None = None
    tokens: int | None = None
    seconds: float | None = None
    """Seconds of training time, as they are counted for `minutes`."""

    def reached(self, steps: int, tokens: int, seconds: float) -> bool:
        """Whether a run that has trained for so long is at a limit."""
        return (
            (self.steps is not None and steps >= self.steps)
            or (self.tokens is not None and tokens >= self.tokens)
            or (self.seconds is not None and seconds >= self.seconds)
        )


class Complete(msgspec.Struct, frozen=True, kw_only=True, tag="complete"):
    """Ask what comes after a prompt. A newer request replaces older ones, which are then not answered."""

    request: int
    text: str
    """The prompt; with `kept`, only the rest of it."""
    kept: int = 0
    """How many characters of the previous Complete's prompt come before `text`, so that a long one is sent once.

    Failed answers if the engine has no prompt of that length, as after it was restarted; send the whole prompt then.
    """
    bars: int = 8
    """How many of the most probable next tokens to return."""
    completion: CompletionConfig = CompletionConfig()
    adaptation: AdaptationConfig = AdaptationConfig()
    """How the model adapts to the prompt; while weights are trained it does not."""


class KeepAdapted(msgspec.Struct, frozen=True, kw_only=True, tag="keep_adapted"):
    """Save the weights, as adapted to the last prompt, as a new run named `run`, branched from the one that is loaded.

    Answered by Kept or Failed.
    """

    run: str


class Sample(msgspec.Struct, frozen=True, kw_only=True, tag="sample"):
    """Continue `prompt`; the text streams back in SampleText events. A newer request ends an older one."""

    request: int
    prompt: str
    sampling: SamplingConfig


class WhatIf(msgspec.Struct, frozen=True, kw_only=True, tag="what_if"):
    """From now on, also complete prompts with these quantities forced; an empty list ends this.

    Samples are unaffected.
    """

    forced: list[Forced] = []


class Inspect(msgspec.Struct, frozen=True, kw_only=True, tag="inspect"):
    """Ask about the model in its current state; answered by Inspected or Failed."""

    request: int
    question: Question
    purpose: str
    """What the answer is for: a newer request with the same purpose replaces an older one."""


class Cancel(msgspec.Struct, frozen=True, tag="cancel"):
    """End the current sample and drop waiting completions."""


class Ping(msgspec.Struct, frozen=True, tag="ping"):
    """Ask whether the engine process is alive; answered by Pong at once, whatever the engine is doing."""


class Quit(msgspec.Struct, frozen=True, tag="quit"):
    """Write a checkpoint if anything is unsaved, and exit. The end of standard input means the same."""


Command = (
    Train
    | Open
    | Pause
    | Continue
    | Stop
    | Save
    | Tune
    | GoBack
    | Allow
    | Complete
    | Sample
    | KeepAdapted
    | WhatIf
    | Inspect
    | Cancel
    | Ping
    | Quit
)


# --- events: engine to interface ------------------------------------------------------------------------------


class Ready(msgspec.Struct, frozen=True, kw_only=True, tag="ready"):
    """The engine has started and accepts commands."""

    pid: int
    torch: str
    device: str
    """The device that `device = auto` selects on this machine."""


class Preparing(msgspec.Struct, frozen=True, kw_only=True, tag="preparing"):
    """Progress of lengthy preparations for training: `done` of `total` bytes (total 0: not known)."""

    what: str
    done: int
    total: int


class Opened(msgspec.Struct, frozen=True, kw_only=True, tag="opened"):
    """A model is loaded and answers prompts."""

    run: str
    step: int
    parameters: int
    vocabulary: int


class Progress(msgspec.Struct, frozen=True, kw_only=True, tag="progress"):
    """The records since the last Progress, at most ten times a second.

    `dropped` counts step records that were left out because the reader fell behind; all of them are in metrics.jsonl.
    """

    records: list[Record]
    fraction: float = 0.0
    """Fraction of the run's length that is done, 0 to 1; 0 if it has no fixed length."""
    seconds_left: float | None = None
    dropped: int = 0
    seconds: float = 0.0
    """Training time of the run up to the last of these records, without pauses and waiting."""


class Paused(msgspec.Struct, frozen=True, kw_only=True, tag="paused"):
    step: int


class Continued(msgspec.Struct, frozen=True, kw_only=True, tag="continued"):
    step: int


class Waiting(msgspec.Struct, frozen=True, kw_only=True, tag="waiting"):
    """The run is at the limit of the last Allow, and waits for the next."""

    step: int
    tokens: int
    """Tokens trained on since the run's first step."""
    seconds: float
    """Training time."""


class Adapted(msgspec.Struct, frozen=True, kw_only=True):
    """How far the model has adapted to a prompt, and what that was worth."""

    tokens: int = 0
    """Tokens that it has learned from."""
    of: int = 0
    """Tokens that it can learn from; while `tokens` are fewer, a second Completion will answer the same request."""
    before: float = 0.0
    """Mean nats of these tokens under the weights as trained."""
    after: float = 0.0
    """Their mean nats under the model as it adapted: each token was predicted before anything was learned from it."""
    prepared: float = 1.0
    """Fraction of the preparations for dynamic evaluation that is done."""
    trouble: str = ""
    """Why it does not adapt, a sentence; "" if it does."""

    @property
    def done(self) -> bool:
        """Whether the answer is by the model as adapted to the whole prompt."""
        return not self.trouble and self.prepared == 1 and self.tokens == self.of


class Completion(msgspec.Struct, frozen=True, kw_only=True, tag="completion"):
    """The answer to Complete, from the weights after `step` steps.

    Where the model adapts to the prompt, and that takes longer, a first answer is by the weights as trained.
    """

    request: int
    suggestion: str
    """The beginning of `phrase` to the end of its first word, which is right more often."""
    next: list[Candidate]
    unknown: list[str]
    """Pieces of the prompt that the model has no token for and reads as <unk>."""
    step: int
    words: list[WordCandidate] = []
    """The most probable continuations to the end of a word, the best first."""
    phrase: str = ""
    """The continuation that saves the most keystrokes on average; "" if none is worth suggesting.

    It may be of several words, and may end on the space or the mark after one; newlines only where they were asked for.
    """
    adapted: Adapted | None = None
    """What was learned from the prompt; None where the model does not adapt to it."""
    read: float = 1.0
    """The fraction of a long prompt that has been read.

    Below 1 the answer is by the end of the prompt alone, and another will follow for the same request.
    """
    forced: Completed | None = None
    """The same with the quantities of WhatIf forced; None if there are none."""


class Kept(msgspec.Struct, frozen=True, kw_only=True, tag="kept"):
    """The answer to KeepAdapted: a new run, and the validation loss of its weights."""

    run: str
    loss: float


class Inspected(msgspec.Struct, frozen=True, kw_only=True, tag="inspected"):
    """The answer to Inspect, from the current weights."""

    request: int
    result: Result
    seconds: float = 0.0
    """How long the engine took."""
    finite: bool = True
    """Whether all weights are finite."""


class SampleText(msgspec.Struct, frozen=True, kw_only=True, tag="sample_text"):
    """The next piece of the sample requested as `request`."""

    request: int
    text: str
    done: bool = False


class Failed(msgspec.Struct, frozen=True, kw_only=True, tag="failed"):
    """A command failed; the engine continues. `message` is one sentence for the user."""

    message: str
    command: str = ""
    """The tag of the command that failed."""
    request: int = 0
    """The request's number; 0 if the command has none."""
    instead: int | None = None
    """If a checkpoint was unusable, the step of another one to try."""
    training: bool = False
    """Whether a run is being trained all the same."""
    extendable: bool = False
    """For Train with a branch: whether it would succeed with `extend_vocabulary`."""


class Pong(msgspec.Struct, frozen=True, kw_only=True, tag="pong"):
    """The answer to Ping."""

    busy: float = 0.0
    """Seconds since the engine last took commands, spent on a long operation such as a step; 0 if it is idle."""


Event = (
    Ready
    | Preparing
    | Opened
    | Progress
    | Paused
    | Continued
    | Waiting
    | Completion
    | Kept
    | Inspected
    | SampleText
    | Failed
    | Pong
)
