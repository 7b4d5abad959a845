"""Carries out the commands to the engine process: trains, and answers prompts and inspections meanwhile."""

from __future__ import annotations

import os
import time
from collections import deque
from collections.abc import Callable
from pathlib import Path

import msgspec
import torch

from rnnplay.common.limits import reason, way_out
from rnnplay.config import RunConfig
from rnnplay.engine import messages
from rnnplay.engine.beginning import encode, find_start, read_start
from rnnplay.engine.failures import failure
from rnnplay.engine.inspections import Inspections
from rnnplay.engine.output import follow_log, redirect_output
from rnnplay.engine.prompts import Prompts
from rnnplay.engine.wire import Inbox, Outbox
from rnnplay.errors import InputError
from rnnplay.inspection.loaded_model import LoadedModel, SavedRun
from rnnplay.model.hardware import choose_device
from rnnplay.runs.branching import BranchStart
from rnnplay.runs.folder import RunFolder, find_run
from rnnplay.runs.metrics.records import Checkpoint, Finished, Record
from rnnplay.runs.shipped import find_model
from rnnplay.text.encoding.encoded import EncodedCorpus
from rnnplay.training.trainer import Trainer
from rnnplay.workspace import Workspace

IMMEDIATE = (messages.Complete, messages.Sample, messages.WhatIf, messages.Cancel, messages.Inspect)
"""Commands that are carried out even in the middle of long work."""


class _Interrupted(Exception):
    """A command cut the preparations short."""


