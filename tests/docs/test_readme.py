"""What README and docs/ say can be done, can be done: commands, keys, links and the lines that load weights."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable, Iterator
from pathlib import Path

import click
import pytest
from click.testing import CliRunner
from textual.binding import Binding

from rnnplay.cli.main import COMMANDS, program
from rnnplay.cli.support.session import Session
from tests.conftest import small_text

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
PAGES = [
    "README.md",
    "corpora/README.md",
    *(path.relative_to(ROOT).as_posix() for path in sorted((ROOT / "docs").rglob("*.md"))),
]
FOR_USERS = [
    page
    for page in PAGES
    if page not in ("docs/decisions.md", "docs/architecture.md", "docs/measurements/performance.md")
]
KEYS, COMMANDS_PAGE, RUN_FOLDER = (
    (ROOT / "docs" / name).read_text(encoding="utf-8") for name in ("keys.md", "commands.md", "run-folder.md")
)


def fenced(language: str, page: str = README) -> list[str]:
    """The page's blocks in that language, without their indentation."""
    blocks = re.findall(rf"^( *)```{language}\n(.*?)^\1```", page, re.MULTILINE | re.DOTALL)
    return [re.sub(rf"^{indent}", "", block, flags=re.MULTILINE) for indent, block in blocks]


def lines_in_blocks(name: str) -> Iterator[str]:
    """Every `rnnplay …` that is typed in a block of the page."""
    page = (ROOT / name).read_text(encoding="utf-8")
    for block in fenced("sh", page):
        for line in block.replace("\\\n", " ").splitlines():
            parts = re.split(r" && | \| ", line.partition("  #")[0])
            yield from (part.strip() for part in parts if part.startswith("rnnplay "))


def lines_in_prose(name: str) -> Iterator[str]:
    """Every `rnnplay …` between backticks of the page."""
    page = (ROOT / name).read_text(encoding="utf-8")
    prose = re.sub(r"^ *```.*?^ *```", "", page, flags=re.MULTILINE | re.DOTALL)
    for line in re.findall(r"`(rnnplay\s[^`]+)`", prose):
        yield re.sub(r"[\[\]]", "", re.sub(r"\s+", " ", line).replace("\\|PATH", ""))


def command_lines() -> Iterator[str]:
    """Every `rnnplay …` of the pages for users."""
    for page in FOR_USERS:
        yield from lines_in_blocks(page)
        yield from lines_in_prose(page)


def command_of(line: str) -> tuple[click.Command, list[str]]:
    """Returns the command that a line calls, and the words that it gives to it."""
    words = shlex.split(re.sub(r" >>? \S+$", "", line))[1:]  # where a script is kept is the shell's business
    command: click.Command = program
    context = click.Context(program, info_name="rnnplay", obj=Session())
    while words and isinstance(command, click.Group) and not words[0].startswith("-"):
        found = command.get_command(context, words.pop(0))
        assert found is not None, line
        command = found
    return command, words


def key_table() -> list[tuple[str, str]]:
    """Each key of the table, and where it works."""
    rows = re.findall(r"^\| ((?:`[^`]+` ?)+)\| ([\w, ]+) \|", KEYS, re.MULTILINE)
    keys = [(key, where) for row, where in rows for key in re.findall(r"`([^`]+)`", row)]
    return [(key, one) for key, where in keys for one in where.split(", ")]


def bound(*bindings: Iterable[object]) -> set[str]:
    """The keys of all `bindings`."""
    return {key for group in bindings for one in group if isinstance(one, Binding) for key in one.key.split(",")}


