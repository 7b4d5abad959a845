"""The playground with a run that another process trains: it moves, says who trains it, and cannot be changed."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from textual.widgets import Button

from rnnplay.engine import messages
from rnnplay.runs.metrics.records import Checkpoint, Finished, Tuned
from rnnplay.tui import followed_run, run_controller
from rnnplay.tui.run_state import READ_ONLY, Phase
from tests.support.writer import Writer, validation
from tests.tui.stage import Stage, add_checkpoint, until


@pytest.fixture
def writer(stage: Stage) -> Iterator[Writer]:
    writer = Writer(stage.workspace.checkpoints / "theirs")
    writer.steps(1, 20)
    writer.write(validation(20), Checkpoint(step=20, path="step-000000020"))
    add_checkpoint(writer.folder, 20, loss=1.0)
    yield writer
    writer.lock.release()


async def test_a_run_of_another_process_is_followed_read_only_until_it_ends(
    stage: Stage, writer: Writer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(followed_run, "LOOK_SECONDS", 0.01)
    monkeypatch.setattr(run_controller, "REOPEN_SECONDS", 0.0)
    app = stage.open(run="theirs")
    async with app.run_test(size=(140, 40)) as pilot:
        await until(pilot, lambda: bool(stage.engines) and stage.engine.sent == [messages.Open(run="theirs")])
        stage.engine.say(messages.Opened(run="theirs", step=20, parameters=9, vocabulary=9))
        await until(pilot, lambda: "followed  trained by process" in stage.status and "20/1,000" in stage.status)
        assert stage.main == "◉ Followed"

        # It moves, and so do its settings.
        writer.steps(21, 60, loss=1.5)
        writer.write(Tuned(step=60, knob="lr", value=0.25))
        await until(pilot, lambda: "60/1,000" in stage.status and stage.form.config.lr == 0.25)
        assert stage.loss.series[0].history.last_step == 60

        # No key changes it; each says why.
        for key in ("t", "space", "x", "c", "plus", "minus", "f5", "f6", "f7"):
            stage.toasts.clear()
            await pilot.press(key)
            await until(pilot, lambda: any("only followed here" in toast for toast in stage.toasts))
        assert stage.form.field("lr").locked == READ_ONLY and not stage.state.pending
        assert {type(command) for command in stage.engine.sent} <= {messages.Open, messages.Complete}

        # A newer checkpoint answers the prompt as soon as it is there.
        writer.write(Checkpoint(step=60, path="step-000000060"))
        await until(pilot, lambda: len(stage.engine.of(messages.Open)) == 2)
        stage.engine.say(messages.Opened(run="theirs", step=60, parameters=9, vocabulary=9))
        await until(pilot, lambda: "the checkpoint at step 60 answers" in str(stage.prompt.border_subtitle))

        # When it has ended there, it can be resumed here.
        writer.write(Finished(step=60, reason="stopped"))
        writer.lock.release()
        await until(pilot, lambda: any("was stopped at step 60" in toast for toast in stage.toasts))
        assert stage.state.phase is Phase.STOPPED and not stage.playground.query_one("#main", Button).disabled
        await until(pilot, lambda: stage.main == "▶ Resume")
        await pilot.press("t")
        await until(pilot, lambda: bool(stage.engine.of(messages.Train)))
        assert stage.controller.followed is None
