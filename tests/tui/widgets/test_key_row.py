"""The footer while another window is in front: of the run as it is, with the keys of the widget that was left."""

from __future__ import annotations

from textual import events
from textual.widgets import Input

from rnnplay.engine import messages
from rnnplay.tui.run_state import Phase
from rnnplay.tui.widgets.key_row import KeyRow, ShownKey
from tests.tui.stage import Stage, footer_keys, until


async def test_it_follows_the_run_while_another_window_is_in_front(stage: Stage) -> None:
    app = stage.open()
    async with app.run_test(size=(120, 40)) as pilot:
        await stage.train(pilot)
        await until(pilot, lambda: footer_keys(stage.playground).get("space") == "Pause")
        app.post_message(events.AppBlur())
        await until(pilot, lambda: not app.app_focus)
        await stage.stop(pilot, "length")
        assert stage.state.phase is Phase.FINISHED
        await until(pilot, lambda: footer_keys(stage.playground).get("t") == "Resume")
        assert "space" not in footer_keys(stage.playground)


async def test_its_keys_stay_those_of_the_widget_that_gets_the_focus_back(stage: Stage) -> None:
    app = stage.open()
    async with app.run_test(size=(120, 40)) as pilot:
        await stage.train(pilot)
        await pilot.press("g")
        await until(pilot, lambda: "f5" in footer_keys(stage.playground))
        before = footer_keys(stage.playground)
        app.post_message(events.AppBlur())
        await until(pilot, lambda: not app.app_focus and app.focused is None)
        await pilot.pause()
        assert footer_keys(stage.playground) == before
        await stage.stop(pilot, "length")
        await pilot.pause()
        assert app.focused is None
        assert "t" not in footer_keys(stage.playground), "where text is typed it is no command"


async def test_what_is_pasted_or_typed_before_the_terminal_tells_of_the_focus_goes_where_it_was(stage: Stage) -> None:
    app = stage.open()
    async with app.run_test(size=(120, 40)) as pilot:
        await stage.ready(pilot)
        await pilot.press("g")
        for event, text in ((events.Paste("ab"), "ab"), (events.Key("x", "x"), "abx")):
            app.post_message(events.AppBlur())
            await until(pilot, lambda: not app.app_focus and app.focused is None)
            app.keyboard.acted()
            app.post_message(event)
            await until(pilot, lambda: stage.prompt.text == text)  # noqa: B023
            assert isinstance(app.focused, Input)
            assert app.keyboard._typing_until == float("inf"), "what is typed on is no command"


async def test_a_click_on_a_key_does_what_the_key_does_and_between_keys_nothing(stage: Stage) -> None:
    app = stage.open()
    async with app.run_test(size=(120, 40)) as pilot:
        await stage.train(pilot)
        await until(pilot, lambda: footer_keys(stage.playground).get("space") == "Pause")
        row = stage.playground.query_one(KeyRow)
        of_pause = [x for x in range(row.size.width) if (key := row.key_at(x)) and key.description == "Pause"]
        line = "".join(segment.text for segment in row.render_line(0))
        assert line[of_pause[0] : of_pause[-1] + 1].split() == ["space", "Pause"]
        await pilot.click(row, offset=(row.size.width - 1, 0))
        assert messages.Pause() not in stage.engine.sent
        for x in (of_pause[0], of_pause[-1]):
            stage.engine.sent.clear()
            await pilot.click(row, offset=(x, 0))
            await until(pilot, lambda: messages.Pause() in stage.engine.sent)


async def test_only_the_key_under_the_pointer_is_marked(stage: Stage) -> None:
    app = stage.open()
    async with app.run_test(size=(120, 40)) as pilot:
        await stage.ready(pilot)
        await until(pilot, lambda: len(footer_keys(stage.playground)) > 2)
        row = stage.playground.query_one(KeyRow)

        def marked() -> set[ShownKey | None]:
            cells = [segment.style and segment.style.bgcolor for segment in row.render_line(0) for _ in segment.text]
            return {row.key_at(x) for x, background in enumerate(cells) if background != cells[-1]}

        assert not marked()
        for x in (1, next(x for x in range(row.size.width) if row.key_at(x) not in (row.key_at(1), None))):
            await pilot.hover(row, offset=(x, 0))
            await until(pilot, lambda: marked() == {row.key_at(x)})  # noqa: B023
        await pilot.hover(row, offset=(0, -10))
        await until(pilot, lambda: not marked())
