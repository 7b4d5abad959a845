"""The scratchpad: suggestions are taken into the text, samples inserted, and what was written survives leaving."""

from __future__ import annotations

import msgspec
import pytest
from textual.pilot import Pilot
from textual.widgets import Input

from rnnplay.engine import messages
from rnnplay.engine.messages import Complete, Sample, SampleText
from rnnplay.inspection.questions import PredictionsQuestion
from rnnplay.inspection.results import Candidate, Predictions, TokenPrediction, WordCandidate
from rnnplay.tui.screens.dialogs import Ask
from rnnplay.tui.screens.writing.screen import WritingScreen, title_text
from rnnplay.tui.writing.draft import Draft, DraftPlace, keep_draft, load_draft, open_draft
from rnnplay.tui.writing.ghost_area import GhostArea
from rnnplay.tui.writing.sample_choice import part_of
from tests.tui.stage import Stage, shown, until


async def write(stage: Stage, pilot: Pilot[None]) -> GhostArea:
    await stage.train(pilot)
    await pilot.press("W")
    await until(pilot, lambda: isinstance(stage.app.screen, WritingScreen))
    return stage.app.screen.query_one(GhostArea)


def suggest(stage: Stage, *words: str, phrase: str = "", read: float = 1.0) -> None:
    asked = stage.engine.of(Complete)[-1]
    found = [WordCandidate(text=word, probability=0.5 / k) for k, word in enumerate(words, start=1)]
    completion = messages.Completion(
        request=asked.request, suggestion=words[0], next=[], unknown=[], step=20, words=found, phrase=phrase, read=read
    )
    stage.engine.say(completion)


async def test_suggestions_are_taken_and_the_text_survives_leaving(stage: Stage) -> None:
    app = stage.open()
    async with app.run_test(size=(80, 24)) as pilot:
        area = await write(stage, pilot)
        await pilot.press(*"the w", "enter", *"and w")
        assert stage.engine.of(Complete)[-1].text == "the w\nand w"
        suggest(stage, "as", "ere", phrase="as at")
        await until(pilot, lambda: area.suggestion == "as at")
        await pilot.press("ctrl+right", "right", "right")
        assert area.content == "the w\nand was a"
        await pilot.press("ctrl+z", "ctrl+z", "ctrl+z", *"w")
        suggest(stage, "as", "ere")
        await until(pilot, lambda: area.suggestion == "as")
        await pilot.press("alt+down")
        assert area.suggestion == "ere"
        await pilot.press("tab")
        text = area.content
        assert text.endswith("were")
        await pilot.press("ctrl+home")
        assert area.cursor_location == (0, 0)
        await pilot.press("ctrl+shift+end")
        assert area.selected_text == text
        await pilot.press("ctrl+end", "left")
        assert area.suggestion == ""
        await pilot.press("escape")
        await until(pilot, lambda: app.screen is stage.playground)
        await pilot.press("W")
        await until(pilot, lambda: isinstance(app.screen, WritingScreen))
        again = app.screen.query_one(GhostArea)
        assert (again.content, again.cursor_location) == (text, (1, len(text.split("\n")[1]) - 1))


async def test_samples_are_drawn_one_after_the_other_and_one_is_inserted(stage: Stage) -> None:
    app = stage.open()
    async with app.run_test(size=(80, 24)) as pilot:
        area = await write(stage, pilot)
        await pilot.press(*"Once", "ctrl+g")
        for number, text in enumerate([" upon\na time", " more"]):
            await until(pilot, lambda n=number: len(stage.engine.of(Sample)) == n + 1)  # type: ignore[misc]
            stage.engine.say(SampleText(request=stage.engine.of(Sample)[-1].request, text=text, done=True))
        await pilot.pause()
        seeds = [sample.sampling.seed for sample in stage.engine.of(Sample)]
        assert seeds[1] == seeds[0] + 1
        await pilot.press("right", "left", "l")
        assert area.content == "Once upon"
        assert area.has_focus
        await pilot.press("ctrl+z")
        assert area.content == "Once"


async def test_saving_asks_before_it_overwrites(stage: Stage) -> None:
    path = stage.workspace.root / "t.txt"
    path.write_text("old")
    app = stage.open()
    async with app.run_test(size=(80, 24)) as pilot:
        await write(stage, pilot)
        await pilot.press(*"new", "ctrl+s")
        await until(pilot, lambda: isinstance(app.screen, Ask))
        app.screen.query_one(Input).value = str(path)
        await pilot.press("enter")
        await until(pilot, lambda: "exists" in str(app.screen.query_one("#refusal").render()))
        assert path.read_text() == "old"
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, WritingScreen))
        assert path.read_text() == "new"


