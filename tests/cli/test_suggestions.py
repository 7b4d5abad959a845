"""Every command that rnnplay suggests can be pasted: a shell reads it, the command line takes it, and it does.

All of them are written by rnnplay.common.commands, so each place in the code that asks for one is known, and a place
that nothing here provokes is a failure.
"""

from __future__ import annotations

import ast
import errno
import os
import re
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import click
import pytest
from click.testing import CliRunner, Result

import rnnplay
from rnnplay.cli.commands.training import sweep
from rnnplay.cli.main import COMMANDS, program
from rnnplay.cli.support.session import Session
from rnnplay.cli.support.training import race_outcome
from rnnplay.common import commands
from rnnplay.common.jsonl import encode_line
from rnnplay.engine.client import start_trouble
from rnnplay.runs.folder import RunFolder
from rnnplay.runs.metrics.records import Finished
from rnnplay.text.corpora.downloads import downloads
from rnnplay.training.trainer import Trainer
from rnnplay.tui.keys.catalogue import keymap_text
from rnnplay.tui.keys.keymap_file import read_keymap
from rnnplay.tui.run_controller import RunController
from rnnplay.tui.screens.leaving import onward_hints
from rnnplay.tui.screens.playground.preset_actions import PresetActions
from rnnplay.tui.screens.runs.sweep import no_studies_text
from rnnplay.workspace import find_workspace
from tests.cli.commands.runs.test_import import save
from tests.common.test_commands import words
from tests.support.writer import Writer
from tests.text.corpora.test_fetching import serving

PACKAGE = Path(rnnplay.__file__).parent
FORWARDERS = {PACKAGE / name for name in ("common/commands.py", "workspace.py", "cli/support/session.py")}
FAST = (
    "--hidden", "8", "--embedding", "8", "--batch-size", "2", "--bptt", "8", "--threads", "1", "--precision", "float32",
    "--device", "cpu", "--corpus", "a cat's tale",
)  # fmt: skip
EXPLOSIVE = ("--optimizer", "sgd", "--lr", "1000", "--clip", "off", "--cell", "rnn", "--nonlinearity", "relu")


class Suggested:
    """What has been suggested: (place in the code, command)."""

    def __init__(self) -> None:
        self.seen: list[tuple[Path, int, str]] = []

    def note(self, command: str) -> None:
        frame = sys._getframe(2)
        while Path(frame.f_code.co_filename) in FORWARDERS:
            assert frame.f_back is not None
            frame = frame.f_back
        self.seen.append((Path(frame.f_code.co_filename), frame.f_lineno, command))

    @classmethod
    @contextmanager
    def noting(cls) -> Iterator[Suggested]:
        """All that is suggested until the end of the context."""
        found, line = cls(), commands._line

        def noted(given: list[str]) -> str:
            command = line(given)
            found.note(command)
            return command

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(commands, "_line", noted)
            yield found


@pytest.fixture
def workspace(tmp_path: Path) -> str:
    """One with a name that no shell takes as it is."""
    folder = tmp_path / 'it\'s "my" [work] $HOME'
    for name in ("corpora", "checkpoints", "presets"):
        (folder / name).mkdir(parents=True)
    (folder / "corpora" / "a cat's tale.txt").write_text("the cat sat on the mat.\n" * 200, encoding="utf-8")
    return str(folder)


def call(*arguments: str) -> Result:
    return CliRunner().invoke(program, arguments, prog_name="rnnplay")


def last(result: Result, text: str) -> str:
    """The command behind `text` in what was said, to the end of the line."""
    said = result.output
    assert text in said, said
    return said[said.rindex(text) + len(text) :].split("\n")[0].strip()


def paste(command: str) -> Result:
    """The command as a shell would give it to the program."""
    return call(*words(command))


def parse(given: list[str]) -> None:
    """Raises click.UsageError for words that the command line would not take."""
    command: click.Command = program
    context: click.Context | None = None
    try:
        while True:
            context = command.make_context("rnnplay", list(given), parent=context, obj=None)
            rest = [*getattr(context, "_protected_args", ()), *context.args]
            if not isinstance(command, click.Group) or not rest:
                return
            _, found, given = command.resolve_command(context, rest)
            assert found is not None
            command = found
    except click.exceptions.Exit:  # --help
        pass


