"""What is loaded when: the interface starts without torch, the engine without textual."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest


def loaded_by(statement: str, modules: tuple[str, ...]) -> set[str]:
    """Which of `modules` a fresh interpreter has loaded after `statement`."""
    code = f"import sys\n{statement}\nprint(*(name for name in {modules!r} if name in sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return set(done.stdout.splitlines()[-1].split())


@pytest.mark.parametrize(
    "statement",
    [
        "import rnnplay.tui.app",
        "import rnnplay.engine.messages, rnnplay.engine.client",
        "import rnnplay.text.encoding.encoded, rnnplay.text.feeds, rnnplay.text.corpora.catalogue",
        "import rnnplay.runs.folder, rnnplay.runs.metrics.records",
        "import rnnplay.cli.commands.runs.export, rnnplay.experiments.export.export",
        "import rnnplay.experiments.export.background",
        "import rnnplay.experiments.export.tables, rnnplay.experiments.export.report.report",
        "import rnnplay.experiments.export.tensorboard_events",
    ],
)
def test_no_torch(statement: str) -> None:
    assert loaded_by(statement, ("torch", "sys")) == {"sys"}


def test_the_first_paint_waits_for_no_numpy() -> None:
    statement = """
import asyncio, sys
from pathlib import Path
from tempfile import mkdtemp
from rnnplay.presets import preset_config
from rnnplay.tui.app import RnnplayApp
from rnnplay.tui.run_controller import RunController
from rnnplay.tui.setup import setup_pane
from rnnplay.workspace import Workspace
async def no_engine(self): pass
RnnplayApp._load_numpy = lambda self: None
setup_pane.COUNTED_SECONDS = 1000  # what it counts with comes later, which may be soon on a busy machine
RunController.start_engine = no_engine
async def paint():
    async with RnnplayApp(Workspace(Path(mkdtemp())).create(), preset_config()).run_test(size=(120, 40)): pass
asyncio.run(paint())
"""
    assert loaded_by(statement, ("numpy", "textual")) == {"textual"}


def test_the_engine_loads_torch_and_no_textual() -> None:
    modules = "torch", "rnnplay.training.trainer", "textual"
    assert loaded_by("import rnnplay.engine.process", modules) == set(modules) - {"textual"}


def test_tests_take_no_private_module_of_textual() -> None:
    """They would break with any release; only those of what rnnplay replaces in such modules may look into them."""
    here = Path(__file__).parent
    private = re.compile(r"^\s*(from|import) textual[\w.]*\._|^\s*from textual[\w.]* import .*\b_\w", re.MULTILINE)
    found = [path.relative_to(here) for path in here.rglob("*.py") if private.search(path.read_text(encoding="utf-8"))]
    assert {path.parent.as_posix() for path in found} == {"tui/textual_patches"}
