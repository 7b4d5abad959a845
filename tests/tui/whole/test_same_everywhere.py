"""Escape, ? and the palette mean the same everywhere; what is quoted is drawn; a token of the bars can be clicked."""

from __future__ import annotations

import importlib
import math
import pkgutil
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest
from textual.app import App, SystemCommand
from textual.content import Content
from textual.pilot import Pilot
from textual.widget import Widget
from textual.widgets import DataTable, Input, TextArea

import rnnplay.tui
from rnnplay.engine import messages
from rnnplay.inspection.results import Candidate, WordCandidate
from rnnplay.tui.keys.declarations import node_classes
from rnnplay.tui.prompt.ghost_input import GhostInput
from rnnplay.tui.prompt.next_bars import NextBars
from rnnplay.tui.runs.run_list import RunList
from rnnplay.tui.screens.dialogs import Ask, Confirm
from rnnplay.tui.screens.file_picker import FilePicker
from rnnplay.tui.screens.inspect import InspectScreen
from rnnplay.tui.screens.lessons import LessonsScreen
from rnnplay.tui.screens.playground.go_back import GoBackScreen
from rnnplay.tui.screens.playground.screen import PlaygroundScreen
from rnnplay.tui.screens.runs.browser import RunsScreen
from rnnplay.tui.screenshot import keep_screenshot, save_screenshot
from rnnplay.tui.widgets.help_pane import HelpPane
from rnnplay.tui.widgets.text import draw_code_in_toasts
from rnnplay.tui.widgets.visible import CODE, code_drawn
from tests.tui.stage import Stage, make_run, shown, until


async def open_by(stage: Stage, pilot: Pilot[None], key: str, kind: type) -> None:
    await pilot.press(key)
    await until(pilot, lambda: isinstance(stage.app.screen, kind) and stage.app.screen.is_mounted)


# --- help -----------------------------------------------------------------------------------------------------


SCREENS = {
    PlaygroundScreen: ("", "question_mark"),
    InspectScreen: ("i", "question_mark"),
    LessonsScreen: ("l", "question_mark"),
    RunsScreen: ("o", "question_mark"),
    GoBackScreen: ("b", "question_mark"),
    Ask: ("ctrl+s", "f1"),
    FilePicker: ("", "f1"),
}
"""What opens it, and what opens its help."""


async def test_help_is_opened_and_closed_the_same_on_every_screen(stage: Stage) -> None:
    app = stage.open()
    async with app.run_test(size=(80, 24)) as pilot:
        await stage.train(pilot)
        await stage.stop(pilot)
        for kind, (opens, helps) in SCREENS.items():
            if opens:
                await open_by(stage, pilot, opens, kind)
            elif kind is FilePicker:
                stage.playground.action_open_file()
                await until(pilot, lambda: isinstance(app.screen, FilePicker) and app.focused is not None)
            assert type(app.screen) is kind
            await help_opens_and_closes(stage, pilot, helps)
            await pilot.press("escape")
            await until(pilot, lambda: app.screen is stage.playground)


async def help_opens_and_closes(stage: Stage, pilot: Pilot[None], helps: str) -> None:
    here = stage.app.screen
    for closes in (helps, "escape"):
        await pilot.press(helps)
        await until(pilot, lambda: bool(here.query(HelpPane)))
        assert "esc or ? closes" in shown(here, "#help-closes")
        await pilot.press(closes)
        await until(pilot, lambda: not here.query(HelpPane))
        assert stage.app.screen is here, f"of {here} only the help is closed"


async def test_escape_closes_the_help_before_it_leaves_the_prompt(stage: Stage) -> None:
    app = stage.open()
    async with app.run_test(size=(120, 40)) as pilot:
        await stage.train(pilot)
        await pilot.press("g", "A", "f1")
        await until(pilot, lambda: bool(app.screen.query(HelpPane)))
        await pilot.press("question_mark")
        assert stage.prompt.text == "A?", "in a text it is a character"
        await pilot.press("escape")
        await until(pilot, lambda: not app.screen.query(HelpPane))
        assert app.focused is stage.prompt._input
        await pilot.press("escape")
        await until(pilot, lambda: app.focused is not stage.prompt._input)


# --- fields of text -------------------------------------------------------------------------------------------

FIELDS = {
    "#prompt-input": ("g", "escape"),
    "#inspect-text": ("i 2 e", "escape escape"),
    "#filter": ("o slash", "escape escape escape"),
    "Ask Input": ("ctrl+s", "escape"),
    "#file-path": ("", "escape"),
}
"""By selector: the keys that lead to a field of text, and those that lead back."""


