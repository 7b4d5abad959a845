"""The inspection screen: what each key asks of the engine, when it asks by itself, and what it shows of the answers."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable

import msgspec
import pytest
from textual.app import App
from textual.pilot import Pilot
from textual.widget import Widget
from textual.widgets import Input, Markdown, OptionList, Static

from rnnplay.config import with_values
from rnnplay.engine import messages
from rnnplay.inspection.questions import (
    ClippingQuestion,
    ConnectivityQuestion,
    DistancesQuestion,
    GatesQuestion,
    GradientsQuestion,
    PredictionsQuestion,
    Question,
    TimestepQuestion,
)
from rnnplay.inspection.results import Forced, Predictions, TokenPrediction
from rnnplay.presets import preset_config
from rnnplay.tui.chart.chart import Chart
from rnnplay.tui.heatmap.heat_map import HeatMap
from rnnplay.tui.heatmap.token_text import TokenText
from rnnplay.tui.inspection.gradients import GradientsView
from rnnplay.tui.inspection.timestep import TimestepView
from rnnplay.tui.inspection.what_if import WhatIfView
from rnnplay.tui.prompt.ghost_input import GhostInput
from rnnplay.tui.run_controller import RunController
from rnnplay.tui.screens.inspect import FALLBACK_TEXT, VIEWS, InspectScreen, sample_text
from rnnplay.tui.widgets.key_row import KeyRow
from rnnplay.tui.widgets.text import Lines
from tests.tui.findings import TEXT, connectivity, found, gates, gradients
from tests.tui.stage import RUN, Stage, falling, footer_keys, progress, shown, started, until

Asked = messages.Inspect | messages.Complete


class Clock:
    """In place of `monotonic`."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    made = Clock()
    monkeypatch.setattr("rnnplay.tui.screens.inspect.monotonic", made)
    return made


async def look(stage: Stage, pilot: Pilot[None], view: int = 1, text: str = TEXT) -> InspectScreen:
    """Train, and open the inspection at a view; the engine has answered nothing yet."""
    await stage.train(pilot)
    stage.prompt.text = text
    await pilot.press("i")
    await until(pilot, lambda: isinstance(stage.app.screen, InspectScreen) and bool(stage.app.screen._views))
    screen = stage.app.screen
    assert isinstance(screen, InspectScreen)
    if view != 1:
        stage.engine.sent.clear()
        await pilot.press(str(view))
    await until(pilot, lambda: stage.controller.requests.newest("view") is not None)
    return screen


def last(stage: Stage) -> Asked:
    """The last request."""
    return [one for one in stage.engine.sent if isinstance(one, Asked)][-1]


def question(stage: Stage) -> Question | messages.Complete:
    """What it asks."""
    asked = last(stage)
    return asked.question if isinstance(asked, messages.Inspect) else asked


def request(stage: Stage) -> int:
    """Of the last one that the view made."""
    newest = stage.controller.requests.newest("view")
    return newest.request if newest is not None else 0


async def answer(stage: Stage, pilot: Pilot[None]) -> None:
    """The engine answers the last question."""
    event = found(last(stage), forced=bool(stage.controller.forced), step=stage.state.step)
    assert event is not None
    stage.engine.say(event)
    await pilot.pause()


async def asked(stage: Stage, pilot: Pilot[None], act: Callable[[], object] | str) -> Question | messages.Complete:
    """What the key, or the deed, asks."""
    stage.engine.sent.clear()
    if isinstance(act, str):
        await pilot.press(act)
    else:
        act()
    await until(pilot, lambda: any(isinstance(one, Asked) for one in stage.engine.sent))
    return question(stage)


def lines(screen: InspectScreen, selector: str) -> str:
    widget = screen.query_one(selector)
    if isinstance(widget, Lines):
        return "\n".join(widget.text())
    assert isinstance(widget, Static)
    return str(widget.visual)


def screen_text(app: App[None], widget: Widget) -> str:
    """What stands on the screen where `widget` is."""
    region = widget.region
    rows = app.screen._compositor.render_strips(app.size)
    return "\n".join(row.crop(region.x, region.right).text for row in rows[region.y : region.bottom])


def footer(screen: InspectScreen) -> dict[str, str]:
    return footer_keys(screen)


# --- asking ---------------------------------------------------------------------------------------------------