def provoke_a_corpus_and_no_runs_yet(workspace: str, tmp_path: Path) -> None:
    there = ("--workspace", workspace)
    assert paste(last(call("runs", *there), "train one with: ") + " --steps 1 --hidden 8 --threads 1").exit_code == 0
    text = tmp_path / "my [text].txt"
    text.write_text("a dog ran to the cat.\n" * 200, encoding="utf-8")
    add = last(call("corpora", "add", str(text), "--name", "my text", *there), "Train on it: ")
    assert paste(f"{add} --steps 1 --hidden 8 --batch-size 2 --bptt 8 --threads 1").exit_code == 0


def provoke_a_text_in_another_encoding(workspace: str, tmp_path: Path) -> None:
    text = tmp_path / "it's old [1].txt"
    text.write_bytes("Der Müller lief über die Brücke, während es schneite.\n".encode("latin-1") * 100)
    refused = call("train", "--corpus", str(text), "--workspace", workspace)
    assert paste(last(refused, "as UTF-8: ")).exit_code == 0


def provoke_a_run_to_its_end_and_beyond(workspace: str, tmp_path: Path) -> None:
    """Write with it, go on with it, and with a length that it has passed."""
    there = ("--workspace", workspace)
    made = call("train", *FAST, "--run", "first", "--steps", "6", *there)
    assert made.exit_code == 0, made.output
    assert paste(last(made, "Write with it: ")).exit_code == 0
    taken = call("train", *FAST, "--run", "first", *there)
    reached = paste(last(taken, "go on with it: "))
    assert "has reached its length of 6 steps" in reached.output
    assert paste(last(reached, "For example: ")).exit_code == 0
    passed = call("train", "--resume", "--run", "first", "--steps", "2", *there)
    assert "is at step 12 already, past its length of 2 steps" in passed.output
    onward = last(passed, "For example: ")
    assert "--steps 24" in onward and paste(onward).exit_code == 0
    none = call("generate", "first", "--checkpoint", "best", "--length", "3", *there)
    assert none.exit_code == 0


def provoke_a_run_that_is_nan(workspace: str, tmp_path: Path) -> None:
    """Nothing is written with weights that are not finite, and no advice leads round in a circle."""
    there = ("--workspace", workspace)
    made = call("train", *FAST, *EXPLOSIVE, "--divergence", "off", "--run", "nan", "--steps", "30", *there)
    assert made.exit_code == 0 and "Write with it" not in made.output, made.output
    written = paste(last(made, "Write with those of step 0: "))
    assert written.exit_code == 0, written.output
    for arguments in (
        ("generate", "nan"),
        ("generate", "nan", "--checkpoint", "best"),
        ("complete", "nan", "--", "-the c"),
        ("eval", "nan"),
        ("inspect", "nan"),
    ):
        refused = call(arguments[0], *there, *arguments[1:])
        assert refused.exit_code == 2
        tried = paste(last(refused, "Try: "))
        assert tried.exit_code == 0, tried.output
    undone = last(made, "undo steps that diverge: ")
    assert "finite" not in (again := paste(undone + " --lr 0.01")).output and again.exit_code == 0, again.output


def provoke_a_run_that_stopped_diverging(workspace: str, tmp_path: Path) -> None:
    there = ("--workspace", workspace)
    ended = call("train", *FAST, *EXPLOSIVE, "--divergence", "stop", "--run", "stop", "--steps", "30", *there)
    assert ended.exit_code == 1
    onward = last(ended, "go on with: ")
    assert "--lr" in onward
    assert "Traceback" not in paste(onward).output  # it trains on, perhaps to diverge again


