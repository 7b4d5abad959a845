"""The prompt: ghost text, next tokens, samples; light to type in, and safe with any text."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from rich.cells import cell_len
from textual import events
from textual.app import App, ComposeResult
from textual.message import Message
from textual.pilot import Pilot
from textual.widgets import Button, Static

from rnnplay.config import SamplingConfig, knobs
from rnnplay.engine.messages import Completion
from rnnplay.inspection.results import Candidate, WordCandidate
from rnnplay.tui.prompt.ghost_input import MOST_CHARACTERS, GhostInput
from rnnplay.tui.prompt.next_bars import NextBars
from rnnplay.tui.prompt.prompt_pane import HINT, UNTRAINED, WAITING, PromptPane
from rnnplay.tui.prompt.sample_view import KEPT, SampleView, wrap
from rnnplay.tui.prompt.word_row import WordRow
from rnnplay.tui.setup.knob_field import KnobField
from rnnplay.tui.widgets.visible import percentage, visible_line, visible_text, visible_token


class PaneApp(App[None]):
    def __init__(self, height: int = 9) -> None:
        super().__init__()
        self.pane = PromptPane(id="prompt")
        self.pane.styles.height = height
        self.posted: list[Message] = []

    def compose(self) -> ComposeResult:
        yield self.pane
        yield Button("other")

    def on_mount(self) -> None:
        self.pane.set_model(True)
        self.pane.focus_input()

    def on_prompt_pane_typed(self, message: PromptPane.Typed) -> None:
        self.posted.append(message)

    def on_prompt_pane_sample_wanted(self, message: PromptPane.SampleWanted) -> None:
        self.posted.append(message)

    def on_prompt_pane_cancel_wanted(self, message: PromptPane.CancelWanted) -> None:
        self.posted.append(message)

    def of(self, kind: type[Any]) -> list[Any]:
        return [message for message in self.posted if isinstance(message, kind)]

    @property
    def input(self) -> GhostInput:
        return self.pane.query_one(GhostInput)

    @property
    def samples(self) -> SampleView:
        return self.pane.query_one(SampleView)

    @property
    def said(self) -> str:
        """What stands under the prompt's settings, on one line."""
        said = self.pane.query_one("#prompt-error", Static)
        return str(said.content) if said.display else ""

    def rows(self, widget: NextBars | SampleView | GhostInput) -> list[str]:
        strips = [widget.render_line(y) for y in range(widget.size.height)]
        return ["".join(segment.text for segment in strip).rstrip() for strip in strips]


def completion(suggestion: str, *following: tuple[str, float], unknown: tuple[str, ...] = ()) -> Completion:
    return Completion(
        request=1,
        suggestion=suggestion,
        next=[Candidate(token=token, probability=probability) for token, probability in following],
        unknown=list(unknown),
        step=1240,
    )


# --- the ghost ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("key", "text", "rest"),
    [("tab", "there was a", ""), ("ctrl+right", "there was", " a"), ("right", "there wa", "s a")],
)
async def test_the_suggestion_is_taken_whole_or_by_the_word_or_character(key: str, text: str, rest: str) -> None:
    app = PaneApp()
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press(*"there w")
        app.pane.show_completion("there w", completion("as a", ("a", 0.97)))
        assert app.input.ghost == "as a"
        assert app.rows(app.input)[0] == "there was a"
        await pilot.press(key)
        assert (app.pane.text, app.input.ghost) == (text, rest)
        assert app.of(PromptPane.Typed)[-1].text == text


async def test_the_arrows_choose_a_word_then_an_earlier_prompt_or_the_settings() -> None:
    app = PaneApp()
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press(*"old", "enter")
        await pilot.press("ctrl+u", "w")
        words = [WordCandidate(text="as", probability=0.6), WordCandidate(text="ere", probability=0.2)]
        app.pane.show_completion("w", msgspec.structs.replace(completion("as"), words=words, phrase="as a"))
        await pilot.pause()
        row = app.pane.query_one(WordRow)
        assert str(row.render()) == "▸as 60%   ere 20%"
        await pilot.press("down")
        assert app.input.ghost == "ere"
        await pilot.pause()
        assert str(row.render()) == " as 60%  ▸ere 20%"
        await pilot.press("up")
        assert app.input.ghost == "as a"
        await pilot.press("up")
        assert app.pane.text == "old"
        await pilot.press("down")
        assert app.pane.text == "w"
        app.pane.show_completion("w", msgspec.structs.replace(completion("as"), words=words))
        await pilot.press("alt+2")
        assert app.pane.text == "were"
        await pilot.press("down")
        assert isinstance(app.focused, KnobField)