async def test_without_a_model_nothing_is_asked_and_it_says_what_to_do(stage: Stage) -> None:
    app = stage.open()
    async with app.run_test(size=(120, 40)) as pilot:
        await stage.ready(pilot)
        await pilot.press("i")
        await until(pilot, lambda: isinstance(app.screen, InspectScreen) and bool(app.screen._views))
        for key in "12345678":
            await pilot.press(key)
        await pilot.pause()
        assert "t to train one" in str(app.screen.query_one("#notice", Static).content)
        assert not [one for one in stage.engine.sent if isinstance(one, Question)]
        await pilot.press("escape")
        assert app.screen is stage.playground


async def test_a_model_that_is_being_loaded_is_waited_for(stage: Stage) -> None:
    """Asked too soon, it does not advise to train or to open a run."""
    app = stage.open()
    async with app.run_test(size=(120, 40)) as pilot:
        await stage.ready(pilot)
        stage.controller.state.opening = True
        await pilot.press("i")
        await until(pilot, lambda: isinstance(app.screen, InspectScreen) and bool(app.screen._views))
        notice = app.screen.query_one("#notice", Static)
        await until(pilot, lambda: "on its way" in str(notice.content))


async def test_each_view_asks_its_question(stage: Stage) -> None:
    app = stage.open()
    async with app.run_test(size=(120, 40)) as pilot:
        screen = await look(stage, pilot)
        kinds = (
            GradientsQuestion,
            PredictionsQuestion,
            GatesQuestion,
            messages.Complete,
            ConnectivityQuestion,
            ClippingQuestion,
            DistancesQuestion,
            TimestepQuestion,
        )
        assert isinstance(question(stage), GradientsQuestion)
        for number in range(len(kinds), 0, -1):  # and back to one that was there before
            put = await asked(stage, pilot, str(number))
            assert type(put) is kinds[number - 1]
            if hasattr(put, "text"):
                assert put.text == TEXT
            await answer(stage, pilot)
            assert not str(screen.query_one("#notice", Static).content)
            assert str(screen.query_one("#description", Static).content)


async def test_the_arrows_go_from_view_to_view_when_the_row_has_the_focus(stage: Stage) -> None:
    app = stage.open()
    async with app.run_test(size=(80, 24)) as pilot:
        screen = await look(stage, pilot)
        screen.query_one("#view-tabs").focus()
        assert isinstance(await asked(stage, pilot, "right"), PredictionsQuestion)
        assert isinstance(await asked(stage, pilot, "left"), GradientsQuestion)
        await pilot.click("#view-tabs", offset=(shown(screen, "#view-tabs").index("3"), 0))
        await until(pilot, lambda: isinstance(question(stage), GatesQuestion))


async def test_every_view_has_a_tab_in_a_narrow_window(stage: Stage) -> None:
    app = stage.open()
    async with app.run_test(size=(120, 40)) as pilot:
        screen = await look(stage, pilot)
        tabs = screen.query_one("#view-tabs")
        assert shown(screen, "#view-tabs").split("8")[1].strip() == "timestep"
        for width in (80, 60, 40, 27):
            await pilot.resize_terminal(width, 24)
            await until(pilot, lambda: tabs.size.width == width)  # noqa: B023
            row = shown(screen, "#view-tabs").rstrip()
            numbers = [part for part in row.split() if part.isdigit()]
            assert numbers == ["1", "2", "3", "4", "5", "6", "7", "8"], row
            assert ("…" in row) == (31 <= width < 90), row
        await pilot.resize_terminal(60, 24)
        await until(pilot, lambda: tabs.size.width == 60)
        stage.engine.sent.clear()
        await pilot.click("#view-tabs", offset=(shown(screen, "#view-tabs").index("8"), 0))
        await until(pilot, lambda: isinstance(screen.view, TimestepView))


async def test_live_while_open_silent_when_closed(stage: Stage, clock: Clock) -> None:
    app = stage.open()
    async with app.run_test(size=(120, 40)) as pilot:
        screen = await look(stage, pilot, 2)
        await answer(stage, pilot)
        stage.engine.sent.clear()
        clock.now += 10
        screen.tick()
        assert not stage.engine.asked(PredictionsQuestion)  # the weights have not moved
        stage.engine.say(progress(falling(5, first=21)))
        screen.tick()
        assert len(stage.engine.asked(PredictionsQuestion)) == 1
        screen.tick()
        clock.now += 2
        screen.tick()
        assert len(stage.engine.asked(PredictionsQuestion)) == 1  # one at a time
        await pilot.press("escape")
        stage.engine.sent.clear()
        clock.now += 100
        await stage.say(pilot, progress(falling(5, first=26)))
        assert not [one for one in stage.engine.sent if isinstance(one, messages.Inspect)]


