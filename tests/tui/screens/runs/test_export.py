"""The dialog that exports a run: what it asks for, what it replaces, and how it says what went wrong."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from textual.app import App
from textual.pilot import Pilot
from textual.widgets import Input

from rnnplay.errors import InputError, RnnplayError
from rnnplay.experiments.export.background import export_in_background
from rnnplay.experiments.export.request import Export
from rnnplay.runs.folder import RunFolder
from rnnplay.tui.screens.dialogs import Confirm
from rnnplay.tui.screens.runs.export import ExportScreen
from rnnplay.workspace import Workspace
from tests.tui.stage import RUN, Stage, make_run, shown, until


class ExportApp(App[None]):
    """The dialog alone, with a writer that the test decides about."""

    def __init__(self, run: RunFolder, workspace: Workspace) -> None:
        super().__init__()
        self.run_folder, self.workspace = run, workspace
        self.answers: list[str | None] = []
        self.wanted: list[Export] = []
        self.refusal: RnnplayError | None = None
        self.hold = asyncio.Event()
        self.hold.set()

    async def write(self, wanted: Export, workspace: Workspace) -> list[Path]:
        self.wanted.append(wanted)
        await self.hold.wait()
        if self.refusal is not None:
            raise self.refusal
        assert wanted.out is not None
        wanted.out.write_text("written", encoding="utf-8")
        return [wanted.out]

    def on_mount(self) -> None:
        self.push_screen(ExportScreen([self.run_folder], self.workspace, self.write), self.answers.append)


@pytest.fixture
def app(workspace: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ExportApp:
    monkeypatch.chdir(tmp_path)
    return ExportApp(make_run(workspace, RUN), workspace)


async def open_at(app: ExportApp, pilot: Pilot[None], format_: str) -> None:
    """Moves to a format."""
    await until(pilot, lambda: isinstance(app.screen, ExportScreen))
    while format_ not in shown(app.screen, "Label"):
        await pilot.press("down")


async def test_the_format_names_the_file_and_enter_writes_it(app: ExportApp, tmp_path: Path) -> None:
    async with app.run_test(size=(80, 24)) as pilot:
        await open_at(app, pilot, "jsonl, file to write")
        assert app.screen.query_one(Input).placeholder == f"{RUN}.jsonl"
        await pilot.press("enter")
        await until(pilot, lambda: bool(app.answers))
        assert app.wanted[0].out == tmp_path / f"{RUN}.jsonl" and app.wanted[0].format == "jsonl"
        assert app.answers == [f"Written: {tmp_path / f'{RUN}.jsonl'} (7 bytes)."]


async def test_a_file_that_exists_is_replaced_only_after_a_question(app: ExportApp, tmp_path: Path) -> None:
    (tmp_path / "mine").write_text("mine", encoding="utf-8")
    async with app.run_test(size=(80, 24)) as pilot:
        await open_at(app, pilot, "svg")
        await pilot.press("tab", *"mine", "enter")
        await until(pilot, lambda: isinstance(app.screen, Confirm))
        await pilot.press("enter")  # begins on no
        await until(pilot, lambda: isinstance(app.screen, ExportScreen))
        assert app.wanted == []
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, Confirm))
        await pilot.press("left", "enter")
        await until(pilot, lambda: bool(app.answers))
        assert app.wanted[0].force


async def test_what_goes_wrong_is_said_and_can_be_mended(app: ExportApp) -> None:
    async with app.run_test(size=(80, 24)) as pilot:
        await open_at(app, pilot, "png")
        await pilot.press("tab", "n", "o", "slash", "x", "enter")
        await until(pilot, lambda: "not exist;" in " ".join(shown(app.screen, "#said").split()))
        app.refusal = InputError("The disk is full.")
        await pilot.press("ctrl+u", *"y", "enter")
        await until(pilot, lambda: "The disk is full." in shown(app.screen, "#said"))
        app.refusal = None
        await pilot.press("enter")
        await until(pilot, lambda: bool(app.answers))


async def test_a_second_enter_while_it_writes_does_nothing_and_escape_leaves(app: ExportApp) -> None:
    app.hold.clear()
    async with app.run_test(size=(80, 24)) as pilot:
        await open_at(app, pilot, "jsonl")
        await pilot.press("enter")
        await until(pilot, lambda: "Writing" in shown(app.screen, "#said"))
        await pilot.press("enter", "enter")
        assert len(app.wanted) == 1
        await pilot.press("escape")
        await until(pilot, lambda: app.answers == [None])


async def test_the_palette_has_it_for_the_run_in_front(stage: Stage) -> None:
    app = stage.open()
    async with app.run_test(size=(120, 40)) as pilot:
        await stage.ready(pilot)
        titles = {command.title: command.callback for command in stage.playground.commands()}
        titles["Export the run"]()
        await until(pilot, lambda: any("run to export yet" in toast for toast in stage.toasts))
        make_run(stage.workspace, RUN)
        await stage.train(pilot)
        titles["Export the run"]()
        await until(pilot, lambda: isinstance(app.screen, ExportScreen))


async def test_another_process_writes_and_its_sentence_is_raised(workspace: Workspace, tmp_path: Path) -> None:
    run = make_run(workspace, RUN)
    out = tmp_path / "a b.jsonl"
    assert await export_in_background(Export([run], "jsonl", out), workspace) == [out]
    with pytest.raises(RnnplayError, match=r"a b\.jsonl exists already"):
        await export_in_background(Export([run], "jsonl", out), workspace)
