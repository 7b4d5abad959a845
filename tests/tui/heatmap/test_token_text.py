"""Keys for a text that has not been drawn, as in a window without room for it."""

from __future__ import annotations

from textual.app import App, ComposeResult

from rnnplay.tui.heatmap.token_text import TokenText


async def test_the_cursor_moves_although_nothing_is_drawn() -> None:
    class Hidden(App[None]):
        CSS = "TokenText { display: none; }"

        def compose(self) -> ComposeResult:
            yield TokenText()

    async with Hidden().run_test() as pilot:
        text = pilot.app.query_one(TokenText)
        text.action_move_row(1)
        text.action_page(-1)
        assert text.cursor == 0
        text.show(["a", "b", "c"], [0, 0, 0])
        text.action_move_row(1)
        text.action_move(1)
        text.action_jump(-1)
        assert text.cursor == 2
        text.show(["a"], [0])
        text.action_move_row(-1)
        assert text.cursor == 0
