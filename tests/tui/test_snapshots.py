"""What the screens look like, as pictures. After a change that is meant: `pytest --snapshot-update`, then look at each.

The pictures are made by the Textual in constraints.txt; another one may draw a border differently.
"""

from __future__ import annotations

import math
import time
from collections.abc import Awaitable, Callable

import msgspec
import pytest
from textual.pilot import Pilot
from textual.widgets import Static

from rnnplay.config import SamplingConfig
from rnnplay.engine import messages
from rnnplay.inspection.questions import PredictionsQuestion
from rnnplay.inspection.results import Candidate, Predictions, TokenPrediction, WordCandidate
from rnnplay.lessons.reader import find_lesson
from rnnplay.runs.metrics.records import Finished
from rnnplay.tui.chart.chart import Chart
from rnnplay.tui.lessons.lesson_pane import LessonPane
from rnnplay.tui.prompt.sample_view import SampleView
from rnnplay.tui.runs import run_preview
from rnnplay.tui.runs.run_list import RunList
from rnnplay.tui.screens.choice_list import ChoiceList
from rnnplay.tui.screens.dialogs import Confirm
from rnnplay.tui.screens.inspect import InspectScreen
from rnnplay.tui.screens.lessons import LessonsScreen
from rnnplay.tui.screens.race.dialog import RaceDialog
from rnnplay.tui.screens.race.screen import RaceScreen
from rnnplay.tui.screens.runs import browser
from rnnplay.tui.widgets.text import Lines
from rnnplay.tui.writing.draft import FILE, Draft, keep_draft
from rnnplay.tui.writing.ghost_area import GhostArea
from rnnplay.tui.writing.sample_choice import SampleChoice
from tests.tui.findings import TEXT, found
from tests.tui.stage import Stage, completion, falling, make_run, progress, started, step_at, until

Compare = Callable[..., bool]
Scene = Callable[[Stage, Pilot[None]], Awaitable[None]]

SMALL, MEDIUM, LARGE = (80, 24), (120, 40), (200, 60)
STORY = (
    " little fox who lived by the river. Every morning Mia and the fox walked to the old mill, and the baker "
    'gave them warm bread.\n"Where is the red kite?" asked Mia. The fox looked up at the hill. It was in the '
    "tallest tree, and the wind was still.\nSo they went up the hill together, and Mia took the kite home."
)


async def fresh(stage: Stage, pilot: Pilot[None]) -> None:
    await stage.ready(pilot)


async def training(stage: Stage, pilot: Pilot[None]) -> None:
    """600 steps done, a sample written, and half a sentence completed."""
    await stage.ready(pilot)
    stage.playground.action_train()
    await until(pilot, lambda: bool(stage.engine.of(messages.Train)))
    await stage.begin(pilot, falling(600), fraction=0.31, left=83.0)
    stage.playground.action_prompt()
    stage.prompt.text = "Once there was a"
    await pilot.press("enter")
    await until(pilot, lambda: bool(stage.engine.of(messages.Sample)))
    request = stage.engine.of(messages.Sample)[-1].request
    # A seed of 0 has been replaced by a drawn one.
    view = stage.prompt.query_one(SampleView)
    view._samples[-1].header = "step 600 · temperature 0.8 · seed 7"
    view._wrap_all()
    await stage.say(pilot, messages.SampleText(request=request, text=STORY, done=True))
    stage.prompt.text = "The fox w"
    await until(pilot, lambda: stage.engine.of(messages.Complete)[-1].text == "The fox w")
    request = stage.engine.of(messages.Complete)[-1].request
    likely = [("a", 0.62), ("e", 0.17), ("i", 0.09), ("h", 0.06), ("o", 0.04), (" ", 0.012), ("\n", 0.004), ("r", 2e-4)]
    stage.engine.say(completion(request, "alked", *likely))
    await pilot.pause()


async def watching(stage: Stage, pilot: Pilot[None]) -> None:
    """The same, with the keys given back to the screen."""
    await training(stage, pilot)
    await pilot.press("escape")


