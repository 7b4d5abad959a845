"""Lessons in the interface: chosen by key, trained by key, ticked by what is measured, kept, in two languages."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest
from click.testing import CliRunner
from rich.cells import cell_len
from textual.message import Message
from textual.pilot import Pilot
from textual.widgets import Button, Collapsible, DataTable, Input, Markdown, OptionList, Static

from rnnplay.cli.main import program
from rnnplay.engine import messages
from rnnplay.inspection.questions import DistancesQuestion, GatesQuestion, GradientsQuestion
from rnnplay.inspection.results import Candidate, Completed, DistanceAccuracy, Forced, GateMap, GradientCurve
from rnnplay.lessons.own import read_own
from rnnplay.lessons.progress import load_progress
from rnnplay.lessons.reader import find_lesson, lessons
from rnnplay.tui.lessons.lesson_line import LessonLine
from rnnplay.tui.lessons.lesson_pane import LessonPane
from rnnplay.tui.lessons.lesson_progress import LessonProgress, Need
from rnnplay.tui.run_controller import RunController
from rnnplay.tui.screens.dialogs import Confirm
from rnnplay.tui.screens.inspect import InspectScreen
from rnnplay.tui.screens.lessons import LessonsScreen
from rnnplay.tui.settings import Settings, load_settings, progress_path, save_settings
from rnnplay.tui.widgets.key_row import KeyRow
from tests.lessons.world import write_french
from tests.tui.findings import found
from tests.tui.stage import Stage, completion, progress, shown, started, step_at, toasts_on_screen, until, validation


@pytest.fixture(autouse=True)
def english(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LC_ALL", "C.UTF-8")


async def open_lesson(stage: Stage, pilot: Pilot[None], number: int) -> None:
    await stage.ready(pilot)
    await pilot.press("l")
    await until(pilot, lambda: isinstance(stage.app.screen, LessonsScreen))
    await pilot.press(*["down"] * (number - 1), "enter")
    await until(pilot, lambda: bool(stage.playground.query(LessonPane)))
    await until(pilot, lambda: isinstance(stage.app.focused, LessonPane))


def text_of_steps(stage: Stage) -> str:
    return " ".join(str(step.content) for step in stage.playground.query(".step"))  # type: ignore[attr-defined]


def curve(run: str, step: int, at_20: float, at_40: float = 1e-9) -> GradientCurve:
    norms = [1.0] + [at_20] * 39 + [at_40] * 25
    return GradientCurve(run=run, step=step, distances=list(range(65)), hidden=[norms], seconds=0.01)


async def train_variant(stage: Stage, pilot: Pilot[None], steps: int = 20) -> str:
    """The key, and the run that the engine makes of it."""
    stage.engine.sent.clear()
    await pilot.press("t")
    await until(pilot, lambda: bool(stage.engine.of(messages.Train)))
    run = stage.engine.of(messages.Train)[0].run
    await stage.begin(pilot, [step_at(number) for number in range(1, steps + 1)])
    return run


async def test_a_lesson_from_the_first_key_to_its_ticks(stage: Stage) -> None:
    app = stage.open()
    async with app.run_test(size=(120, 40)) as pilot:
        await open_lesson(stage, pilot, 3)
        lesson = find_lesson("3")
        assert stage.app.lesson_progress.lesson is lesson
        assert "Why gradients vanish" in str(stage.playground.query_one(LessonPane).border_title)
        run = await train_variant(stage, pilot)
        assert run == "lesson-3-small-01"
        assert stage.engine.of(messages.Train)[0].config == lesson.config("small")
        assert stage.app.lesson_progress.variant == "small"
        wanted = GradientsQuestion(distance=20, initial=True)
        await until(pilot, lambda: wanted in stage.engine.questions(GradientsQuestion))
        asked = stage.engine.asked(GradientsQuestion, "lesson initial gradients")[-1]
        stage.app.lesson_progress.ask(1e9)  # so late that it is taken for lost, and asked again
        again = stage.engine.asked(GradientsQuestion, "lesson initial gradients")[-1]
        await stage.say(pilot, messages.Inspected(request=asked.request, result=curve(run, 0, 1e-4)))
        assert load_progress(progress_path()).done(lesson) == [], "an answer that is out of date"
        await stage.say(pilot, messages.Inspected(request=again.request, result=curve(run, 0, 1e-2)))
        assert "✓" not in text_of_steps(stage).split("2.")[0], "0.01 is not below a thousandth"
        assert "0.01" in text_of_steps(stage)
        await stage.say(pilot, messages.Inspected(request=again.request, result=curve(run, 0, 1e-4)))
        assert text_of_steps(stage).startswith("✓ 1.")
        assert any("gain 0.7" in toast for toast in stage.toasts)
        assert load_progress(progress_path()).done(lesson) == [0]
        await stage.stop(pilot, "length")
        assert stage.app.lesson_progress.next_variant == "large"
        assert await train_variant(stage, pilot) == "lesson-3-large-01"
        await until(pilot, lambda: bool(stage.engine.asked(GradientsQuestion)))
        asked = stage.engine.asked(GradientsQuestion)[-1]
        await stage.say(pilot, messages.Inspected(request=asked.request, result=curve("another-run", 0, 1e3)))
        assert load_progress(progress_path()).done(lesson) == [0], "of another run"


async def test_what_a_view_asks_for_does_not_count(stage: Stage) -> None:
    """It is of whatever text the user looks at; the lesson asks for its own."""
    app = stage.open()
    async with app.run_test(size=(120, 40)) as pilot:
        await open_lesson(stage, pilot, 3)
        run = await train_variant(stage, pilot)
        await pilot.press("i")
        await until(pilot, lambda: isinstance(app.screen, InspectScreen) and bool(app.screen._views))
        assert app.screen.query_one(LessonLine).display
        await until(
            pilot, lambda: {one.purpose == "view" for one in stage.engine.asked(GradientsQuestion)} == {False, True}
        )
        asked = {one.purpose != "view": one for one in stage.engine.asked(GradientsQuestion)}
        await stage.say(pilot, messages.Inspected(request=asked[False].request, result=curve(run, 0, 1e-4)))
        assert load_progress(progress_path()).done(find_lesson("3")) == []
        await stage.say(pilot, messages.Inspected(request=asked[True].request, result=curve(run, 0, 1e-4)))
        assert load_progress(progress_path()).done(find_lesson("3")) == [0]
        await until(pilot, lambda: "2. Use gain 2.5" in shown(app.screen, "#lesson-line"))


async def test_a_forced_completion_is_a_measurement(stage: Stage) -> None:
    """If it is of the lesson's prompt, and what is forced is what the lesson forces."""
    app = stage.open()
    async with app.run_test(size=(120, 40)) as pilot:
        await open_lesson(stage, pilot, 7)
        await train_variant(stage, pilot)
        await stage.say(pilot, progress([step_at(500), validation(500, 1.5)]))
        probe = find_lesson("7").probe

        async def completed(prompt: str, forced: list[Forced]) -> list[int]:
            """The steps that are ticked once `prompt` was completed, with and without what is forced."""
            stage.controller.force(forced)
            request = stage.controller.complete(prompt)
            untouched = completion(request, "me", ("m", 0.9), ("n", 0.1), step=500)
            other = Completed(suggestion="n", next=[Candidate(token="n", probability=0.9)])
            await stage.say(pilot, msgspec.structs.replace(untouched, forced=other))
            return load_progress(progress_path()).done(find_lesson("7"))

        assert 4 not in await completed("Once upon", probe.forced)
        assert 4 not in await completed(probe.prompt, [Forced(layer=0, quantity="forget_gate", value=1.0)])
        assert 4 in await completed(probe.prompt, probe.forced)