async def test_a_file_in_another_encoding_is_opened_as_a_new_text_and_never_rewritten(stage: Stage) -> None:
    path = stage.workspace.root / "t.txt"
    written = ("Das heißt: «größer» – naïve Café. " * 20).encode("cp1252")
    path.write_bytes(written)
    app = stage.open()
    async with app.run_test(size=(80, 24), notifications=True) as pilot:
        area = await write(stage, pilot)
        await pilot.press("ctrl+o")
        await until(pilot, lambda: bool(app.screen.query("#file-path")))
        app.screen.query_one("#file-path", Input).value = str(path)
        await pilot.press("enter")
        await until(pilot, lambda: "opens it as a new text" in shown(app.screen, "#file-say").replace("\n", " "))
        await pilot.press("enter")
        await until(pilot, lambda: area.content.startswith("Das heißt: «größer»"))
        assert any("t.txt is not in UTF-8" in text for text in stage.toasts)
        await pilot.press("ctrl+s")
        await until(pilot, lambda: isinstance(app.screen, Ask))
        assert app.screen.query_one(Input).value == str(path.with_name("t-copy.txt"))
        assert path.read_bytes() == written and not list(stage.workspace.corpora.glob("t*"))


@pytest.mark.parametrize(
    ("text", "line", "word"),
    [("a b\nc", "a b", "a"), ("\n\na b\nc", "\n\na b", "\n\na"), (" a", " a", " a"), ("", "", "")],
)
def test_the_beginning_of_a_sample(text: str, line: str, word: str) -> None:
    assert (part_of(text, "all"), part_of(text, "line"), part_of(text, "word")) == (text, line, word)


async def test_an_alternative_takes_the_place_of_a_token_and_samples_go_on_from_there(stage: Stage) -> None:
    app = stage.open()
    async with app.run_test(size=(80, 24)) as pilot:
        area = await write(stage, pilot)
        await pilot.press(*"cat", "f2")
        asked = stage.engine.asked(PredictionsQuestion)[-1]
        top = [Candidate(token="u", probability=0.6), Candidate(token="a", probability=0.3)]
        tokens = [TokenPrediction(token=one, surprisal=1.2, probability=0.3, rank=2, top=top) for one in "cat"]
        result = Predictions(run="r", step=20, tokens=tokens, loss=1.2, perplexity=3.3)
        stage.engine.say(messages.Inspected(request=asked.request, result=result))
        await pilot.press("left", "left")
        await until(pilot, lambda: "rank 2" in shown(app.screen, "#writing-token"))
        assert [one.text for one in area.alternatives] == ["u", "a"]
        await pilot.press("alt+down", "enter")
        assert area.content == "cut"
        await until(pilot, lambda: bool(stage.engine.of(Sample)))
        assert stage.engine.of(Sample)[-1].prompt == "cu"
        await pilot.press("escape", "ctrl+z")
        assert area.content == "cat"


@pytest.mark.parametrize(
    ("width", "unsaved", "read", "title"),
    [
        (60, True, "", "a.txt · not saved to a file · first at step 1,569"),
        (40, True, "", "a.txt · unsaved · first at step 1,569"),
        (32, True, "", "a.txt · not saved to a file"),
        (16, True, "", "a.txt · unsaved"),
        (40, True, "reading the text: 7%", "a.txt · unsaved · reading the text: 7%"),
        (30, False, "reading the text: 7%", "a.txt · reading the text: 7%"),
        (12, True, "", "a.txt · uns…"),
    ],
)
def test_a_narrow_title_leaves_out_what_matters_least(width: int, unsaved: bool, read: str, title: str) -> None:
    assert title_text("a.txt", unsaved, "first at step 1,569", read, width) == title


@pytest.mark.parametrize("text", ["a\tb" * 40, "日本語 wide " * 12, "one two " * 30 + "\n\n\tx"])
async def test_the_rows_on_the_screen_are_the_text(stage: Stage, text: str) -> None:
    app = stage.open()
    async with app.run_test(size=(80, 24)) as pilot:
        area = await write(stage, pilot)
        area.load_text(text)
        await pilot.pause()
        rows = [area.render_line(y) for y in range(area.wrapped_document.height)]
        assert {row.cell_length for row in rows} == {area.scrollable_content_region.width}
        assert "".join(row.text for row in rows).split() == text.split()