async def test_the_covered_playground_asks_nothing_and_catches_up(stage: Stage) -> None:
    app = stage.open()
    async with app.run_test(size=(120, 40)) as pilot:
        await look(stage, pilot)
        stage.playground._display._asked_at = -math.inf
        stage.engine.sent.clear()
        await stage.say(pilot, progress(falling(50, first=21)))
        assert not stage.engine.of(messages.Complete)
        await pilot.press("escape")
        await pilot.pause()
        assert stage.engine.of(messages.Complete)[-1].text == TEXT
        assert "step 70" in stage.status


async def test_an_old_answer_is_not_shown_and_a_refusal_is(stage: Stage) -> None:
    app = stage.open()
    async with app.run_test(size=(120, 40)) as pilot:
        screen = await look(stage, pilot, 2)
        old = last(stage)
        await asked(stage, pilot, "r")
        event = found(old)
        assert event is not None
        stage.engine.say(event)
        await pilot.pause()
        assert lines(screen, "#prediction-totals") == ""
        refusal = messages.Failed(message="No.", command="inspect", request=last(stage).request)
        stage.engine.say(refusal)
        await pilot.pause()
        assert str(screen.query_one("#notice", Static).content) == "No."
        assert stage.toasts == []


async def test_the_engine_gone_is_said_and_a_new_one_is_asked(stage: Stage) -> None:
    app = stage.open()
    async with app.run_test(size=(120, 40)) as pilot:
        screen = await look(stage, pilot)
        stage.engine.die()
        await pilot.pause()
        screen.tick()
        assert "no model" in str(screen.query_one("#notice", Static).content)


# --- the views ------------------------------------------------------------------------------------------------


async def test_gradients_beside_the_start_and_kept_ones(stage: Stage) -> None:
    app = stage.open()
    async with app.run_test(size=(120, 40)) as pilot:
        screen = await look(stage, pilot)
        assert question(stage) == GradientsQuestion(distance=64)
        await answer(stage, pilot)
        await until(pilot, lambda: question(stage) == GradientsQuestion(initial=True))
        await answer(stage, pilot)
        names = [one.name for one in screen.query_one(Chart).series]
        assert names == ["start layer 1", "start layer 2", "now layer 1", "now layer 2"]
        assert "k = 21" in lines(screen, "#gradient-numbers")
        stage.engine.sent.clear()
        await pilot.press("k")
        # Another run: the kept curve stays, its start is asked for anew.
        stage.engine.say(progress([started("other", 0), *falling(5)]))
        await pilot.press("r")
        await until(pilot, lambda: bool(stage.engine.asked(GradientsQuestion)))
        stage.engine.say(messages.Inspected(request=request(stage), result=gradients(run="other", step=5)))
        await pilot.pause()
        names = [one.name for one in screen.query_one(Chart).series]
        assert names == [f"{RUN} @20", "now layer 1", "now layer 2"]
        await until(pilot, lambda: stage.engine.questions(GradientsQuestion)[-1].initial)
        assert "K" in footer(screen)
        await pilot.press("K")
        assert screen.view.curves.kept == []


async def test_gradients_of_cell_layer_and_distance(stage: Stage) -> None:
    app = stage.open()
    async with app.run_test(size=(120, 40)) as pilot:
        screen = await look(stage, pilot)
        await answer(stage, pilot)
        await until(pilot, lambda: stage.engine.questions(GradientsQuestion)[-1].initial)
        await answer(stage, pilot)
        await pilot.press("h", "l")
        chart = screen.query_one(Chart)
        assert "∂c" in str(chart.border_title)
        assert [one.name for one in chart.series] == ["start layer 1", "now layer 1"]
        put = await asked(stage, pilot, "plus")
        assert isinstance(put, GradientsQuestion)
        assert (put.distance, put.initial) == (128, False)
        assert isinstance(screen.view, GradientsView)


