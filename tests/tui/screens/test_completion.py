"""The settings of completion: they hold from the next key on, and say what adapting was worth."""

from __future__ import annotations

from rnnplay.engine import messages
from rnnplay.engine.messages import Adapted, Complete, KeepAdapted
from rnnplay.tui.screens.completion import CompletionDialog
from rnnplay.tui.widgets.text import Lines
from tests.tui.stage import Stage, until


async def test_settings_hold_from_the_next_key_on_and_wrong_ones_are_refused(stage: Stage) -> None:
    app = stage.open()
    async with app.run_test(size=(80, 24)) as pilot:
        await stage.train(pilot)
        await stage.stop(pilot)
        await pilot.press("g", "a", "f9")
        await until(pilot, lambda: isinstance(app.screen, CompletionDialog))
        assert not stage.controller.adaptation.adapts
        await pilot.press("right")
        assert stage.controller.adaptation.dynamic
        await pilot.press("down", *"99", "enter")
        assert stage.controller.adaptation.dynamic_lr == 0.0005
        assert "dynamic_lr must be a number from 0 to 10" in str(app.screen.query_one("#completion-help").render())
        await pilot.press("escape", *"0.001", "enter", *["up"] * 6, *"7", "enter")
        assert (stage.controller.adaptation.dynamic_lr, stage.controller.completion.words) == (0.001, 7)
        await pilot.press("f9")
        await until(pilot, lambda: app.screen is stage.playground)
        await pilot.press("b")
        asked = stage.engine.of(Complete)[-1]
        assert asked.text == "ab" and asked.adaptation.dynamic and asked.completion.words == 7
    again = stage.open()
    assert again.controllers.front.completion.words == 7, "they are kept for the next session"
    assert (again.controllers.front.adaptation.dynamic, again.controllers.front.adaptation.dynamic_lr) == (True, 0.001)


async def test_what_adapting_was_worth_is_shown_and_kept(stage: Stage) -> None:
    app = stage.open()
    async with app.run_test(size=(80, 24)) as pilot:
        await stage.train(pilot)
        await stage.stop(pilot)
        await pilot.press("g", "f9", "right", "escape", "a")
        asked = stage.engine.of(Complete)[-1]
        adapted = Adapted(tokens=40, of=40, before=1.5, after=1.25)
        stage.engine.say(
            messages.Completion(request=asked.request, suggestion="", next=[], unknown=[], step=20, adapted=adapted)
        )
        await until(pilot, lambda: "1.500 → 1.250 nats" in str(stage.prompt.border_subtitle))
        await pilot.press("f9")
        await until(pilot, lambda: isinstance(app.screen, CompletionDialog))
        status = app.screen.query_one("#completion-status", Lines)
        await until(pilot, lambda: status.text() == ["adapted: 1.500 → 1.250 nats over 40 tokens"])
        await pilot.press("ctrl+s")
        (keep,) = stage.engine.of(KeepAdapted)
        assert keep.run.endswith("-adapted-01")
        stage.engine.say(messages.Kept(run=keep.run, loss=1.4))
        await until(pilot, lambda: any(keep.run in text for text in stage.toasts))
