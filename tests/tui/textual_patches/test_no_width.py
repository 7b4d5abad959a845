"""A window may be so narrow that a widget beside others has no room."""

from __future__ import annotations

import pytest
from textual.app import App, ComposeResult
from textual.content import Content
from textual.widgets import OptionList

from rnnplay.tui.textual_patches import no_width
from rnnplay.tui.textual_patches.no_width import allow_no_width


@pytest.fixture(autouse=True)
def as_it_was(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Content, "_wrap_and_format", no_width._wrap_and_format)
    allow_no_width()


async def test_a_list_without_room_ends_nothing() -> None:
    class Narrow(App[None]):
        CSS = "OptionList { width: 2; height: auto; }"

        def compose(self) -> ComposeResult:
            yield OptionList("words of some length")

    async with Narrow().run_test() as pilot:
        assert pilot.app.is_running
        await pilot.pause()


@pytest.mark.parametrize("wrap", ["wrap", "nowrap"])
@pytest.mark.parametrize("width", [-2, 0, 1])
def test_any_text_has_a_height_at_any_width(width: int, wrap: str) -> None:
    assert Content("words").get_height({"text_wrap": wrap, "line_pad": 1}, width) >= 1  # type: ignore[typeddict-item]
