"""The frame of the command line: help without imports, near names, exit codes, errors in one sentence."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import click
import pytest
from click.testing import Result

from rnnplay import __version__
from rnnplay.cli.commands.interface.play import play
from rnnplay.cli.main import COMMANDS, program
from rnnplay.cli.support.failures import guarded
from rnnplay.cli.support.session import Session
from rnnplay.errors import InputError, RnnplayError

Invoke = Callable[..., Result]


def run(*arguments: str, env: dict[str, str] | None = None, code: str = "") -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", code] if code else [sys.executable, "-m", "rnnplay"]
    return subprocess.run(
        [*command, *arguments], capture_output=True, text=True, timeout=60, env={**os.environ, **(env or {})}
    )


@pytest.mark.parametrize("option", ["--help", "--version"])
def test_help_and_version_import_nothing_heavy(option: str) -> None:
    """A start of 0.1 s stays so only while nothing large slips into the imports of the main group."""
    done = run(
        code=f"""
import sys
from rnnplay.__main__ import main
sys.argv = ["rnnplay", {option!r}]
try:
    main()
except SystemExit as error:
    assert error.code == 0, error.code
heavy = {{"torch", "textual", "numpy", "rich", "msgspec", "rnnplay.config"}} & set(sys.modules)
print("heavy:", sorted(heavy))
""",
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.endswith("heavy: []\n")
    assert len(done.stdout.splitlines()) > 1  # the help or the version was there


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_the_words_of_the_list(name: str) -> None:
    """The list in --help is written by hand, so that it needs no imports: it must say what the command says."""
    context = click.Context(program, info_name="rnnplay")
    command = program.get_command(context, name)
    assert command is not None
    assert command.name == name
    assert command.get_short_help_str(limit=200) == COMMANDS[name]
    assert command.get_help(click.Context(command, context, info_name=name)).startswith(f"Usage: rnnplay {name}")


def test_command_help_loads_no_torch() -> None:
    """`rnnplay train --help` is answered at once."""
    code = f"""
import sys
from rnnplay.cli.main import program
for command in {list(COMMANDS)!r}:
    try:
        program.main([command, "--help"])
    except SystemExit as error:
        assert error.code == 0