async def test_a_dear_probe_is_asked_for_seldom(stage: Stage, clock: Clock) -> None:
    """At most 3% of the time."""
    app = stage.open()
    async with app.run_test(size=(120, 40)) as pilot:
        screen = await look(stage, pilot)
        screen.view.curves.initial[RUN, 64] = gradients(step=0)
        dear = gradients(step=stage.state.step)
        stage.engine.say(messages.Inspected(request=request(stage), result=dear, seconds=0.3))
        await pilot.pause()
        stage.engine.sent.clear()
        stage.engine.say(progress(falling(5, first=21)))
        clock.now += 9.9
        screen.tick()
        assert not stage.engine.sent
        clock.now += 0.2
        screen.tick()
        assert stage.engine.asked(GradientsQuestion)


async def test_predictions_are_read_token_by_token(stage: Stage) -> None:
    app = stage.open()
    async with app.run_test(size=(120, 40)) as pilot:
        screen = await look(stage, pilot, 2)
        await answer(stage, pilot)
        assert lines(screen, "#prediction-totals").startswith(f"{len(TEXT)} tokens  loss ")
        assert lines(screen, "#prediction-reading").startswith("token 1  O  rank 1")
        await pilot.press("right")
        assert lines(screen, "#prediction-reading").startswith("token 2  n  rank 2")
        assert sum("◂" in row for row in lines(screen, "#prediction-bars").splitlines()) == 1
        text = screen.query_one(TokenText)
        assert text.text()[0] == TEXT
        assert set("".join(text.text()[1])) <= set(" ▁▂▃▄▅▆▇█")
        await pilot.click(TokenText, offset=(7, 0))
        assert text.cursor == 7


async def test_typing_asks_and_escape_gives_the_keys_back(stage: Stage) -> None:
    app = stage.open()
    async with app.run_test(size=(120, 40)) as pilot:
        screen = await look(stage, pilot, 2)
        await pilot.press("e")
        assert isinstance(screen.focused, GhostInput)
        put = await asked(stage, pilot, "1")  # text, not a view
        assert isinstance(put, PredictionsQuestion)
        assert put.text == TEXT + "1"
        await pilot.press("escape")
        assert isinstance(screen.focused, TokenText)
        assert app.screen is screen


async def test_gates_by_key(stage: Stage) -> None:
    app = stage.open()
    async with app.run_test(size=(120, 40)) as pilot:
        screen = await look(stage, pilot, 3)
        await answer(stage, pilot)
        first = question(stage)
        assert isinstance(first, GatesQuestion)
        assert (first.quantity, first.layer, first.order) == ("forget_gate", 0, "variance")
        heat = screen.query_one(HeatMap)
        assert first.count == heat.capacity > 20
        assert "p" not in footer(screen)
        for key, field, value in (
            ("q", "quantity", "output_gate"),
            ("l", "layer", 1),
            ("o", "order", "saturation"),
            ("o", "order", "property"),
            ("p", "property", "line position"),
            ("pagedown", "first", heat.capacity),
        ):
            put = await asked(stage, pilot, key)
            assert getattr(put, field) == value
            await answer(stage, pilot)
        await pilot.press("right", "down")
        assert lines(screen, "#gates-reading").startswith("unit ")
        assert "after token 2 (n)" in lines(screen, "#gates-reading")
        assert "correlation with line position" in lines(screen, "#gates-title")
        assert await asked(stage, pilot, lambda: heat._go(-1, 0)) is not None  # beyond the top: the unit before