def test_there_is_one_command_to_start_and_one_to_test() -> None:
    """Both make the environment they need, so that each works on a clean clone; .ci/run runs the second as written."""
    start, test = (block.strip() for block in fenced("sh") if block.startswith("python3 -m venv"))
    for command in (start, test):
        assert len(command.splitlines()) == 1
        assert command.startswith("python3 -m venv .venv && .venv/bin/pip install ")
        assert "-c constraints.txt" in command
    assert start.endswith("&& .venv/bin/rnnplay")
    assert test.endswith("&& .venv/bin/python -m pytest -n auto")
    pattern = r"^[^`]*\.venv/bin/python -m pytest"
    assert f"'{pattern}' README.md" in (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    assert [line for line in README.splitlines() if re.match(pattern, line)] == [test]


@pytest.mark.parametrize("line", sorted(set(command_lines())))
def test_every_command_parses(line: str) -> None:
    """Names and options exist, and the values are allowed."""
    command, words = command_of(line)
    if words:  # otherwise it is the name of a command
        command.make_context("rnnplay", words, parent=click.Context(program, obj=Session()), obj=Session())


def test_the_table_of_commands_is_whole() -> None:
    """A command that is added is mentioned."""
    for name in COMMANDS:
        assert re.search(rf"^\| `rnnplay {name}\b", COMMANDS_PAGE, re.MULTILINE), name
    lines = sorted(set(command_lines()))
    assert len(lines) > 12
    assert any("--prompt" in line for line in lines)


def test_every_key_is_bound() -> None:
    """The keys in the table are those of the program, where the table says."""
    from textual.widgets import TextArea

    from rnnplay.tui.app import RnnplayApp
    from rnnplay.tui.chart.chart import Chart
    from rnnplay.tui.heatmap.token_text import TokenText
    from rnnplay.tui.inspection.timestep import CellPicture
    from rnnplay.tui.inspection.view import ViewTabs
    from rnnplay.tui.prompt.ghost_input import GhostInput
    from rnnplay.tui.prompt.prompt_pane import PromptPane
    from rnnplay.tui.runs.run_list import RunList
    from rnnplay.tui.screens.inspect import VIEWS, InspectScreen
    from rnnplay.tui.screens.lessons import LessonsScreen
    from rnnplay.tui.screens.playground.screen import PlaygroundScreen
    from rnnplay.tui.screens.race.dialog import RaceDialog
    from rnnplay.tui.screens.race.screen import RaceScreen
    from rnnplay.tui.screens.runs.browser import RunsScreen
    from rnnplay.tui.screens.runs.compare import CompareScreen
    from rnnplay.tui.screens.runs.sweep import SweepScreen, TrialTable
    from rnnplay.tui.screens.writing.screen import WritingScreen
    from rnnplay.tui.setup.knob_field import KnobField
    from rnnplay.tui.writing.ghost_area import GhostArea

    places = {
        "playground": bound(PlaygroundScreen.BINDINGS),
        # Textual's Input moves the cursor with →, which takes the ghost where there is one.
        "prompt": bound(GhostInput.BINDINGS, PromptPane.BINDINGS) | {"right"},
        "setup": bound(KnobField.BINDINGS),
        "chart": bound(Chart.BINDINGS),
        "inspection": bound(
            *(InspectScreen.BINDINGS, TokenText.BINDINGS, ViewTabs.BINDINGS, CellPicture.BINDINGS),
            *(view.BINDINGS for view in VIEWS),
        ),
        "runs": bound(RunsScreen.BINDINGS, RunList.BINDINGS),
        "comparison": bound(CompareScreen.BINDINGS),
        "sweeps": bound(SweepScreen.BINDINGS, TrialTable.BINDINGS),
        "plan of a race": bound(RaceDialog.BINDINGS),
        "race": bound(RaceScreen.BINDINGS),
        "scratchpad": bound(WritingScreen.BINDINGS, GhostArea.BINDINGS, TextArea.BINDINGS),
        "list of lessons": bound(LessonsScreen.BINDINGS),
        "everywhere": bound(RnnplayApp.BINDINGS),
    }
    names = {
        "+": "plus",
        "-": "minus",
        "/": "slash",
        "=": "equals_sign",
        "?": "question_mark",
        "[": "left_square_bracket",
        "]": "right_square_bracket",
    }
    arrows = {"←": "left", "→": "right", "↑": "up", "↓": "down"}
    table = key_table()
    assert len(table) > 25
    told = set()
    for key, where in table:
        name = names.get(key) or re.sub("[←→↑↓]", lambda match: arrows[match[0]], key)
        assert name in places[where] | places["everywhere"], f"{key} ({where})"
        if where in ("playground", "everywhere"):
            told.add(name)
    assert bound(PlaygroundScreen.BINDINGS) - told <= {"equals_sign"}


@pytest.mark.parametrize("page", PAGES)
def test_every_link_leads_to_a_file(page: str) -> None:
    """A page that is moved takes its links along."""
    links = re.findall(r"(?<!\")\]\(([^)#\"\s]+)\)", (ROOT / page).read_text(encoding="utf-8"))
    for link in links:
        if "://" not in link:
            assert ((ROOT / page).parent / link).is_file(), link
    assert links or page != "README.md"


@pytest.mark.parametrize("tied", [False, True])
def test_the_lines_that_load_weights(tied: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As written, but for path and sizes, they give the model that rnnplay itself loads."""
    import torch

    from rnnplay.runs.folder import RunFolder
    from rnnplay.training.checkpointing.checkpoints import load_model

    (tmp_path / "corpora").mkdir()
    (tmp_path / "corpora" / "small.txt").write_text(small_text(), encoding="utf-8")
    sizes = "--tie --embedding 16 --hidden 16" if tied else "--embedding 12 --hidden 16"
    asked = f"train --corpus small --run first --steps 3 --batch-size 4 --bptt 8 --threads 1 --device cpu {sizes}"
    result = CliRunner().invoke(program, ["--workspace", str(tmp_path), *asked.split(), "--json"])
    assert result.exit_code == 0, result.stderr
    (block,) = (block for block in fenced("python", RUN_FOLDER) if "load_file" in block)
    block, paths = re.subn(r"step-\d{9}", "step-000000003", block)
    block, layers = re.subn(r"LSTM\(32, 128,", f"LSTM({16 if tied else 12}, 16,", block)
    assert (paths, layers) == (1, 1)
    monkeypatch.chdir(tmp_path)
    names: dict[str, object] = {}
    exec(block, names)
    model = names["model"]
    assert isinstance(model, torch.nn.ModuleDict)
    ours, tokenizer, _ = load_model(RunFolder(tmp_path / "checkpoints" / "first"))
    ids = torch.from_numpy(tokenizer.encode("the cat sat"))[None]
    with torch.no_grad():
        hidden, _ = model["rnn"](model["embedding"](ids))
        assert torch.equal(model["output"](hidden), ours(ids)[0])


def test_decisions_stand_in_the_order_of_their_dates() -> None:
    dates = re.findall(r"(?m)^## (\S+): ", (ROOT / "docs" / "decisions.md").read_text("utf-8"))
    assert len(dates) > 80 and dates == sorted(dates)
