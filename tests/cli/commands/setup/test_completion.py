"""Shell completion: what click's protocol answers, without torch, and in a real bash."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from rnnplay.cli.main import program
from rnnplay.cli.support.session import Session
from rnnplay.cli.support.shell_completion import _Bash, _Fish, _Zsh
from rnnplay.lessons.own import write_skeleton
from rnnplay.lessons.reader import lessons


@pytest.fixture
def place(tmp_path: Path) -> Path:
    for number, name in enumerate(("older", "newer", "with space")):
        (tmp_path / "checkpoints" / name).mkdir(parents=True)
        (tmp_path / "checkpoints" / name / "run.json").write_text("{}")
        os.utime(tmp_path / "checkpoints" / name / "run.json", (number, number))
    (tmp_path / "presets").mkdir()
    (tmp_path / "presets" / "mine.toml").write_text("hidden = 64\n")
    (tmp_path / "corpora").mkdir()
    (tmp_path / "corpora" / "letters.txt").write_text("Dear reader,\n" * 50)
    return tmp_path


def offered(place: Path, *words: str) -> list[str]:
    """What is offered for the last word, after the ones before it."""
    session = Session()
    session.workspace_option = str(place)
    *before, last = words
    return [one.value for one in _Bash(program, {"obj": session}, "rnnplay", "X").get_completions(before, last)]


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (("gen",), ["generate"]),
        (("runs", "sho"), ["show"]),
        # The newest first; a name with a space is left to be typed.
        (("generate", ""), ["newer", "older", "shipped-model"]),
        (("runs", "show", "o"), ["older"]),
        (("compare", "older", "n"), ["newer"]),
        (("watch", ""), ["newer", "older"]),  # only of a run that trains is there anything to watch
        (("runs", "rm", "s"), []),  # the shipped model is no run of the workspace
        (("train", "--from", "s"), ["shipped-model"]),
        (("corpora", "fetch", "tiny"), ["tinyshakespeare"]),
        (("sweep", "--storage", "tiny"), []),
        (("--run", "n"), ["newer"]),
        (("train", "--corpus", "le"), ["letters"]),
        (("corpora", "show", "ta"), ["tales"]),
        (("train", "--preset", "mi"), ["mine"]),
        (("race", "--preset", "mi"), ["mine"]),
        (("train", "--cell", "l"), ["lstm"]),
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
    environment = {"_RNNPLAY_COMPLETE": "bash_complete", "COMP_WORDS": words, "COMP_CWORD": str(words.count(" "))}
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        env={**os.environ, **environment, "RNNPLAY_WORKSPACE": str(place)},
    )
    assert "plain," in done.stdout
    assert slow & set(done.stderr.split()) <= allowed


def test_lessons_are_offered_in_their_order_those_of_ones_own_last(place: Path) -> None:
    write_skeleton(place / "lessons", "mine", "en", 100)
    assert offered(place, "lessons", "run", "") == [*(lesson.name for lesson in lessons()), "mine"]


def test_nothing_is_offered_nor_said_where_there_is_no_workspace(tmp_path: Path) -> None:
    assert offered(tmp_path / "nowhere", "runs", "show", "") == []


@pytest.mark.parametrize("kind", [_Bash, _Zsh, _Fish])
def test_each_shell_gets_a_script_that_calls_rnnplay(kind: type[_Bash]) -> None:
    result = CliRunner().invoke(program, ["completion", kind.name])
    assert f"_RNNPLAY_COMPLETE={kind.name}_complete" in result.output


def test_a_shell_that_is_not_known_is_refused() -> None:
    result = subprocess.run([sys.executable, "-m", "rnnplay", "completion", "tcsh"], capture_output=True, text=True)
    assert result.returncode == 2
    assert "'bash', 'zsh', 'fish'" in result.stderr


@pytest.mark.skipif(shutil.which("bash") is None or sys.platform == "win32", reason="needs a bash")
def test_bash_completes_a_run_and_loads_neither_torch_nor_textual(place: Path, tmp_path: Path) -> None:
    """The script as it is printed, in a bash that calls `rnnplay` by its name."""
    folder = tmp_path / "bin"
    folder.mkdir()
    report = tmp_path / "loaded"
    code = (
        "import atexit, sys, pathlib; from rnnplay.__main__ import main; "
        f"atexit.register(lambda: pathlib.Path({str(report)!r}).write_text(chr(10).join(sys.modules))); main()"
    )
    (folder / "rnnplay").write_text(f'#!/bin/sh\nexec \'{sys.executable}\' -c "{code}" "$@"\n')
    (folder / "rnnplay").chmod(0o755)
    script = (
        'eval "$(rnnplay completion bash)"; COMP_WORDS=(rnnplay generate ol); COMP_CWORD=2; '
        '_rnnplay_completion rnnplay ol generate; echo "${COMPREPLY[@]}"'
    )
    done = subprocess.run(
        ["bash", "--norc", "-c", script],
        capture_output=True,
        text=True,
        env={**os.environ, "PATH": f"{folder}:{os.environ['PATH']}", "RNNPLAY_WORKSPACE": str(place)},
        check=False,
    )
    assert done.stdout.split() == ["older"], done.stderr
    assert done.stderr == ""
    assert not {"torch", "textual", "numpy"} & set(report.read_text().split())
