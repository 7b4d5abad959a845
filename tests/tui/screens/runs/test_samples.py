"""The view of the sample log: by prompt and step, live, and at every size."""

from __future__ import annotations

import pytest
from textual.pilot import Pilot
from textual.widgets import Static

from rnnplay.runs.folder import RunFolder
from rnnplay.runs.samples.logged import LoggedSample, SampleFile
from rnnplay.tui.prompt.sample_column import MOST, SampleColumn, drawn, thinned
from rnnplay.tui.screens.runs import samples
from rnnplay.tui.screens.runs.browser import RunsScreen
from rnnplay.tui.screens.runs.samples import SamplesScreen
from tests.tui.stage import RUN, Stage, make_run, until

PROMPTS = ("Once", "He said:\n", "And then")


def at(*steps: int, prompts: tuple[str, ...] = PROMPTS) -> list[LoggedSample]:
    return [
        LoggedSample(step=step, prompt=prompt, text=f" text of {step}\x1b[2J", loss=2.0 if step else None)
        for step in steps
        for prompt in prompts
    ]


@pytest.fixture
def run(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> RunFolder:
    monkeypatch.setattr(samples, "REFRESH_SECONDS", 0.01)
    return make_run(stage.workspace, RUN, steps=20, loss=1.5)


async def opened(stage: Stage, pilot: Pilot[None]) -> SamplesScreen:
    """The view of the run in front."""
    await stage.ready(pilot)
    stage.playground._saved.open(RUN)
    await until(pilot, lambda: stage.state.run == RUN)
    await pilot.press("v")
    await until(pilot, lambda: isinstance(stage.app.screen, SamplesScreen) and stage.app.screen.is_mounted)
    assert isinstance(stage.app.screen, SamplesScreen)
    return stage.app.screen


def columns(screen: SamplesScreen) -> list[SampleColumn]:
    return list(screen.query(SampleColumn))


def shown_prompts(screen: SamplesScreen) -> list[str]:
    return [column.prompt for column in columns(screen) if column.display]


def notice(screen: SamplesScreen) -> str:
    widget = screen.query_one("#samples-notice", Static)
    return str(widget.content) if widget.display else ""


async def test_samples_appear_by_step_while_they_are_written(stage: Stage, run: RunFolder) -> None:
    app, file = stage.open(), SampleFile(run.path)
    async with app.run_test(size=(200, 60)) as pilot:
        screen = await opened(stage, pilot)
        await until(pilot, lambda: "no samples yet" in notice(screen))
        file.append(at(0))
        await until(pilot, lambda: len(columns(screen)) == 3 and not notice(screen))
        assert shown_prompts(screen) == list(PROMPTS)
        first = columns(screen)[0]
        await until(pilot, lambda: first.steps == [0] and first.has_focus)
        file.append(at(10, 20))
        await until(pilot, lambda: first.steps == [0, 10, 20])
        assert first.highlighted == 2  # the newest is followed
        await pilot.press("home")
        file.append(at(30))
        await until(pilot, lambda: first.steps == [0, 10, 20, 30])
        assert first.highlighted == 0  # but not where the user has gone back
        file.cut(10)  # a rollback
        await until(pilot, lambda: first.steps == [0, 10])
        file.path.write_text("{\n")
        await until(pilot, lambda: "is not a sample" in notice(screen))
        await pilot.press("escape")
        await until(pilot, lambda: app.screen is stage.playground)


async def test_where_there_is_room_for_one_prompt_keys_choose_it(stage: Stage, run: RunFolder) -> None:
    app = stage.open()
    SampleFile(run.path).append(at(0, 10))
    async with app.run_test(size=(80, 24)) as pilot:
        screen = await opened(stage, pilot)
        await until(pilot, lambda: shown_prompts(screen) == ["Once"] and columns(screen)[0].has_focus)
        for key, prompt in (("right", 1), ("right", 2), ("right", 0), ("left", 2), ("2", 1), ("9", 1)):
            await pilot.press(key)
            await until(pilot, lambda prompt=prompt: shown_prompts(screen) == [PROMPTS[prompt]])  # type: ignore[misc]
            assert columns(screen)[prompt].has_focus
        await pilot.resize_terminal(140, 40)
        await until(pilot, lambda: len(shown_prompts(screen)) == 3)
        await pilot.resize_terminal(60, 20)
        await until(pilot, lambda: shown_prompts(screen) == [PROMPTS[1]])


async def test_it_opens_from_the_list_of_runs_which_is_there_afterwards(stage: Stage, run: RunFolder) -> None:
    app = stage.open()
    SampleFile(run.path).append(at(0))
    async with app.run_test(size=(120, 40)) as pilot:
        await stage.ready(pilot)
        await pilot.press("v")
        await until(pilot, lambda: any("There is no run yet" in toast for toast in stage.toasts))
        await pilot.press("o")
        await until(pilot, lambda: isinstance(app.screen, RunsScreen) and app.screen._list.cursor == RUN)
        await pilot.press("v")
        await until(pilot, lambda: isinstance(app.screen, SamplesScreen))
        await pilot.press("escape")
        await until(pilot, lambda: isinstance(app.screen, RunsScreen))


async def test_a_run_that_keeps_none_says_so(stage: Stage) -> None:
    make_run(stage.workspace, RUN, {"sample_prompts": "off"}, steps=20, loss=1.5)
    app = stage.open()
    async with app.run_test(size=(80, 24)) as pilot:
        screen = await opened(stage, pilot)
        await until(pilot, lambda: "sample_prompts is off" in notice(screen))


def test_a_sample_is_drawn_without_what_a_terminal_would_obey() -> None:
    text = drawn(at(10, prompts=("He said:\n",))[0]).plain
    assert "\x1b" not in text and text.splitlines()[:3] == ["step 10   validation 2.000", "He said:", " text of 10␛[2J"]


def test_of_a_long_log_the_first_and_the_last_are_kept() -> None:
    for count in (0, 1, MOST, MOST + 1, 5 * MOST + 7):
        log = at(*range(count), prompts=("Once",))
        kept = thinned(log)
        assert len(kept) <= MOST + 1 and kept[:1] == log[:1] and kept[-1:] == log[-1:]
        assert kept == log or count > MOST