class Engine:
    """Holds one trainer or opened model at a time, driven by commands."""

    def __init__(self, workspace: Workspace, inbox: Inbox, outbox: Outbox) -> None:
        self._workspace = workspace
        self._inbox = inbox
        self._outbox = outbox
        self._trainer: Trainer | None = None
        self._training = False
        self._paused = False
        self._allowed = messages.Allow()
        self._waiting = False
        """Whether the run is at the limit of `_allowed`."""
        self._opened: LoadedModel | None = None
        self._refused_to_leave: Trainer | None = None
        self._quitting = False
        self._busy_since: float | None = None
        """When the engine last looked for commands; None while it waits for one."""
        self._deferred: deque[messages.Command] = deque()
        self._prompts = Prompts(outbox.post, self._loaded, self._another, lambda: not self._may_step())
        self._inspections = Inspections(
            outbox.post, self._loaded, workspace, self._guarded, lambda: self._training and not self._paused
        )
        self._handlers: dict[type, Callable[..., None]] = {
            messages.Train: self._train,
            messages.Open: self._open,
            messages.Pause: self._pause,
            messages.Continue: self._continue,
            messages.Stop: self._stop,
            messages.Save: self._save,
            messages.Tune: self._tune,
            messages.GoBack: self._go_back,
            messages.Allow: self._allow,
            messages.Complete: self._prompts.ask,
            messages.Sample: self._prompts.ask,
            messages.WhatIf: self._prompts.what_if,
            messages.KeepAdapted: lambda command: self._prompts.keep(command, self._training, workspace),
            messages.Cancel: lambda _: self._prompts.cancel(),
            messages.Inspect: self._inspections.ask,
            messages.Quit: self._quit,
        }

    def run(self) -> None:
        """Until Quit, repeats: take commands, answer prompts for a while, answer an inspection, train one step.

        The step comes last, so that a prompt that arrived during the previous step is answered before the next one.
        """
        self._outbox.post(
            messages.Ready(pid=os.getpid(), torch=str(torch.__version__), device=str(choose_device("auto"))),
        )
        while not self._quitting:
            stepping = self._may_step()
            self._take_commands(wait=not stepping and not self._prompts.busy and not self._inspections.busy)
            if self._quitting:
                break
            self._prompts.work()
            self._inspections.work()
            if self._may_step():
                self._advance()
        if self._trainer is not None and self._training:
            self._guarded("quit", lambda: self._end("stopped"))
        self._guarded("quit", self._leave_trainer)

    def pong(self) -> None:
        """Reports that the process is alive; called from the reader's thread, not the one that trains."""
        since = self._busy_since
        self._outbox.post(messages.Pong(busy=time.monotonic() - since if since is not None else 0.0))

    # --- commands -------------------------------------------------------------------------------------------

    def _take_commands(self, wait: bool) -> None:
        self._busy_since = time.monotonic() if self._deferred or not wait else None
        command = self._deferred.popleft() if self._deferred else self._inbox.take(None if wait else 0.0)
        if self._busy_since is None:
            self._busy_since = time.monotonic()
        while command is not None:
            self._handle(command)
            if self._quitting:
                return
            command = self._deferred.popleft() if self._deferred else self._inbox.take()

    def _handle(self, command: messages.Command) -> None:
        tag = str(command.__struct_config__.tag)
        self._guarded(tag, lambda: self._handlers[type(command)](command), getattr(command, "request", 0))

    def _guarded(self, tag: str, action: Callable[[], object], request: int = 0) -> None:
        """Runs `action`; an error that the user can fix is reported, and the engine continues."""
        try:
            action()
        except _Interrupted:
            pass
        except Exception as error:
            failed = failure(error, tag)
            if failed is None:
                raise
            if tag == "step":  # a Train that fails has begun none, and leaves the one under way
                self._training = False
            self._outbox.post(msgspec.structs.replace(failed, request=request, training=self._training))

    def _train(self, command: messages.Train) -> None:
        if self._training:
            raise InputError("A run is being trained already; stop it first.")
        self._workspace.create()
        self._leave_trainer()
        resuming = find_run(command.run, self._workspace) if command.resume else None
        folder = resuming or RunFolder(self._workspace.checkpoints / command.run)
        try:
            self._begin(command, folder, resuming)
        except BaseException:
            if resuming is None:
                folder.forget_start()  # it may have been created to reserve the name
            raise
        self._opened = None
        self._training, self._paused, self._waiting = True, False, False

    def _begin(self, command: messages.Train, folder: RunFolder, resuming: RunFolder | None) -> None:
        config = command.config
        begin = find_start(command.branch, self._workspace) if command.branch is not None else None
        corpus = self._encode(config, resuming, begin)
        redirect_output(folder.log_path)
        if resuming is None:
            branch = read_start(begin, config, corpus) if begin is not None else None
            self._trainer = Trainer(config, corpus, folder, self._emit, self._poll, self._between_passes, branch=branch)
        else:
            self._trainer = Trainer.resume(
                config, corpus, resuming, self._emit, self._poll, self._between_passes, checkpoint=command.checkpoint
            )

    def _leave_trainer(self) -> None:
        """Releases the run except for its model, which answers prompts until there is another.

        Raises InputError if the last steps are unsaved and still cannot be written; a second call gives them up.
        """
        if self._trainer is None:
            return
        if not self._trainer.saved:
            again, self._refused_to_leave = self._refused_to_leave is self._trainer, self._trainer
            try:
                self._trainer.checkpoint()
            except (OSError, InputError) as error:
                if not again:
                    why, mend = (
                        (reason(error), way_out(error)) if isinstance(error, OSError) else (error, "free its place")
                    )
                    raise InputError(
                        f"The last steps of {self._trainer.run} are not on disk and cannot be written now ({why}); "
                        f"{mend} to keep them, or repeat the command to discard them."
                    ) from error
        self._refused_to_leave = None
        self._trainer.close()  # releases the lock on the run's folder
        self._opened, self._trainer = self._trainer, None

    def _encode(self, config: RunConfig, resuming: RunFolder | None, begin: BranchStart | None = None) -> EncodedCorpus:
        last = 0.0

        def progress(what: str, done: int, total: int) -> None:
            nonlocal last
            self._poll()
            if any(isinstance(command, messages.Stop | messages.Quit) for command in self._deferred):
                if not any(isinstance(command, messages.Quit) for command in self._deferred):
                    self._deferred.clear()
                    self._outbox.post(messages.Failed(message="Stopped before training began.", command="train"))
                raise _Interrupted
            if time.monotonic() - last > 0.1 or done >= total:
                last = time.monotonic()
                self._outbox.post(messages.Preparing(what=what, done=done, total=total))

        return encode(config, resuming, begin, self._workspace, progress)

    def _open(self, command: messages.Open) -> None:
        if self._training:
            raise InputError("A run is being trained; stop it before opening another.")
        run = find_model(command.run, self._workspace)
        opened = SavedRun(run, command.checkpoint, self._workspace, self._reading)
        self._leave_trainer()
        self._opened = opened
        parameters, vocabulary = opened.model.size, opened.tokenizer.size
        self._outbox.post(
            messages.Opened(run=run.name, step=opened.step, parameters=parameters, vocabulary=vocabulary),
        )

    def _reading(self, _what: str, _done: int, _total: int) -> None:
        """Called while the text of an opened run is read for an inspection, which other commands may interrupt."""
        self._poll()
        if any(isinstance(command, messages.Train | messages.Open | messages.Quit) for command in self._deferred):
            raise _Interrupted

    def _pause(self, _: messages.Pause) -> None:
        if self._trainer is not None and self._training and not self._paused:
            self._paused = True
            self._trainer.pause()
            try:
                self._trainer.checkpoint()
            finally:
                self._outbox.post(messages.Paused(step=self._trainer.step))

    def _continue(self, _: messages.Continue) -> None:
        if self._trainer is not None and self._training and self._paused:
            self._paused = self._waiting = False
            self._trainer.unpause()
            self._outbox.post(messages.Continued(step=self._trainer.step))

    def _stop(self, _: messages.Stop) -> None:
        if self._training:
            self._end("stopped")

    def _save(self, _: messages.Save) -> None:
        if self._trainer is not None:
            self._trainer.checkpoint()

    def _tune(self, command: messages.Tune) -> None:
        if self._trainer is not None and self._training:
            self._trainer.tune(command.knob, command.value)

    def _go_back(self, command: messages.GoBack) -> None:
        if self._trainer is None or not self._training:
            raise InputError("No run is under way; resume it first, from the checkpoint you want.")
        self._trainer.rollback(command.checkpoint)

    def _allow(self, command: messages.Allow) -> None:
        self._allowed = command

    def _quit(self, _: messages.Quit) -> None:
        self._quitting = True

    # --- training -------------------------------------------------------------------------------------------

    def _may_step(self) -> bool:
        """Whether a step is to be trained now; stops the run's clock when it reaches its limit, and starts it again."""
        trainer = self._trainer
        if trainer is None or not self._training or self._paused:
            return False
        reached = self._allowed.reached(trainer.step, trainer.tokens, trainer.seconds)
        if reached and not self._waiting:
            trainer.pause()
            self._outbox.post(messages.Waiting(step=trainer.step, tokens=trainer.tokens, seconds=trainer.seconds))
        elif self._waiting and not reached:
            trainer.unpause()
        self._waiting = reached
        return not reached

    def _advance(self) -> None:
        def step() -> None:
            assert self._trainer is not None
            if self._trainer.advance() is not None:
                self._training = False

        self._guarded("step", step)

    def _end(self, reason: str) -> None:
        assert self._trainer is not None
        self._training = False
        self._trainer.finish(reason)

    def _emit(self, record: Record) -> None:
        trainer = self._trainer
        if isinstance(record, Checkpoint):
            follow_log(RunFolder(Path(record.path).parent).log_path)
        done = isinstance(record, Finished) and record.reason == "length"
        fraction = 1.0 if done else trainer.fraction if trainer else 0.0
        seconds_left, seconds = (trainer.seconds_left, trainer.seconds) if trainer else (None, 0.0)
        self._outbox.record(record, fraction, seconds_left, seconds)

    def _poll(self) -> None:
        """Called during long work: answers prompts at once; other commands wait until the work is done."""
        self._take_questions()
        self._prompts.work()
        if self._loaded() is not None:  # questions asked during preparation wait for the model
            self._inspections.work()

    def _between_passes(self) -> None:
        """Called inside a step: completes a prompt between its two passes, each of which may take long."""
        self._take_questions()
        self._guarded("complete", self._prompts.complete)

    def _take_questions(self) -> None:
        """Carries out the questions among the commands that have arrived, and defers the others."""
        self._busy_since = time.monotonic()
        while (command := self._inbox.take()) is not None:
            if isinstance(command, IMMEDIATE):
                self._handle(command)
            else:
                self._deferred.append(command)

    def _another(self) -> int | None:
        """Returns the step of a checkpoint to use instead if the loaded model turns out to be unusable."""
        loaded = self._loaded()
        return RunFolder(self._workspace.checkpoints / loaded.run).another(loaded.step) if loaded is not None else None

    def _loaded(self) -> LoadedModel | None:
        return self._trainer if self._trainer is not None else self._opened