async def paused(stage: Stage, pilot: Pilot[None]) -> None:
    await watching(stage, pilot)
    await stage.say(pilot, messages.Paused(step=600))


async def gone(stage: Stage, pilot: Pilot[None]) -> None:
    await watching(stage, pilot)
    stage.state.checkpoint_step = 580
    stage.engine.die(-9)
    await until(pilot, lambda: len(stage.engines) == 2)
    await pilot.pause()


async def help_panel(stage: Stage, pilot: Pilot[None]) -> None:
    await fresh(stage, pilot)
    stage.form.field("clip_threshold").focus()
    await pilot.press("question_mark")


async def leaving(stage: Stage, pilot: Pilot[None]) -> None:
    await watching(stage, pilot)
    await pilot.press("ctrl+q")
    await until(pilot, lambda: isinstance(stage.app.screen, Confirm))


async def light(stage: Stage, pilot: Pilot[None]) -> None:
    stage.app.theme = "rnnplay-light"
    await training(stage, pilot)


async def all_settings(stage: Stage, pilot: Pilot[None]) -> None:
    """The rarer knobs, and a value that is not allowed."""
    await fresh(stage, pilot)
    stage.form.more = True
    await pilot.pause()
    stage.form.field("dropout").focus()
    await pilot.press("9")


async def presets(stage: Stage, pilot: Pilot[None]) -> None:
    """The list of a field's choices."""
    await fresh(stage, pilot)
    stage.playground.query_one("#knob-preset").focus()
    await pilot.press("enter", "down")
    await until(pilot, lambda: isinstance(stage.app.screen, ChoiceList))
    await pilot.pause()


async def diverged(stage: Stage, pilot: Pilot[None]) -> None:
    """Clipping off: the norm explodes, the loss is NaN from then on."""
    await stage.ready(pilot)
    stage.playground.action_train()
    await until(pilot, lambda: bool(stage.engine.of(messages.Train)))
    records = falling(120)
    records += [step_at(step, 1.8 * 1.04 ** (step - 120), 3.0 * 1.3 ** (step - 120), 1e9) for step in range(121, 161)]
    records += [step_at(step, math.nan, math.nan) for step in range(161, 241)]
    await stage.begin(pilot, records, fraction=0.6, left=20.0)


async def inspecting(stage: Stage, pilot: Pilot[None], view: str, *keys: str) -> None:
    """A view of the inspection, answered until it asks no more."""
    await stage.ready(pilot)
    stage.playground.action_train()
    await until(pilot, lambda: bool(stage.engine.of(messages.Train)))
    await stage.begin(pilot, falling(600), fraction=0.31, left=83.0)
    stage.prompt.text = TEXT
    await pilot.press("i")
    await until(pilot, lambda: isinstance(stage.app.screen, InspectScreen) and bool(stage.app.screen._views))
    stage.engine.sent.clear()
    for key in (view, *keys, ""):
        if key:
            await pilot.press(key)
            await pilot.pause()
        while asked := list(stage.engine.sent):
            stage.engine.sent.clear()
            answers = [found(one, forced=bool(stage.controller.forced)) for one in asked]
            stage.engine.say(*(one for one in answers if one is not None))
            await pilot.pause()
            await pilot.pause()


SCENES: list[tuple[str, Scene, tuple[int, int]]] = [
    *(("fresh", fresh, size) for size in (SMALL, MEDIUM, LARGE)),
    *(("training", training, size) for size in (SMALL, MEDIUM, LARGE)),
    ("paused", paused, MEDIUM),
    ("gone", gone, MEDIUM),
    ("gone", gone, SMALL),
    ("help", help_panel, MEDIUM),
    ("help", help_panel, SMALL),
    ("leaving", leaving, MEDIUM),
    ("light", light, MEDIUM),
    ("settings", all_settings, MEDIUM),
    ("presets", presets, SMALL),
    ("presets", presets, MEDIUM),
]


