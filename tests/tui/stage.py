"""The playground with a scripted engine: records what it is told, and says what the test lets it say."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar
from zlib import crc32

from textual.pilot import Pilot
from textual.widgets import Button, Static

from rnnplay.config import RunConfig, with_values
from rnnplay.engine import messages
from rnnplay.engine.client import EngineExit
from rnnplay.inspection.questions import Question
from rnnplay.inspection.results import Candidate
from rnnplay.presets import preset_config
from rnnplay.runs.checkpoint_state import STATE_FILE, TrainingState, ValidationHistory, encode_state
from rnnplay.runs.folder import RunFolder, RunInfo
from rnnplay.runs.metrics.records import Checkpoint, Finished, Record, Started, Step, Validation
from rnnplay.text.tokenizers.characters import CharTokenizer
from rnnplay.tui.app import RnnplayApp
from rnnplay.tui.chart.chart import Chart
from rnnplay.tui.prompt.prompt_pane import PromptPane
from rnnplay.tui.run_controller import RunController
from rnnplay.tui.run_state import RunState
from rnnplay.tui.screens.playground.screen import PlaygroundScreen
from rnnplay.tui.setup.setup_form import SetupForm
from rnnplay.tui.textual_patches.fixes import fix_textual
from rnnplay.tui.widgets.key_row import KeyRow
from rnnplay.workspace import Workspace

Kind = TypeVar("Kind")
RUN = "tales-lstm-256-01"


class FakeEngine:
    """In place of EngineClient: no process."""

    def __init__(
        self,
        workspace: Path,
        on_event: Callable[[messages.Event], None],
        on_exit: Callable[[EngineExit], None],
        command: Sequence[str] | None = None,
    ) -> None:
        self.log = workspace / ".cache" / "engine.log"
        self.alive = False
        self.pid = 4321
        self.answers = True
        """Whether it says that it is there."""
        self.busy = 0.0
        self.woken = 0
        self.quits_when_hurried = False
        self.quits = 0
        self.sent: list[messages.Command] = []
        self.refusal: OSError | None = None
        self._on_event = on_event
        self._on_exit = on_exit

    async def start(self) -> None:
        if self.refusal is not None:
            raise self.refusal
        self.alive = True

    def send(self, command: messages.Command) -> bool:
        if self.alive and not isinstance(command, messages.Ping):
            self.sent.append(command)
        elif self.alive and self.answers:
            self._on_event(messages.Pong(busy=self.busy))
        return self.alive

    def wake(self) -> None:
        self.woken += 1

    def kill(self) -> None:
        self.alive = False
        self._on_exit(EngineExit(-9, self.log, (), asked=False, ended=True))

    async def quit(self, timeout: float = 30.0, hurry: asyncio.Event | None = None) -> None:
        self.quits += 1
        if self.quits_when_hurried and hurry is not None:
            await hurry.wait()
        self.alive = False

    def say(self, *events: messages.Event) -> None:
        """Let `events` come from the engine."""
        for event in events:
            self._on_event(event)

    def die(self, code: int = -9, *last_lines: str) -> None:
        """End without having been asked to."""
        self.alive = False
        self._on_exit(EngineExit(code, self.log, last_lines, asked=False))

    def of(self, kind: type[Kind]) -> list[Kind]:
        """The commands of one kind, oldest first."""
        return [command for command in self.sent if isinstance(command, kind)]

    def asked(self, kind: type[Question], purpose: str = "") -> list[messages.Inspect]:
        """The inspections that ask that kind of question, for that purpose or for any, oldest first."""
        inspections = [one for one in self.of(messages.Inspect) if isinstance(one.question, kind)]
        return [one for one in inspections if not purpose or one.purpose.startswith(purpose)]

    def questions(self, kind: type[Kind]) -> list[Kind]:
        """The questions of one kind, oldest first."""
        return [one.question for one in self.of(messages.Inspect) if isinstance(one.question, kind)]


class Stage:
    """A workspace, the engines that were started in it, and the app of one test."""

    def __init__(self, workspace: Workspace) -> None:
        self.workspace = workspace
        self.engines: list[FakeEngine] = []
        self.refusal: OSError | None = None
        """What the start of an engine fails with."""
        self.app: RnnplayApp

    def engine_client(self, *arguments: Any) -> FakeEngine:
        """Stands in for the class EngineClient."""
        engine = FakeEngine(*arguments)
        engine.refusal = self.refusal
        self.engines.append(engine)
        return engine

    def open(
        self, preset: str = "quick", run: str | None = None, config: RunConfig | None = None, lends: bool = False
    ) -> RnnplayApp:
        """A new app, with Textual as it runs in; its engine is started but has not said that it is ready."""
        fix_textual()
        self.app = RnnplayApp(self.workspace, config or preset_config(preset), preset, run, lends=lends)
        # Pilot presses no keys while animations go on.
        self.app.animation_level = "none"
        return self.app

    @property
    def engine(self) -> FakeEngine:
        """The engine started last."""
        return self.engines[-1]

    @property
    def controller(self) -> RunController:
        return self.app.controllers.front

    @property
    def state(self) -> RunState:
        return self.app.controllers.front.state

    @property
    def playground(self) -> PlaygroundScreen:
        return self.app.playground

    @property
    def form(self) -> SetupForm:
        return self.playground.query_one(SetupForm)

    @property
    def prompt(self) -> PromptPane:
        return self.playground.query_one(PromptPane)

    @property
    def main(self) -> str:
        """What the main button says."""
        return str(self.playground.query_one("#main", Button).label)

    @property
    def status(self) -> str:
        """The top line."""
        return shown(self.playground, "#status")

    @property
    def trouble(self) -> str:
        """The banner; empty if it is not there."""
        banner = self.playground.query_one("#trouble", Static)
        return str(banner.content) if banner.display else ""

    @property
    def toasts(self) -> list[str]:
        """The messages at the lower right."""
        return [str(notification.message) for notification in self.app._notifications]

    @property
    def loss(self) -> Chart:
        return self.playground.query_one("#loss-chart", Chart)

    @property
    def norm(self) -> Chart:
        return self.playground.query_one("#norm-chart", Chart)

    async def say(self, pilot: Pilot[None], *events: messages.Event) -> None:
        """Events come, and are shown at once rather than at the next tick."""
        self.engine.say(*events)
        self.playground.show_state()
        await pilot.pause()

    async def ready(self, pilot: Pilot[None]) -> None:
        """The engine is there, and the corpora were read."""
        await until(pilot, lambda: bool(self.engines) and self.engine.alive and bool(self.form._corpora))
        await self.say(pilot, messages.Ready(pid=1, torch="2", device="cpu"))

    async def train(self, pilot: Pilot[None], steps: int = 20) -> None:
        """From ready to training, with some steps done."""
        await self.ready(pilot)
        self.playground.action_train()
        await until(pilot, lambda: bool(self.engine.of(messages.Train)))
        await self.begin(pilot, falling(steps))

    async def begin(self, pilot: Pilot[None], records: list[Record], fraction: float = 0.1, left: float = 92.0) -> None:
        """The engine makes the run's folder and trains."""
        run = self.state.run
        assert run is not None
        if not RunFolder(self.workspace.checkpoints / run).holds_run():  # its name may be reserved already
            make_run(self.workspace, run)
        await self.say(pilot, progress([started(run), *records], fraction, left))

    async def pause(self, pilot: Pilot[None]) -> None:
        await self.say(pilot, messages.Paused(step=self.state.step))

    async def stop(self, pilot: Pilot[None], reason: str = "stopped") -> None:
        """The run ends with a checkpoint."""
        step = self.state.step
        records: list[Record] = [Checkpoint(step=step, path=f"step-{step:09}"), Finished(step=step, reason=reason)]
        await self.say(pilot, progress(records, fraction=1.0 if reason == "length" else 0.1))


