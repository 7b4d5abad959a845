"""Every `rnnplay …` in README and docs/ is run: in blocks as it stands, in a text with names put in.

A page at a time, in a workspace of its own in which `tales` is a few lines and some runs have been trained. Trainings
are shortened by a few more options (SHORTER); a race's engines train nothing (tests.support.quick_engine), a sweep
trains its first trial. What cannot be run so is in ELSEWHERE, with the tests that run it.
"""

from __future__ import annotations

import json
import re
import shlex
import shutil
import sys
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner

from rnnplay.cli.main import program
from rnnplay.cli.support.session import Session
from rnnplay.engine.client import EngineClient
from rnnplay.experiments import engines
from rnnplay.experiments.sweep.study import Study
from rnnplay.experiments.sweep.worker import Worker
from tests.conftest import small_text
from tests.docs.test_readme import FOR_USERS, ROOT, command_lines, command_of, lines_in_blocks, lines_in_prose
from tests.support import quick_engine

TINY = "--hidden 8 --embedding 8 --batch-size 4 --bptt 8 --eval-tokens 100 --threads 1"
SHORTER = {
    "train": f"--steps 4 {TINY}",
    "train --resume": "--steps 6 --eval-tokens 100",
    "train --from": "--steps 2 --eval-tokens 100 --threads 1",
    "lr-range": "--test-steps 20 --batch-size 4 --bptt 8 --threads 1",
    "sweep --vary": "--steps 2 --batch-size 4 --bptt 8 --eval-tokens 100",
    "eval --keystrokes": "--characters 40",
}
"""Options that are added to a command that begins with these words, or has them; the longest that fits."""
NAMES = {
    "RUN@STEP": "first@4",
    "first@1200": "first@4",
    "RUN RUN…": "first second",
    "RUN": "first",
    "TEXT": "the",
    "/shared/rnnplay": "{workspace}",
    "~/poems.txt": "poems.txt",
    "FILE --encoding": "latin.txt --encoding",
    "FILE --name NAME": "poems.txt --name other",
    "mytext.txt": "poems.txt",
    "save one two three": "save first second mine",
    "export one two three": "export first second mine",
}
"""What stands in the docs for something of the user's, and what the test has for it."""
ELSEWHERE = {
    r"rnnplay( --.*)?": "tests/e2e/test_terminal.py",
    r"rnnplay watch (RUN|first|big|night).*": "tests/cli/commands/training/test_watch.py",
    r"rnnplay serve\b.*": "tests/cli/commands/interface/test_serve.py",
    r"rnnplay train --torchrun .*": "tests/cli/commands/training/test_torchrun.py",
    r"rnnplay lessons run .*": "tests/cli/commands/interface/test_lessons.py",
    r"rnnplay race --resume .*": "tests/cli/commands/training/test_race.py",
    r"rnnplay race --from .*": "tests/cli/commands/training/test_race.py",
    r"rnnplay sweep --study NAME": "tests/cli/commands/training/test_sweep.py",
    r"rnnplay sweep --vary KNOB=VALUES": "tests/cli/commands/training/test_sweep.py",
    r"rnnplay corpora fetch (text8|https://…)": "tests/cli/test_suggestions.py",
    r"rnnplay eval RUN --by-distance": "tests/cli/commands/model/test_evaluate.py",
    r"rnnplay train --tensorboard DIR": "tests/cli/commands/runs/test_export.py",
    r"rnnplay train --corpus -": "tests/cli/support/test_text_input.py",
}
"""Commands that open the interface, wait, listen, start processes or download, and where they are tested."""


def runnable(page: str) -> list[str]:
    """The commands of a page that are run here, each once, in their order."""
    lines = [*lines_in_blocks(page), *(line for line in lines_in_prose(page) if not is_name(line))]
    return [line for line in dict.fromkeys(lines) if not any(re.fullmatch(one, line) for one in ELSEWHERE)]


def is_name(line: str) -> bool:
    """Whether a text speaks of a command, without what it needs to be run."""
    command, words = command_of(line)
    return not words and any(param.required for param in command.params)


PAGES_WITH_COMMANDS = [page for page in FOR_USERS if runnable(page)]


def words_of(line: str, workspace: Path) -> list[str]:
    """The arguments that the test gives to rnnplay for a line of a page."""
    line = re.sub(r" >>? \S+$", "", line)  # what a shell does with the output
    for written, ours in NAMES.items():
        line = re.sub(rf"(?<![\w/]){re.escape(written)}(?![\w@])", ours.format(workspace=workspace), line)
    words = shlex.split(line)[1:]
    fits = [one for one in SHORTER if words[0] == one.split()[0] and set(one.split()) <= set(words)]
    return words + shlex.split(SHORTER[max(fits, key=len)] if fits else "")