def provoke_runs_that_are_removed(workspace: str, tmp_path: Path) -> None:
    there, checkpoints = ("--workspace", workspace), Path(workspace) / "checkpoints"
    shutil.copytree(checkpoints / "stop", checkpoints / "twin")
    back = last(call("runs", "rm", "twin", *there), "bring it back: ")
    shutil.copytree(checkpoints / "stop", checkpoints / "twin")
    assert paste(last(paste(back), "rename the other first: ")).exit_code == 0
    assert paste(back).exit_code == 0 and (checkpoints / "twin-other").is_dir()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("rnnplay.runs.management.trash.on_one_disk", lambda one, other: False)
        for_good = last(call("runs", "rm", "twin", *there), "remove it for good: ")
    assert paste(f"{for_good} --yes").exit_code == 0 and not (checkpoints / "twin").exists()


def provoke_another_corpus_for_a_run(workspace: str, tmp_path: Path) -> None:
    """The run's own text is there: it is not said to be gone."""
    there = ("--workspace", workspace)
    call("train", *FAST, "--run", "own", "--steps", "2", *there)
    other = call("train", "--resume", "--run", "own", "--steps", "4", "--corpus", "tales", *there)
    assert "leave --corpus out to go on with that one" in other.output
    assert "copy" not in other.output and "gone" not in other.output
    assert call("train", "--resume", "--run", "own", "--steps", "4", *there).exit_code == 0


def provoke_a_run_that_the_disk_ends(workspace: str, tmp_path: Path) -> None:
    """What is there is resumed; of what is not, nothing is said to be."""
    there = ("--workspace", workspace)

    def refuse(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), "step-000000003")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Trainer, "advance", refuse)
        failed = call("train", *FAST, "--run", "going", "--steps", "4", *there)
    assert failed.exit_code == 1
    assert paste(last(failed, "go on with: ")).exit_code == 0
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("rnnplay.runs.folder.RunFolder.claim", refuse)
        failed = call("train", *FAST, "--run", "gone", "--steps", "4", *there)
    assert paste(last(failed, "start it again with: ")).exit_code == 0


def provoke_watching(workspace: str, tmp_path: Path) -> None:
    there = ("--workspace", workspace)
    assert call("train", *FAST, "--run", "watched", "--steps", "2", *there).exit_code == 0
    assert paste(last(call("watch", "watched", *there), "Write with it: ")).exit_code == 0
    with (Path(workspace) / "checkpoints" / "watched" / "metrics.jsonl").open("ab") as metrics:
        metrics.write(encode_line(Finished(step=2, reason="stopped")))
    assert paste(f"{last(call('watch', 'watched', *there), 'Go on with: ')} --steps 3").exit_code == 0
    writer = Writer(Path(workspace) / "checkpoints" / "alone")
    writer.steps(1, 2)
    writer.lock.release()
    alone = call("watch", "alone", *there)
    assert alone.exit_code == 2 and words(last(alone, "Wait for it with: "))[-1] == workspace
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("rnnplay.cli.commands.training.watch._is_terminal", lambda: True)
        elsewhere = call("watch", str(writer.folder.path), "--workspace", str(tmp_path / "another"))
    assert words(last(elsewhere, "or open it there: ")) == ["watch", "alone", *there]


def provoke_a_text_from_elsewhere(workspace: str) -> None:
    with serving() as server:
        fetched = call("corpora", "fetch", server.url("/text.txt"), "--name", "fetched text", "--workspace", workspace)
    onward = f"{last(fetched, 'Train on it: ')} --steps 1 --hidden 8 --batch-size 2 --bptt 8 --threads 1"
    assert paste(onward).exit_code == 0


def provoke_a_rate_to_try(workspace: str) -> None:
    tested = call("lr-range", *FAST, "--test-steps", "60", "--workspace", workspace)
    assert paste(f"{last(tested, 'Try: ')} --run tried --steps 1").exit_code == 0, tested.output


def provoke_samples_that_are_gone(workspace: str) -> None:
    there = ("--workspace", workspace)
    assert call("train", *FAST, "--run", "sampled", "--steps", "2", *there).exit_code == 0
    (Path(workspace) / "checkpoints" / "sampled" / "samples.jsonl").unlink()
    assert paste(last(call("samples", "sampled", *there), "Write with it: ")).exit_code == 0