async def test_the_arrows_move_the_cursor_in_every_field(stage: Stage) -> None:
    """Also where a suggestion stands after the text: only at its end does → take a character of that."""
    app = stage.open()
    async with app.run_test(size=(120, 40)) as pilot:
        await stage.train(pilot)
        await stage.stop(pilot)
        for selector, (there, back) in FIELDS.items():
            if there:
                await pilot.press(*there.split())
            else:
                stage.playground.action_open_file()
            await until(pilot, lambda: isinstance(app.focused, Input))
            field = app.focused
            assert isinstance(field, Input)
            assert field in app.screen.query(selector.removeprefix("Ask ")), selector
            field.value = ""
            await pilot.press(*"ab", "space", *"cd")
            if isinstance(field, GhostInput):
                word = WordCandidate(text="e", probability=0.5)
                field.suggest("ab cd", msgspec.structs.replace(completion(1), suggestion="e", words=[word]))
            await pilot.press("left", "left", "left", "right")
            assert (field.value, field.cursor_position) == ("ab cd", 3), selector
            await pilot.press("shift+right")
            assert (field.value, field.selection) == ("ab cd", (3, 4)), selector
            await pilot.press("end", "right")
            taken = "ab cde" if isinstance(field, GhostInput) else "ab cd"
            assert (field.value, field.cursor_position) == (taken, len(taken)), selector
            field.value = ""
            await pilot.press(*back.split())
            await until(pilot, lambda: app.screen is stage.playground)


# --- the palette ----------------------------------------------------------------------------------------------


def palette(stage: Stage) -> dict[str, SystemCommand]:
    return {command.title: command for command in stage.app.get_system_commands(stage.app.screen)}


async def test_quit_in_the_palette_asks_as_its_key_does(stage: Stage) -> None:
    app = stage.open()
    async with app.run_test(size=(80, 24)) as pilot:
        await stage.train(pilot)
        app.call_later(palette(stage)["Quit"].callback)
        await until(pilot, lambda: isinstance(app.screen, Confirm))
        assert "ctrl+q" in palette(stage)["Quit"].help
        await pilot.press("escape")


