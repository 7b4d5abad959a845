"""The contract between the terminal interface and the engine process. Read this first.

One message a line of JSON (rnnplay.common.jsonl), both ways. Commands go to the engine's standard input; events
come back on a pipe of their own. `RunConfig` and `SamplingConfig` are in rnnplay.config; the records of training
are in rnnplay.runs.records and travel inside `Progress`, as they stand in metrics.jsonl.
"""

from __future__ import annotations

import msgspec

from rnnplay.config import RunConfig, SamplingConfig
from rnnplay.inspection.questions import Question
from rnnplay.inspection.results import Candidate, Completed, Forced, Result
from rnnplay.runs.records import Record

# --- commands: interface to engine ----------------------------------------------------------------------------


class Train(msgspec.Struct, frozen=True, kw_only=True, tag="train"):
    """Begin a run named `run`, or go on with it from `checkpoint` when `resume`."""

    config: RunConfig
    run: str
    resume: bool = False
    checkpoint: str = "latest"
    """"latest", "best" or a step number."""


class Open(msgspec.Struct, frozen=True, kw_only=True, tag="open"):
    """Load a run's model to complete prompts with, without training."""

    run: str
    checkpoint: str = "latest"


class Pause(msgspec.Struct, frozen=True, tag="pause"):
    """Hold training after the step under way, and write a checkpoint."""


class Continue(msgspec.Struct, frozen=True, tag="continue"):
    """Go on after Pause."""


class Stop(msgspec.Struct, frozen=True, tag="stop"):
    """End the run with a checkpoint; it can be resumed. The model stays loaded."""


class Save(msgspec.Struct, frozen=True, tag="save"):
    """Write a checkpoint now."""


class Tune(msgspec.Struct, frozen=True, kw_only=True, tag="tune"):
    """Set a live knob from the next step on."""

    knob: str
    value: float | str


class GoBack(msgspec.Struct, frozen=True, kw_only=True, tag="go_back"):
    """Put the run under way back to one of its checkpoints, by hand, and go on from there."""

    checkpoint: str = "latest"
    """"latest", "best" or a step number."""


class Complete(msgspec.Struct, frozen=True, kw_only=True, tag="complete"):
    """Ask what comes after `text`. A newer request makes older ones out of date; those are not answered."""

    request: int
    text: str
    bars: int = 8
    """How many of the most probable next tokens to return."""


class Sample(msgspec.Struct, frozen=True, kw_only=True, tag="sample"):
    """Write on from `prompt`; the text streams back in SampleText events. A newer one ends an older one."""

    request: int
    prompt: str
    sampling: SamplingConfig


class WhatIf(msgspec.Struct, frozen=True, kw_only=True, tag="what_if"):
    """From now on also complete prompts with these quantities forced; none: no more. Samples stay untouched."""

    forced: list[Forced] = []


class Inspect(msgspec.Struct, frozen=True, kw_only=True, tag="inspect"):
    """Ask about the model as it is; answered by Inspected, or by Failed."""

    request: int
    question: Question
    purpose: str
    """Whose question it is: a newer one of the same purpose makes an older one out of date."""


class Cancel(msgspec.Struct, frozen=True, tag="cancel"):
    """End the sample under way and forget waiting completions."""


class Ping(msgspec.Struct, frozen=True, tag="ping"):
    """Ask whether the engine's process runs; answered by Pong at once, whatever the engine is at."""


class Quit(msgspec.Struct, frozen=True, tag="quit"):
    """Write a checkpoint if there is something to lose, and exit. The end of standard input means the same."""


Command = (
    Train
    | Open
    | Pause
    | Continue
    | Stop
    | Save
    | Tune
    | GoBack
    | Complete
    | Sample
    | WhatIf
    | Inspect
    | Cancel
    | Ping
    | Quit
)


# --- events: engine to interface ------------------------------------------------------------------------------


class Ready(msgspec.Struct, frozen=True, kw_only=True, tag="ready"):
    """The engine has started and takes commands."""

    pid: int
    torch: str
    device: str
    """What `device = auto` means on this machine."""


class Preparing(msgspec.Struct, frozen=True, kw_only=True, tag="preparing"):
    """Something that takes a while before training: `done` of `total` (bytes; total 0: not known)."""

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
    """Records since the last Progress, at most ten times a second.

    `dropped` counts step records that were left out because nobody read; all of them are in metrics.jsonl.
    """

    records: list[Record]
    fraction: float = 0.0
    """How far the run is on its way to its length, 0 to 1; 0 where it has none."""
    seconds_left: float | None = None
    dropped: int = 0


class Paused(msgspec.Struct, frozen=True, kw_only=True, tag="paused"):
    step: int


class Continued(msgspec.Struct, frozen=True, kw_only=True, tag="continued"):
    step: int


class Completion(msgspec.Struct, frozen=True, kw_only=True, tag="completion"):
    """The answer to Complete, from the weights as they are after `step` steps."""

    request: int
    suggestion: str
    """The most probable continuation, to the end of a word."""
    next: list[Candidate]
    unknown: list[str]
    """Pieces of the prompt that the model has no token for; it read <unk> instead."""
    step: int
    forced: Completed | None = None
    """The same with what WhatIf forces, where it forces something."""


class Inspected(msgspec.Struct, frozen=True, kw_only=True, tag="inspected"):
    """The answer to Inspect, from the weights as they are."""

    request: int
    result: Result
    seconds: float = 0.0
    """What it cost the engine."""
    finite: bool = True
    """Whether all weights are."""


class SampleText(msgspec.Struct, frozen=True, kw_only=True, tag="sample_text"):
    """A piece of the sample asked for as `request`."""

    request: int
    text: str
    done: bool = False


class Failed(msgspec.Struct, frozen=True, kw_only=True, tag="failed"):
    """A command could not be carried out; the engine goes on. `message` is one sentence for the user."""

    message: str
    command: str = ""
    """The tag of the command."""
    request: int = 0
    """Its number, where it has one."""
    instead: int | None = None
    """Where a checkpoint could not be used: the step of another that may be."""


class Pong(msgspec.Struct, frozen=True, kw_only=True, tag="pong"):
    """The answer to Ping."""

    busy: float = 0.0
    """Seconds since the engine last took commands: what it is at (a step, a checkpoint) has taken so long. 0: it
    waits for commands."""


Event = Ready | Preparing | Opened | Progress | Paused | Continued | Completion | Inspected | SampleText | Failed | Pong
