"""A lesson measures the same numbers in the interface, which asks an engine, and by `rnnplay lessons run`."""

from __future__ import annotations

import shutil
from collections import deque
from pathlib import Path
from typing import Any

import msgspec
import pytest
import torch
from textual.message import Message

from rnnplay.cli.commands.interface.lesson_run import play
from rnnplay.cli.support.reporters import Silent
from rnnplay.engine import messages
from rnnplay.engine.inspections import Inspections
from rnnplay.engine.prompts import Prompts
from rnnplay.errors import CheckpointError
from rnnplay.inspection.loaded_model import LoadedModel, SavedRun
from rnnplay.lessons.lesson import Lesson
from rnnplay.lessons.measurements import Judged
from rnnplay.lessons.metrics import split_metric
from rnnplay.lessons.reader import lessons
from rnnplay.runs.folder import RunFolder
from rnnplay.runs.metrics.records import Record
from rnnplay.tui.inspection.what_if import BARS
from rnnplay.tui.lessons.lesson_progress import LessonProgress
from rnnplay.tui.run_controller import RunController
from rnnplay.tui.run_controllers import RunControllers
from rnnplay.workspace import Workspace

SEED = 1
SMALL = {
    "hidden": 12,
    "embedding": 6,
    "batch_size": 4,
    "eval_tokens": 300,
    "eval_every": 0,
    "device": "cpu",
    "steps": 4,
}

torch.set_num_threads(1)


def shortened(lesson: Lesson) -> Lesson:
    """The lesson with small models and a few steps, whose conditions look at whatever that gives."""
    variants = {
        name: msgspec.structs.replace(variant, values={**variant.values, **SMALL})
        for name, variant in lesson.variants.items()
    }
    steps = [
        msgspec.structs.replace(
            step, conditions=[msgspec.structs.replace(condition, after=0) for condition in step.conditions]
        )
        for step in lesson.steps
    ]
    return msgspec.structs.replace(lesson, variants=variants, steps=steps)


class Recorder(Silent):
    """Keeps what a run records."""

    def __init__(self, title: str, kept: dict[str, list[Record]]) -> None:
        self._records = kept.setdefault(title.split(" ")[0], [])

    def record(self, record: Record, /) -> None:
        self._records.append(record)


class Replay:
    """An engine without a process: to train a run is to take the checkpoint that another training of it left."""

    def __init__(
        self, workspace: Workspace, lesson: Lesson, records: dict[str, list[Record]], controller: RunController
    ) -> None:
        self.alive = True
        self._records = records
        self.log = workspace.cache / "engine.log"
        self._workspace, self._lesson, self._controller = workspace, lesson, controller
        self._loaded: LoadedModel | None = None
        self._waiting: deque[messages.Command] = deque()
        say = controller._take
        self._prompts = Prompts(say, lambda: self._loaded, lambda: None)
        self._inspections = Inspections(say, lambda: self._loaded, workspace, lambda _tag, action, _request: action())

    def send(self, command: messages.Command) -> bool:
        self._waiting.append(command)
        return True

    def work(self) -> None:
        """Carries out what was sent, in order."""
        while self._waiting:
            match self._waiting.popleft():
                case messages.Train() as command:
                    self._train(command)
                case messages.Inspect() as command:
                    self._inspections.ask(command)
                    self._inspections.work()
                case messages.WhatIf() as command:
                    self._prompts.what_if(command)
                case messages.Complete() as command:
                    self._prompts.ask(command)
                    self._prompts.work()

    def _train(self, command: messages.Train) -> None:
        variant = command.run.split("-")[2]  # lesson-7-lstm-02
        assert command.config == self._lesson.config(variant, SEED)
        trained = self._lesson.run_name(variant, SEED)
        shutil.copytree(
            self._workspace.checkpoints / trained, self._workspace.checkpoints / command.run, dirs_exist_ok=True
        )
        folder = RunFolder(self._workspace.checkpoints / command.run)
        try:
            self._loaded = SavedRun(folder, "latest", self._workspace)
        except CheckpointError as error:  # it diverged, as it should; of such a run the start alone is asked for
            self._loaded = SavedRun(folder, str(error.instead), self._workspace)
        self._controller._take(messages.Progress(records=self._records[trained]))


def in_the_interface(lesson: Lesson, workspace: Workspace, records: dict[str, list[Record]]) -> list[list[Judged]]:
    """Each variant trained, all that the lesson asks for answered, and what the user is to force forced."""

    def take(message: Message) -> None:
        if isinstance(message, RunController.EngineMessage):
            lesson_progress.take(message)

    controllers = RunControllers(workspace, take)
    controller = controllers.front
    engine: Any = Replay(workspace, lesson, records, controller)
    controller.engine = engine
    lesson_progress = LessonProgress(controllers, take, "en", workspace.root / "progress.json")
    lesson_progress.open(lesson)
    for variant in lesson.variants:
        lesson_progress.train(variant)
        engine.work()
        if lesson.probe.forced:
            controller.force(lesson.probe.forced)
            controller.complete(lesson.probe.prompt, BARS, purpose="view")
            engine.work()
    return [lesson_progress.measurements.judge_step(step) for step in lesson.steps]


@pytest.mark.parametrize("lesson", lessons(), ids=lambda lesson: lesson.name)
def test_the_interface_measures_what_lessons_run_does(lesson: Lesson, tmp_path: Path) -> None:
    """Every number of every condition, of the same checkpoints."""
    workspace = Workspace(tmp_path)
    short = shortened(lesson)
    records: dict[str, list[Record]] = {}
    played = play(short, SEED, workspace, lambda title, _steps: Recorder(title, records))
    for step, judged in zip(played.steps, in_the_interface(short, workspace, records), strict=True):
        for one, other in zip(step.conditions, judged, strict=True):
            name = one.condition.metric
            assert one.condition == other.condition
            if split_metric(name)[0].source != "records":
                assert one.measured is not None, f"{name} was not measured"
            assert other.measured == pytest.approx(one.measured, rel=1e-9, nan_ok=True), name
