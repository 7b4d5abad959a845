"""A terminal of 80×24: nothing that matters is out of sight, and what is left out is marked."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from rich.cells import cell_len
from textual import events
from textual.content import Content
from textual.pilot import Pilot
from textual.widgets import OptionList, Static

from rnnplay.config import SamplingConfig
from rnnplay.engine import messages
from rnnplay.presets import preset_config
from rnnplay.tui.lessons.lesson_pane import LessonPane
from rnnplay.tui.prompt.prompt_pane import PromptPane
from rnnplay.tui.run_state import Phase
from rnnplay.tui.runs.run_list import RunList
from rnnplay.tui.screens.dialogs import Confirm, Dialog, DialogBox
from rnnplay.tui.screens.downloads import DownloadsScreen
from rnnplay.tui.screens.file_picker import FilePicker
from rnnplay.tui.screens.lessons import LessonsScreen
from rnnplay.tui.screens.runs.branch import BranchScreen, ParentSettings
from rnnplay.tui.screens.runs.browser import RunsScreen
from rnnplay.tui.screens.runs.export import ExportScreen
from rnnplay.tui.widgets import status_line
from rnnplay.tui.widgets import text as text_widgets
from rnnplay.tui.widgets.help_pane import HelpPane
from rnnplay.tui.widgets.key_row import KeyRow
from rnnplay.tui.widgets.visible import middle_shortened
from tests.tui.stage import Stage, make_run, shown, toasts_on_screen, until

SMALL = (80, 24)


def keys_in_sight(stage: Stage) -> list[str]:
    """What the footer says of its keys, each of which is on the screen whole; nothing until it is laid out."""
    row = stage.app.screen.query_one(KeyRow)
    parts = ["…" if part is None else part.description for part in row.parts]
    line = "".join(segment.text for segment in row.render_line(0))
    places = [line.find(part) for part in parts]
    assert -1 not in places, f"{parts} are not all in {line!r}"
    assert places == sorted(places)
    return parts


# --- the top line ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("width", "line"),
    [
        (
            110,
            "rnnplay  tales · LSTM 1×256 · 369k parameters · a-run      ● training  1,240/5,000  62k tok/s  1:32 left",
        ),
        (80, "tales · LSTM 1×256 · a-run     ● training  1,240/5,000  62k tok/s  1:32 left"),
        (60, "LSTM 1×256 · a-run   ● training  1,240/5,000  1:32 left"),
        (43, "a-run  ● training  1,240/5,000  1:32 left"),
        (40, "a-r…  ● training  1,240/5,000  1:32 left"),
    ],
)
def test_the_top_line_leaves_out_what_matters_least(width: int, line: str) -> None:
    piece = status_line.Piece
    left = [
        piece(Content("rnnplay"), 1),
        *(piece(Content(text), weight, " · ") for text, weight in [("tales", 3), ("LSTM 1×256", 4)]),
        piece(Content("369k parameters"), 0, " · "),
        piece(Content("a-run"), status_line.KEPT, " · "),
    ]
    right = [piece(Content(text)) for text in ("● training", "1,240/5,000", "1:32 left")]
    right.insert(2, piece(Content("62k tok/s"), 2))
    shown_line = status_line.fitted(left, right, width).plain
    assert cell_len(shown_line) == width
    assert " ".join(shown_line.split()) == " ".join(line.split())


async def test_the_name_of_the_run_stands_in_the_top_line(stage: Stage) -> None:
    app = stage.open()
    async with app.run_test(size=SMALL) as pilot:
        await stage.train(pilot)
        assert stage.state.run is not None
        assert f" {stage.state.run} " in stage.status
        assert "1:32 left" in stage.status


# --- the footer -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("width", [120, 80, 60, 40, 24])
async def test_the_footer_keeps_help_and_quit_and_marks_what_it_leaves_out(stage: Stage, width: int) -> None:
    app = stage.open()
    async with app.run_test(size=(width, 24)) as pilot:
        await stage.train(pilot)
        await stage.stop(pilot)
        await until(pilot, lambda: keys_in_sight(stage)[-1:] == ["Quit"])
        await until(pilot, lambda: width < 40 or "Resume" in keys_in_sight(stage))
        *_, help_key, quit_key = keys_in_sight(stage)
        assert (help_key, quit_key) == ("Help", "Quit")
        assert ("…" in keys_in_sight(stage)) == (width < 120)
        await pilot.resize_terminal(120, 24)
        await until(pilot, lambda: "Setup" in keys_in_sight(stage))
        assert "…" not in keys_in_sight(stage)


async def test_quit_is_in_the_footer_of_a_lesson_and_of_every_list(stage: Stage) -> None:
    app = stage.open()
    async with app.run_test(size=SMALL) as pilot:
        await stage.train(pilot)
        await stage.stop(pilot)
        await pilot.press("l")
        await until(pilot, lambda: isinstance(app.screen, LessonsScreen) and "Quit" in keys_in_sight(stage))
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.focused, LessonPane))
        await until(pilot, lambda: {"Charts", "Help", "Quit"} <= set(keys_in_sight(stage)))
        await pilot.press("o")
        await until(pilot, lambda: isinstance(app.screen, RunsScreen) and keys_in_sight(stage)[-1:] == ["Quit"])


async def test_a_mark_is_not_there_when_everything_fits(stage: Stage) -> None:
    app = stage.open()
    async with app.run_test(size=(120, 40)) as pilot:
        await stage.ready(pilot)
        await until(pilot, lambda: "Quit" in keys_in_sight(stage))
        assert "…" not in keys_in_sight(stage)


# --- the prompt -----------------------------------------------------------------------------------------------


async def test_the_seed_of_a_sample_stays_in_sight_while_the_sample_scrolls(stage: Stage) -> None:
    app = stage.open()
    async with app.run_test(size=SMALL) as pilot:
        await stage.train(pilot)
        pane = stage.prompt
        pane._asked = SamplingConfig(seed=123456, top_k=40, top_p=0.9, temperature=0.75)
        for number in range(2):
            pane.start_sample("Once", 1240 + number)
            pane.append_sample("".join(f"line {line}\n" for line in range(40)), done=True)
            await pilot.pause()
        assert shown(stage.playground, "#samples").startswith("─ seed 123456 · step 1,241 · temperature 0.7…")
        pane._samples.scroll_to(y=20, animate=False)
        await until(pilot, lambda: "line 20" in shown(stage.playground, "#samples"))
        assert shown(stage.playground, "#samples").startswith("─ seed 123456 · step 1,240 ")


async def test_an_error_under_the_prompt_is_told_whole(stage: Stage) -> None:
    app = stage.open()
    async with app.run_test(size=SMALL) as pilot:
        await stage.ready(pilot)
        error = "top_p must be a number above 0, at most 1; got 2."
        pane = stage.prompt
        for folded in (False, True):
            stage.playground._panes._chosen = folded
            stage.playground._panes.apply()
            pane._show_error(error)
            await until(pilot, lambda: error in " ".join(shown(stage.playground, "#prompt-error").split()))
        pane._show_error("word " * 200)
        await until(pilot, lambda: shown(stage.playground, "#prompt-error").endswith("…"))


@pytest.mark.parametrize(("seed", "shown_seed"), [(0, "new"), (654321, "654321")])
async def test_the_settings_of_a_sample_are_seen_whole_beside_the_form(
    stage: Stage, seed: int, shown_seed: str
) -> None:
    app = stage.open()
    async with app.run_test(size=SMALL) as pilot:
        await stage.ready(pilot)
        stage.prompt.sampling = SamplingConfig(seed=seed)
        row = stage.playground.query_one("#sampling")
        first = row.children[:5]  # up to the seed; the focus scrolls to the others

        def values() -> list[str]:
            return [shown(stage.playground, f"#{one.id}").split()[-1] for one in first]

        await until(pilot, lambda: values() == ["300", "0.8", "all", "1", shown_seed])
        assert all(row.region.x <= one.region.x and one.region.right <= row.region.right + 1 for one in first)
        stage.playground.query_one("#sampling-whole_sentences").focus()
        await until(pilot, lambda: row.region.contains_region(row.children[-1].region))


@pytest.mark.parametrize(
    ("text", "rows", "shown_text"),
    [
        ("a few words", 1, "a few w…"),
        ("a few words", 2, "a few words"),
        ("one two three four five six", 2, "one two three f…"),
        ("", 1, ""),
    ],
)
def test_what_is_said_over_too_few_rows_ends_in_a_mark(text: str, rows: int, shown_text: str) -> None:
    assert text_widgets.fitted(text, 8, rows) == shown_text


# --- the setup ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [(40, 12), (60, 18), SMALL])
async def test_the_arrows_go_from_field_to_field_in_a_form_that_scrolls(stage: Stage, size: tuple[int, int]) -> None:
    """A container that takes them to scroll leaves the focus where it is, and the learning rate out of reach."""
    app = stage.open()
    async with app.run_test(size=size) as pilot:
        await stage.ready(pilot)
        stage.form.query_one("#knob-preset").focus()
        rows = stage.form.query_one("#setup-rows")
        for name in ("corpus", "tokens", "cell", "hidden", "layers", "clip", "clip_threshold", "lr"):
            await pilot.press("down")
            await until(pilot, lambda name=name: app.focused is stage.form.field(name))  # type: ignore[misc]
        await until(pilot, lambda: rows.region.contains_region(stage.form.field("lr").region))
        await pilot.press("up")
        assert app.focused is stage.form.field("clip_threshold")
        assert size[1] > 12 or rows.max_scroll_y > 0


# --- clipping -------------------------------------------------------------------------------------------------


async def test_what_c_did_to_a_stopped_run_is_seen_on_the_chart(stage: Stage) -> None:
    app = stage.open()
    async with app.run_test(size=SMALL) as pilot:
        await stage.train(pilot)
        await stage.stop(pilot)
        assert stage.norm._model.threshold is not None
        await pilot.press("c")
        await until(pilot, lambda: stage.norm.readout == "next: clipping off")
        assert stage.norm._model.threshold is None
        assert not stage.playground.query_one("#setup").display, "the form is out of sight"
        await pilot.press("c", "minus")
        await until(pilot, lambda: stage.norm.readout.startswith("next: clip norm at "))
        assert stage.norm._model.threshold == stage.form.config.clip_threshold
        await pilot.press("t")
        await until(pilot, lambda: stage.state.phase is Phase.PREPARING)
        assert stage.engine.of(messages.Train)[-1].config.clip_threshold == stage.form.config.clip_threshold


# --- the runs -------------------------------------------------------------------------------------------------


async def test_a_name_that_is_cut_is_told_whole_below_the_list(stage: Stage) -> None:
    name = "shakespeare-lstm-512-with-dropout-and-more-01"
    make_run(stage.workspace, name, steps=2600, loss=0.9484)
    app = stage.open()
    async with app.run_test(size=SMALL) as pilot:
        await stage.ready(pilot)
        await pilot.press("o")
        await until(pilot, lambda: isinstance(app.screen, RunsScreen))
        await until(pilot, lambda: str(app.screen.query_one("#note", Static).content) == name)
        assert name not in app.screen.query_one(RunList).text()[1]
        await choose_and_check(stage, pilot, name)


async def choose_and_check(stage: Stage, pilot: Pilot[None], name: str) -> None:
    await pilot.press("o")
    await until(pilot, lambda: stage.state.run == name)


@pytest.mark.parametrize(("width", "text"), [(11, "tales-01-23"), (8, "tale…-23"), (5, "ta…23"), (1, "…")])
def test_a_text_cut_in_its_middle(width: int, text: str) -> None:
    assert middle_shortened("tales-01-23", width) == text


def test_the_prompt_pane_says_what_draws_a_sample_again() -> None:
    from rnnplay.tui.prompt import prompt_pane

    header = prompt_pane._header(SamplingConfig(seed=7, top_k=40, top_p=0.9), 1240)
    assert header == "seed 7 · step 1,240 · temperature 0.8 · top k 40 · top p 0.9"
    assert PromptPane.HELP is None


# --- messages -------------------------------------------------------------------------------------------------


async def test_a_message_hides_neither_the_prompt_nor_its_bars(stage: Stage) -> None:
    app = stage.open()
    async with app.run_test(size=SMALL, notifications=True) as pilot:
        await stage.ready(pilot)
        app.notify("word " * 30)
        await until(pilot, lambda: toasts_on_screen(app) == 1)
        toast = app.screen.query("Toast").first()
        await until(pilot, lambda: toast.region.height > 1)
        assert toast.region.bottom <= stage.prompt.region.y
        assert toast.region.y > 0, "the top line stays in sight"


# --- a terminal of 40×12 --------------------------------------------------------------------------------------

TINY = (40, 12)


async def test_in_a_tiny_window_setup_makes_room_for_the_prompt(stage: Stage) -> None:
    app = stage.open()
    async with app.run_test(size=TINY) as pilot:
        await stage.ready(pilot)
        assert stage.playground.query_one("#setup").size.width > 30
        await pilot.press("g")
        await until(pilot, lambda: stage.prompt.size.width > 30)
        await pilot.press("a")
        assert stage.prompt.text == "a"
        await pilot.press("escape", "e")
        await until(pilot, lambda: stage.playground.query_one("#setup").size.width > 30)


async def test_the_choices_of_a_dialog_are_in_sight_and_what_is_above_them_is_reached_by_key(stage: Stage) -> None:
    app = stage.open()
    async with app.run_test(size=TINY) as pilot:
        await stage.ready(pilot)
        hold: Any = None
        dialog = BranchScreen(ParentSettings("a-run-with-a-long-name@5400", "", preset_config(), hold))
        app.push_screen(dialog)
        await until(pilot, lambda: bool(dialog.query(OptionList)) and dialog.query_one(OptionList).size.height > 0)
        box, options = dialog.query_one(DialogBox), dialog.query_one(OptionList)
        await until(pilot, lambda: box.region.contains_region(options.region))
        question = Confirm("A", "What would be lost is told here, at some length. " * 6, "Yes", "No")
        app.push_screen(question)
        await until(pilot, lambda: bool(question.query("#yes")) and question.query_one("#yes").region.height > 0)
        assert question.query_one(DialogBox).region.contains_region(question.query_one("#yes").region)
        await pilot.press("up", "up", "up", "up", "up", "up", "up", "up", "up", "up")
        await until(pilot, lambda: question.query_one(DialogBox).scroll_offset.y == 0)


async def test_the_help_has_the_keys_that_the_footer_leaves_out(stage: Stage) -> None:
    app = stage.open()
    async with app.run_test(size=TINY) as pilot:
        await stage.ready(pilot)
        row = stage.playground.query_one(KeyRow)
        await until(pilot, lambda: None in row.parts)
        assert {key.description for key in row.left_out} >= {"Runs", "Inspect", "Race"}
        line = "".join(segment.text for segment in row.render_line(0))
        await pilot.click(row, offset=(line.index("…"), 0))  # opens the help
        await until(pilot, lambda: bool(stage.playground.query("HelpPane #screen-keys")))
        keys = stage.playground.query_one("HelpPane #screen-keys", Static)
        await until(pilot, lambda: {"Runs", "Inspect", "Race"} <= set(str(keys.content).split()))
        pane = stage.playground.query_one(HelpPane)
        assert pane.size.width >= 38
        pane.post_message(events.Resize(pane.size, pane.size))
        await pilot.press("question_mark")  # closed before that was handled
        await until(pilot, lambda: not stage.playground.query(HelpPane))
        pane._show_keys()


async def test_a_message_is_wrapped_to_the_window(stage: Stage) -> None:
    app = stage.open()
    async with app.run_test(size=TINY, notifications=True) as pilot:
        await stage.ready(pilot)
        app.notify("This message is much longer than one row of the window, and all of it is to be read.")
        await until(pilot, lambda: toasts_on_screen(app) == 1)
        toast = app.screen.query_one("Toast")
        await until(pilot, lambda: toast.size.height >= 3)
        assert toast.region.x >= 0 and toast.region.right <= TINY[0]


async def test_in_a_low_window_a_view_has_the_room_of_its_description(stage: Stage) -> None:
    app = stage.open()
    async with app.run_test(size=TINY) as pilot:
        await stage.train(pilot)
        await pilot.press("i")
        await until(pilot, lambda: bool(app.screen.query("GradientsView Chart")))
        await until(pilot, lambda: app.screen.query_one("GradientsView Chart").size.height >= 4)
        await pilot.resize_terminal(80, 24)
        await until(pilot, lambda: app.screen.query_one("#description").size.height > 0)


@pytest.mark.parametrize("kind", ["export", "download", "file"])
async def test_a_list_in_a_dialog_is_seen_with_what_is_below_it(stage: Stage, kind: str) -> None:
    run = make_run(stage.workspace, "a-run", steps=4)
    app = stage.open()
    async with app.run_test(size=TINY) as pilot:
        await stage.ready(pilot)
        dialogs: dict[str, Callable[[], tuple[Dialog[Any], str, str]]] = {
            "export": lambda: (ExportScreen([run], stage.workspace), "OptionList", "#export"),
            "download": lambda: (DownloadsScreen(stage.workspace), "OptionList", "#about"),
            "file": lambda: (FilePicker(stage.workspace, stage.workspace.root), "#file-tree", "#open"),
        }
        dialog, above, below = dialogs[kind]()
        app.push_screen(dialog)
        await until(pilot, lambda: bool(dialog.query(KeyRow)) and dialog.query_one(above).size.height >= 2)
        (box,) = dialog.query("Dialog > Vertical, Dialog > VerticalScroll")
        await until(pilot, lambda: box.region.contains_region(dialog.query_one(above).region))
        await until(pilot, lambda: box.region.contains_region(dialog.query_one(below).region))