async def test_beside_another_scratchpad_each_has_its_own_text(stage: Stage) -> None:
    other = DraftPlace(stage.workspace)
    keep_draft(Draft(text="theirs", unsaved=True), other.path)
    app = stage.open()
    async with app.run_test(size=(80, 24), notifications=True) as pilot:
        area = await write(stage, pilot)
        assert area.content == ""
        assert "Another rnnplay" in shown(app.screen, "Toast")
        await pilot.press(*"mine", "f4")
        assert area.content == "mine", "theirs is open"
        other.release()
        await pilot.press("f4")
        assert area.content == "theirs"
        await pilot.press("!", "f4")
        assert area.content == "mine"
    assert load_draft(other.path).text == "!theirs"


async def test_a_file_that_another_program_changed_is_overwritten_only_on_demand(stage: Stage) -> None:
    path = stage.workspace.root / "t.txt"
    path.write_text("old")
    keep_draft(
        msgspec.structs.replace(open_draft(path)[0], text="mine", unsaved=True), stage.workspace.root / "draft.json"
    )
    path.write_text("from elsewhere")
    app = stage.open()
    async with app.run_test(size=(80, 24)) as pilot:
        await write(stage, pilot)
        await pilot.press("ctrl+s")
        assert path.read_text() == "from elsewhere"
        await pilot.press("ctrl+s")
        assert path.read_text() == "mine"


async def test_a_space_after_a_suggestion_that_ends_in_one_is_not_doubled(stage: Stage) -> None:
    app = stage.open()
    async with app.run_test(size=(80, 24)) as pilot:
        area = await write(stage, pilot)
        await pilot.press(*"th")
        suggest(stage, "e", phrase="e old ")
        await until(pilot, lambda: area.suggestion == "e old ")
        await pilot.press("tab", "space", *"fox", "space", "space")
        assert area.content == "the old fox  "
        field = stage.prompt._input
        app.screen.dismiss(None)
        await until(pilot, lambda: app.screen is stage.playground)
        stage.playground.action_prompt()
        await until(pilot, lambda: app.focused is field)
        field._append("the old ")
        await pilot.press("space", *"fox", "space", "space")
        assert field.value == "the old fox  "


async def test_the_cursor_stays_on_the_screen_while_one_writes(stage: Stage) -> None:
    """Also where a word moves on to a row of its own at the bottom."""
    app = stage.open()
    async with app.run_test(size=(80, 24)) as pilot:
        area = await write(stage, pilot)
        area.insert("a line\n" * 30)
        area.insert("word and other words of some length " * 2)
        await pilot.pause()
        for letter in "several more to":
            area.insert(letter)
            await pilot.pause()
            assert cursor_shown(area), letter
        for _ in range(3):
            await pilot.press("enter")
            assert cursor_shown(area)
        await pilot.press("ctrl+home", "ctrl+z", "ctrl+y")
        assert cursor_shown(area)
        await pilot.press("ctrl+end", "ctrl+g")  # samples take rows of the text's
        await until(pilot, lambda: area.size.height < 15)
        await until(pilot, lambda: cursor_shown(area))


def cursor_shown(area: GhostArea) -> bool:
    y = area.wrapped_document.location_to_offset(area.cursor_location).y
    return area.scroll_offset.y <= y < area.scroll_offset.y + area.size.height


async def test_how_much_of_a_long_text_was_read_is_in_the_title(stage: Stage) -> None:
    async with stage.open().run_test(size=(80, 24)) as pilot:
        area = await write(stage, pilot)
        await pilot.press(*"the w")
        suggest(stage, "as", read=0.4)
        await until(
            pilot,
            lambda: area.suggestion == "as" and "reading the text: 40%" in shown(stage.app.screen, "#writing-title"),
        )
        assert "untitled · unsaved" in shown(stage.app.screen, "#writing-title")
        suggest(stage, "as", "ere")
        await until(pilot, lambda: "reading" not in shown(stage.app.screen, "#writing-title"))


async def test_a_message_covers_no_words(stage: Stage) -> None:
    async with stage.open().run_test(size=(80, 24), notifications=True) as pilot:
        await write(stage, pilot)
        stage.app.screen.notify("There is no other text.")
        await until(pilot, lambda: bool(stage.app.screen.query("Toast")))
        await until(pilot, lambda: stage.app.screen.query("Toast").last().region.bottom in (1, 2))