async def test_a_run_that_goes_on_for_longer_than_the_experiment_ticks_nothing(stage: Stage) -> None:
    """Its conditions are about what is learnt in so many steps."""
    app = stage.open()
    async with app.run_test(size=(120, 40)) as pilot:
        await open_lesson(stage, pilot, 2)
        lesson = find_lesson("2")
        run = await train_variant(stage, pilot)
        length = lesson.config("one").steps
        await stage.say(pilot, progress([step_at(length), validation(length, 2.0)]))
        await stage.stop(pilot, "length")
        before = load_progress(progress_path()).done(lesson)
        stage.controller.resume()
        await stage.say(pilot, progress([started(run, length), step_at(2 * length), validation(2 * length, 1.0)]))
        stage.engine.sent.clear()
        stage.app.lesson_progress.ask(1e9)
        assert not stage.engine.sent
        assert load_progress(progress_path()).done(lesson) == before
        assert stage.app.lesson_progress.measurements.measure("validation_loss", "one") == (2.0, length)
        assert stage.app.lesson_progress.need == Need("again", "one", 0), (
            "it was trained to its end, and did not reach the step"
        )


@pytest.mark.parametrize("language", ["en", "zh"])
async def test_the_page_is_wrapped_anew_where_the_room_changes(stage: Stage, language: str) -> None:
    app = stage.open()
    async with app.run_test(size=(120, 40)) as pilot:
        app.lesson_progress.language = "zh" if language == "zh" else "en"
        await open_lesson(stage, pilot, 3)
        pane = stage.playground.query_one(LessonPane)
        for width in (80, 170, 120):
            await pilot.resize_terminal(width, 40)
            await until(pilot, lambda: pane._wrapped_to == pane._text_width())
            await pilot.pause()
            equation = next(one for one in pane.query(Markdown) if "```" in one.source)
            fence = equation.source.split("```")[1]
            assert max(map(cell_len, fence.splitlines())) <= pane._text_width() - 4
            rows = [row for step in pane.query(".step").results(Static) for row in str(step.content).splitlines()]
            if language == "zh":
                # The number comes after a space, where a line may end anyway.
                widest = max(cell_len(row.removesuffix(" …")) for row in rows)
                assert pane._text_width() - 10 < widest <= pane._text_width()
        assert pane.query_one(".question", Markdown).source


