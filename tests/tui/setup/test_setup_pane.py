"""The setup beside the charts: what the form does not know by itself."""

from __future__ import annotations

from tests.tui.stage import Stage, until


async def test_a_text_that_came_meanwhile_is_offered(stage: Stage) -> None:
    """A visitor sends one from the browser; anybody may copy one into corpora/."""
    async with stage.open().run_test(size=(120, 40)) as pilot:
        await stage.ready(pilot)
        corpora = stage.app.controllers.workspace.corpora
        (corpora / "poems.txt").write_text("Dear reader,\n" * 50, encoding="utf-8")
        stage.form.query_one("#knob-corpus").focus()
        await until(pilot, lambda: "poems" in dict(stage.form._corpora))