async def test_what_if_is_told_to_the_engine_and_never_forgotten(stage: Stage) -> None:
    app = stage.open()
    async with app.run_test(size=(120, 40)) as pilot:
        screen = await look(stage, pilot, 4)
        await answer(stage, pilot)
        assert screen.query_one(OptionList).option_count == 3
        assert isinstance(await asked(stage, pilot, "enter"), messages.Complete)
        closed = Forced(layer=0, quantity="input_gate", value=0.0)
        assert stage.engine.of(messages.WhatIf) == [messages.WhatIf(forced=[closed])]
        await answer(stage, pilot)
        assert "alked" in lines(screen, "#untouched-text")
        assert " the the" in lines(screen, "#forced-text")
        await asked(stage, pilot, "space")
        assert stage.controller.forced[0].value == 1.0
        await pilot.press("c", *"3,7=0")
        clamp = Forced(layer=0, quantity="cell", value=0.0, units=[3, 7])
        await until(pilot, lambda: clamp in stage.controller.forced)
        await pilot.press("escape", "escape")
        assert app.screen is stage.playground
        await pilot.pause()
        assert "input gate open" in shown(stage.playground, "#forced")
        request = stage.engine.of(messages.Complete)[-1].request
        event = found(messages.Complete(request=request, text=TEXT), forced=True)
        assert event is not None
        stage.engine.say(event)
        await pilot.pause()
        assert "→  the the" in shown(stage.playground, "#forced")
        # An engine that was started anew is told again.
        stage.engine.sent.clear()
        await stage.say(pilot, messages.Ready(pid=2, torch="2", device="cpu"))
        assert len(stage.engine.of(messages.WhatIf)[-1].forced) == 2
        await pilot.press("u")
        assert stage.engine.of(messages.WhatIf)[-1].forced == []
        assert not stage.playground.query_one("#forced").display


async def test_a_click_on_a_bar_puts_its_token_at_the_end_of_the_text(stage: Stage) -> None:
    app = stage.open()
    async with app.run_test(size=(120, 40)) as pilot:
        screen = await look(stage, pilot, 4, text="the")
        await answer(stage, pilot)
        field = screen.query_one("#inspect-text", GhostInput)
        stage.engine.sent.clear()
        await pilot.click("#untouched-bars", offset=(3, 1))
        assert field.value == "thee"
        assert screen.view.query_one(OptionList).has_focus
        await pilot.click("#untouched-bars", offset=(3, 1))  # still those of the text before
        await pilot.click("#forced-bars", offset=(3, 0))  # says what to do
        assert field.value == "thee"
        await until(pilot, lambda: any(isinstance(one, messages.Complete) for one in stage.engine.sent))
        await answer(stage, pilot)
        await pilot.click("#untouched-bars", offset=(3, 0))
        assert field.value == "theea"
        await asked(stage, pilot, "enter")
        await answer(stage, pilot)
        await pilot.click("#forced-bars", offset=(3, 0))
        assert field.value == "theea\n"


async def test_a_bad_clamp_is_said(stage: Stage) -> None:
    app = stage.open()
    async with app.run_test(size=(120, 40)) as pilot:
        screen = await look(stage, pilot, 4)
        await pilot.press("c", *"999=0")
        assert "0 to 255" in lines(screen, "#clamp-error")
        assert stage.controller.forced == ()


async def test_the_clamp_is_seen_while_it_is_typed(stage: Stage) -> None:
    app = stage.open()
    async with app.run_test(size=(80, 24)) as pilot:
        screen = await look(stage, pilot, 4)
        field = screen.query_one("#clamp-input", Input)
        background = field.background_colors[1]
        await pilot.press("c", *"3,7=0")
        await until(pilot, lambda: field.has_focus)
        assert "3,7=0" in shown(screen, "#clamp-input")
        assert field.background_colors[1] != background


async def test_a_plain_rnn_is_not_told_of_gates(stage: Stage) -> None:
    app = stage.open(config=with_values(preset_config("quick"), {"cell": "rnn"}))
    async with app.run_test(size=(120, 40)) as pilot:
        screen = await look(stage, pilot, 4)
        await answer(stage, pilot)
        assert "A plain RNN has no gates" in lines(screen, "#clamp-error")
        assert "c clamps units" in lines(screen, "#forced-bars")
        assert "units of the hidden state" in str(screen.query_one("#description", Static).content)


@pytest.mark.parametrize("view", [2, 3, 5])
async def test_without_a_text_nothing_is_shown_of_the_one_before(stage: Stage, view: int) -> None:
    app = stage.open()
    async with app.run_test(size=(120, 40)) as pilot:
        screen = await look(stage, pilot, view)
        await answer(stage, pilot)
        body = next(widget for widget in screen.view.query("*") if widget.focusable)
        drawn = screen_text(app, body)
        assert drawn.strip()
        await asked(stage, pilot, "r")
        late = last(stage)
        await pilot.press("e", "ctrl+u")
        await until(pilot, lambda: "no text" in str(screen.query_one("#notice", Static).content))
        await until(pilot, lambda: not screen_text(app, body).strip())
        event = found(late)
        assert event is not None
        stage.engine.say(event)
        await pilot.pause()
        assert not screen_text(app, body).strip(), "an answer about the text that is gone"
        await pilot.press("escape")
        assert screen.focused is body
        await pilot.press("e")
        assert not isinstance(await asked(stage, pilot, "a"), messages.Complete)
        await answer(stage, pilot)
        await until(pilot, lambda: bool(screen_text(app, body).strip()))
        assert not str(screen.query_one("#notice", Static).content)