@pytest.mark.parametrize(
    ("scene", "size"),
    [pytest.param(scene, size, id=f"{name}-{size[0]}x{size[1]}") for name, scene, size in SCENES],
)
def test_the_playground(stage: Stage, snap_compare: Compare, scene: Scene, size: tuple[int, int]) -> None:
    assert snap_compare(stage.open(), terminal_size=size, run_before=lambda pilot: scene(stage, pilot))


INSPECTIONS = {
    "gradient": ("1",),
    "predictions": ("2", "right", "right"),
    "gates": ("3", "q", "q", "right", "down"),
    "what-if": ("4", "down", "enter", "up"),
    "connectivity": ("5",),
    "clipping": ("6",),
    "distance": ("7",),
    "timestep": ("8",),
}
LOOKS = [
    *((name, size) for name in ("gradient", "gates") for size in (SMALL, MEDIUM, LARGE)),
    *((name, SMALL if name == "clipping" else MEDIUM) for name in INSPECTIONS if name not in ("gradient", "gates")),
]


@pytest.mark.parametrize(
    ("name", "size"), [pytest.param(name, size, id=f"{name}-{size[0]}x{size[1]}") for name, size in LOOKS]
)
def test_the_inspection(stage: Stage, snap_compare: Compare, name: str, size: tuple[int, int]) -> None:
    async def scene(pilot: Pilot[None]) -> None:
        await inspecting(stage, pilot, *INSPECTIONS[name])

    assert snap_compare(stage.open(), terminal_size=size, run_before=scene)


def test_the_heatmap_without_colours(stage: Stage, snap_compare: Compare, monkeypatch: pytest.MonkeyPatch) -> None:
    async def scene(pilot: Pilot[None]) -> None:
        await inspecting(stage, pilot, *INSPECTIONS["gates"])

    monkeypatch.setenv("NO_COLOR", "1")
    assert snap_compare(stage.open(), terminal_size=SMALL, run_before=scene)


def test_a_run_that_diverged(stage: Stage, snap_compare: Compare) -> None:
    """NaN is a mark, not a gap that looks like nothing."""
    app = stage.open("exploding")
    assert snap_compare(app, terminal_size=MEDIUM, run_before=lambda pilot: diverged(stage, pilot))


@pytest.mark.parametrize("size", [SMALL, MEDIUM], ids=["80x24", "120x40"])
def test_the_runs(stage: Stage, snap_compare: Compare, size: tuple[int, int], monkeypatch: pytest.MonkeyPatch) -> None:
    async def scene(pilot: Pilot[None]) -> None:
        await stage.ready(pilot)
        await pilot.press("o")
        screen = stage.app.screen
        await until(pilot, lambda: len(screen.query_one(RunList).text()) == 4)
        await until(pilot, lambda: "on disk" in str(screen.query_one("#note", Static).content))
        if size == MEDIUM:
            await until(pilot, lambda: "on disk" in str(screen.query_one("#preview-text", Static).content))
            await pilot.press("down", "down")
            await until(pilot, lambda: bool(screen.query_one("#preview-chart", Chart).series[0].history.last_step))

    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    for module in (browser, run_preview):  # else a knob that is added, and stands in run.json, changes the picture
        monkeypatch.setattr(module, "disk_use", lambda *_: 194_000)
    make_run(stage.workspace, "tales-lstm-256-01", created="2026-03-01T10:15:00+00:00", steps=2600, loss=0.948)
    make_run(stage.workspace, "tales-gru-128-01", {"cell": "gru", "hidden": 128}, created="2026-03-02T18:40:00+00:00")
    words = {"tokens": "word", "layers": 2}
    make_run(stage.workspace, "tales-lstm-256-02", words, created="2026-03-03T09:05:00+00:00", steps=400)
    assert snap_compare(stage.open(), terminal_size=size, run_before=scene)


