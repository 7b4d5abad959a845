"""The training loop, from top to bottom: one training step, and what follows it.

batch → forward → backward → sum over processes → clip → update      `train_step`, in every process of the run
record → roll back if diverged → validate → end → save               `Loop.advance`, in the one that leads
"""

from __future__ import annotations

import math
from collections.abc import Callable

import msgspec
import torch
from torch import Tensor
from torch.nn.utils import get_total_norm

from rnnplay.common.working_time import working_time
from rnnplay.config import RunConfig
from rnnplay.model.hardware import copy_to, release_memory
from rnnplay.model.language_model import autocast, detach
from rnnplay.runs.checkpoint_state import ENDINGS
from rnnplay.runs.divergence import (
    FAR_ABOVE,
    GRADIENT,
    LARGEST_NORM,
    LOSS,
    TOO_LARGE,
    WEIGHTS,
    Remedy,
    Trouble,
    no_more_rollbacks,
)
from rnnplay.runs.folder import RunFolder
from rnnplay.runs.metrics.records import Checkpoint, Finished, Rollback, Skipped, Tuned, Validation
from rnnplay.text.tokenizers.build import Tokenizer
from rnnplay.training.checkpointing.resuming import live_value
from rnnplay.training.checkpointing.rollback_states import RollbackState, RollbackStates
from rnnplay.training.checkpointing.saving import Saver
from rnnplay.training.clipping import Mode, clip
from rnnplay.training.evaluation import target_ids
from rnnplay.training.learner import Learner
from rnnplay.training.optim import AVERAGING_BEGINS, average_decay, set_learning_rate, take_step, update_average
from rnnplay.training.processes.group import Order, What
from rnnplay.training.progress import Progress, StepResult
from rnnplay.training.recorder import Recorder
from rnnplay.training.sample_log import SampleLog
from rnnplay.training.stopwatch import stood_still
from rnnplay.training.threads.thread_count import ThreadCount


def train_step(
    learner: Learner, lr: float, clip_mode: Mode, clip_threshold: float, guarded: bool = True, decay: float = 0.0
) -> StepResult:
    """Performs one update by truncated backpropagation through time (Williams & Peng 1990).

    If `guarded`, a step whose loss or gradient is not finite, or whose gradient norm exceeds LARGEST_NORM, changes
    neither weights nor moments; the carried state, which may have exploded too, is reset to zero.
    The average of the weights, where one is kept, moves towards the new weights with `decay` (average_decay).
    `learner.between_passes` is called after each of the two passes, while the weights are those of the step before.
    """
    group, model, optimizer = learner.group, learner.raw_model, learner.optimizer
    group.order(Order(What.STEP, lr, clip_mode, clip_threshold, guarded))

    # Batch: B rows of T tokens, each continuing its row of the batch before. One of N processes takes B/N of them.
    randomness = learner.randomness_of_step()  # of this place in the text
    batch = learner.feed.next()
    rows = group.rows(batch)
    inputs = copy_to(rows.inputs, learner.device)  # (B, T)
    targets = target_ids(rows, learner.device)  # (B·T,)
    carried = None if batch.reset else learner.state

    # Forward
    model.train()
    with randomness, autocast(learner.device, learner.precision):
        objective, loss, state = model.objective(inputs, targets, carried, "mean" if rows.tokens else "sum")
    learner.between_passes()

    # Backward; a process's part of the loss counts by its tokens
    weight = rows.tokens / batch.tokens
    optimizer.zero_grad()
    objective.backward(torch.full_like(objective, weight))  # type: ignore[no-untyped-call]
    learner.between_passes()

    # Sum over the processes
    loss = group.add_up(weight * loss.detach(), learner.parameters, learner.asked_to_stop())

    # Clip
    gradients = [parameter.grad for parameter in learner.parameters if parameter.grad is not None]
    loss_value, norm = fetch(loss, get_total_norm(gradients))
    clipped = clip(gradients, clip_mode, clip_threshold, before=norm)
    if guarded and not (math.isfinite(loss_value) and clipped.after <= LARGEST_NORM):
        where = learner.worst_gradient() if math.isfinite(loss_value) else ""
        optimizer.zero_grad()
        learner.state = None
        return StepResult(loss_value, clipped, batch.tokens, False, where)

    # Update
    set_learning_rate(optimizer, lr * learner.relative_length(batch))
    if learner.muon is not None:
        learner.muon.step(optimizer, learner.precision, group)
    take_step(optimizer)
    if learner.average is not None:
        update_average(learner.average, model, decay)
    learner.state = detach(state)  # carried on, but no gradient flows back beyond this batch
    return StepResult(loss_value, clipped, batch.tokens)