async def test_what_is_not_finite_is_said(stage: Stage) -> None:
    nothing = math.nan
    app = stage.open()
    async with app.run_test(size=(120, 40)) as pilot:
        screen = await look(stage, pilot, 2)
        tokens = [TokenPrediction(token="O", surprisal=nothing, probability=nothing, rank=None, top=[])]
        scored = Predictions(run=RUN, step=20, tokens=tokens, loss=nothing, perplexity=nothing)
        await stage.say(pilot, messages.Inspected(request=request(stage), result=scored, finite=False))
        assert "rank –" in lines(screen, "#prediction-reading")
        assert "not finite" in str(screen.query_one("#notice", Static).content)
        put = await asked(stage, pilot, "5")
        assert isinstance(put, ConnectivityQuestion)
        drawn = msgspec.structs.replace(connectivity(put), target=None)
        await stage.say(pilot, messages.Inspected(request=request(stage), result=drawn, finite=False))
        assert "it expects –" in lines(screen, "#connectivity-target")
        put = await asked(stage, pilot, "3")
        assert isinstance(put, GatesQuestion)
        seen = msgspec.structs.replace(gates(put), low=nothing, high=nothing)
        await stage.say(pilot, messages.Inspected(request=request(stage), result=seen, finite=False))
        assert "below 0.1: –  above 0.9: –" in lines(screen, "#gates-saturation")


async def test_the_cursor_chooses_the_prediction_of_connectivity(stage: Stage) -> None:
    app = stage.open()
    async with app.run_test(size=(120, 40)) as pilot:
        screen = await look(stage, pilot, 5)
        assert getattr(question(stage), "position") == -1  # noqa: B009
        await answer(stage, pilot)
        put = await asked(stage, pilot, "left")
        assert isinstance(put, ConnectivityQuestion)
        assert put.position == len(TEXT) - 2
        await answer(stage, pilot)
        assert f"after token {len(TEXT) - 1} (a) it expects e" in lines(screen, "#connectivity-target")
        assert "1 back" in lines(screen, "#strongest")


async def test_clipping_and_its_threshold(stage: Stage) -> None:
    app = stage.open()
    async with app.run_test(size=(120, 40)) as pilot:
        screen = await look(stage, pilot, 6)
        await answer(stage, pilot)
        assert "norm 2.31 → 1.00   scale 0.433   cosine 1.0000" in lines(screen, "#clipping-totals")
        assert "recurrent.weight_hh_l0" in lines(screen, "#clipping-parameters")
        assert "┃" in lines(screen, "#clipping-norms")
        before = stage.form.config.clip_threshold
        put = await asked(stage, pilot, "minus")
        assert isinstance(put, ClippingQuestion)
        assert stage.engine.of(messages.Tune)[-1].value == stage.form.config.clip_threshold < before
        # After the run there is nothing that the threshold would change.
        assert "-/+" in footer(screen)
        await stage.stop(pilot)
        await until(pilot, lambda: "-/+" not in footer(screen))
        stays = stage.form.config.clip_threshold
        await pilot.press("minus")
        assert stage.form.config.clip_threshold == stays


async def test_accuracy_by_distance(stage: Stage) -> None:
    app = stage.open()
    async with app.run_test(size=(120, 40)) as pilot:
        screen = await look(stage, pilot, 7)
        await until(pilot, lambda: "measuring…" in screen_text(app, screen.query_one("#distance-chart")))
        await answer(stage, pilot)
        text = lines(screen, "#distance-numbers")
        assert "32–63" in text
        assert "128–*" in text  # beyond what was trained on
        assert screen.query_one("#distance-chart", Chart).marks[0].step == 80