def provoke_sweeps(workspace: str) -> None:
    there = find_workspace(workspace)
    session = Session()
    session.workspace_option = workspace
    assert words(last(call("sweep", "--workspace", workspace), "as in: "))[0] == "sweep"
    assert words(sweep._going_on(session, "a-study", "postgresql://host/name"))[:3] == ["sweep", "--study", "a-study"]
    assert "--vary" in words(no_studies_text(there).partition("in a shell: ")[2])


def provoke_branches(workspace: str, tmp_path: Path) -> None:
    """The newest checkpoint is broken; the text has letters that the run does not know, few or many."""
    there = ("--workspace", workspace)
    for kind in ("char", "word"):
        softmax = ("--softmax", "adaptive", "--hidden", "16") if kind == "word" else ()
        made = call("train", *FAST, *softmax, "--tokens", kind, "--run", f"{kind}s", "--steps", "4",
                    "--checkpoint-every", "2", *there)  # fmt: skip
        assert made.exit_code == 0, made.output
    other = tmp_path / "other.txt"
    other.write_text("the cat sat on the mat, y'know.\n" * 100 + "a zebra\n", encoding="utf-8")
    onto = ("--corpus", str(other), "--steps", "1", *there)
    assert paste(last(call("train", "--from", "chars", "--run", "more", *onto), "To add them: ")).exit_code == 0
    rare = call("train", "--from", "words", "--run", "fewer", *onto)
    assert paste(last(rare, "For that: ")).exit_code in (0, 2)  # most of the text may then be unknown
    weights = Path(workspace) / "checkpoints" / "chars" / "step-000000004" / "weights.safetensors"
    weights.write_bytes(weights.read_bytes()[:-8])
    broken = call("train", "--from", "chars", "--run", "from-before", "--steps", "1", *there)
    assert paste(last(broken, "Try: ")).exit_code == 0


def provoke_a_race(workspace: str, capsys: pytest.CaptureFixture[str]) -> None:
    """What is said at its end, of runs that are on disk; the race itself would take seconds."""
    session = Session()
    session.workspace_option, session.words = workspace, ["race", "--ready", "cells"]
    entry = SimpleNamespace(run="watched", progress=SimpleNamespace(ended="stopped"))
    races = cast(Any, [SimpleNamespace(entries=[entry])])
    race_outcome.tell_onward(session, races)
    entry.run = "race-99-gone"
    assert words(race_outcome.how_to_go_on(session, races).partition("with: ")[2])[0] == "race"
    plan = SimpleNamespace(quality="loss", setup=SimpleNamespace(corpus="tales"), repeats=1, parameters=None)
    found = SimpleNamespace(at=[2], measure="steps", by="best", variants=[], told_apart=["?"], best_run="watched")
    capsys.readouterr()
    race_outcome.tell_outcome(session, cast(Any, plan), cast(Any, found))
    said = capsys.readouterr().out
    for before in ("Write with the best: ", "Look inside it: "):
        assert paste(said.partition(before)[2].split("\n")[0]).exit_code == 0
    left = [RunController(find_workspace(workspace), lambda _: None) for _ in range(2)]
    for number, controller in enumerate(left):
        controller.state.run = f"race-98-{number}"
    assert any("race-98" in hint for hint in onward_hints(left))


def provoke_texts_that_are_not_here(workspace: str) -> None:
    there = ("--workspace", workspace)
    wanted = call("train", "--corpus", downloads()[0].name, *there)
    assert words(last(wanted, "download it first: "))[:3] == ["corpora", "fetch", downloads()[0].name]
    address = call("train", "--corpus", "http://127.0.0.1:9/a.txt", *there)
    unreachable = paste(last(address, "then use its name: "))
    assert words(last(unreachable, "and add it: "))[:2] == ["corpora", "add"]
    piped = call("train", "--torchrun", "2", "--corpus", "-", *there)
    adding = words(last(piped, "after adding the text: "))
    assert adding[:2] == ["corpora", "add"] and adding[-1] == "-"