async def test_a_word_with_and_without_a_space_before_it_are_told_apart() -> None:
    app = PaneApp()
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("w")
        words = [WordCandidate(text=text, probability=0.2) for text in ("a", " a", " the")]
        app.pane.show_completion("w", msgspec.structs.replace(completion("a"), words=words))
        await pilot.pause()
        assert str(app.pane.query_one(WordRow).render()) == "▸a 20%   ␣a 20%    the 20%"


async def test_typing_the_suggestion_shortens_it_and_anything_else_ends_it() -> None:
    app = PaneApp()
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("w")
        app.pane.show_completion("w", completion("as"))
        await pilot.press("a")
        assert app.input.ghost == "s"
        await pilot.press("x")
        assert app.input.ghost == ""
        await pilot.press("backspace")
        assert app.input.ghost == ""


async def test_an_answer_that_comes_late_shows_only_what_still_fits() -> None:
    app = PaneApp()
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press(*"wa")
        app.pane.show_completion("w", completion("as", ("a", 0.9)))
        assert app.input.ghost == "s"
        bars = app.pane.query_one(NextBars)
        assert "90%" not in "".join(app.rows(bars))  # they are for another text
        app.pane.show_completion("q", completion("ueen"))
        assert app.input.ghost == "s"


async def test_no_ghost_while_the_cursor_is_inside_and_right_moves_it() -> None:
    app = PaneApp()
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press(*"to")
        app.pane.show_completion("to", completion("day"))
        await pilot.press("left")
        assert app.rows(app.input)[0] == "to"
        await pilot.press("right")
        assert app.pane.text == "to"
        await pilot.pause()
        assert app.rows(app.input)[0] == "today"
        await pilot.press("tab")
        assert app.pane.text == "today"


async def test_tab_without_a_suggestion_stays_where_something_is_typed() -> None:
    """The ghost may be on its way: what is typed on must not go elsewhere. From an empty prompt it leads on."""
    app = PaneApp()
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("a", "tab", "b", "home", "tab", "c")
        assert app.input.value == "cab"
        await pilot.press("down", "5", "0", "up", "d")
        assert (app.input.value, app.pane.sampling.length) == ("cdab", 50)
        await pilot.press("end", "ctrl+u", "tab")
        assert app.focused is not app.input


# --- typing ---------------------------------------------------------------------------------------------------


async def test_each_key_is_told_and_lays_nothing_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """Typing is echoed by repainting the input alone: no layout of the screen, no repaint of bars or samples."""
    app = PaneApp()
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("x")
        app.pane.show_completion("x", completion("ab", ("a", 0.9)))
        await pilot.pause()
        await pilot.pause()  # a layout at the end of the first may ask for another
        layouts: list[int] = []
        painted: list[str] = []
        monkeypatch.setattr(app.screen, "_refresh_layout", lambda *a, **k: layouts.append(1))
        for widget in (app.pane.query_one(NextBars), app.samples):
            monkeypatch.setattr(widget, "refresh", lambda *a, **k: painted.append("painted"))
        await pilot.press(*"abc")
        assert [message.text for message in app.of(PromptPane.Typed)] == ["x", "xa", "xab", "xabc"]
        assert layouts == []
        assert painted == []


async def test_a_very_long_prompt_scrolls_with_the_cursor() -> None:
    app = PaneApp()
    async with app.run_test(size=(80, 24)) as pilot:
        text = "".join(f"{number} " for number in range(3000))[:10_000]
        app.pane.text = text
        await pilot.pause()
        shown = app.rows(app.input)[0]
        assert shown
        assert text.rstrip().endswith(shown.rstrip()[-20:])
        await pilot.press("home")
        await pilot.pause()
        assert app.rows(app.input)[0].startswith("0 1 2 3")
        await pilot.press("end", "!")
        await pilot.pause()
        assert app.rows(app.input)[0].endswith("!")
        assert app.of(PromptPane.Typed)[-1].text == text + "!"


async def test_pasted_newlines_stay_newlines_and_are_seen() -> None:
    app = PaneApp()
    async with app.run_test(size=(80, 24)) as pilot:
        app.input.post_message(events.Paste("one\r\ntwo\tthree\x1b[31m"))
        await pilot.pause()
        assert app.pane.text == "one\ntwo\tthree\x1b[31m"
        assert app.rows(app.input)[0] == "one⏎two⇥three␛[31m"
        await pilot.press("ctrl+j")
        assert app.pane.text.endswith("\n")