async def test_a_corpus_without_known_dependencies_is_named_once_it_is_refused(stage: Stage) -> None:
    app = stage.open()
    async with app.run_test(size=(120, 40)) as pilot:
        screen = await look(stage, pilot, 7)
        chart = screen.query_one("#distance-chart")
        await until(pilot, lambda: "measuring…" in screen_text(app, chart))
        for _ in range(2):  # asked again, it does not claim to measure
            refusal = messages.Failed(command="inspect", request=request(stage), message="no dependencies")
            stage.engine.say(refusal)
            await until(pilot, lambda: "known dependencies" in screen_text(app, chart))
            await asked(stage, pilot, "r")
        assert "known dependencies" in screen_text(app, chart)


# --- the screen -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [(80, 24), (120, 40), (200, 60), (40, 10)])
async def test_every_view_at_every_size(stage: Stage, size: tuple[int, int]) -> None:
    app = stage.open()
    async with app.run_test(size=size) as pilot:
        screen = await look(stage, pilot)
        for key in "12345678":
            await pilot.press(key)
            await until(pilot, lambda: stage.controller.requests.newest("view") is not None)
            await answer(stage, pilot)
            if size[1] >= 24:
                assert screen.query_one(KeyRow).region.bottom == size[1]
                assert screen.query_one("#description").region.bottom == size[1] - 1


@pytest.mark.parametrize("view", [1, 7])
async def test_the_help_of_a_chart_is_the_views_too(stage: Stage, view: int) -> None:
    app = stage.open()
    async with app.run_test(size=(120, 40)) as pilot:
        screen = await look(stage, pilot, view)
        assert isinstance(screen.focused, Chart)
        await pilot.press("question_mark")
        await until(pilot, lambda: bool(screen.query("HelpPane #widget-help MarkdownBlock")))
        told = screen.query_one("#widget-help", Markdown).source
        assert (screen.view.HELP or "").strip().splitlines()[0] in told
        assert (Chart.HELP or "").strip().splitlines()[0] in told


async def test_f1_helps_while_one_types(stage: Stage) -> None:
    app = stage.open()
    async with app.run_test(size=(120, 40)) as pilot:
        screen = await look(stage, pilot, 2)
        await pilot.press("e", "question_mark")
        assert screen.query_one(GhostInput).value == TEXT + "?"
        await pilot.press("f1")
        await until(pilot, lambda: bool(screen.query("HelpPane #widget-help MarkdownBlock")))
        assert "sample" not in screen.query_one("#widget-help", Markdown).source, "that is the prompt's"
        await pilot.press("f1")
        await until(pilot, lambda: not screen.query("HelpPane"))


async def test_a_view_is_left_alone_until_it_is_there(stage: Stage) -> None:
    """The clock goes on, and answers to the view before come in, while the new one's widgets are made."""
    app = stage.open()
    async with app.run_test(size=(120, 40)) as pilot:
        screen = await look(stage, pilot)
        await until(pilot, lambda: stage.controller.requests.newest("view") is not None)
        late = messages.Completion(request=request(stage), suggestion="", next=[], unknown=[], step=1)
        showing = asyncio.ensure_future(screen._show_view(VIEWS.index(WhatIfView)))
        while not showing.done():
            screen.tick()
            screen._event_received(RunController.EventReceived(stage.controller, late))
            await asyncio.sleep(0)
        await showing


async def test_without_colour_the_heatmap_has_glyphs(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    app = stage.open()
    async with app.run_test(size=(80, 24)) as pilot:
        screen = await look(stage, pilot, 3)
        await answer(stage, pilot)
        cells = {c for row in screen.query_one(HeatMap).text()[:-1] for c in row[12:]}
        assert cells & set("░▒▓█")


async def test_without_a_prompt_and_a_lesson_the_example_text_stays(stage: Stage) -> None:
    """Views may open before the field says that it was filled."""
    app = stage.open()
    async with app.run_test(size=(120, 40)) as pilot:
        screen = await look(stage, pilot, text="")
        field = screen.query_one("#inspect-text", GhostInput)
        await until(pilot, lambda: bool(field.value))
        example = field.value
        with screen.prevent(Input.Changed):
            field.value = screen._text = ""
        screen._fill(example)
        for view in (1, 4):
            await screen._show_view(view)
            assert screen.view.text == example
        await pilot.pause()
        assert field.value == example


def test_the_sample_text(stage: Stage) -> None:
    assert '"' in sample_text("tales", stage.workspace)
    assert sample_text("no such corpus", stage.workspace) == FALLBACK_TEXT
    assert sample_text("", stage.workspace) == FALLBACK_TEXT