print("torch" in sys.modules, "textual" in sys.modules)
"""
    done = run(code=code)
    assert done.stdout.endswith("False False\n"), done.stderr
    assert done.stdout.count("Usage: rnnplay") == len(COMMANDS)


def test_version(invoke: Invoke) -> None:
    """The version is that of the package."""
    assert invoke("--version").output == f"rnnplay {__version__}\n"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["trian"], "did you mean train?"),
        (["runs", "shwo"], "did you mean show?"),
        (["train", "--hiden", "3"], "did you mean --hidden?"),
        (["--wrkspace", "x"], "did you mean --workspace?"),
        (["train", "--batch-size", "0"], "batch_size must be a whole number from 1 to 65,536; got 0."),
        (["train", "--lr", "fast"], "lr must be a number above 0"),
        (["train", "--cell", "lstn"], "cell must be rnn, lstm or gru; got 'lstn'"),
        (["train", "--preset", "slow"], "There is no preset 'slow'"),
        (["train", "--hidden"], "requires an argument"),
        (["--corpus", "x", "train"], "--corpus must come after the command: rnnplay train --corpus x"),
        (["generate"], "RUN"),
        (["train", "--workspace", " "], "empty"),
    ],
)
def test_bad_usage_is_one_sentence_and_exit_code_2(invoke: Invoke, arguments: list[str], words: str) -> None:
    """What a user mistypes is answered with what to type, on stderr."""
    result = invoke(*arguments)
    assert result.exit_code == 2
    assert result.stdout == ""
    assert result.stderr.startswith("Error: ")
    assert words in result.stderr
    assert len(result.stderr.splitlines()) == 1


def test_without_a_terminal_the_interface_says_so() -> None:
    """In a pipe there is nothing to draw on."""
    done = run()
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.startswith("Error: The interface needs a terminal")
    assert len(done.stderr.splitlines()) == 1


def test_a_dumb_terminal_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """TERM=dumb cannot place a cursor."""
    from rnnplay.cli.commands.interface.play import check_terminal

    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    monkeypatch.setattr("sys.stdout.isatty", lambda: True, raising=False)
    monkeypatch.setattr("sys.stderr.isatty", lambda: True, raising=False)
    monkeypatch.setenv("TERM", "xterm-256color")
    check_terminal()
    monkeypatch.setenv("TERM", "dumb")
    with pytest.raises(InputError, match="TERM=dumb"):
        check_terminal()


def test_the_interface_is_opened_with_what_was_asked_for(
    workspace: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Names are checked before the screen is taken; a path is made absolute, as the run outlives the folder."""
    from rnnplay.tui import app

    (tmp_path / "text.txt").write_text("some text", encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("rnnplay.cli.commands.interface.play.check_terminal", lambda: None)
    opened: list[dict[str, object]] = []
    monkeypatch.setattr(app, "run_app", lambda **given: opened.append(given))
    session = Session()
    play(session, corpus="./text.txt", preset="tiny", run=None)
    assert opened == [
        {
            "workspace": session.workspace,
            "corpus": str((tmp_path / "text.txt").resolve()),
            "preset": "tiny",
            "run": None,
        }
    ]
    for wrong in ({"preset": "none"}, {"corpus": "none"}, {"run": "none"}):
        with pytest.raises(InputError, match="none"):
            play(session, **{"corpus": None, "preset": None, "run": None, **wrong})
    assert len(opened) == 1


def aborted_by(error: BaseException) -> click.Abort:
    """As click's prompts raise it."""
    abort = click.Abort()
    abort.__context__ = error
    return abort


@pytest.mark.parametrize(
    ("error", "code", "words"),
    [
        (InputError("wrong file."), 2, "Error: wrong file.\n"),
        (RnnplayError("disk gone."), 1, "Error: disk gone.\n"),
        (KeyboardInterrupt(), 130, "Interrupted.\n"),
        (aborted_by(KeyboardInterrupt()), 130, "Interrupted.\n"),
        (aborted_by(EOFError()), 1, "There was no answer, so nothing was done.\n"),
        (BrokenPipeError(), 0, ""),
    ],
)
def test_exit_codes(
    workspace: Path, capsys: pytest.CaptureFixture[str], error: BaseException, code: int, words: str
) -> None:
    """2 for what a user gave, 1 for what failed, and nothing is said to a reader that has left."""

    def call() -> None:
        raise error

    assert guarded(call, Session()) == code
    assert capsys.readouterr() == ("", words)


@pytest.mark.parametrize("arguments", ["--help", "doctor"])
def test_a_reader_that_leaves_is_no_failure(workspace: Path, arguments: str) -> None:
    """`rnnplay … | head` says nothing on stderr, and neither does the interpreter at its end."""
    read, write = os.pipe()
    os.close(read)
    done = subprocess.run(
        [sys.executable, "-m", "rnnplay", arguments], stdout=write, stderr=subprocess.PIPE, text=True, timeout=60
    )
    os.close(write)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.skipif(os.name == "nt", reason="a POSIX shell is needed")
def test_a_closed_stdout_is_no_failure(workspace: Path) -> None:
    """`rnnplay presets >&-`: asked for, and not an error."""
    done = subprocess.run(
        ["sh", "-c", '"$0" -m rnnplay presets >&-', sys.executable], capture_output=True, text=True, timeout=60
    )
    assert (done.returncode, done.stderr) == (0, "")


def test_a_full_disk_is_a_failure(workspace: Path) -> None:
    """What was not written must not look done."""
    full = Path("/dev/full")
    if not full.exists():
        pytest.skip("there is no /dev/full here")
    with full.open("w") as out:
        done = subprocess.run(
            [sys.executable, "-m", "rnnplay", "presets"], stdout=out, stderr=subprocess.PIPE, text=True, timeout=60
        )
    assert done.returncode == 1
    assert done.stderr.startswith("Error: The answer cannot be written (No space left on device)")
    assert len(done.stderr.splitlines()) == 1


def test_an_unforeseen_error_leaves_a_log_and_no_traceback(
    workspace: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A user sees a sentence; whoever mends it finds the traceback in the file it names."""

    def call() -> None:
        raise ZeroDivisionError("by\nzero")

    assert guarded(call, Session()) == 1
    shown = capsys.readouterr().err
    assert shown.startswith("Error: ZeroDivisionError: by zero; the whole account is in ")
    log = Path(shown.strip().rpartition(" in ")[2])
    assert log.is_relative_to(workspace / ".cache")
    assert "Traceback (most recent call last)" in log.read_text()
    monkeypatch.setenv("RNNPLAY_DEBUG", "1")
    assert guarded(call, Session()) == 1
    assert "Traceback (most recent call last)" in capsys.readouterr().err


def test_workspace_before_or_after_the_command(invoke: Invoke, tmp_path: Path) -> None:
    """--workspace holds for whichever command it stands by, and the later one wins."""
    one, other = tmp_path / "one", tmp_path / "other"
    assert str(one) in invoke("--workspace", str(one), "doctor", "--json").stdout
    assert str(one) in invoke("doctor", "--json", "--workspace", str(one)).stdout
    assert str(other) in invoke("--workspace", str(one), "doctor", "--workspace", str(other), "--json").stdout


def test_a_word_that_fills_a_screen_is_shortened_and_a_long_path_is_not(invoke: Invoke) -> None:
    """A text in place of a name; a path may have to be copied."""
    long, path = "x" * 5000, "/" + "y/" * 300
    said = invoke("train", "--preset", long).stderr
    assert f"There is no preset '{'x' * 80}" in said and "x…x" in said and len(said) < 500
    assert path in invoke("train", "--corpus", path).stderr