async def test_a_huge_paste_is_cut_to_its_end() -> None:
    app = PaneApp()
    async with app.run_test(size=(80, 24)) as pilot:
        app.input.post_message(events.Paste("a" * MOST_CHARACTERS + "end"))
        await pilot.pause()
        assert len(app.pane.text) == MOST_CHARACTERS
        assert app.pane.text.endswith("end")


async def test_wide_characters_keep_cursor_and_mouse_in_place() -> None:
    app = PaneApp()
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press(*"日本語a")
        assert app.input._cursor_offset == 8
        await pilot.click(GhostInput, offset=(4, 0))
        assert app.input.cursor_position == 2
        strip = app.input.render_line(0)
        assert strip.cell_length == app.input.size.width
        await pilot.press("x")
        assert app.pane.text == "日本x語a"


# --- the next tokens ------------------------------------------------------------------------------------------


async def test_next_tokens_on_one_row() -> None:
    """In the form of DESIGN's sketch; spaces, newlines and control characters are seen, and never raw."""
    app = PaneApp(height=5)
    async with app.run_test(size=(80, 24)) as pilot:
        following = [("a", 0.97), (" ", 0.02), ("\n", 0.004), ("字", 0.003), ("\x1b", 0.0001), ("x", float("nan"))]
        app.pane.show_completion("", completion("", *following))
        await pilot.pause()
        bars = app.pane.query_one(NextBars)
        assert bars.size.height == 1
        assert app.rows(bars)[0] == "next  a 97%  ␣ 2%  ⏎ 0.4%  字 0.3%  ␛ <0.1%  x –"