def fetch(*numbers: Tensor) -> list[float]:
    """Reads numbers of shape () from their device, all at once: the host waits until it has computed them."""
    values: list[float] = torch.stack(numbers).tolist()
    return values


class Loop:
    """The steps of one run in the process that leads it, and its records, validations, checkpoints and rollbacks."""

    def __init__(
        self,
        config: RunConfig,
        learner: Learner,
        progress: Progress,
        threads: ThreadCount,
        folder: RunFolder,
        tokenizer: Tokenizer,
        recorder: Recorder,
        saver: Saver,
        samples: SampleLog,
        poll: Callable[[], None],
    ) -> None:
        """`poll` is called during validations."""
        self.config = config
        self.learner, self.progress, self.threads, self.poll = learner, progress, threads, poll
        self.recorder, self.saver, self.samples = recorder, saver, samples
        self.paused = self.tuned = False
        self.unsaved = True
        """Whether a checkpoint now would differ from the last one written."""
        self.finished: Finished | None = None
        self._folder, self._tokenizer = folder, tokenizer
        self._rollback_states = RollbackStates()

    def advance(self) -> Finished | None:
        """Trains one step, then validates and saves if due; returns Finished after the last step.

        If the run diverges, it is rolled back, or Finished.
        """
        if self.finished is not None:
            return self.finished
        if (trouble := self._train_step()) is not None:
            return self._diverged(trouble)
        progress, config = self.progress, self.config
        if progress.watch.calm:
            self._rollback_states.prove(progress.step)
        best = progress.is_time_to_validate(config) and self._validate().best
        if progress.is_over(config):
            return self.finish("length")
        if 0 < config.early_stop <= progress.validations.stale:
            return self.finish("early stop")
        return self._save_if_due(best or self.saver.due(config, progress.step, self.tuned))

    # --- step and record ----------------------------------------------------------------------------------------

    def _train_step(self) -> Trouble | None:
        """Trains one step and records it; returns why the run has diverged, if it has."""
        progress, config = self.progress, self.config
        if not self.paused:
            progress.stopwatch.start()
        if self.threads.due():
            with progress.stopwatch.held():  # to measure threads is no training
                change = self.threads.watch(progress.step)
            if change is not None:
                self.recorder.record(change)
        began = working_time()
        lr, guarded = progress.learning_rate(config), config.divergence != "off"
        decay = average_decay(config, progress.step, progress.validations.averaging_since)
        result = train_step(self.learner, lr, config.clip, config.clip_threshold, guarded, decay)
        step = progress.count(result, lr, working_time() - began)
        self.unsaved = True
        if still := progress.stopwatch.left_out():
            self.recorder.notice(stood_still(still))
        self.recorder.record(step)
        if not result.taken:
            return self._skipped(result)
        return Trouble(FAR_ABOVE, "") if guarded and progress.watch.far_above else None

    def _skipped(self, result: StepResult) -> Trouble | None:
        """Records that a step was not taken; returns why the run has diverged, if it has."""
        cause = TOO_LARGE if math.isfinite(result.norm.after) else GRADIENT
        if not math.isfinite(result.loss):
            cause = LOSS
        self.recorder.record(Skipped(step=self.progress.step, cause=cause, where=result.where))
        # The weights are checked only here: loss and norm are known at each step anyway.
        if where := self.learner.not_finite():
            return Trouble(WEIGHTS, where)
        return Trouble(cause, result.where) if self.progress.watch.repeated else None

    # --- validate -----------------------------------------------------------------------------------------------

    def _validate(self, last: bool = False) -> Validation:
        """Validates the current weights, records it and has the prompts completed; `last`: the run ends here."""
        record = self.progress.validate(self.config, self.poll)
        self.unsaved = True
        self.recorder.record(record)
        if self.progress.validations.averaging_since == self.progress.step:
            self.recorder.notice(AVERAGING_BEGINS)
        self.samples.take(self.progress.step, self.learner.model, record.loss, last)
        return record

    # --- save ---------------------------------------------------------------------------------------------------

    def _save_if_due(self, due: bool) -> Finished | None:
        """Saves the state on disk if `due`, and in memory if that is due; checks the weights before."""
        good_due = self._rollback_states.due(self.config, self.learner.snapshot_bytes)
        if due or good_due:
            where = self.learner.not_finite()
            if where and self.config.divergence != "off":
                return self._diverged(Trouble(WEIGHTS, where))
            if good_due and self.progress.watch.calm and not where:
                self._rollback_states.take(self.progress.good_state)
            if due:
                self._checkpoint_if_possible()
        return None

    def checkpoint(self) -> Checkpoint:
        """Writes a checkpoint unless the current state is on disk already, and records it. Raises OSError."""
        step = self.progress.step
        path = self._folder.checkpoint_path(step)
        record = Checkpoint(step=step, path=str(path))
        self.unsaved |= not self.saver.lock.in_place
        if self.unsaved:
            self.save()
            # Only the name in the file: a run folder may be moved.
            self.recorder.record(record, on_disk=Checkpoint(step=step, path=path.name))
            if self.finished is not None:  # the run ended without it, as writing failed
                self.recorder.flush()
                self.saver.lock.release()
        else:
            self.recorder.emit(record)
        return record

    def _checkpoint_if_possible(self, forget_later: bool = False) -> None:
        try:
            if forget_later:
                self._folder.remove_checkpoints_after(self.progress.step)
            self.checkpoint()
        except OSError as error:
            self.recorder.failed("a checkpoint", error)

    def save(self) -> None:
        """Writes the current state as a checkpoint. Raises OSError."""
        self.saver.keep_folder(self._tokenizer)
        state = self.progress.state(self.config, self.threads.count, self.recorder.flush(durable=True))
        self.saver.save(state, (self.learner.model.weights(), self.learner.tensors()), self.config)
        self.unsaved = self.tuned = False
        release_memory()  # rarely enough to cost nothing

    # --- roll back ----------------------------------------------------------------------------------------------

    def _diverged(self, trouble: Trouble) -> Finished | None:
        """Rolls back to the last good state, then continues or ends the run."""
        made, config = self.progress.watch.rollbacks, self.config
        onward = config.divergence == "rollback" and made < config.max_rollbacks
        good = self.last_good_state()
        if good is not None:
            self.roll_back(good, trouble, config.divergence_remedy if onward else "none", made + onward)
            if onward:
                return None
        if config.divergence == "rollback":
            self.recorder.notice(no_more_rollbacks(self.config, made, good is not None))
        return self.finish("diverged")

    def last_good_state(self) -> RollbackState | None:
        """The last state without trouble, in memory or on disk; None if there is none."""
        return self._rollback_states.last(self._folder, self.config, self._tokenizer.size, self.progress.step)

    def roll_back(self, good: RollbackState, trouble: Trouble, remedy: Remedy, rollbacks: int) -> Rollback:
        """Rolls back to `good`; `rollbacks` is the number of automatic rollbacks of the run, including this one."""
        record = self.progress.roll_back(good, trouble, remedy, rollbacks, self.config)
        self._rollback_states.forget_after(self.progress.step)
        self.samples.cut(self.progress.step)
        self.unsaved = True
        self.recorder.record(record)
        for knob, value in record.changed.items():
            self.tune(knob, value)
        # Later ones are deleted first: a process that dies in between then resumes from before the trouble.
        self._checkpoint_if_possible(forget_later=True)
        return record

    def tune(self, knob: str, value: float | str) -> None:
        """Sets a live knob from the next step on; raises ConfigError for other knobs and for invalid values."""
        checked = live_value(knob, value)
        self.config = msgspec.structs.replace(self.config, **{knob: checked})
        self.recorder.record(Tuned(step=self.progress.step, knob=knob, value=checked))
        self.recorder.flush()
        self.unsaved = self.tuned = True

    # --- end ----------------------------------------------------------------------------------------------------

    def finish(self, reason: str) -> Finished:
        """Ends the run for `reason`: a final validation if its length is reached, a checkpoint, Finished."""
        if self.finished is not None:
            return self.finished
        if reason in ENDINGS:
            self.progress.ended = ENDINGS[reason]
            self.unsaved = True
            if reason != "diverged" and self.progress.validations.last_step != self.progress.step:
                self._validate(last=True)
        self.progress.stopwatch.stop()
        self.unsaved |= not self.saver.lock.in_place
        if self.unsaved:
            self._checkpoint_if_possible()
        if self.unsaved:
            self.recorder.notice(
                "The run ends, but its last steps are NOT on disk; save it again when they can be written."
            )
        self.finished = Finished(step=self.progress.step, reason=reason)
        self.recorder.record(self.finished)
        self.recorder.flush()
        if not self.unsaved:
            self.saver.lock.release()
        return self.finished
