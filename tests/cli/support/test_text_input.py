"""Corpora and prompts from standard input and from files."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from rnnplay.cli.main import program
from rnnplay.cli.support.text_input import LARGEST_PROMPT, prompt_text
from rnnplay.errors import InputError
from tests.cli.commands.training.test_train import FAST, TEXT, environment

RUN = "猫-été"


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace with a run that was trained on what standard input had; the tests of this file share it."""
    folder = tmp_path_factory.mktemp("input") / "workspace"
    done = call(folder, "train", "--corpus", "-", "--run", RUN, "--steps", "2", *FAST, stdin=TEXT.encode())
    assert done.exit_code == 0, done.stderr
    place = folder / "corpora" / "stdin.txt"
    assert f"Standard input is kept as the corpus stdin ({place})." in done.stderr
    assert place.read_text(encoding="utf-8") == TEXT
    return folder


def call(workspace: Path, *arguments: str, stdin: bytes | None = None) -> Result:
    return CliRunner().invoke(program, arguments, env=environment(workspace), input=stdin)


def test_a_run_goes_on_from_a_corpus_that_was_piped_in(workspace: Path) -> None:
    done = call(workspace, "train", "--resume", "--run", "猫-e\u0301te\u0301", "--steps", "3")
    assert done.exit_code == 0, done.stderr
    shown = json.loads(call(workspace, "runs", "show", RUN, "--json").stdout)
    assert (shown["run"], shown["config"]["corpus"]) == (RUN, "stdin")


def test_a_prompt_from_standard_input_and_from_a_file(workspace: Path, tmp_path: Path) -> None:
    """Without the line end that echo and editors put at the end; all three say the same."""
    file = tmp_path / "prompt.txt"
    file.write_bytes(b"\xef\xbb\xbfthe cat\r\n")
    for command, given, draw in (("generate", ("--prompt",), ("--length", "5", "--seed", "3")), ("complete", (), ())):
        typed = call(workspace, command, RUN, *given, "the cat", *draw, "--json")
        assert typed.exit_code == 0, typed.stderr
        for arguments, stdin in (
            (("--prompt", "-"), b"the cat\n"),
            (("--prompt-file", "-"), b"the cat\n"),
            (("--prompt-file", str(file)), None),
        ):
            assert call(workspace, command, RUN, *arguments, *draw, "--json", stdin=stdin).stdout == typed.stdout
    assert call(workspace, "complete", RUN, "-", stdin=b"the cat").stdout.startswith("the cat")
    look = ("inspect", RUN, "--view", "predictions", "--json", "--text")
    assert call(workspace, *look, "-", stdin=b"the cat\n").stdout == call(workspace, *look, "the cat").stdout


def test_evaluation_of_what_is_piped_in(workspace: Path) -> None:
    done = call(workspace, "eval", RUN, "--corpus", "-", "--json", stdin=TEXT[::-1].encode())
    assert done.exit_code == 0, done.stderr
    assert json.loads(done.stdout)["corpus"] == "stdin-2"


def test_what_is_no_prompt_is_refused(workspace: Path, tmp_path: Path) -> None:
    curly = tmp_path / "curly.txt"
    curly.write_bytes("“Don’t,” she said.\n".encode("cp1252") * 9)
    for arguments, stdin, complaint in (
        (("generate", RUN, "--prompt", "-"), b"\x93", "Standard input is not UTF-8 text (byte 0)"),
        (("generate", RUN, "--prompt", "a", "--prompt-file", str(curly)), None, "--prompt-file too; leave one out."),
        (("generate", RUN, "--prompt-file", str(curly)), None, "looks like Windows-1252"),
        (("generate", RUN, "--prompt-file", str(tmp_path)), None, "is a folder"),
        (("generate", RUN, "--prompt-file", "/dev/null"), None, "/dev/null is always empty; give a file with text in"),
        (("generate", RUN, "--prompt-file", "/dev/zero"), None, "/dev/zero is a device or a pipe; save the text to a"),
        (("train", "--corpus", "/dev/null"), None, "/dev/null is always empty; give a file with text in it."),
        (("eval", RUN, "--corpus", "/dev/zero"), None, "or give - for standard input."),
        (("complete", RUN), None, "There is no text to complete"),
        (("complete", RUN, "a", "--prompt", "b"), None, "TEXT and --prompt are the same"),
    ):
        done = call(workspace, *arguments, stdin=stdin)
        assert done.exit_code == 2
        assert complaint in done.stderr
        assert "corpora add" not in done.stderr
    large = tmp_path / "large.txt"
    large.write_bytes(b"x" * (LARGEST_PROMPT + 1))
    with pytest.raises(InputError, match="too many for a prompt; give its last part"):
        prompt_text(None, large)
