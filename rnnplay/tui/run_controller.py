"""Controls a run: sends commands to its engine and updates its state. No widgets."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from time import monotonic

import msgspec
from textual.message import Message

from rnnplay.config import AdaptationConfig, CompletionConfig, RunConfig, SamplingConfig
from rnnplay.engine import messages
from rnnplay.engine.client import LEAVING_SECONDS, EngineClient, EngineExit, start_trouble
from rnnplay.engine.silence import Silence
from rnnplay.inspection.questions import Question
from rnnplay.inspection.results import Forced
from rnnplay.runs.checkpoint_state import live_knobs
from rnnplay.runs.folder import RunFolder
from rnnplay.runs.naming import reserve_run
from rnnplay.training.length import LENGTHS, extended
from rnnplay.tui.followed_run import FollowedRun, Turn
from rnnplay.tui.requests import Request, Requests
from rnnplay.tui.run_state import RESUMABLE, Phase, RunState
from rnnplay.workspace import Workspace

WRITING = ("prompt", "writing")
"""Purposes of completions for a text that the user writes, to which the model may adapt."""
CRASH_SECONDS = 10.0
"""An engine that ends sooner than this after its start is not restarted automatically."""
REOPEN_SECONDS = 5.0
"""Least time between two readings of the newest checkpoint of a run that is followed."""


CHANGEABLE = (*LENGTHS, *live_knobs())
"""Knobs that may change when a run is resumed."""

Post = Callable[[Message], object]
"""Posts a message to every listener."""


class RunController:
    """Controls one engine and the state of its run."""

    @dataclass
    class EngineMessage(Message, bubble=False):
        """The engine of `controller` did something."""

        controller: RunController

    @dataclass
    class EventReceived(EngineMessage, bubble=False):
        """The engine sent `event`, which `state` has applied."""

        event: messages.Event

    @dataclass
    class EngineEnded(EngineMessage, bubble=False):
        """The engine process ended unexpectedly."""

        ended: EngineExit

    @dataclass
    class EngineStartFailed(EngineMessage, bubble=False):
        """The engine could not be started; `why` is a sentence."""

        why: str

    @dataclass
    class Followed(Message, bubble=False):
        """The files of the run that `controller` follows have changed; `turns` is what the user should know."""

        controller: RunController
        turns: list[Turn]

    def __init__(
        self,
        workspace: Workspace,
        post: Post,
        config: RunConfig | None = None,
        others: Sequence[RunController] = (),
    ) -> None:
        """Messages about the engine go to `post`; the first run would have `config`; `others` control other runs."""
        self.workspace = workspace
        self.state = RunState(config)
        """Replaced when another run is loaded."""
        self.engine: EngineClient | None = None
        self.engine_ready = False
        self.device = "cpu"
        """What `device = auto` selects on this machine, once the engine has said it."""
        self.engine_silent = 0.0
        """Seconds since the engine last answered; 0 while it responds."""
        self.engine_busy = 0.0
        """Seconds that the engine has spent on one task (a step, a checkpoint), once there are many; else 0."""
        self._post = post
        self._others = others
        self.completion, self.adaptation = CompletionConfig(), AdaptationConfig()
        """What is suggested to a user who writes, and how the model adapts to that."""
        self.adapted: messages.Adapted | None = None
        """How far it has, in the last answer."""
        self.read = 1.0
        """The fraction of the text that the last answer is by."""
        self.forced: tuple[Forced, ...] = ()
        """Quantities forced in the completions that accompany those of the unchanged model."""
        self.requests = Requests()
        self._before_resume: tuple[Phase, RunConfig, RunConfig] | None = None
        """The phase, the config and the wanted config to return to if the run cannot be resumed."""
        self._starting = asyncio.Lock()
        self._restart: asyncio.Task[bool] | None = None
        self.followed: FollowedRun | None = None
        """The run, as it was read from disk; None once it is trained here."""
        self._following: asyncio.Task[None] | None = None
        self.lending = ""
        """The model that was asked for by `lend` and has not been opened; it is not asked for twice."""
        self._opened_at: tuple[float, int | None] = 0.0, None
        """When the model was last asked for, and the newest checkpoint then."""
        self._hurry = asyncio.Event()
        self.silence = Silence()

    # --- the engine -----------------------------------------------------------------------------------------

    async def start_engine(self) -> bool:
        """Starts an engine process unless one is alive; if that fails, posts EngineStartFailed and returns False."""
        async with self._starting:  # a second call waits instead of starting another
            if self.engine is not None and self.engine.alive:
                return True
            self.engine_ready = False
            self.silence = Silence()
            on_exit = partial(self._engine_ended, monotonic())
            self.engine = EngineClient(self.workspace.root, self._take, on_exit)
            try:
                await self.engine.start()
            except OSError as error:
                self._post(self.EngineStartFailed(self, start_trouble(error)))
                return False
            return True

    async def close(self) -> None:
        """Lets the engine write a checkpoint and exit."""
        self._unfollow()
        if self.engine is not None:
            await self.engine.quit(LEAVING_SECONDS, self._hurry)

    def hurry(self) -> None:
        """Ends the waiting of `close`."""
        self._hurry.set()

    def send(self, command: messages.Command) -> bool:
        """Sends `command`; returns False if there is no engine."""
        if self.engine is None:
            return False
        self.silence.sent(command)
        return self.engine.send(command)

    def listen(self) -> None:
        """Checks whether the engine still answers; to be called once a second."""
        if self.engine is None or not self.engine.alive:
            self.engine_silent = self.engine_busy = 0.0
            return
        if self.silence.look(self.state.phase in (Phase.PREPARING, Phase.TRAINING, Phase.STOPPING)):
            self.send(messages.Ping())
        self.engine_silent, self.engine_busy = self.silence.silent, self.silence.busy

    def wake(self) -> None:
        """Continues an engine process that was stopped (SIGSTOP)."""
        if self.engine is not None:
            self.engine.wake()

    def end_engine(self) -> None:
        """Kills the engine, which does not answer."""
        if self.engine is not None:
            self.engine.kill()

    def _take(self, event: messages.Event) -> None:
        self.silence.heard(event)
        if isinstance(event, messages.Pong):
            return
        refused = isinstance(event, messages.Failed) and event.command == "train" and not event.training
        if refused and self._before_resume is not None and self.state.phase in (Phase.PREPARING, Phase.STOPPING):
            # A run that cannot be resumed now returns to its former phase: it may be possible later.
            self.state.take_back(*self._before_resume)
        else:
            self.state.apply(event)
        if isinstance(event, messages.Failed) and event.command == "complete":
            self.requests.send_whole()  # the next prompt is sent whole
        if isinstance(event, messages.Completion) and self.requests.purpose_of(event.request) in WRITING:
            self.adapted, self.read = event.adapted, event.read
        if isinstance(event, messages.Opened):
            self.lending = ""
        if isinstance(event, messages.Ready):
            self.engine_ready, self.device = True, event.device
            self.requests.send_whole()
            if self.forced:  # a restarted engine does not know of it
                self.send(messages.WhatIf(forced=list(self.forced)))
        elif isinstance(event, messages.Failed) and event.command == "what_if":
            self.forced = ()
        self._post(self.EventReceived(self, event))

    def _engine_ended(self, started: float, ended: EngineExit) -> None:
        if ended.asked:
            return
        self.engine_ready = False
        self.engine_silent = self.engine_busy = 0.0
        self.state.engine_gone()
        self._post(self.EngineEnded(self, ended))
        if monotonic() - started > CRASH_SECONDS or self.state.started is not None:
            self._restart = asyncio.create_task(self.start_engine())

    # --- the run --------------------------------------------------------------------------------------------

    @property
    def running(self) -> bool:
        """Whether the run is under way, paused ones included."""
        return self.state.running

    def resumable(self, form: RunConfig) -> bool:
        """Returns whether the run can be resumed with the settings of `form`."""
        return (
            self.state.phase in RESUMABLE
            and self.state.run is not None
            and not self.fixed_changes(form)
            and (self.workspace.checkpoints / self.state.run / "run.json").is_file()
        )

    def fixed_changes(self, form: RunConfig) -> list[str]:
        """The settings of `form` that differ from the run's and cannot change when it is resumed."""
        config = self.state.config
        names = [name for name in RunConfig.__struct_fields__ if name not in CHANGEABLE]
        return [name for name in names if getattr(form, name) != getattr(config, name)]

    def train(
        self, config: RunConfig, stem: str = "", branch: messages.BranchFrom | None = None, name: str = ""
    ) -> str:
        """Starts a new run, from `branch` if given, and returns its name.

        That is `name`, or else `stem` or what the config suggests, and a number.

        Raises RnnplayError if the run cannot be created.
        """
        self.workspace.create()
        others = [one.state.run for one in self._others if one is not self and one.state.run is not None]
        run = name or reserve_run(config, self.workspace, stem, others).name
        self._before_resume = None
        self.release()
        self._unfollow()
        self.state.begin(run, config, branch, self.state.hold if branch is not None else None)
        return self._start(messages.Train(config=config, run=run, branch=branch))

    def resume(self, config: RunConfig | None = None, checkpoint: str = "latest") -> str:
        """Resumes the run from `checkpoint`; what came after that is discarded.

        What may change on resuming is taken from `config`, or else is as the run had it. A finished run whose length
        is unchanged is extended by that length. If the engine refuses, what was wanted stays so.
        """
        self.workspace.create()
        state = self.state
        assert state.run is not None
        wanted = _with(state.wanted, config, CHANGEABLE) if config is not None else state.wanted
        config = _with(state.config, config or state.config, CHANGEABLE)
        same = _with(config, state.config, LENGTHS) == config
        if same and (state.phase is Phase.FINISHED or state.fraction >= 1):
            config = extended(config, state.fraction)
        self._before_resume = state.phase, state.config, wanted
        self._unfollow()
        state.confirm(config)
        return self._start(messages.Train(config=config, run=state.run, resume=True, checkpoint=checkpoint))

    def _start(self, command: messages.Train) -> str:
        self.state.phase = Phase.PREPARING
        self.state.preparing = None
        self.send(command)
        if self.engine is not None:
            self.engine.log = self.workspace.checkpoints / command.run / "engine.log"
        return command.run

    def load(self, loaded: RunState) -> None:
        """Replaces the run by `loaded`."""
        if loaded.run != self.state.run:
            self.release()  # another model may lack the forced quantities
        self._unfollow()
        self.state = loaded

    def follow(self, run: FollowedRun) -> None:
        """Replaces the run by `run`, which another process trains or may train."""
        self.load(run.state)
        self.followed = run
        self._following = asyncio.create_task(run.follow(self._run_changed), name="following")

    def open(self, run: str) -> None:
        """Loads the model of `run` for prompts."""
        self.release()
        self._open(run)

    def lend(self, run: str, checkpoint: str) -> None:
        """Loads the model of `run` for prompts while there is no run here."""
        self.lending = run
        self._open(run, checkpoint)

    def _open(self, run: str, checkpoint: str = "latest") -> None:
        self._opened_at = monotonic(), self.state.checkpoint_step
        self.send(messages.Open(run=run, checkpoint=checkpoint))

    def _unfollow(self) -> None:
        if self._following is not None:
            self._following.cancel()
        self.followed = self._following = None

    def _run_changed(self, turns: list[Turn]) -> None:
        assert self.followed is not None
        self.state = state = self.followed.state
        asked, checkpoint = self._opened_at
        newer = state.opened is not None and state.checkpoint_step not in (None, checkpoint)
        if newer and state.run is not None and monotonic() - asked >= REOPEN_SECONDS:
            self._open(state.run)
        self._post(self.Followed(self, turns))

    def pause_or_continue(self) -> None:
        """Pauses a run that trains, or continues a paused one."""
        if self.state.phase is Phase.TRAINING:
            self.send(messages.Pause())
        elif self.state.phase is Phase.PAUSED:
            self.send(messages.Continue())

    def stop(self) -> None:
        """Ends the run with a checkpoint."""
        if self.running:
            self.send(messages.Stop())
            self.state.phase = Phase.STOPPING

    def tune(self, knob: str, value: float | str) -> None:
        """Changes a live knob of the run under way."""
        if self.running and self.send(messages.Tune(knob=knob, value=value)):
            self.state.pending[knob] = value

    def go_back(self, checkpoint: str) -> None:
        """Returns the run under way to `checkpoint`."""
        self.send(messages.GoBack(checkpoint=checkpoint))

    def resume_hint(self) -> str:
        """Describes where the run is saved and how to resume it, once the engine has ended; "" if nothing is saved."""
        run = self.state.run
        checkpoints = RunFolder(self.workspace.checkpoints / run).checkpoints() if run is not None else []
        if run is None or not checkpoints:
            return ""
        onward = self.workspace.command("train", resume=True, run=run)
        return f"{run} is kept at step {checkpoints[-1].step:,} in {checkpoints[-1].path.parent}; go on with: {onward}"

    # --- questions ------------------------------------------------------------------------------------------

    def complete(self, text: str, bars: int = 8, purpose: str = "prompt") -> int:
        """Asks for a completion; returns the number of the request."""
        adaptation = self.adaptation if purpose in WRITING else AdaptationConfig()
        request = messages.Complete(
            request=self.requests.number(), text=text, bars=bars, completion=self.completion, adaptation=adaptation
        )
        return self._ask(purpose, request, self.requests.shortened(request))

    def sample(self, prompt: str, sampling: SamplingConfig, purpose: str = "sample") -> int:
        """Asks for a sample; returns the number of the request."""
        return self._ask(purpose, messages.Sample(request=self.requests.number(), prompt=prompt, sampling=sampling))

    def cancel(self) -> None:
        """Ends the sample under way."""
        self.send(messages.Cancel())

    def inspect(self, question: Question, purpose: str = "view") -> int:
        """Asks about the model; returns the request's number. Older questions of the same purpose go out of date."""
        return self._ask(purpose, messages.Inspect(request=self.requests.number(), question=question, purpose=purpose))

    def _ask(self, purpose: str, request: Request, sent: Request | None = None) -> int:
        self.requests.note(purpose, request)
        self.send(sent or request)
        return request.request

    # --- what if --------------------------------------------------------------------------------------------

    def force(self, forced: Iterable[Forced]) -> None:
        """Forces `forced` in the second completion of each prompt from now on."""
        self.forced = tuple(forced)
        self.send(messages.WhatIf(forced=list(self.forced)))

    def release(self) -> None:
        """Ends all forcing; another model has other units."""
        if self.forced:
            self.force(())


def _with(config: RunConfig, other: RunConfig, names: tuple[str, ...]) -> RunConfig:
    """Returns `config` with the values of `other` for `names`."""
    return msgspec.structs.replace(config, **{name: getattr(other, name) for name in names})