async def test_the_page_by_keys_and_its_buttons(stage: Stage) -> None:
    app = stage.open()
    async with app.run_test(size=(120, 40)) as pilot:
        await open_lesson(stage, pilot, 3)
        pane = stage.playground.query_one(LessonPane)
        labels = [str(button.label) for button in pane.query(Button)]
        assert [label.split()[-1] for label in labels] == ["t", "enter", "enter"], "each says its key"
        assert "press i, then 3" in str(pane.query_one(".keys", Static).content)
        for collapsed in (False, True):
            await pilot.press("a")
            assert pane.query_one(Collapsible).collapsed is collapsed
        pane.scroll_home(animate=False)
        await pilot.press("pagedown")
        await until(pilot, lambda: pane.scroll_offset.y > 0)
        await pilot.press("tab")
        await until(pilot, lambda: isinstance(app.focused, Button) and str(app.focused.id).startswith("variant-"))
        await pilot.press("tab", "enter")
        await until(pilot, lambda: bool(stage.engine.of(messages.Train)))
        assert stage.engine.of(messages.Train)[0].run == "lesson-3-large-01"
        await stage.begin(pilot, [step_at(1)])
        assert all(button.disabled for button in pane.query(Button))
        await pilot.press("ctrl+l")
        await until(pilot, lambda: not stage.playground.query(LessonPane))
        assert stage.app.lesson_progress.lesson is None


async def test_where_it_is_narrow_the_page_takes_turns_with_the_charts(stage: Stage) -> None:
    app = stage.open()
    async with app.run_test(size=(80, 24)) as pilot:
        await open_lesson(stage, pilot, 1)
        work, line = stage.playground.query_one("#work"), stage.playground.query_one(LessonLine)
        assert not work.display
        assert not line.has_class("shown")
        await pilot.press("escape")
        await until(pilot, lambda: bool(work.display))
        assert not stage.playground.query_one(LessonPane).display
        assert "Start training" in shown(stage.playground, "#lesson-line")
        await pilot.press("l")
        await until(pilot, lambda: not work.display)
        await until(pilot, lambda: isinstance(app.focused, LessonPane))
        await train_variant(stage, pilot)
        assert work.display, "one wants to see the run"


