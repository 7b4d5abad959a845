"""How soon a prompt is answered while a run trains; the engine's loop, without a process around it."""

from __future__ import annotations

import itertools
from collections import deque
from collections.abc import Container
from typing import Any, Literal

import msgspec
import pytest

from rnnplay.config import RunConfig
from rnnplay.engine import engine, messages
from rnnplay.engine.engine import Engine
from rnnplay.engine.prompts import Prompts
from rnnplay.errors import InputError
from rnnplay.model.language_model import LanguageModel
from rnnplay.runs.folder import RunFolder
from rnnplay.training.trainer import Trainer
from rnnplay.workspace import Workspace


class Commands:
    """Stands for the inbox; the engine is told to quit where it would wait for ever."""

    def __init__(self, *commands: messages.Command) -> None:
        self.waiting = deque(commands)

    def take(self, timeout: float | None = 0.0) -> messages.Command | None:
        if self.waiting:
            return self.waiting.popleft()
        return messages.Quit() if timeout is None else None


class Events:
    """Stands for the outbox."""

    def __init__(self) -> None:
        self.posted: list[messages.Event] = []

    def post(self, event: messages.Event) -> None:
        self.posted.append(event)

    def record(self, *_: Any) -> None:
        pass

    @property
    def answers(self) -> list[tuple[int, int]]:
        """Request and step of each completion."""
        return [(event.request, event.step) for event in self.posted if isinstance(event, messages.Completion)]


@pytest.fixture
def config() -> RunConfig:
    return RunConfig(
        corpus="small",
        steps=6,
        hidden=8,
        embedding=4,
        batch_size=4,
        bptt=8,
        eval_every=0,
        checkpoint_seconds=0,
        precision="float32",
        threads=1,
        device="cpu",
    )


@pytest.fixture(autouse=True)
def _own_output(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine, "redirect_output", lambda _: None)


def run_engine(workspace: Workspace, commands: Commands) -> Events:
    events = Events()
    Engine(workspace, commands, events).run()  # type: ignore[arg-type]
    return events


def test_a_prompt_that_comes_during_a_step_is_answered_before_the_next_one(
    workspace: Workspace, config: RunConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    commands = Commands(messages.Train(config=config, run="run"))
    advance = Trainer.advance

    def typed_at_its_end(trainer: Trainer) -> Any:
        finished = advance(trainer)
        if trainer.step == 3:
            commands.waiting.append(messages.Complete(request=7, text="a"))
        return finished

    monkeypatch.setattr(Trainer, "advance", typed_at_its_end)
    assert run_engine(workspace, commands).answers == [(7, 3)]


def ask_inside_steps(commands: Commands, monkeypatch: pytest.MonkeyPatch, steps: Container[int]) -> None:
    """Has the user type while a step is computed, for each number of steps done that is in `steps`."""
    objective = LanguageModel.objective
    done = itertools.count()

    def typed_meanwhile(model: LanguageModel, *given: Any, **named: Any) -> Any:
        found = objective(model, *given, **named)
        if (step := next(done)) in steps:
            commands.waiting.append(messages.Complete(request=step + 1, text="the co"))
        return found

    monkeypatch.setattr(LanguageModel, "objective", typed_meanwhile)


def test_a_prompt_that_comes_inside_a_step_is_answered_before_its_end(
    workspace: Workspace, config: RunConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    commands = Commands(messages.Train(config=config, run="run"))
    ask_inside_steps(commands, monkeypatch, {3})
    assert run_engine(workspace, commands).answers == [(4, 3)]


@pytest.mark.parametrize("cell", ["lstm", "gru"])
def test_prompts_inside_steps_change_no_bit_of_the_run(
    workspace: Workspace, config: RunConfig, monkeypatch: pytest.MonkeyPatch, cell: Literal["lstm", "gru"]
) -> None:
    config = msgspec.structs.replace(config, cell=cell, layers=2, dropout=0.3, ema_decay=0.9)
    run_engine(workspace, Commands(messages.Train(config=config, run="silent")))
    commands = Commands(messages.Train(config=config, run="asked"))
    ask_inside_steps(commands, monkeypatch, range(config.steps))
    assert len(run_engine(workspace, commands).answers) == config.steps
    silent, asked = (RunFolder(workspace.checkpoints / name).checkpoint().path for name in ("silent", "asked"))
    for name in ("weights.safetensors", "state.safetensors"):
        assert (silent / name).read_bytes() == (asked / name).read_bytes()


def test_a_prompt_may_be_sent_without_the_beginning_that_the_engine_has() -> None:
    posted: list[messages.Event] = []
    prompts = Prompts(posted.append, lambda: None, lambda: None)
    prompts.ask(messages.Complete(request=1, text="Once upon"))
    prompts.ask(messages.Complete(request=2, kept=5, text="more"))
    assert prompts.prompt == "Once more"
    with pytest.raises(InputError, match="whole prompt"):
        prompts.ask(messages.Complete(request=3, kept=10, text="x"))
    prompts.ask(messages.Complete(request=4, text="x"))
    assert prompts.prompt == "x"