def provoke_a_model_from_elsewhere(workspace: str, tmp_path: Path) -> None:
    model, tokens = save(tmp_path)
    there = ("--corpus", str(tmp_path / "corpora" / "small.txt"), "--workspace", workspace)
    made = call("import", model, "--vocabulary", tokens, "--run", "mine", *there)
    assert paste(last(made, "Write with it: ")).exit_code == 0


def provoke_options_before_the_command(workspace: str, tmp_path: Path) -> None:
    there = ("--workspace", workspace)
    early = call("--corpus", "a cat's tale", "--run", "early", *there, "train", *FAST[:-2], "--steps", "2")
    assert early.exit_code == 2
    assert paste(last(early, "must come after the command: ")).exit_code == 0
    assert "generate has no such option" in call("--run", "first", *there, "generate").output


def provoke_hints_of_the_command_line_itself(workspace: str, tmp_path: Path) -> None:
    wrong = call("train", "--workspace", workspace, "--no-such-option")
    (hint,) = re.findall(r"\((rnnplay .*)\)", wrong.output)
    assert paste(hint).exit_code == 0
    assert "rnnplay train" in call("--workspace", workspace).output  # no terminal here
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("rnnplay.cli.commands.interface.play.check_terminal", lambda: None)
        patch.setattr("rnnplay.cli.commands.interface.play.is_utf8", lambda _: False)
        opened = call("--workspace", workspace, "--preset", "quick")
    assert re.search(r"UTF-8: \S+ rnnplay .*--preset quick", opened.output)
    latin = tmp_path / os.fsdecode(b"caf\xe9.txt")
    try:
        latin.write_text("a dog ran to the cat.\n" * 200, encoding="utf-8")
    except OSError:
        pytest.skip("file names must be UTF-8 here")
    refused = call("train", "--corpus", str(latin), "--workspace", workspace)
    add = last(refused, "copy it with: ")
    assert call(*words(add, "bash")).exit_code == 0
    curly = Path(workspace) / "corpora" / "“curly” [1].txt"  # its own name is taken
    curly.write_bytes("“Don’t,” she said.\n".encode("cp1252") * 99)
    refused = call("train", "--corpus", "“curly” [1]", "--workspace", workspace)
    assert paste(last(refused, "as UTF-8: ")).exit_code == 0


async def provoke_hints_of_the_interface(workspace: str, tmp_path: Path) -> None:
    """With the workspace that the interface was started for."""
    told: list[str] = []
    for name in ("one", "two"):
        (Path(workspace) / "presets" / f"{name}.toml").write_text("nothing", encoding="utf-8")
    screen = SimpleNamespace(notify=lambda text, **_: told.append(text))
    PresetActions(cast(Any, screen), find_workspace(workspace)).tell_problems()
    command = re.search("`(.*)` lists them", told[0])
    assert command is not None and paste(command[1]).exit_code == 0

    assert "rnnplay doctor" in start_trouble(OSError("no more processes"))


def provoke_leaving_the_interface_while_a_run_is_trained(workspace: str, tmp_path: Path) -> None:
    assert call("train", *FAST, "--run", "left", "--steps", "3", "--workspace", workspace).exit_code == 0
    (RunFolder(Path(workspace) / "checkpoints" / "left")).rewind(0)
    controller = RunController(find_workspace(workspace), lambda _: None)
    assert controller.resume_hint() == "", "no run"
    controller.state.run = "left"
    kept = controller.resume_hint()
    assert kept.startswith(f"left is kept at step 0 in {workspace}/checkpoints/left; go on with: ")
    assert paste(kept.partition("go on with: ")[2]).exit_code == 0


def provoke_a_lesson_of_ones_own(workspace: str) -> None:
    there = ("--workspace", workspace)
    begun = call("lessons", "new", "mine", *there)
    assert paste(last(begun, "Check it: ")).exit_code == 0
    assert last(begun, "Play it: ")
    assert paste(last(call("lessons", "new", "mine", *there), "or check it: ")).exit_code == 0
    declared = Path(workspace) / "lessons" / "mine" / "lesson.toml"
    declared.write_text(declared.read_text("utf-8").replace("[common]", "[common]\nqqqqzzzz = 1"), "utf-8")
    assert "lists them (with - for _)" in call("lessons", "check", "mine", *there).output