@pytest.mark.parametrize("size", [(80, 24), (120, 40)])
async def test_the_page_is_never_beside_the_form(
    stage: Stage, size: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its widgets take a while to be made, during which the screen may be drawn."""
    beside: list[bool] = []

    def made(pane: LessonPane) -> None:
        refresh_steps(pane)
        beside.append(bool(pane.display and not stage.playground.query_one("#setup").has_class("folded")))

    refresh_steps = LessonPane.refresh_steps
    monkeypatch.setattr(LessonPane, "refresh_steps", made)
    app = stage.open()
    async with app.run_test(size=size) as pilot:
        await open_lesson(stage, pilot, 1)
        assert stage.playground.query_one(LessonPane).display
        assert beside
        assert not any(beside)


async def test_languages_are_changed_by_key_and_kept(stage: Stage) -> None:
    app = stage.open()
    async with app.run_test(size=(120, 40)) as pilot:
        await open_lesson(stage, pilot, 2)
        await pilot.press("l")
        await until(pilot, lambda: isinstance(app.screen, LessonsScreen))
        await pilot.press("z")
        await until(pilot, lambda: "随时间反向传播及其截断" in shown(app.screen, "DataTable"))
        assert app.screen.query_one(DataTable).cursor_row == 1
        await pilot.press("escape")
        await until(pilot, lambda: "随时间" in str(stage.playground.query_one(LessonPane).border_title))
        assert load_settings().language == "zh"


async def test_an_engine_that_cannot_answer_is_asked_again(stage: Stage) -> None:
    app = stage.open()
    async with app.run_test(size=(120, 40)) as pilot:
        await open_lesson(stage, pilot, 4)
        await train_variant(stage, pilot)
        lesson_progress = stage.app.lesson_progress
        await until(pilot, lambda: bool(stage.engine.asked(DistancesQuestion)))
        asked = stage.engine.asked(DistancesQuestion)[-1].request
        await stage.say(pilot, messages.Failed(message="no", command="inspect", request=asked))
        before = len(stage.engine.asked(DistancesQuestion))
        lesson_progress.ask(1e9)
        assert len(stage.engine.asked(DistancesQuestion)) == before + 1
        assert not any(toast == "no" for toast in stage.toasts), "nobody but the lesson asked"


def test_without_a_lesson_nothing_is_asked_nor_told(stage: Stage, tmp_path: Path) -> None:
    app = stage.open()
    told: list[Message] = []
    lesson_progress = LessonProgress(app.controllers, told.append, "en", tmp_path / "lessons.json")
    lesson_progress.take(RunController.EventReceived(stage.controller, progress([started(), step_at(1)])))
    lesson_progress.ask(1.0)
    assert (lesson_progress.variant, lesson_progress.next_variant, lesson_progress.next_step) == (None, None, None)


async def test_the_list_fits_the_smallest_screen(stage: Stage) -> None:
    app = stage.open()
    async with app.run_test(size=(80, 24)) as pilot:
        await stage.ready(pilot)
        await pilot.press("l")
        await until(pilot, lambda: isinstance(app.screen, LessonsScreen))
        table = app.screen.query_one(DataTable)
        assert table.virtual_size.width <= table.size.width, "nothing is cut, nothing scrolls sideways"
        await pilot.press("z")
        await pilot.pause()
        assert table.virtual_size.width <= table.size.width


async def test_the_page_goes_on_with_the_steps_only_for_who_reads_them(stage: Stage) -> None:
    app = stage.open()
    async with app.run_test(size=(120, 30)) as pilot:
        await stage.ready(pilot)
        await open_lesson(stage, pilot, 5)
        pane = stage.playground.query_one("#lesson", LessonPane)
        pane.go_on_from(0)
        await pilot.pause()
        assert pane.scroll_y == 0, "who reads the text is not moved"
        pane.follow()
        await pilot.pause()
        steps = list(pane.query(".step").results(Static))
        assert pane.region.contains_region(steps[0].region)
        stage.app.lesson_progress.ticks.tick(find_lesson("5"), 0)
        before = pane.scroll_y
        pane.go_on_from(0)
        await pilot.pause()
        assert pane.region.contains_region(steps[1].region)
        assert pane.scroll_y > before


# --- no lesson that sticks ------------------------------------------------------------------------------------


def accuracies(run: str, step: int, at_40: float) -> DistanceAccuracy:
    share = [1.0, at_40, at_40]
    return DistanceAccuracy(
        run=run, step=step, kind="recall", chance=0.125, trained=80, distances=[1, 32, 64], correct=[1, 1, 1],
        count=[10, 10, 10], accuracy=share, low=share, high=share, seconds=0.01,
    )  # fmt: skip


async def finish(stage: Stage, pilot: Pilot[None], valid: float = 1.0) -> int:
    """The run's last step, its validation and its end; nothing is answered yet."""
    config = stage.state.config
    assert config is not None
    stage.engine.sent.clear()
    await stage.say(pilot, progress([step_at(config.steps), validation(config.steps, valid)]))
    await stage.stop(pilot, "length")
    return config.steps


async def test_the_next_key_waits_until_the_finished_run_is_measured(stage: Stage) -> None:
    """However soon it comes, and however often it is pressed."""
    app = stage.open()
    async with app.run_test(size=(120, 40)) as pilot:
        await open_lesson(stage, pilot, 8)
        run = await train_variant(stage, pilot)
        length = await finish(stage, pilot)
        await pilot.press("t", "t")
        await until(pilot, lambda: any("being measured" in toast for toast in stage.toasts))
        assert not stage.engine.of(messages.Train)
        assert "measuring…" in text_of_steps(stage) and stage.main == "◌ Measuring"
        asked = stage.engine.asked(DistancesQuestion)[-1]
        gradients = stage.engine.asked(GradientsQuestion)[-1]
        await stage.say(pilot, messages.Inspected(request=asked.request, result=accuracies(run, length, 0.2)))
        assert load_progress(progress_path()).done(find_lesson("8")) == [0]
        assert not stage.engine.of(messages.Train), "the gradients are still being measured"
        await stage.say(pilot, messages.Failed(message="no", command="inspect", request=gradients.request))
        await until(pilot, lambda: bool(stage.engine.of(messages.Train)))
        assert [one.run for one in stage.engine.of(messages.Train)] == ["lesson-8-lstm-01"]
        assert any("✓ accuracy at distance 40 · RNN ≤ 0.3: 0.2" in toast for toast in stage.toasts)


async def test_t_shows_what_is_to_be_looked_at_and_never_trains_a_finished_run_on(stage: Stage) -> None:
    """The steps of lesson 7: the view opens on the quantity that the step names, and it ticks while that is seen."""
    app = stage.open()
    async with app.run_test(size=(120, 40)) as pilot:
        await open_lesson(stage, pilot, 7)
        lesson, probe = find_lesson("7"), find_lesson("7").probe

        def ticked() -> list[int]:
            return load_progress(progress_path()).done(lesson)

        run = await train_variant(stage, pilot)
        length = await finish(stage, pilot)

        async def answer() -> None:
            """All that was asked for, of the model as it is."""
            asked = [one for one in stage.engine.asked(GatesQuestion) if one.request not in answered]
            for one in asked:
                answered.add(one.request)
                event = found(one, step=length)
                assert isinstance(event, messages.Inspected) and isinstance(event.result, GateMap)
                result = msgspec.structs.replace(event.result, run=run, low=0.2, high=0.4)
                if result.quantity == "cell":
                    result = msgspec.structs.replace(result, values=[[3 * one for one in row] for row in result.values])
                await stage.say(pilot, msgspec.structs.replace(event, result=result))

        answered: set[int] = set()
        await answer()
        quantities = {one.quantity for one in stage.engine.questions(GatesQuestion)}
        assert quantities == {"forget_gate", "cell", "hidden"}, "all at once"
        assert ticked() == [0], "measured, but not looked at"
        assert stage.main == "▶ Look"
        await pilot.press("t", "t")
        await until(pilot, lambda: isinstance(app.screen, InspectScreen) and bool(app.screen._views))
        await until(pilot, lambda: stage.engine.asked(GatesQuestion)[-1].request not in answered)
        assert stage.engine.questions(GatesQuestion)[-1].quantity == "forget_gate"
        await answer()
        assert ticked() == [0, 1, 2]
        await pilot.press("escape")
        await until(pilot, lambda: app.screen is stage.playground)
        await pilot.press("t")
        await until(pilot, lambda: isinstance(app.screen, InspectScreen) and bool(app.screen._views))
        await until(pilot, lambda: stage.engine.questions(GatesQuestion)[-1].quantity == "cell")
        await answer()
        assert ticked() == [0, 1, 2, 3]
        await pilot.press("escape")
        await until(pilot, lambda: app.screen is stage.playground)
        await pilot.press("t")
        await until(pilot, lambda: isinstance(app.screen, InspectScreen) and bool(app.screen.query("#switches")))
        await until(pilot, lambda: app.screen.query_one("#switches", OptionList).highlighted is not None)
        await pilot.press("enter")
        assert list(stage.controller.forced) == list(probe.forced)
        assert not stage.engine.of(messages.Train)


async def test_a_run_that_was_stopped_is_resumed_by_t_and_n_asks(stage: Stage) -> None:
    """It is the lesson's, and not at its end; a run of one's own is begun only after a yes."""
    app = stage.open()
    async with app.run_test(size=(120, 40)) as pilot:
        await open_lesson(stage, pilot, 8)
        run = await train_variant(stage, pilot)
        await stage.stop(pilot)
        assert stage.app.lesson_progress.need == Need("resume", "rnn", 0)
        stage.engine.sent.clear()
        await pilot.press("n")
        await until(pilot, lambda: isinstance(app.screen, Confirm))
        await pilot.press("escape")
        await until(pilot, lambda: app.screen is stage.playground)
        assert not stage.engine.of(messages.Train)
        await pilot.press("t")
        await until(pilot, lambda: bool(stage.engine.of(messages.Train)))
        (command,) = stage.engine.of(messages.Train)
        assert (command.run, command.resume, command.config.steps) == (run, True, 2000)


async def test_a_run_of_ones_own_gives_way_to_the_lessons_only_after_a_yes(stage: Stage) -> None:
    app = stage.open()
    async with app.run_test(size=(120, 40)) as pilot:
        await stage.train(pilot, 7)
        await stage.stop(pilot)
        await open_lesson(stage, pilot, 8)
        stage.engine.sent.clear()
        for answer in ("escape", "left enter"):
            assert not stage.engine.of(messages.Train)
            await pilot.press("t")
            await until(pilot, lambda: isinstance(app.screen, Confirm))
            assert "is at step 7 and not finished" in " ".join(shown(app.screen, "Label").split())
            await pilot.press(*answer.split())
            await until(pilot, lambda: app.screen is stage.playground)
        await until(pilot, lambda: bool(stage.engine.of(messages.Train)))
        assert stage.engine.of(messages.Train)[0].run == "lesson-8-rnn-01"


async def test_what_did_not_come_out_is_trained_once_more(stage: Stage) -> None:
    """With another seed, as the same one would give the same; and it says what was measured."""
    app = stage.open()
    async with app.run_test(size=(120, 40)) as pilot:
        await open_lesson(stage, pilot, 4)
        run = await train_variant(stage, pilot)
        length = await finish(stage, pilot)
        for asked in (*stage.engine.asked(DistancesQuestion), *stage.engine.asked(GradientsQuestion)):
            result = (
                accuracies(run, length, 0.9) if isinstance(asked.question, DistancesQuestion) else curve(run, length, 0)
            )
            await stage.say(pilot, messages.Inspected(request=asked.request, result=result))
        first = find_lesson("4").config("rnn").seed
        stage.app.lesson_progress.ticks.tick(find_lesson("4"), 0)
        await pilot.press("t")
        await until(pilot, lambda: bool(stage.engine.of(messages.Train)))
        assert stage.engine.of(messages.Train)[0].config.seed == first + 1
        assert any("Step 2" in toast and "0.9 was measured" in toast for toast in stage.toasts)


async def test_a_chinese_lesson_has_a_chinese_footer(stage: Stage) -> None:
    app = stage.open()
    async with app.run_test(size=(120, 40)) as pilot:
        app.lesson_progress.language = "zh"
        await open_lesson(stage, pilot, 3)
        footer = stage.playground.query_one(KeyRow)
        await until(pilot, lambda: "训练" in [key.description for key in footer.keys])
        assert [key.description for key in footer.keys if key.description.isascii()] == []
        assert "课程" in str(stage.playground.query_one(LessonPane).border_subtitle)


async def test_charts_and_prompt_are_in_the_lessons_language(stage: Stage) -> None:
    app = stage.open()
    async with app.run_test(size=(120, 40)) as pilot:
        app.lesson_progress.language = "zh"
        await open_lesson(stage, pilot, 3)
        field = stage.prompt.query_one("#prompt-input", Input)
        assert (stage.loss.border_title, stage.norm.border_title) == ("损失", "梯度范数")
        assert "对数坐标" in shown(stage.playground, "#norm-chart")
        assert stage.prompt.border_title == "提示"
        assert "先训练" in field.placeholder
        await train_variant(stage, pilot)
        assert "输入" in field.placeholder
        assert "回车" in shown(stage.playground, "#samples")
        await pilot.press("ctrl+l")
        await until(pilot, lambda: stage.prompt.border_title == "Prompt")
        assert stage.loss.border_title == "Loss"
        assert "Enter writes" in shown(stage.playground, "#samples")


async def test_a_lesson_that_is_done_is_not_trained_on(stage: Stage) -> None:
    """The key for its last step, pressed once more, does not take the run to twice its length; n asks no more."""
    app = stage.open()
    async with app.run_test(size=(120, 40)) as pilot:
        await open_lesson(stage, pilot, 6)
        lesson = find_lesson("6")
        await train_variant(stage, pilot)
        for step in range(len(lesson.steps)):
            app.lesson_progress.ticks.tick(lesson, step)
        await stage.stop(pilot, "length")
        stage.engine.sent.clear()
        await pilot.press("t")
        await until(pilot, lambda: any("Every step is done" in toast for toast in stage.toasts))
        assert not stage.engine.of(messages.Train)
        await pilot.press("n")
        await until(pilot, lambda: bool(stage.engine.of(messages.Train)))
        assert not stage.engine.of(messages.Train)[0].run.startswith("lesson")


async def test_a_step_about_a_run_that_gave_way_to_another_opens_it_again(stage: Stage) -> None:
    """Somebody went on with a button: what is to be looked at is the model that the step is about."""
    app = stage.open()
    async with app.run_test(size=(120, 40)) as pilot:
        await open_lesson(stage, pilot, 8)
        lesson, lesson_progress = find_lesson("8"), app.lesson_progress
        runs = {}
        for variant, at_40 in (("rnn", 1e-12), ("lstm", 0.1), ("forgetful", 1e-12)):
            stage.engine.sent.clear()
            stage.playground._lessons.train(variant)
            await until(pilot, lambda: bool(stage.engine.of(messages.Train)))
            runs[variant] = stage.engine.of(messages.Train)[0].run
            await stage.begin(pilot, [step_at(2000)])
            lesson_progress.measurements.take(variant, curve(runs[variant], 2000, 0.5, at_40))
            lesson_progress.measurements.take(
                variant, accuracies(runs[variant], 2000, 1.0 if variant == "lstm" else 0.1)
            )
            await stage.stop(pilot, "length")
        for step in (0, 1):
            lesson_progress.ticks.tick(lesson, step)
        assert lesson_progress.need == Need("open", "lstm", 2)
        await pilot.press("t")
        await until(pilot, lambda: bool(stage.engine.of(messages.Open)))
        assert stage.engine.of(messages.Open)[0].run == runs["lstm"]
        await until(pilot, lambda: isinstance(app.screen, InspectScreen))
        assert any("reopening" in toast for toast in stage.toasts)


async def test_where_the_terminal_has_no_chinese_the_lessons_stay_english(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every character would be a ?; z says why nothing changes."""
    monkeypatch.setattr("rnnplay.tui.screens.lessons.terminal_encoding", lambda: "cp1252")
    app = stage.open()
    async with app.run_test(size=(80, 24), notifications=True) as pilot:
        await stage.ready(pilot)
        await pilot.press("l")
        await until(pilot, lambda: isinstance(app.screen, LessonsScreen))
        await pilot.press("z")
        await until(pilot, lambda: any("The encoding here is cp1252" in toast for toast in stage.toasts))
        assert app.lesson_progress.language == "en"


async def test_what_lessons_show_is_in_their_language(stage: Stage) -> None:
    """The header, the help and the frame as well as the page; without a lesson the interface is English."""
    app = stage.open()
    app.lesson_progress.language = "zh"
    async with app.run_test(size=(120, 40)) as pilot:
        await stage.ready(pilot)
        assert "ready" in stage.status
        await open_lesson(stage, pilot, 8)
        await until(pilot, lambda: "就绪" in stage.status)
        assert "训练" in (stage.playground.query_one(LessonPane).HELP or "")
        await train_variant(stage, pilot)
        await until(pilot, lambda: "训练中" in stage.status and "剩余" in stage.status)
        await pilot.press("ctrl+l")
        await until(pilot, lambda: "training" in stage.status)


async def test_a_title_wider_than_the_frame_stands_at_the_head_of_the_page(stage: Stage) -> None:
    app = stage.open()
    async with app.run_test(size=(120, 40)) as pilot:
        await open_lesson(stage, pilot, 8)
        pane = stage.playground.query_one(LessonPane)
        title = "How the LSTM bridges distance, without a guarantee"
        assert pane.border_title == "Lesson 8"
        assert title in pane.query(Markdown).first().source.replace("\n", " ")
        await pilot.resize_terminal(200, 60)
        await until(pilot, lambda: pane.border_title == f"8. {title}")
        await until(pilot, lambda: title not in pane.query(Markdown).first().source)


async def test_a_tick_hides_nothing_of_the_page_that_it_is_on(stage: Stage) -> None:
    app = stage.open()
    async with app.run_test(size=(80, 24), notifications=True) as pilot:
        await open_lesson(stage, pilot, 1)
        stage.playground._lessons.ticked(0)
        await until(pilot, lambda: toasts_on_screen(app) == 1)
        toast, pane = app.screen.query("Toast").first(), stage.playground.query_one(LessonPane)
        assert not toast.region.overlaps(pane.content_region)


async def test_a_lesson_of_ones_own_plays_in_a_third_language(stage: Stage) -> None:
    """It stands below rnnplay's own, names what is broken beside it, ticks what holds, and offers to train again."""
    place = write_french(stage.workspace.lessons)
    (stage.workspace.lessons / "broken").mkdir()
    app = stage.open()
    async with app.run_test(size=(120, 40)) as pilot:
        await stage.ready(pilot)
        await pilot.press("l")
        await until(pilot, lambda: isinstance(app.screen, LessonsScreen))
        assert "broken: There is no lesson.toml" in str(app.screen.query_one("#note", Static).content)
        assert "100" in str(app.screen.query_one(DataTable).get_row("lecon")[0])
        await pilot.press("end", "enter")
        await until(pilot, lambda: bool(stage.playground.query(LessonPane)))
        await until(pilot, lambda: isinstance(app.focused, LessonPane))
        assert "Une leçon" in str(stage.playground.query_one(LessonPane).border_title)
        assert "Réseau récurrent" in str(stage.playground.query_one(LessonPane).query(Button).first().label)
        assert await train_variant(stage, pilot, steps=3) == "lesson-100-rnn-01"
        await stage.stop(pilot, "length")
        lesson = read_own(place)
        await until(pilot, lambda: load_progress(progress_path()).done(lesson) == [0])
        assert app.lesson_progress.need == Need("again", "rnn", 1)
        kept = load_progress(progress_path())
        assert kept.tries == {"lecon": 1}
        assert list(kept.seconds) == ["lecon"]
        await pilot.press("l")
        await until(pilot, lambda: isinstance(app.screen, LessonsScreen))
        assert app.screen.query_one(DataTable).cursor_row == len(lessons())


@pytest.mark.parametrize(
    ("written", "locale", "setting", "shown_in"),
    [
        ("de", "de_DE.UTF-8", "", "de"),
        ("de en", "de_DE.UTF-8", "", "de"),
        ("de en", "de_DE.UTF-8", "en", "en"),
        ("de en zh", "de_DE.UTF-8", "zh", "zh"),
        ("de en", "fr_FR.UTF-8", "", "en"),
        ("it zh", "fr_FR.UTF-8", "", "it"),
        ("it zh", "zh_CN.UTF-8", "", "zh"),
        ("de zh", "de_DE.UTF-8", "en", "de"),
    ],
)
async def test_the_language_is_the_same_as_on_the_command_line(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, written: str, locale: str, setting: str, shown_in: str
) -> None:
    """The one chosen, else the locale's, else English, else the first: title, page and variants."""
    monkeypatch.setenv("LC_ALL", locale)
    place = write_french(stage.workspace.lessons)
    page, file = place / "fr.md", place / "lesson.toml"
    for code in written.split():
        (place / f"{code}.md").write_text(page.read_text("utf-8").replace("Une leçon", f"In {code}"), "utf-8")
    titles = ", ".join(f'{code} = "Variant {code}"' for code in written.split())
    file.write_text(file.read_text("utf-8").replace('fr = "Réseau récurrent"', titles), "utf-8")
    page.unlink()
    save_settings(Settings(language=setting))
    arguments = ["--workspace", str(stage.workspace.root), "lessons"]
    assert f"In {shown_in}" in CliRunner().invoke(program, arguments).stdout
    assert f"In {shown_in}" in CliRunner().invoke(program, [*arguments, "show", "lecon"]).stdout
    app = stage.open()
    async with app.run_test(size=(120, 40)) as pilot:
        await stage.ready(pilot)
        await pilot.press("l")
        await until(pilot, lambda: isinstance(app.screen, LessonsScreen))
        assert str(app.screen.query_one(DataTable).get_row("lecon")[1]) == f"In {shown_in}"
        await pilot.press("end", "enter")
        await until(pilot, lambda: bool(stage.playground.query(LessonPane)))
        await until(pilot, lambda: isinstance(app.focused, LessonPane))
        pane = stage.playground.query_one(LessonPane)
        assert f"In {shown_in}" in str(pane.border_title)
        assert f"Variant {shown_in}" in str(pane.query(Button).first().label)
        await pilot.press("l", "z", "escape")  # the other language of the interface
        if (now := app.lesson_progress.language) in written.split():
            await until(pilot, lambda: f"In {now}" in str(stage.playground.query_one(LessonPane).border_title))


async def test_a_branch_begins_with_the_run_before_it(stage: Stage) -> None:
    """And is refused in a sentence until that one has been trained."""
    app = stage.open()
    async with app.run_test(size=(120, 40)) as pilot:
        await open_lesson(stage, pilot, 10)
        pane = stage.playground.query_one(LessonPane)
        stage.engine.sent.clear()
        pane.post_message(LessonPane.VariantWanted("large"))
        await until(pilot, lambda: any("train that first" in toast for toast in stage.toasts))
        assert not stage.engine.of(messages.Train)
        base = await train_variant(stage, pilot)
        assert stage.engine.of(messages.Train)[0].branch is None
        await finish(stage, pilot)
        for asked in stage.engine.of(messages.Inspect):
            await stage.say(pilot, messages.Failed(message="no", command="inspect", request=asked.request))
        assert not app.lesson_progress.measuring, "the next run would wait for it"
        stage.engine.sent.clear()
        pane.post_message(LessonPane.VariantWanted("large"))
        await until(pilot, lambda: bool(stage.engine.of(messages.Train)))
        sent = stage.engine.of(messages.Train)[0]
        assert sent.branch == messages.BranchFrom(checkpoint=base, extend_vocabulary=True)
        assert sent.config.corpus == "python-source"