def test_no_runs_yet(stage: Stage, snap_compare: Compare) -> None:
    async def scene(pilot: Pilot[None]) -> None:
        await stage.ready(pilot)
        await pilot.press("o")
        await until(pilot, lambda: "no runs" in str(stage.app.screen.query_one("#note", Static).content))

    assert snap_compare(stage.open(), terminal_size=SMALL, run_before=scene)


LOCALES = {"en": "C.UTF-8", "zh": "zh_CN.UTF-8"}


async def list_of_lessons(stage: Stage, pilot: Pilot[None]) -> None:
    await stage.ready(pilot)
    await pilot.press("l")
    await until(pilot, lambda: isinstance(stage.app.screen, LessonsScreen))


@pytest.mark.parametrize("size", [SMALL, MEDIUM], ids=["80x24", "120x40"])
@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_lessons(
    stage: Stage, snap_compare: Compare, size: tuple[int, int], language: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LC_ALL", LOCALES[language])
    assert snap_compare(stage.open(), terminal_size=size, run_before=lambda pilot: list_of_lessons(stage, pilot))


@pytest.mark.parametrize("size", [SMALL, MEDIUM, LARGE], ids=["80x24", "120x40", "200x60"])
@pytest.mark.parametrize("language", ["en", "zh"])
def test_a_lesson(
    stage: Stage, snap_compare: Compare, size: tuple[int, int], language: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The page beside the charts, in place of them where it is narrow; its first step is done."""

    async def scene(pilot: Pilot[None]) -> None:
        await list_of_lessons(stage, pilot)
        await pilot.press("down", "down", "enter")
        await until(pilot, lambda: isinstance(stage.app.focused, LessonPane))
        stage.app.lesson_progress.ticks.tick(find_lesson("3"), 0)
        stage.playground.show_state()
        stage.playground.query_one(LessonPane).follow()
        await pilot.pause()

    monkeypatch.setenv("LC_ALL", LOCALES[language])
    assert snap_compare(stage.open(), terminal_size=size, run_before=scene)


async def racing(stage: Stage, pilot: Pilot[None]) -> None:
    """Three variants at work, one of which has diverged, and a prompt answered by all."""
    await stage.ready(pilot)
    await pilot.press("R")
    await until(pilot, lambda: isinstance(stage.app.screen, RaceDialog))
    await pilot.press("enter")
    await until(pilot, lambda: isinstance(stage.app.screen, RaceScreen) and len(stage.engines) == 4)
    live = stage.playground._races.live
    assert live is not None
    for engine in stage.engines[1:]:
        engine.say(messages.Ready(pid=1, torch="2", device="cpu"))
        await pilot.pause()
    for number, (one, engine) in enumerate(zip(live.entrants, stage.engines[1:], strict=True)):
        engine.say(progress([started(one.entry.run)]))
        await pilot.pause()
        engine.say(messages.Waiting(step=0, tokens=0, seconds=0.0))
        for first in range(1, 400 - 80 * number, 20):
            records = falling(20, first)
            engine.say(messages.Progress(records=records, seconds=first / (9 - number), fraction=first / 800))
    await pilot.pause()
    nan = [step_at(step, math.nan, math.nan) for step in range(401, 404)]
    stage.engines[1].say(messages.Progress(records=[*nan, Finished(step=403, reason="diverged")], seconds=46.0))
    await pilot.press("g", *"Once")
    for one, engine in zip(live.entrants, stage.engines[1:], strict=True):
        request = engine.of(messages.Complete)[-1].request
        likely = [(" ", 0.8 - 0.1 * one.number), (",", 0.1), ("s", 0.04), ("e", 0.02), ("a", 0.01)]
        engine.say(completion(request, " upon"[: 5 - one.number], *likely))
    await pilot.pause()
    await pilot.press("escape")
    stage.app.screen.show()  # type: ignore[attr-defined]
    await pilot.pause()


async def planning(stage: Stage, pilot: Pilot[None]) -> None:
    """The dialog before it, with something typed wrong."""
    await stage.ready(pilot)
    await pilot.press("R")
    await until(pilot, lambda: isinstance(stage.app.screen, RaceDialog))
    dialog = stage.app.screen
    await until(pilot, lambda: "parameters" in "".join(dialog.query_one("#race-preview", Lines).text()))
    await pilot.press("down", "down", "down", "down", "down", *"hiden=8,16")


@pytest.mark.parametrize("size", [SMALL, MEDIUM], ids=["80x24", "120x40"])
def test_a_race(stage: Stage, snap_compare: Compare, size: tuple[int, int]) -> None:
    assert snap_compare(stage.open(), terminal_size=size, run_before=lambda pilot: racing(stage, pilot))


def test_the_plan_of_a_race(stage: Stage, snap_compare: Compare) -> None:
    assert snap_compare(stage.open(), terminal_size=SMALL, run_before=lambda pilot: planning(stage, pilot))


async def writing(stage: Stage, pilot: Pilot[None]) -> None:
    """A text of one's own, with a phrase after the cursor and the words to choose from."""
    await stage.train(pilot, 600)
    page = f"Once there was a{STORY}\n\nThe fox w"
    keep_draft(Draft(text=page, cursor=(page.count("\n"), 9), unsaved=True), stage.workspace.root / FILE)
    await pilot.press("W")
    await until(pilot, lambda: stage.engine.of(messages.Complete)[-1].text.endswith("The fox w"))
    words = ["as", "alked", "ent", "ould", "aited"]
    probable = [WordCandidate(text=word, probability=0.4 / rank) for rank, word in enumerate(words, start=1)]
    request = stage.engine.of(messages.Complete)[-1].request
    answer = completion(request, "as")
    stage.engine.say(msgspec.structs.replace(answer, words=probable, phrase="as very tired"))
    await until(pilot, lambda: bool(stage.app.screen.query_one(GhostArea).suggestion))


async def surprised(stage: Stage, pilot: Pilot[None]) -> None:
    """The words shaded, with the cursor on one of them and its alternatives below."""
    await writing(stage, pilot)
    await pilot.press("f2")
    await until(pilot, lambda: bool(stage.engine.asked(PredictionsQuestion)))
    asked = stage.engine.asked(PredictionsQuestion)[-1]
    assert isinstance(asked.question, PredictionsQuestion)
    top = [Candidate(token=token, probability=0.3 / rank) for rank, token in enumerate("aeioh", start=1)]
    tokens = [
        TokenPrediction(token=one, surprisal=nats, probability=math.exp(-nats), rank=1 + round(nats), top=top)
        for one, nats in ((one, ord(one) * 7 % 45 / 10) for one in asked.question.text)
    ]
    stage.engine.say(
        messages.Inspected(
            request=asked.request, result=Predictions(run="r", step=600, tokens=tokens, loss=1.2, perplexity=3.3)
        )
    )
    await pilot.press("home")
    await until(pilot, lambda: len(stage.app.screen.query_one(GhostArea).alternatives) == 5)
    await pilot.press("alt+down")


async def sampling(stage: Stage, pilot: Pilot[None]) -> None:
    """Two samples side by side, the second chosen."""
    await writing(stage, pilot)
    stage.app.screen.query_one(SampleChoice)._sampling = SamplingConfig(seed=7)
    await pilot.press("ctrl+g")
    for number, text in enumerate(["as very tired, and so was the kite." + STORY, "ent home.\nThe end."], start=1):
        await until(pilot, lambda n=number: len(stage.engine.of(messages.Sample)) == n)  # type: ignore[misc]
        request = stage.engine.of(messages.Sample)[-1].request
        await stage.say(pilot, messages.SampleText(request=request, text=text, done=True))
    await pilot.press("right")


@pytest.mark.parametrize("size", [SMALL, MEDIUM], ids=["80x24", "120x40"])
@pytest.mark.parametrize("scene", [writing, surprised, sampling])
def test_the_scratchpad(stage: Stage, snap_compare: Compare, size: tuple[int, int], scene: Scene) -> None:
    assert snap_compare(stage.open(), terminal_size=size, run_before=lambda pilot: scene(stage, pilot))
