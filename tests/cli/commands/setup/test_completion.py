"""Shell completion: what is offered, without torch, and in real shells."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from rnnplay.cli.main import COMMANDS, program
from rnnplay.cli.support.session import Session
from rnnplay.cli.support.shell_completion import SHELLS, Bash, paths
from rnnplay.lessons.own import write_skeleton
from rnnplay.lessons.reader import lessons
from tests.support.terminal import Terminal


@pytest.fixture
def place(tmp_path: Path) -> Path:
    for number, name in enumerate(("older", "race-02-gru", "newer", "with space", "-x")):
        (tmp_path / "checkpoints" / name).mkdir(parents=True)
        (tmp_path / "checkpoints" / name / "run.json").write_text("{}")
        os.utime(tmp_path / "checkpoints" / name / "run.json", (number, number))
    (tmp_path / "presets").mkdir()
    (tmp_path / "presets" / "mine.toml").write_text("hidden = 64\n")
    (tmp_path / "corpora").mkdir()
    (tmp_path / "corpora" / "letters.txt").write_text("Dear reader,\n" * 50)
    (tmp_path / "corpora" / "my poems.txt").write_text("Roses are red,\n" * 50)
    for name in ("20261126T101112000000-lost", "20261127T101112000000-found-it", "20261127T111112000000-lost"):
        (tmp_path / "trash" / name).mkdir(parents=True)
    (tmp_path / "studies" / "rates").mkdir(parents=True)
    (tmp_path / "studies" / "rates" / "journal.jsonl").write_text("{}\n")
    write_skeleton(tmp_path / "lessons", "mine", "en", 100)
    return tmp_path


def offered(place: Path, *words: str) -> list[str]:
    """What is offered for the last word, after the ones before it."""
    session = Session()
    session.workspace_option = str(place)
    *before, last = words
    found = Bash(program, {"obj": session}, "rnnplay", "X").get_completions(before, last)
    return [one.value if one.type == "plain" else f"({one.type}) {one.value}".rstrip() for one in found]


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (("gen",), ["generate"]),
        (("runs", "sho"), ["show"]),
        # The newest first; one that would be taken for an option not at all.
        (("generate", ""), ["with space", "newer", "race-02-gru", "older", "shipped-model"]),
        (("generate", "../"), ["(dir)"]),
        (("runs", "show", "o"), ["older"]),
        (("compare", "older", "n"), ["newer"]),
        (
            ("watch", ""),
            ["with space", "newer", "race-02-gru", "older"],
        ),  # no shipped model: it does not train
        (("runs", "rm", "s"), []),  # the shipped model is no run of the workspace
        (("train", "--from", "s"), ["shipped-model"]),
        (("corpora", "fetch", "tiny"), ["tinyshakespeare"]),
        (("runs", "restore", ""), ["lost", "found-it"]),
        (("race", "--resume", ""), ["race-02"]),
        (("sweep", "--storage", "tiny"), []),
        (("sweep", "--show", ""), ["rates"]),
        (("--run", "n"), ["newer"]),
        (("train", "--corpus", "le"), ["letters"]),
        (("corpora", "show", "ta"), ["tales"]),
        (("train", "--preset", "mi"), ["mine"]),
        (("race", "--preset", "mi"), ["mine"]),
        (("train", "--corpus", "~/po"), ["(file)"]),
        (("train", "--corpus=~/po"), ["(file) --corpus="]),
        (("train", "--workspace", ""), ["(dir)"]),
        (("import", "model"), ["(file)"]),
        (("import", "model.pt", "--run", ""), []),  # a new name
        (("lessons", "report", "class/a"), ["(dir)"]),
        (("lessons", "check", ""), ["mine"]),
        (("train", "--cell", "l"), ["lstm"]),
        (("train", "--cell=l"), ["--cell=lstm"]),
        (("generate", "older", "--checkpoint", ""), ["latest", "best"]),
        (("lessons", "run", "dist"), ["distance"]),
        (("train", "--hid"), ["--hidden"]),
        (("completion", ""), ["bash", "zsh", "fish"]),
        (("train", "--lr", ""), []),
        (("no-such-command", "x"), []),
    ],
)
def test_what_is_offered(place: Path, words: tuple[str, ...], expected: list[str]) -> None:
    assert offered(place, *words) == expected


@pytest.mark.parametrize(
    ("words", "allowed"),
    [
        ("rnnplay train --", {"rnnplay.config", "msgspec"}),
        ("rnnplay race --", {"rnnplay.config", "msgspec", "rnnplay.experiments.variants"}),
        ("rnnplay lessons show ", set()),
        ("rnnplay lessons --", set()),
    ],
)
def test_an_answer_loads_little(place: Path, words: str, allowed: set[str]) -> None:
    """Who presses Tab waits for it: options come from their declarations, names from folders, and nothing else."""
    slow = {"torch", "textual", "numpy", "msgspec", "difflib", "shutil", "tempfile"}
    slow |= {f"rnnplay.{name}" for name in ("config", "presets", "runs.folder", "lessons.reader")}
    slow |= {f"rnnplay.experiments.{name}" for name in ("variants", "race", "conclusion")}
    code = (
        "import atexit, sys; from rnnplay.__main__ import main; "
        "atexit.register(lambda: print(*sys.modules, file=sys.stderr)); main()"
    )
    environment = {"_RNNPLAY_COMPLETE": "bash_complete", "COMP_LINE": words}
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        env={**os.environ, **environment, "RNNPLAY_WORKSPACE": str(place)},
    )
    assert "plain\t" in done.stdout
    assert slow & set(done.stderr.split()) <= allowed


def test_lessons_are_offered_in_their_order_those_of_ones_own_last(place: Path) -> None:
    assert offered(place, "lessons", "run", "") == [*(lesson.name for lesson in lessons()), "mine"]


def test_nothing_is_offered_nor_said_where_there_is_no_workspace(tmp_path: Path) -> None:
    assert offered(tmp_path / "nowhere", "runs", "show", "") == []


@pytest.mark.parametrize("shell", [shell.name for shell in SHELLS])
def test_each_shell_gets_a_script_that_asks_rnnplay_in_its_name(shell: str) -> None:
    result = CliRunner().invoke(program, ["completion", shell])
    assert f"_RNNPLAY_COMPLETE={shell}_complete" in result.output


def test_a_shell_that_is_not_known_is_refused() -> None:
    result = subprocess.run([sys.executable, "-m", "rnnplay", "completion", "tcsh"], capture_output=True, text=True)
    assert result.returncode == 2
    assert "'bash', 'zsh', 'fish'" in result.stderr


def every_parameter() -> Iterator[tuple[str, click.Parameter]]:
    """Each parameter of each command, with the command's name."""
    waiting = [(name, program.get_command(click.Context(program), name)) for name in COMMANDS]
    while waiting:
        name, command = waiting.pop()
        assert command is not None
        if isinstance(command, click.Group):
            waiting += [(f"{name} {one}", command.get_command(click.Context(command), one)) for one in command.commands]
        yield from ((name, parameter) for parameter in command.params)