async def until(pilot: Pilot[None], condition: Callable[[], bool]) -> None:
    """Let the app go on until `condition`."""
    for _ in range(2000):
        if condition():
            return
        await pilot.pause()
    raise AssertionError("the condition was never met")


def shown(screen: Any, selector: str) -> str:
    """The text that a widget shows, row by row."""
    widget = screen.query_one(selector)
    rows = [widget.render_line(y) for y in range(widget.size.height)]
    return "\n".join("".join(segment.text for segment in row).rstrip() for row in rows)


def footer_keys(screen: Any) -> dict[str, str]:
    """Key → what the footer says of it."""
    return {key.display: key.description for key in screen.query_one(KeyRow).parts if key is not None}


def toasts_on_screen(app: RnnplayApp) -> int:
    return len(app.screen.query("Toast"))


# --- what an engine says --------------------------------------------------------------------------------------


def started(run: str = RUN, step: int = 0) -> Started:
    return Started(run=run, parameters=368_961, vocabulary=65, device="cpu", step=step)


def step_at(step: int, loss: float = 1.5, norm: float = 0.5, threshold: float = 1.0) -> Step:
    return Step(
        step=step,
        loss=loss,
        grad_norm=norm,
        grad_norm_clipped=min(norm, threshold) if math.isfinite(norm) else norm,
        clipped=norm > threshold,
        lr=0.002,
        tokens=2048 * step,
        tokens_per_second=62_000.0,
    )


