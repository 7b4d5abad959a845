"""The footer while another window is in front: of the run as it is, with the keys of the widget that was left."""

from __future__ import annotations

from textual import events
from textual.widgets import Input

from rnnplay.tui.run_state import Phase
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
        before, drawn = footer_keys(stage.playground), stage.playground.query("FooterKey").first()
        app.post_message(events.AppBlur())
        await until(pilot, lambda: not app.app_focus and app.focused is None)
        await pilot.pause()
        assert footer_keys(stage.playground) == before
        assert stage.playground.query("FooterKey").first() is drawn, "nothing was drawn anew"
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