def test_whatever_takes_a_path_is_completed_with_paths() -> None:
    """By its metavar, which --help shows: a path that is announced in other words would be left out."""
    of_paths = [(name, one) for name, one in every_parameter() if isinstance(one.type, click.Path)]
    assert len(of_paths) > 5
    assert [f"{name} {one.name}" for name, one in of_paths if paths(one, "") is None] == []


@pytest.fixture
def programs(tmp_path: Path) -> Path:
    """A folder with `rnnplay`, which leaves the names of the modules that it loaded in `loaded`."""
    folder = tmp_path / "bin"
    folder.mkdir()
    code = (
        "import atexit, sys, pathlib; from rnnplay.__main__ import main; "
        f"loaded = pathlib.Path({str(tmp_path / 'loaded')!r}); "
        "atexit.register(lambda: loaded.write_text(chr(10).join(sys.modules))); main()"
    )
    (folder / "rnnplay").write_text(f'#!/bin/sh\nexec \'{sys.executable}\' -c "{code}" "$@"\n')
    (folder / "rnnplay").chmod(0o755)
    return folder


STARTS = {"bash": ("bash", "--norc", "-i"), "zsh": ("zsh", "-f", "-i"), "fish": ("fish", "--no-config", "-i")}
READS = {
    "bash": 'eval "$(rnnplay completion bash)"',
    "zsh": 'eval "$(rnnplay completion zsh)"',
    "fish": "rnnplay completion fish | source",
}


@pytest.fixture(params=STARTS)
def shell(request: pytest.FixtureRequest, programs: Path, place: Path, tmp_path: Path) -> Iterator[Terminal]:
    """A shell without settings that has read the script, in a folder with a file and a folder."""
    name = request.param
    if shutil.which(name) is None:
        pytest.skip(f"there is no {name}")
    here = tmp_path / "here"
    (here / "a folder").mkdir(parents=True)
    (here / "a folder" / "knobs.toml").write_text("hidden = 64\n")
    (here / "model one.pt").write_text("")
    environment = {
        "PATH": f"{programs}:{os.environ['PATH']}",
        "HOME": str(here),
        "PS1": "> ",
        "RNNPLAY_WORKSPACE": str(place),
        "PYTHONPATH": str(Path(__file__).parents[4]),
    }
    with Terminal(list(STARTS[name]), env=environment, cwd=here) as terminal:
        terminal.wait_for(lambda text: bool(text.strip()))  # its prompt
        terminal.send(f"{READS[name]}; echo re''ady\r")
        terminal.wait_for("\nready")
        yield terminal


def press_tab(shell: Terminal, typed: str, completed: str) -> None:
    """Waits until the line that was typed is completed, and empties it."""
    shell.send(typed)
    shell.wait_for(typed)
    shell.send("\t")
    shell.wait_for(completed)
    shell.send("\x15")  # ctrl+u
    shell.wait_for(lambda text: completed not in text)


@pytest.mark.skipif(sys.platform == "win32", reason="needs a pseudo-terminal")
def test_a_shell_completes_with_tab(shell: Terminal, tmp_path: Path) -> None:
    """Names, values joined to their option, names and paths with a blank, also behind a quote; torch is not loaded."""
    for typed, completed in (
        ("rnnplay gen", "rnnplay generate"),
        ("rnnplay generate ol", "rnnplay generate older"),
        ("rnnplay train --cell=l", "rnnplay train --cell=lstm"),
        ("rnnplay train --corpus my", r"rnnplay train --corpus my\ poems"),
        ("rnnplay train --corpus 'my", "rnnplay train --corpus 'my poems'"),
        ("rnnplay import mo", r"rnnplay import model\ one.pt"),
        ("rnnplay train --config=a", r"rnnplay train --config=a\ folder/"),
        ("rnnplay --workspace a", r"rnnplay --workspace a\ folder/"),
    ):
        press_tab(shell, typed, completed)
    assert not {"torch", "textual", "numpy"} & set((tmp_path / "loaded").read_text().split())