def provoke_keys_of_ones_own(tmp_path: Path) -> None:
    (tmp_path / "keymap.toml").write_text(keymap_text() + '[qqqq]\nzzzzzz = "t"\n', encoding="utf-8")
    _, (problem,) = read_keymap(tmp_path / "keymap.toml")
    assert problem.endswith(" lists them.")


def places() -> Iterator[tuple[Path, int, int]]:
    """Where the code asks for a command: file, first line, last line."""
    for file in sorted(PACKAGE.rglob("*.py")):
        if file in FORWARDERS:
            continue
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call):
                name = ast.unparse(node.func)
                if name == "shell_command" or re.search(r"workspace\.command$|(session|ctx\.obj)\.again$", name):
                    yield file, node.lineno, node.end_lineno or node.lineno


async def test_every_command_that_is_suggested_can_be_pasted(
    workspace: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """All in one test, as what they provoke together is all there is."""
    with Suggested.noting() as suggested:
        provoke_a_corpus_and_no_runs_yet(workspace, tmp_path)
        provoke_a_text_in_another_encoding(workspace, tmp_path)
        provoke_a_run_to_its_end_and_beyond(workspace, tmp_path)
        provoke_a_run_that_is_nan(workspace, tmp_path)
        provoke_a_run_that_stopped_diverging(workspace, tmp_path)
        provoke_runs_that_are_removed(workspace, tmp_path)
        provoke_another_corpus_for_a_run(workspace, tmp_path)
        provoke_a_run_that_the_disk_ends(workspace, tmp_path)
        provoke_watching(workspace, tmp_path)
        provoke_a_text_from_elsewhere(workspace)
        provoke_a_rate_to_try(workspace)
        provoke_samples_that_are_gone(workspace)
        provoke_sweeps(workspace)
        provoke_branches(workspace, tmp_path)
        provoke_a_race(workspace, capsys)
        provoke_texts_that_are_not_here(workspace)
        provoke_a_model_from_elsewhere(workspace, tmp_path)
        provoke_options_before_the_command(workspace, tmp_path)
        provoke_hints_of_the_command_line_itself(workspace, tmp_path)
        provoke_a_lesson_of_ones_own(workspace)
        provoke_keys_of_ones_own(tmp_path)
        provoke_leaving_the_interface_while_a_run_is_trained(workspace, tmp_path)
        await provoke_hints_of_the_interface(workspace, tmp_path)
    missing = [
        f"{place}:{first}"
        for place, first, end in places()
        if not any(file == place and first <= line <= end for file, line, _ in suggested.seen)
    ]
    assert not missing, "\n".join(missing)
    for _, _, command in suggested.seen:
        parse(words(command, "bash"))


def test_no_command_is_written_by_hand() -> None:
    """A text that names one gets it from rnnplay.common.commands; help, which is no advice, may quote one.

    In a shell's own script `rnnplay` is the name that is completed.
    """
    spelt = re.compile(rf"\brnnplay (?:--?[a-z]|(?:{'|'.join(COMMANDS)})\b)")
    for file in sorted(PACKAGE.rglob("*.py")):
        tree = ast.parse(file.read_text(encoding="utf-8"))
        helps = [keyword.value for node in ast.walk(tree) if isinstance(node, ast.Call) for keyword in node.keywords
                 if keyword.arg in ("help", "short_help")]  # fmt: skip
        described = [node.value for node in ast.walk(tree) if isinstance(node, ast.Expr)]
        screens = [node.value for node in ast.walk(tree) if isinstance(node, ast.Assign)
                   and [one.id for one in node.targets if isinstance(one, ast.Name)] == ["HELP"]]  # fmt: skip
        free = {id(part) for one in (*helps, *described, *screens) for part in ast.walk(one)}
        if file.name in ("options_page.py", "shell_scripts.py") or file in FORWARDERS:
            continue
        for node in ast.walk(tree):
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in free:
                assert not spelt.search(node.value) or node.value in COMMANDS.values(), f"{file}:{node.lineno}"
