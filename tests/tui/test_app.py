"""The application around the playground: leaving, themes, the command palette."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from textual.command import CommandPalette
from textual.pilot import Pilot
from textual.widgets import Label

from rnnplay.engine import messages
from rnnplay.errors import InputError
from rnnplay.presets import preset_config
from rnnplay.tui.app import RnnplayApp, run_app
from rnnplay.tui.run_state import Phase
from rnnplay.tui.screens.dialogs import Confirm
from rnnplay.tui.screens.file_picker import FilePicker
from rnnplay.tui.screens.leaving import Leaving
from rnnplay.tui.screens.runs.browser import RunsScreen
from rnnplay.tui.settings import settings_path
from rnnplay.tui.theme import DARK, LIGHT
from rnnplay.workspace import Workspace
from tests.tui.stage import RUN, Stage, until


async def test_without_a_run_it_ends_at_once(stage: Stage) -> None:
    app = stage.open()
    async with app.run_test(size=(100, 30)) as pilot:
        await stage.ready(pilot)
        await pilot.press("ctrl+q")
        await until(pilot, lambda: stage.engine.quits == 1)
        assert not isinstance(app.screen, Confirm)


async def asked(stage: Stage, pilot: Pilot[None]) -> Confirm:
    await pilot.press("ctrl+q")
    await until(pilot, lambda: isinstance(stage.app.screen, Confirm))
    assert isinstance(stage.app.screen, Confirm)
    return stage.app.screen


async def test_while_training_it_asks_and_can_go_on(stage: Stage) -> None:
    """From the prompt, where single keys are text, as well; a second ctrl+q is no answer."""
    app = stage.open()
    async with app.run_test(size=(100, 30)) as pilot:
        await stage.train(pilot)
        await pilot.press("g")
        for answer in ("escape", "ctrl+q escape", "right enter", "no"):
            dialog = await asked(stage, pilot)
            assert RUN in dialog._question
            if answer == "no":
                await pilot.click("#no")
            else:
                await pilot.press(*answer.split())
            await until(pilot, lambda: app.screen is stage.playground)
            assert stage.engine.quits == 0
            assert stage.state.phase is Phase.TRAINING


async def test_an_engine_that_does_not_answer_is_not_waited_for(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """Then a second ctrl+q is an answer."""
    monkeypatch.setattr("rnnplay.tui.screens.leaving.NO_ANSWER_SECONDS", 0.0)
    app = stage.open()
    async with app.run_test(size=(100, 30)) as pilot:
        await stage.train(pilot)
        stage.engine.answers = False
        await asked(stage, pilot)
        await pilot.press("ctrl+q")
        await until(pilot, lambda: stage.engine.quits == 1)
    assert app._exit


async def test_leaving_says_what_it_waits_for_and_asked_again_waits_no_longer(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("rnnplay.tui.screens.leaving.SHOWN_SECONDS", 0.01)
    app = stage.open()
    async with app.run_test(size=(100, 30)) as pilot:
        await stage.train(pilot)
        stage.engine.quits_when_hurried = True
        await asked(stage, pilot)
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, Leaving) and app.screen.has_class("shown"))
        text = app.screen.query_one(Label)
        assert "writes a checkpoint" in str(text.content)
        await until(pilot, lambda: text.size.width > 0)
        assert text.size.height >= 3, "all of it is seen"
        await pilot.press("x", "t", "escape")
        assert isinstance(app.screen, Leaving), "no key is a command any more"
        assert not app._exit
        await pilot.press("ctrl+q")
        await until(pilot, lambda: app._exit)


async def test_leaving_without_a_training_speaks_of_no_checkpoint(stage: Stage) -> None:
    app = stage.open()
    async with app.run_test(size=(100, 30)):
        said = Leaving(app.controllers)._text()
    assert "checkpoint" not in said
    assert "nothing is lost" in said


@pytest.mark.parametrize("by_mouse", [False, True])
async def test_while_training_it_stops_and_keeps_if_told_so(stage: Stage, by_mouse: bool) -> None:
    app = stage.open()
    async with app.run_test(size=(100, 30)) as pilot:
        await stage.train(pilot)
        await asked(stage, pilot)
        if by_mouse:
            await pilot.click("#yes")
        else:
            await pilot.press("enter")
        await until(pilot, lambda: stage.engine.quits == 1)
        assert app._exit


async def test_a_theme_is_kept_from_one_start_to_the_next(stage: Stage) -> None:
    app = stage.open()
    assert app.theme == DARK.name
    async with app.run_test(size=(80, 24)) as pilot:
        app.theme = LIGHT.name
        await until(pilot, settings_path().exists)
    assert stage.open().theme == LIGHT.name


@pytest.mark.parametrize("content", ["{", '{"theme": "no-such-theme"}', '{"theme": 3}'])
async def test_settings_that_cannot_be_used_are_the_defaults(stage: Stage, content: str) -> None:
    settings_path().write_text(content, encoding="utf-8")
    assert stage.open().theme == DARK.name


async def test_the_palette_can_do_what_the_keys_can(stage: Stage) -> None:
    app = stage.open()
    async with app.run_test(size=(100, 30)) as pilot:
        await stage.ready(pilot)

        async def choose(words: str, done: Callable[[], bool]) -> None:
            await until(pilot, lambda: app.screen is stage.playground)
            next(one for one in stage.playground.commands() if one.title == words).callback()
            await until(pilot, done)

        await choose("Runs", lambda: isinstance(app.screen, RunsScreen))
        await pilot.press("escape")
        await choose("Open a text file", lambda: isinstance(app.screen, FilePicker))
        await pilot.press("escape")
        await choose("Clipping on or off", lambda: stage.form.config.clip == "off")
        await choose("Clipping on or off", lambda: stage.form.config == preset_config())
        await choose("Setup", lambda: not stage.playground.query_one("#setup").display)
        await choose("Train", lambda: bool(stage.engine.of(messages.Train)))
        await stage.begin(pilot, [])
        await choose("Save a checkpoint", lambda: messages.Save() in stage.engine.sent)
        await choose("Pause or continue", lambda: messages.Pause() in stage.engine.sent)
        await choose("Prompt", lambda: app.focused is stage.prompt._input)
        await choose("Stop", lambda: messages.Stop() in stage.engine.sent)


async def test_a_command_found_by_typing_is_run(stage: Stage) -> None:
    app = stage.open()
    async with app.run_test(size=(100, 30)) as pilot:
        await stage.ready(pilot)
        await pilot.press("ctrl+p")
        await until(pilot, lambda: isinstance(app.screen, CommandPalette))
        await pilot.press(*"clipping")
        palette = app.screen
        await until(pilot, lambda: bool(palette.query_one("CommandList").option_count))  # type: ignore[attr-defined]
        await pilot.press("enter")
        await until(pilot, lambda: stage.form.config.clip == "off")


def test_a_broken_preset_that_nobody_asked_for_keeps_nobody_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[RnnplayApp] = []
    monkeypatch.setattr(RnnplayApp, "run", lambda app: opened.append(app))
    monkeypatch.setattr("rnnplay.tui.app.patch_partial_updates", lambda: None)
    workspace = Workspace(tmp_path).create()
    workspace.presets.mkdir(exist_ok=True)
    (workspace.presets / "quick.toml").write_text("hiden = 9\n", encoding="utf-8")
    run_app(workspace)
    assert len(opened) == 1
    with pytest.raises(InputError, match="hiden"):
        run_app(workspace, preset="quick")
