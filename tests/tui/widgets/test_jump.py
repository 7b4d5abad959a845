"""Jump mode: on every screen each thing in sight that can have the focus has a label, and typing it focuses that."""

from __future__ import annotations

import pytest
from textual import events
from textual.geometry import Offset
from textual.screen import Screen

from rnnplay.engine import messages
from rnnplay.tui.screens.dialogs import Confirm
from rnnplay.tui.widgets.jump import JumpLabel, labels, targets
from tests.tui.stage import Stage, footer_keys, make_run, until


def shown_labels(stage: Stage) -> list[JumpLabel]:
    return list(stage.app.screen.query(JumpLabel))


@pytest.mark.parametrize("count", [0, 1, 26, 27, 60, 676])
def test_no_label_begins_another_and_short_ones_come_first(count: int) -> None:
    found = labels(count)
    assert len(found) == len(set(found)) == count
    assert not [one for one in found for other in found if one != other and other.startswith(one)]
    assert [len(one) for one in found] == sorted(len(one) for one in found)
    assert all(len(one) == 1 for one in found) == (count <= 26)


@pytest.mark.parametrize("size", [(120, 40), (40, 12)])
async def test_everything_in_sight_can_be_jumped_to(stage: Stage, size: tuple[int, int]) -> None:
    make_run(stage.workspace, "a-run", steps=20, finished="length")
    app = stage.open()
    async with app.run_test(size=size) as pilot:
        await stage.train(pilot)
        for key in ("", "i", "o", "W", "ctrl+q"):
            before = app.screen
            await pilot.press(*([key] if key else []))
            await until(pilot, lambda: not key or app.screen is not before)  # noqa: B023
            await until(pilot, lambda: any(widget.region for widget in app.screen.focus_chain))
            for place in (0, -1):
                app.screen.set_focus(None)
                await pilot.press("ctrl+t")
                label = shown_labels(stage)[place]
                await pilot.press(*label.text)
                assert app.focused is label.target
            while app.screen is not stage.playground:
                await pilot.press("escape")


async def test_what_is_typed_meanwhile_is_no_text_and_escape_leaves_the_focus(stage: Stage) -> None:
    app = stage.open()
    async with app.run_test(size=(120, 40)) as pilot:
        await stage.train(pilot)
        await pilot.press("g", "a", "b", "f10")
        assert footer_keys(stage.playground)["^t"] == "Jump"
        prompt = app.focused
        assert shown_labels(stage) and all(one.target is not prompt for one in shown_labels(stage))
        await pilot.press("9")
        assert not shown_labels(stage)
        await pilot.press("ctrl+t", "escape", "c")
        assert app.focused is prompt
        assert stage.prompt.text == "abc"
        await pilot.press("ctrl+t")
        text = next(one.text for one in shown_labels(stage) if one.target is stage.loss)
        await pilot.press(*text, "c")
        assert app.focused is stage.loss
        assert stage.engine.of(messages.Tune), "a letter after a jump is a command at once"


async def test_other_keys_and_the_mouse_end_it_and_act(stage: Stage) -> None:
    app = stage.open()
    async with app.run_test(size=(120, 40)) as pilot:
        await stage.train(pilot)
        for act in ("f6", "ctrl+q"):
            await pilot.press("ctrl+t")
            assert shown_labels(stage)
            await pilot.press(act)
            assert not stage.playground.query(JumpLabel)
        assert stage.engine.of(messages.Tune)
        assert isinstance(app.screen, Confirm)
        await pilot.press("escape", "ctrl+t")
        x, y = stage.norm.region.center
        app.post_message(events.MouseDown(None, int(x), int(y), 0, 0, 1, False, False, False))  # as the driver does
        await until(pilot, lambda: not shown_labels(stage) and app.focused is stage.norm)
        await pilot.press("ctrl+t")
        await pilot.resize_terminal(80, 24)
        await until(pilot, lambda: not shown_labels(stage))


async def test_labels_are_all_that_is_painted(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    app = stage.open()
    async with app.run_test(size=(120, 40)) as pilot:
        await stage.ready(pilot)
        await pilot.pause()
        painted: set[Offset] = set()
        dirty = stage.playground._compositor._dirty_regions
        refresh = type(stage.playground)._compositor_refresh

        def noting(screen: Screen[None]) -> None:
            for region in dirty:
                painted.update(Offset(x, y) for y in region.line_range for x in region.column_range)
            refresh(screen)

        monkeypatch.setattr(type(stage.playground), "_compositor_refresh", noting)
        await pilot.press("ctrl+t")
        await until(pilot, lambda: len(painted) >= len(shown_labels(stage)))
        await pilot.press("escape")
        await pilot.pause()
        assert 0 < len(painted) <= 2 * len(targets(app.screen))


async def test_the_palette_has_it(stage: Stage) -> None:
    app = stage.open()
    async with app.run_test(size=(120, 40)) as pilot:
        await stage.ready(pilot)
        command = next(one for one in app.get_system_commands(app.screen) if one.title == "Jump")
        command.callback()
        await until(pilot, lambda: bool(shown_labels(stage)))
