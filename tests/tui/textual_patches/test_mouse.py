"""A click finds what is drawn, which may be gone."""

from __future__ import annotations

from textual.events import MouseDown

from rnnplay.tui.textual_patches.mouse import is_on_removed
from tests.tui.stage import Stage


async def test_a_click_on_a_widget_that_has_just_been_removed_is_none(stage: Stage) -> None:
    """Between its removal and the next drawing it stands where it was."""
    app = stage.open()
    async with app.run_test(size=(120, 40)) as pilot:
        await stage.ready(pilot)
        key = app.screen.query("FooterKey").first()
        x, y = key.region.offset
        press = MouseDown(None, x, y, 0, 0, 1, False, False, False, x, y)
        assert not is_on_removed(press, app.screen)
        parent = key.parent
        key._parent = None
        try:
            assert is_on_removed(press, app.screen)
            await app.on_event(press)
        finally:
            key._parent = parent
        await pilot.pause()
        assert app.is_running and app._exception is None
