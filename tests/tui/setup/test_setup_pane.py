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


async def test_a_folder_that_is_split_by_its_files_says_so(stage: Stage) -> None:
    """The form would show 90/5/5, and the run would not be split so."""
    folder = stage.workspace.root / "parts"
    folder.mkdir()
    for name in ("train", "valid", "test"):
        (folder / f"{name}.txt").write_text("a few words\n" * 50, encoding="utf-8")
    async with stage.open().run_test(size=(120, 40)) as pilot:
        await stage.ready(pilot)
        split = stage.form.field("split")
        assert (split.text, split.locked) == ("90/5/5", "")
        before = stage.form.config.corpus
        stage.form.set_value("corpus", str(folder))
        await until(pilot, lambda: split.text == "own files")
        assert "train.txt for training, valid.txt for validation, test.txt for test" in split.help_text
        assert "plays no part" in split.help_text
        assert not split.can_focus
        stage.form.set_value("corpus", before)
        await until(pilot, lambda: split.text == "90/5/5")
        assert split.can_focus