async def test_next_tokens_as_bars_where_there_is_room() -> None:
    app = PaneApp(height=12)
    async with app.run_test(size=(100, 30)) as pilot:
        following = [("a", 1.0), ("字", 0.5), ("\t", 0.001), ("much-too-long-a-word-to-be-shown", 0.0)]
        app.pane.show_completion("", completion("", *following))
        await pilot.pause()
        bars = app.pane.query_one(NextBars)
        title, *rows = app.rows(bars)
        assert title == "next"
        assert all(cell_len(row) == bars.size.width for row in rows[:4])
        room = rows[0].count("█")
        assert room > 4
        assert rows[1].count("█") in (room // 2, (room + 1) // 2)
        assert "⇥" in rows[2]
        assert "▏" in rows[2]
        assert "█" not in rows[3]
        assert "…" in rows[3]


@pytest.mark.parametrize("height", [5, 12])
async def test_what_the_model_cannot_read_is_said(height: int) -> None:
    app = PaneApp(height=height)
    async with app.run_test(size=(100, 30)) as pilot:
        await pilot.press("ß", "字")
        app.pane.show_completion("ß字", completion("", ("a", 0.9), unknown=("ß", "字")))
        await pilot.pause()
        text = "\n".join(app.rows(app.pane.query_one(NextBars)))
        assert "unknown: ß, 字 → <unk>" in text
        assert "90%" in text


@pytest.mark.parametrize(
    ("probability", "text"),
    [
        (1.0, "100%"),
        (0.997, "99.7%"),
        (0.97, "97%"),
        (0.02, "2%"),
        (0.0096, "1%"),
        (0.004, "0.4%"),
        (0.0002, "<0.1%"),
        (float("nan"), "–"),
    ],
)
def test_percentages(probability: float, text: str) -> None:
    assert percentage(probability) == text


def test_visible_forms_hold_no_character_that_moves_the_cursor() -> None:
    every = "".join(map(chr, [*range(0xA0), *range(0x2000, 0x2070), 0xFEFF, 0xD800]))
    for form in (visible_line, visible_token):
        shown = form(every)
        assert len(shown) == len(every)
        assert not [character for character in shown if ord(character) < 32 or 0x7F <= ord(character) < 0xA0]
        assert not set(shown) & {"\u202e", "\u2066", "\u2028", "\ufeff", "\ud800"}
    assert visible_token(" a\n") == "␣a⏎"
    assert set(visible_text("\x1b\r\n\t")) == {"␛", "␍", "\n", " "}


# --- samples --------------------------------------------------------------------------------------------------


async def ask(app: PaneApp, pilot: Pilot[None], prompt: str) -> PromptPane.SampleWanted:
    app.pane.text = prompt
    await pilot.press("enter")
    await pilot.pause()
    wanted = app.of(PromptPane.SampleWanted)[-1]
    app.pane.start_sample(wanted.prompt, 1240)
    assert isinstance(wanted, PromptPane.SampleWanted)
    return wanted


async def test_enter_streams_a_sample_with_its_settings_above() -> None:
    app = PaneApp(height=12)
    async with app.run_test(size=(100, 30)) as pilot:
        wanted = await ask(app, pilot, "Once")
        assert wanted.prompt == "Once"
        assert wanted.sampling.seed > 0  # drawn, so that it can be shown and used again
        app.pane.append_sample(" upon\na ti", False)
        app.pane.append_sample("me\x1b[31m", True)
        await pilot.pause()
        header, *rows = app.rows(app.samples)
        assert header.startswith(f"─ seed {wanted.sampling.seed} · step 1,240 · temperature 0.8 ─")
        assert rows[:2] == ["Once upon", "a time␛[31m"]
        assert not app.pane.streaming


async def test_typing_or_escape_ends_the_sample() -> None:
    app = PaneApp()
    async with app.run_test(size=(80, 24)) as pilot:
        await ask(app, pilot, "a")
        assert app.pane.streaming
        await pilot.press("b")
        assert len(app.of(PromptPane.CancelWanted)) == 1
        assert not app.pane.streaming
        app.pane.append_sample("too late", False)
        assert "late" not in app.samples.last
        await ask(app, pilot, "c")
        await pilot.press("escape")
        assert len(app.of(PromptPane.CancelWanted)) == 2


async def test_enter_waits_for_a_model_that_is_coming() -> None:
    """It is shown to wait; typing on, Escape, or a model that does not come ends it."""
    app = PaneApp()
    async with app.run_test(size=(80, 24)) as pilot:
        for key, done in (("", 1), ("b", 1), ("escape", 1), ("gone", 1), ("", 2)):
            app.pane.set_model(False, coming=True)
            await pilot.press("a", "enter")
            assert app.said == WAITING
            if key == "gone":
                app.pane.set_model(False)
            elif key:
                await pilot.press(key)
            assert (app.said == WAITING) == (not key)
            app.pane.set_model(True)
            await pilot.pause()
            wanted = app.of(PromptPane.SampleWanted)
            assert len(wanted) == done
            assert app.said == ""
        assert wanted[-1].prompt == app.input.value == "aabaaa"


async def test_what_is_typed_before_there_is_a_model_is_told_why_nothing_answers() -> None:
    app = PaneApp()
    async with app.run_test() as pilot:
        app.pane.set_model(False)
        assert app.samples.hint == "", "the empty prompt says it"
        await pilot.press(*"The")
        assert app.samples.hint == UNTRAINED
        app.pane.set_model(True)
        assert app.samples.hint == HINT


async def test_without_a_model_enter_says_what_to_do() -> None:
    app = PaneApp()
    async with app.run_test(size=(80, 24)) as pilot:
        app.pane.set_model(False)
        await pilot.pause()
        assert app.rows(app.input)[0] == "train a model first, then type here"
        await pilot.press("x", "enter")
        await pilot.pause()
        assert app.of(PromptPane.SampleWanted) == []
        assert "train a model first" in app.said
        app.pane.set_model(False, none=True)
        await pilot.press("backspace", "enter")
        await pilot.pause()
        assert app.rows(app.input)[0] == app.said == "this run has no model that can be loaded"
        app.pane.set_model(True)
        await pilot.pause()
        assert app.said == ""


async def test_the_view_follows_the_end_unless_scrolled_up() -> None:
    app = PaneApp()
    async with app.run_test(size=(80, 24)) as pilot:
        await ask(app, pilot, "go")
        for number in range(40):
            app.pane.append_sample(f"line {number}\n")
        await pilot.pause()
        assert any("line 39" in row for row in app.rows(app.samples))
        app.samples.scroll_to(y=3, animate=False, immediate=True)
        app.pane.append_sample("line 40\n")
        await pilot.pause()
        assert app.samples.scroll_offset.y == 3


async def test_the_last_samples_are_kept() -> None:
    app = PaneApp()
    async with app.run_test(size=(80, 24)) as pilot:
        for number in range(KEPT + 3):
            await ask(app, pilot, f"prompt {number}.")
            app.pane.append_sample("x", True)
        text = "\n".join(line.text for line in app.samples._lines)
        assert "prompt 2." not in text
        assert all(f"prompt {number}." in text for number in range(3, KEPT + 3))


async def test_y_and_ctrl_y_copy_the_sample() -> None:
    app = PaneApp()
    async with app.run_test(size=(80, 24), notifications=True) as pilot:
        await ask(app, pilot, "one")
        app.pane.append_sample(" two\n\tthree", True)
        await pilot.press("ctrl+y")
        assert app.clipboard == "one two\n\tthree"
        assert [notification.message for notification in app._notifications] == ["copied"]
        app.copy_to_clipboard("")
        app.samples.focus()
        await pilot.press("y")
        assert app.clipboard == "one two\n\tthree"


async def test_of_the_border_the_last_part_is_left_out_where_it_does_not_fit() -> None:
    app = PaneApp()
    async with app.run_test(size=(80, 12)) as pilot:
        app.pane.set_source("", "a-run at step 5,400", "t trains a new one")
        assert app.pane.border_subtitle == "a-run at step 5,400 · t trains a new one"
        for width, text in ((40, "a-run at step 5,400"), (80, "a-run at step 5,400 · t trains a new one")):
            await pilot.resize_terminal(width, 12)
            await pilot.pause()
            assert app.pane.border_subtitle == text


async def test_a_sample_is_wrapped_anew_when_the_width_changes() -> None:
    """Pieces that arrive one by one are wrapped just as the whole text is, at every width."""
    text = "a fox and 日本語 and a word-that-is-far-longer-than-any-row-of-this-view\n\n" * 6
    app = PaneApp()
    async with app.run_test(size=(60, 24)) as pilot:
        await ask(app, pilot, "ab")
        for start in range(0, len(text), 7):
            app.pane.append_sample(text[start : start + 7])
        for width in (60, 40, 97):
            await pilot.resize_terminal(width, 24)
            await pilot.pause()
            streamed = [line.text for line in app.samples._lines if not line.header]
            room = app.samples.scrollable_content_region.width
            assert streamed == [row for paragraph in ("ab" + text).split("\n") for row in wrap(paragraph, room)]


@pytest.mark.parametrize("width", [1, 2, 5, 80])
@pytest.mark.parametrize("text", ["", "one two three", "word" * 9, "日本 語日本語", "a  b   c    ", "é\u0301 x"])
def test_wrapping_loses_nothing_and_fits(text: str, width: int) -> None:
    rows = wrap(text, width)
    assert "".join(rows) == text
    for row in rows:
        assert cell_len(row.rstrip(" ")) <= width or len(row.rstrip(" ")) == 1


# --- sampling settings ----------------------------------------------------------------------------------------


async def test_sampling_settings_are_made_from_their_knobs_and_used() -> None:
    app = PaneApp()
    async with app.run_test(size=(80, 24)) as pilot:
        assert [field.spec.name for field in app.pane.query(KnobField)] == list(knobs(SamplingConfig))
        app.pane.query_one("#sampling-temperature", KnobField).focus()
        await pilot.press("right")
        app.pane.query_one("#sampling-seed", KnobField).focus()
        await pilot.press("7")
        app.pane.focus_input()
        wanted = await ask(app, pilot, "a")
        assert wanted.sampling == SamplingConfig(temperature=0.9, seed=7)


async def test_a_bad_sampling_setting_is_explained_and_not_sent() -> None:
    app = PaneApp()
    async with app.run_test(size=(80, 24)) as pilot:
        app.pane.query_one("#sampling-top_p", KnobField).focus()
        await pilot.press("2")
        await pilot.pause()
        assert app.said.endswith("got 2.")
        app.pane.focus_input()
        await pilot.press("enter")
        await pilot.pause()
        assert app.of(PromptPane.SampleWanted) == []
        app.pane.query_one("#sampling-top_p", KnobField).focus()
        await pilot.press("escape")
        await pilot.pause()
        assert app.said == ""


@pytest.mark.parametrize(("width", "height"), [(48, 3), (48, 4), (78, 7), (90, 11), (160, 20)])
async def test_the_layout_fits_every_size(width: int, height: int) -> None:
    """Input, next tokens and at least a row of samples, each on rows of its own, at every size."""
    app = PaneApp(height=height)
    async with app.run_test(size=(width, 30)) as pilot:
        app.pane.show_completion("", completion("", ("a", 0.5)))
        await ask(app, pilot, "a")
        pane = app.pane.region
        regions = [app.input.region, app.pane.query_one(NextBars).region, app.samples.region]
        for region in regions:
            assert region.area > 0
            assert pane.contains_region(region)
        assert not any(a.overlaps(b) for a in regions for b in regions if a is not b)
        fields = [field.region for field in app.pane.query(KnobField)][:5]  # the focus scrolls to the others
        if height > 3:
            assert all(pane.contains_region(field) and field.area for field in fields)


async def test_a_decimal_comma_is_never_another_number() -> None:
    """0,8 is refused; it used to be a temperature of 8."""
    app = PaneApp()
    async with app.run_test(size=(80, 24)) as pilot:
        field = app.pane.query_one("#sampling-temperature", KnobField)
        field.focus()
        await pilot.press(*"0,5", "enter")
        await pilot.pause()
        assert field.error.endswith("; write 0.5.")
        assert app.pane.sampling.temperature == 0.8
