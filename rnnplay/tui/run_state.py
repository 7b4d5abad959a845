"""The state of one run, updated by the engine's events and read by the widgets.

Each knob's value has one owner. `RunState.config` holds what the engine has confirmed (before the first run, what that
would begin with), and `RunState.pending` the knobs that the user has changed since. The form shows `wanted`, the config
with the pending changes applied. An edit in the form calls `want(config)` at once, before any message is posted, so
that the next key finds it; `RunController.train`, `resume` and `tune` send it, and the engine's answer for a knob
(`Started`, `Tuned`) removes it from `pending`. A knob that the run sets itself, after a rollback or from a checkpoint,
changes `config` and therefore what is shown, unless a change of that knob by the user is pending.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from enum import Enum
from typing import Literal, NamedTuple

import msgspec

from rnnplay.config import RunConfig, Value, knobs, with_values
from rnnplay.engine import messages
from rnnplay.errors import ConfigError
from rnnplay.runs.health import Health
from rnnplay.runs.lock import Hold, Holder
from rnnplay.runs.metrics import records
from rnnplay.runs.metrics.event_text import ENDS, event_text
from rnnplay.runs.metrics.step_columns import StepColumns
from rnnplay.runs.shipped import SHIPPED
from rnnplay.tui.chart.history import History

RECENT = 100
"""Number of recent steps in the sparklines and the fraction of clipped steps."""


MOST_EVENTS = 500
Severity = Literal["", "warning", "error"]


class LogLine(NamedTuple):
    """One line of the event log."""

    step: int
    text: str
    severity: Severity


class Phase(Enum):
    """What the run is doing."""

    IDLE = "idle"
    PREPARING = "preparing"
    TRAINING = "training"
    PAUSED = "paused"
    STOPPING = "stopping"
    STOPPED = "stopped"
    FINISHED = "finished"
    ENGINE_GONE = "engine gone"
    FOLLOWED = "followed"
    """Another process trains it."""


RUNNING = (Phase.PREPARING, Phase.TRAINING, Phase.PAUSED, Phase.STOPPING)
RESUMABLE = (Phase.STOPPED, Phase.FINISHED, Phase.ENGINE_GONE)


LOCKED = "While training, only the bright settings can change."
READ_ONLY = "Another process trains the run; nothing can change here."
KEPT = "A branch keeps what its parent's weights depend on: the cell, the sizes, the tokens."


class RunState:
    """The state of one run: its config, its records so far and its phase."""

    def __init__(self, config: RunConfig | None = None) -> None:
        """`config` is what a run would begin with."""
        self.phase = Phase.IDLE
        self.begin(None, config or RunConfig())

    def begin(
        self,
        run: str | None,
        config: RunConfig,
        branch: messages.BranchFrom | None = None,
        hold: Hold | None = None,
    ) -> None:
        """Clears the records, because `run` is about to start, from `branch` if given; `hold` keeps its checkpoint."""
        self.run = run
        self.branch = branch
        """What the run was branched from, or, before there is one, is to be branched from."""
        self.origin = branch.checkpoint if branch is not None else ""
        """The same in words; says, too, if that run was renamed or removed since."""
        self.hold = hold
        """Keeps the checkpoint to branch from; None once the run has begun."""
        self.config = config
        """The config that the engine has confirmed, with the current values of live knobs."""
        self.pending: dict[str, Value] = {}
        """Knobs that the user has changed and the engine has not confirmed."""
        self.started: records.Started | None = None
        self.validation: records.Validation | None = None
        self.last: records.Step | None = None
        self.step = 0
        self.fraction = 0.0
        self.seconds_left: float | None = None
        self.preparing: messages.Preparing | None = None
        self.checkpoint_step: int | None = None
        self.reason = ""
        self.opened: messages.Opened | None = None
        self.in_engine = False
        """Whether the engine has loaded this run's model, rather than only its history having been read."""
        self.opening = False
        """Whether the engine is loading the model for prompts."""
        self.unloadable = False
        """Whether the engine could load no model of the run."""
        self.trainer: Holder | None = None
        """Which process trains a run that is followed, if that is known."""
        self.validation_loss, self.validation_bits = History(), History()
        """In nats per token, and in bits per character."""
        # Averaged in the logarithm: one spike would raise an arithmetic mean for hundreds of steps.
        self.loss, self.norm = History(geometric=True), History(geometric=True)
        self.norm_clipped = History()
        self.recent: deque[records.Step] = deque(maxlen=RECENT)
        self.events: deque[LogLine] = deque(maxlen=MOST_EVENTS)
        self.returns: deque[int] = deque(maxlen=50)
        """Steps that the run has been returned to."""
        self.health = Health(config)
        """What the curves say."""

    @property
    def running(self) -> bool:
        """Whether the run is under way, paused ones included."""
        return self.phase in RUNNING

    @property
    def next_branch(self) -> messages.BranchFrom | None:
        """What the next run is to be branched from."""
        return self.branch if self.run is None else None

    def locked(self, knob: str) -> str:
        """Why the knob cannot be changed now; "" if it can."""
        spec = knobs()[knob].knob
        if self.followed:
            return READ_ONLY
        if self.running and not spec.live:
            return LOCKED
        return KEPT if self.next_branch is not None and spec.kept and len(self.choices(knob)) < 2 else ""

    def choices(self, knob: str) -> tuple[str, ...]:
        """The values of a choice that the next run can have: a branch, those that fit its parent's weights."""
        spec, value = knobs()[knob], getattr(self.wanted, knob)
        if self.next_branch is None:
            return spec.choices
        return tuple(choice for choice in spec.choices if spec.knob.may_branch(value, choice))

    @property
    def followed(self) -> bool:
        """Whether another process trains the run, which is shown and cannot be changed."""
        return self.phase is Phase.FOLLOWED

    @property
    def trained_by(self) -> str:
        """Says who trains a run that is followed, "trained by process 1234"."""
        return f"trained by {self.trainer}" if self.trainer is not None else "trained on another machine"

    @property
    def model_step(self) -> int:
        """The step of the weights that answer prompts; those of a followed run are of one of its checkpoints."""
        elsewhere = self.followed or self.run is None
        return self.opened.step if elsewhere and self.opened is not None else self.step

    @property
    def idle(self) -> bool:
        """Whether there is no run, nor one being opened."""
        return self.run is None and self.phase is Phase.IDLE and not self.opening

    @property
    def lent(self) -> str:
        """The run, or the shipped model, whose weights answer prompts while there is no run here; "" for none."""
        return self.opened.run if self.run is None and self.has_model and self.opened is not None else ""

    @property
    def model_run(self) -> str:
        """The run of the workspace whose weights answer prompts, the one here or the one that is lent; "" for none."""
        return self.run or ("" if self.lent == SHIPPED else self.lent)

    @property
    def wanted(self) -> RunConfig:
        """The config with pending changes applied: what the form shows, and what is trained or resumed next."""
        return msgspec.structs.replace(self.config, **self.pending) if self.pending else self.config

    def want(self, config: RunConfig) -> None:
        """Sets the config that the user wants.

        While the run is under way a change stays pending until the engine answers it, even one that restores the
        confirmed value, because the answers to earlier changes are still to come.
        """
        names = [name for name in RunConfig.__struct_fields__ if getattr(config, name) != getattr(self.config, name)]
        if self.running:
            names += [name for name in self.pending if name not in names]
        self.pending = {name: getattr(config, name) for name in names}

    def confirm(self, config: RunConfig) -> None:
        """Sets the config that the run has, or will begin with, and clears pending changes."""
        self.config = config
        self.pending = {}

    def take_back(self, phase: Phase, config: RunConfig, wanted: RunConfig) -> None:
        """Returns to `phase` and `config`; what differs in `wanted`, and what was changed since, stays pending."""
        self.phase, self.config = phase, config
        try:
            self.want(with_values(wanted, self.pending))
        except ConfigError:  # the changes were made to another length
            self.want(wanted)

    def _set_by_run(self, knob: str, value: Value) -> None:
        self.config = with_values(self.config, {knob: value})
        if self.pending.get(knob) == value:  # the last of several changes
            del self.pending[knob]
        try:
            with_values(self.config, self.pending)
        except ConfigError:  # a value set by the run itself conflicts with the pending ones
            self.pending = {}

    @property
    def has_model(self) -> bool:
        """Whether prompts can be answered."""
        return self.in_engine and self.phase is not Phase.PREPARING

    @property
    def model_coming(self) -> bool:
        """Whether a model will be available soon without further action."""
        return not self.has_model and (self.opening or self.phase is Phase.PREPARING)

    @property
    def unsaved(self) -> bool:
        """Whether the run has ended without a checkpoint of its last step, which the disk refused."""
        ended = self.phase in (Phase.STOPPED, Phase.FINISHED)
        return ended and self.started is not None and self.checkpoint_step != self.step

    @property
    def at_risk(self) -> str:
        """What is lost if the engine ends now."""
        if self.checkpoint_step is None:
            return "what it has not saved"
        return f"what came after the checkpoint at step {self.checkpoint_step:,}"

    @property
    def vocabulary(self) -> int:
        """Number of tokens that the model knows; 0 without a model."""
        about = self.started or self.opened
        return about.vocabulary if about else 0

    @property
    def clipped_fraction(self) -> float:
        """Fraction of the recent steps that were clipped."""
        return sum(step.clipped for step in self.recent) / len(self.recent) if self.recent else 0.0

    @property
    def progress(self) -> str:
        """How far the run is, e.g. "1,240/5,000", or "step 1,240" for a run that is not limited by steps."""
        target = self.config.steps
        return f"{self.step:,}/{target:,}" if target else f"step {self.step:,}"

    def load(self, history: Iterable[records.Record | StepColumns], finished: bool = False) -> None:
        """Applies the records of metrics.jsonl for a run that is not being trained.

        `finished`: whether the run had finished before the first of them.
        """
        self.phase = Phase.FINISHED if finished else Phase.STOPPED
        for record in history:
            if isinstance(record, StepColumns):
                self.take_columns(record)
            else:
                self.take(record)
            if isinstance(record, records.Started | records.Step | StepColumns):  # it continued after an end
                self.phase = Phase.STOPPED
        self.in_engine = False

    def take_columns(self, columns: StepColumns) -> None:
        """Applies many steps at once."""
        steps = columns.step
        self.loss.extend_rising(steps, columns.loss)
        self.norm.extend_rising(steps, columns.grad_norm)
        self.norm_clipped.extend_rising(steps, columns.grad_norm_clipped)
        self.step = steps[-1]
        self.health.take_steps(steps, columns.loss)
        if columns.last:
            self.recent.extend(columns.last)
            self.last = columns.last[-1]

    def take(self, record: records.Record) -> None:
        """Applies one training record."""
        self.health.take(record)
        match record:
            case records.Step():
                self.last = record
                self.step = record.step
                self.loss.append(record.step, record.loss)
                self.norm.append(record.step, record.grad_norm)
                self.norm_clipped.append(record.step, record.grad_norm_clipped)
                self.recent.append(record)
            case records.Validation():
                self.validation = record
                self.validation_loss.append(record.step, record.loss)
                self.validation_bits.append(record.step, record.bits_per_character)
            case records.Started():
                self.started, self.opened, self.in_engine, self.unloadable = record, None, True, False
                if self.hold is not None:  # what it began with has been read
                    self.hold.release()
                    self.hold = None
                self._cut_after(record.step)
                self.phase = Phase.TRAINING
            case records.Tuned():
                self._set_by_run(record.knob, record.value)
                self._log(record.step, event_text(record))
            case records.Skipped() | records.Notice():
                self._log(record.step, event_text(record), "warning")
            case records.Rollback():
                self._log(record.step, event_text(record), "warning")
                self._cut_after(record.to)
                self.returns.append(record.to)
            case records.Threads():
                self._log(record.step, event_text(record), "warning" if record.asked else "")
            case records.Checkpoint():
                self.checkpoint_step = record.step
            case records.Finished():
                self.reason = record.reason
                how = ENDS.get(record.reason, record.reason)
                self._log(record.step, how, "error" if record.reason == "diverged" else "")
                self.seconds_left = None
                self.phase = Phase.STOPPED if record.reason == "stopped" else Phase.FINISHED

    def apply(self, event: messages.Event) -> None:
        """Applies one event of the engine."""
        match event:
            case messages.Preparing():
                self.preparing = event
            case messages.Progress():
                self.fraction = event.fraction
                self.seconds_left = event.seconds_left
                for record in event.records:
                    self.take(record)
            case messages.Paused():
                self.phase = Phase.PAUSED
            case messages.Continued():
                self.phase = Phase.TRAINING
            case messages.Opened() if self.run not in (None, event.run):
                pass  # what was opened before this run
            case messages.Opened():
                self.opened, self.in_engine, self.opening, self.unloadable = event, True, False, False
                if not self.followed and self.run is not None:
                    self.step = event.step
            case messages.Failed(command="tune"):
                self.pending = {}
            case messages.Failed(command="open"):
                self.opening, self.unloadable = False, self.run is not None and not self.in_engine
            case messages.Failed(command="train" | "step", training=False) if self.running:
                if self.started is not None:
                    self.phase = Phase.STOPPED
                else:
                    self.phase, self.run = Phase.IDLE, None
            case _:
                pass

    def engine_gone(self) -> None:
        """Records that the engine process ended unexpectedly."""
        self.opened, self.in_engine, self.opening = None, False, False
        if self.run is not None and (self.phase in RUNNING or self.started is not None):
            self.phase = Phase.ENGINE_GONE

    def cut_back(self, step: int) -> None:
        """Discards what was recorded after `step`, where the file was cut off."""
        self._cut_after(step)
        if self.validation is not None and self.validation.step > step:
            self.validation = None
        self.events = deque((line for line in self.events if line.step <= step), maxlen=MOST_EVENTS)
        self.returns = deque((one for one in self.returns if one < step), maxlen=self.returns.maxlen)

    def log(self, text: str, severity: Severity = "") -> None:
        """Adds a line to the event log."""
        self._log(self.step, text, severity)

    def _log(self, step: int, text: str, severity: Severity = "") -> None:
        self.events.append(LogLine(step, text, severity))

    def _cut_after(self, step: int) -> None:
        """Discards the history after `step`, from which the run continues."""
        for history in (self.loss, self.validation_loss, self.validation_bits, self.norm, self.norm_clipped):
            history.cut_after(step)
        kept = [record for record in self.recent if record.step <= step]
        self.recent = deque(kept, maxlen=RECENT)
        self.last = kept[-1] if kept else None
        self.step = step