def noise(step: int, salt: int = 0) -> float:
    """Even in [-1, 1), the same on every machine."""
    return crc32(f"{step} {salt}".encode()) / 2**31 - 1


def falling(steps: int, first: int = 1) -> list[Record]:
    """Steps of a run that learns: loss decays to 1.2 with noise, the norm jumps over the threshold now and then."""
    threshold = preset_config("quick").clip_threshold
    records: list[Record] = []
    for step in range(first, first + steps):
        loss = 1.2 + 3.0 / (1 + step / 25) + 0.06 * noise(step)
        norm = threshold * (0.7 + 1.6 / (1 + step / 40)) * 2.0 ** (noise(step, 1) * 0.8)
        if noise(step, 2) > 0.97:
            norm *= 4
        records.append(step_at(step, loss, norm, threshold))
        if step % 100 == 0:
            valid = 1.28 + 3.0 / (1 + step / 25)
            records.append(validation(step, valid))
    return records


def validation(step: int, loss: float) -> Validation:
    return Validation(step=step, loss=loss, perplexity=math.exp(loss), bits_per_character=loss / math.log(2), best=True)


def progress(records: list[Record], fraction: float = 0.1, left: float | None = None) -> messages.Progress:
    return messages.Progress(records=records, fraction=fraction, seconds_left=left)


def completion(request: int, suggestion: str, *following: tuple[str, float], step: int = 20) -> messages.Completion:
    return messages.Completion(
        request=request,
        suggestion=suggestion,
        next=[Candidate(token=token, probability=probability) for token, probability in following],
        unknown=[],
        step=step,
    )


# --- what is on disk ------------------------------------------------------------------------------------------


def make_run(
    workspace: Workspace,
    name: str,
    values: dict[str, Any] | None = None,
    *,
    created: str = "2026-03-01T10:15:00+00:00",
    steps: int = 0,
    loss: float | None = None,
    finished: str = "",
) -> RunFolder:
    """A run with its history and one checkpoint (none without steps), but no weights."""
    folder = RunFolder(workspace.checkpoints / name)
    info = RunInfo(
        run=name,
        config=with_values(preset_config("quick"), values or {}),
        corpus_sha256="0" * 64,
        rnnplay="0",
        torch="2",
        created=created,
        parameters=368_961,
        vocabulary=65,
    )
    folder.create(info, CharTokenizer("abc"))
    if steps:
        add_checkpoint(folder, steps, loss)
        ending: list[Record] = [Finished(step=steps, reason=finished)] if finished else []
        folder.log.append([*falling(steps), Checkpoint(step=steps, path=folder.checkpoint_path(steps).name), *ending])
        folder.log.flush()
    return folder


def add_checkpoint(folder: RunFolder, step: int, loss: float | None = None) -> None:
    """A checkpoint after `step` steps, validated there if it has a loss; there at once as a whole."""
    validations = (
        ValidationHistory()
        if loss is None
        else ValidationHistory(best_loss=loss, best_step=step, last_loss=loss, last_step=step)
    )
    state = TrainingState(
        format=1,
        step=step,
        tokens=2048 * step,
        seconds=60.0,
        epoch=1.0,
        created=1.7e9,
        feed={},
        validations=validations,
        live={},
        device="cpu",
        precision="float32",
        threads=1,
        metrics_bytes=0,
        sha256={},
    )
    beside = folder.path / ".beside"
    beside.mkdir()
    (beside / STATE_FILE).write_bytes(encode_state(state))
    beside.rename(folder.checkpoint_path(step))