async def test_a_screenshot_is_kept_in_the_workspace_and_said(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rnnplay.tui.app.PALETTE_GONE_SECONDS", 0.001)
    app = stage.open()
    async with app.run_test(size=(80, 24)) as pilot:
        await stage.ready(pilot)
        palette(stage)["Screenshot"].callback()
        folder = stage.workspace.root / "screenshots"
        await until(pilot, lambda: bool(stage.toasts))
        (saved,) = folder.iterdir()
        assert [toast.split(" ")[:2] for toast in stage.toasts] == [["Saved", "as"]]
        assert stage.toasts[0].removeprefix("Saved as ") == f"{saved}."
        assert saved.read_text(encoding="utf-8").startswith("<svg")
        saved.unlink()
        folder.rmdir()
        folder.write_text("in the way", encoding="utf-8")
        keep_screenshot(app, stage.workspace)
        refusal = f"The screenshot could not be saved in {folder}: File exists."
        await until(pilot, lambda: refusal in stage.toasts)


def test_a_screenshot_never_replaces_another(tmp_path: Path) -> None:
    moment = datetime(2026, 3, 1, 10, 15, tzinfo=UTC)
    first, second = (save_screenshot(text, tmp_path / "shots", moment) for text in ("one", "two"))
    assert (first.name, second.name) == ("rnnplay-2026-03-01-101500.svg", "rnnplay-2026-03-01-101500-2.svg")
    assert (first.read_text(encoding="utf-8"), second.read_text(encoding="utf-8")) == ("one", "two")


# --- backticks ------------------------------------------------------------------------------------------------


def test_code_is_drawn_and_a_single_backtick_is_a_character() -> None:
    assert code_drawn("train with `bptt` 1") == Content.assemble("train with ", ("bptt", CODE), " 1")
    assert code_drawn("an ` alone").plain == "an ` alone"
    assert code_drawn("`a` and `b").plain == "`a` and `b"


async def test_a_toast_draws_what_it_quotes() -> None:
    draw_code_in_toasts()
    app = App[None]()
    async with app.run_test(notifications=True) as pilot:
        app.notify("see `rnnplay doctor`; [i 1]", markup=False)
        app.notify("nothing", markup=False)
        await until(pilot, lambda: len(app.screen.query("Toast")) == 2)
        assert [str(toast.render()) for toast in app.screen.query("Toast")] == ["see rnnplay doctor; [i 1]", "nothing"]


async def test_the_steps_of_a_lesson_show_no_backticks(stage: Stage) -> None:
    app = stage.open()
    async with app.run_test(size=(120, 40)) as pilot:
        await stage.ready(pilot)
        await open_by(stage, pilot, "l", LessonsScreen)
        app.screen.query_one(DataTable).move_cursor(row=1)
        await pilot.press("enter")
        await until(pilot, lambda: bool(stage.playground.query(".step")))
        steps = [str(step.content) for step in stage.playground.query(".step")]  # type: ignore[attr-defined]
        await until(pilot, lambda: "bptt 1" in shown(stage.playground, ".step"))
        assert not any("`" in step for step in steps)
        assert "`" not in str(stage.playground.query_one("#lesson-line").render())


# --- the runs -------------------------------------------------------------------------------------------------


async def test_runs_of_one_minute_are_in_the_order_of_their_start(stage: Stage) -> None:
    starts = {"b": "10:15:20.500+00:00", "c": "11:15:59+01:00", "a": "10:15:01+00:00", "d": "10:15:20.900+00:00"}
    for name, start in starts.items():
        make_run(stage.workspace, name, created=f"2026-03-01T{start}")
    app = stage.open()
    async with app.run_test(size=(80, 24)) as pilot:
        await stage.ready(pilot)
        await open_by(stage, pilot, "o", RunsScreen)
        rows = app.screen.query_one(RunList)
        await until(pilot, lambda: len(rows.text()) == 5)
        assert [line.split()[0] for line in rows.text()[1:]] == ["›", "d", "b", "a"] and rows.cursor == "c"


# --- bars -----------------------------------------------------------------------------------------------------


def completion(request: int) -> messages.Completion:
    following = [("a", " a", 0.62), ("e", "e", 0.17), ("<unk>", "", 0.1), ("h", "h", 0.06)]
    return messages.Completion(
        request=request,
        suggestion="",
        next=[Candidate(token=token, text=text, probability=share) for token, text, share in following],
        unknown=[],
        step=20,
    )


@pytest.mark.parametrize("width", [80, 120])
async def test_a_click_on_a_token_takes_it_into_the_prompt(stage: Stage, width: int) -> None:
    app = stage.open()
    async with app.run_test(size=(width, 24)) as pilot:
        await stage.train(pilot)
        if width == 80:
            await pilot.press("e")  # the form unfolded, so that the tokens are one row
        await pilot.press("g", "O")
        await until(pilot, lambda: stage.engine.of(messages.Complete)[-1:] != [])
        asked = stage.engine.of(messages.Complete)
        await until(pilot, lambda: asked[-1].text == "O" or stage.engine.of(messages.Complete)[-1].text == "O")
        await stage.say(pilot, completion(stage.engine.of(messages.Complete)[-1].request))
        bars = stage.prompt.query_one(NextBars)
        await until(pilot, lambda: "a" in shown(stage.playground, "#next-bars"))
        rows = shown(stage.playground, "#next-bars").split("\n")
        bars_shown = len(rows) > 1
        place = (1, 2) if bars_shown else (rows[0].index("e 17%"), 0)
        await pilot.click(NextBars, offset=place)
        await until(pilot, lambda: stage.prompt.text == "Oe")
        assert app.focused is stage.prompt._input
        await pilot.click(NextBars, offset=(1, 1) if bars_shown else (rows[0].index("a 62%"), 0))
        await pilot.pause()
        assert stage.prompt.text == "Oe", "those are the tokens after O"
        await until(pilot, lambda: stage.engine.of(messages.Complete)[-1].text == "Oe")
        await stage.say(pilot, completion(stage.engine.of(messages.Complete)[-1].request))
        await until(pilot, lambda: bars._next != [] and stage.prompt._bars_for == "Oe")
        await pilot.click(NextBars, offset=(1, 3) if bars_shown else (rows[0].index("<unk>"), 0))
        await pilot.click(NextBars, offset=(1, 1) if bars_shown else (rows[0].index("a 62%"), 0))
        await until(pilot, lambda: stage.prompt.text == "Oe a")
        assert math.isclose(sum(one.probability for one in bars._next), 0.95)


def test_what_is_selected_is_text() -> None:
    """What draws its rows itself has no text for Textual, which would copy the widget's name in its place."""
    for module in pkgutil.walk_packages(rnnplay.tui.__path__, "rnnplay.tui."):
        if "textual_patches" not in module.name:
            importlib.import_module(module.name)
    drawn = {
        one
        for one in node_classes()
        if one.__module__.startswith("rnnplay.") and {"render_line", "render_lines"} & set(vars(one))
    }
    assert len(drawn) > 8
    for one in drawn:
        assert issubclass(one, Widget)
        own = "get_selection" in vars(one) or issubclass(one, Input | TextArea)
        assert own or not one.ALLOW_SELECT, f"{one.__name__} is to set ALLOW_SELECT, or to have get_selection"