def call(words: list[str]) -> None:
    request = json.dumps({"id": 1, "text": "the c"}) + "\n"
    result = CliRunner().invoke(program, words, input=request if "--serve" in words else f"y\n{small_text(400)}")
    assert result.exit_code == 0, f"{shlex.join(words)}: {result.stderr or result.exception!r}"
    assert result.stdout or result.stderr, shlex.join(words)


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace as somebody has it who reads the docs: texts, a model of another program, a class, and some runs."""
    import torch
    from torch import nn

    place = tmp_path_factory.mktemp("template")
    for name in ("corpora", "checkpoints", "notes", "class/anna", "visitors/ben"):
        (place / name).mkdir(parents=True)
    for name in ("corpora/tales.txt", "poems.txt", "notes.txt", "letter.txt", "verse.txt", "notes/a.md"):
        (place / name).write_text(small_text(), encoding="utf-8")
    (place / "latin.txt").write_bytes("café\n".encode("cp1252") * 200)
    for name in ("class/anna", "visitors/ben"):
        (place / name / "lessons.json").write_text('{"format": 1}', encoding="utf-8")
    characters = sorted(set(small_text()))
    parts = {
        "embedding": nn.Embedding(len(characters), 4),
        "rnn": nn.GRU(4, 6),
        "output": nn.Linear(6, len(characters)),
    }
    torch.save(nn.ModuleDict(parts).state_dict(), place / "model.pt")
    (place / "tokens.json").write_text(json.dumps(characters), encoding="utf-8")
    call(["train", "--workspace", str(place), "--run", "first", *shlex.split(SHORTER["train"])])
    for name in ("second", "mine", "shakespeare", "night"):
        shutil.copytree(place / "checkpoints" / "first", place / "checkpoints" / name)
        info = place / "checkpoints" / name / "run.json"
        info.write_text(info.read_text("utf-8").replace('"run": "first"', f'"run": "{name}"'), encoding="utf-8")
    return place


def one_trial(session: Session, study: Study, *_: Any) -> int:
    """Trains the first trial of a study, in this process."""
    begun = session.workspace.checkpoints
    Worker(study, session.workspace, 1, lambda _: None, lambda: len([*begun.glob(f"{study.name}-*")]) > 1).run()
    study.close()
    click.echo("trained")
    return 0


@pytest.mark.parametrize("page", PAGES_WITH_COMMANDS)
def test_what_a_page_says_can_be_typed(
    page: str, template: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    workspace = tmp_path / "workspace"
    shutil.copytree(template, workspace)
    monkeypatch.chdir(workspace)

    def start(workspace: Path, on_event: Any, on_exit: Any, _command: Any = None) -> EngineClient:
        return EngineClient(workspace, on_event, on_exit, [sys.executable, "-S", quick_engine.__file__])

    monkeypatch.setattr(engines, "EngineClient", start)
    monkeypatch.setattr("rnnplay.cli.commands.training.sweep._supervise", one_trial)
    for line in runnable(page):
        words = words_of(line, workspace)
        if words[0] == "train" and "--run" in words and "--resume" not in words:
            shutil.rmtree(workspace / "checkpoints" / words[words.index("--run") + 1], ignore_errors=True)
        call(words)


def test_what_is_left_out_is_in_the_docs_and_tested_elsewhere() -> None:
    lines = set(command_lines())
    for pattern, where in ELSEWHERE.items():
        assert any(re.fullmatch(pattern, line) for line in lines), pattern
        command = re.findall(r"^rnnplay ([a-z]+)|$", pattern)[0] or "rnnplay"
        options = re.findall(r"--[a-z-]+", pattern)
        text = (ROOT / where).read_text(encoding="utf-8")
        assert all(word in text for word in (command, *options)), (pattern, where)


def test_the_files_of_a_run_are_in_their_page(template: Path) -> None:
    """Whatever a training leaves on disk, docs/run-folder.md says what it is."""
    page = (ROOT / "docs" / "run-folder.md").read_text(encoding="utf-8")
    names = {re.sub(r"\d{9}$", "", path.name) for path in (template / "checkpoints" / "first").rglob("*")}
    assert {"run.json", "weights.safetensors", "step-"} <= names
    assert {name for name in names if name not in page} == set()
