"""`rnnplay inspect`: the JSON that programs read, what people see, and what is refused."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from rich.cells import cell_len

from rnnplay.cli.commands.model.inspect_run import parse_forced
from rnnplay.cli.main import program
from rnnplay.errors import InputError
from rnnplay.inspection.cell.drawing import number
from rnnplay.inspection.results import Forced
from tests.cli.commands.training.test_train import FAST, TEXT, environment

PROMPT = 'the cat "sat" on 3\x1b'


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace with a run of each cell; the tests of this file share it."""
    folder = tmp_path_factory.mktemp("inspect") / "workspace"
    (folder / "corpora").mkdir(parents=True)
    (folder / "corpora" / "small.txt").write_text(TEXT, encoding="utf-8")
    for cell in ("lstm", "gru", "rnn"):
        settings = ("--corpus", "small", "--cell", cell, "--layers", "2", "--steps", "6", *FAST)
        done = inspect(folder, "--run", cell, *settings, command="train")
        assert done.exit_code == 0, done.stderr
    return folder


def inspect(workspace: Path, *arguments: str, command: str = "inspect") -> Result:
    return CliRunner().invoke(program, [command, *arguments], env=environment(workspace))


def answer(workspace: Path, *arguments: str) -> Any:
    done = inspect(workspace, *arguments, "--json")
    assert done.exit_code == 0, done.stderr
    return json.loads(done.stdout)


def test_gradients_in_json_have_exactly_this_form(workspace: Path) -> None:
    for cell in ("lstm", "gru", "rnn"):
        found = answer(workspace, cell, "--distance", "12")
        assert list(found) == ["distances", "norms", "run", "step"]
        assert found["distances"] == list(range(13))
        assert list(found["norms"]) == ["h", "c"]
        assert [len(layer) for layer in found["norms"]["h"]] == [13, 13]
        assert (found["norms"]["c"] is None) == (cell != "lstm")
        assert (found["run"], found["step"]) == (cell, 6)
    initial = answer(workspace, "lstm", "--view", "gradients", "--distance", "12", "--initial")
    assert initial["step"] == 0
    first = answer(workspace, "lstm", "--distance", "12", "--checkpoint", "0")
    assert first["norms"] == initial["norms"]  # the seed alone gives the weights that were saved then
    assert first["norms"] != answer(workspace, "lstm", "--distance", "12")["norms"]


def test_several_runs_are_shown_side_by_side(workspace: Path) -> None:
    done = inspect(workspace, "lstm", "rnn", "--distance", "16", "--json")
    assert [json.loads(line)["run"] for line in done.stdout.splitlines()] == ["lstm", "rnn"]
    shown = inspect(workspace, "lstm", "rnn", "--distance", "16")
    assert shown.exit_code == 0
    assert "k\tlstm step 6\trnn step 6" in shown.stdout
    assert "k\tc1\tof k=0" in shown.stdout
    assert "\n16\t" in shown.stdout


@pytest.mark.parametrize("cell", ["lstm", "gru", "rnn"])
def test_the_other_views_in_json_are_their_fields(workspace: Path, cell: str) -> None:
    text = ("--text", "the cat sat")
    predictions = answer(workspace, cell, "--view", "predictions", *text)
    assert (predictions["type"], len(predictions["tokens"])) == ("predictions", 11)
    gates = answer(workspace, cell, "--view", "gates", *text, "--layer", "1", "--order", "property", "--count", "3")
    assert (gates["type"], gates["layer"], len(gates["values"]), len(gates["values"][0])) == ("gates", 1, 3, 11)
    connectivity = answer(workspace, cell, "--view", "connectivity", *text, "--position", "4")
    assert (connectivity["type"], len(connectivity["strengths"])) == ("connectivity", 5)
    clipping = answer(workspace, cell, "--view", "clipping")
    assert (clipping["type"], clipping["mode"], clipping["step"]) == ("clipping", "norm", 6)


def test_accuracy_by_distance_is_that_of_the_answer(workspace: Path) -> None:
    """As the interface shows it, of a text whose dependencies are known; of another it says which have any."""
    settings = ("--corpus", "recall", "--cell", "rnn", "--steps", "2", *FAST)
    assert inspect(workspace, "--run", "recall", *settings, command="train").exit_code == 0
    found = answer(workspace, "recall", "--view", "distances")
    assert (found["type"], found["kind"], found["step"], found["chance"]) == ("distances", "recall", 2, 0.125)
    assert len(found["distances"]) == len(found["accuracy"]) == len(found["low"]) == len(found["high"]) > 8
    shown = inspect(workspace, "recall", "--view", "distances").stdout.splitlines()
    assert f"{found['distances'][-1]}–*\t{found['accuracy'][-1]:.3f}" in shown[-1]
    assert len(shown) == len(found["distances"]) + 4
    refused = inspect(workspace, "lstm", "--view", "distances")
    assert refused.exit_code == 2
    assert "recall, brackets, agreement or copy" in refused.stderr


def test_forced_gates_change_what_is_predicted(workspace: Path) -> None:
    text = ("--view", "predictions", "--text", "the cat sat")
    plain, forced = answer(workspace, "lstm", *text), answer(workspace, "lstm", *text, "--force", "1.output_gate=0")
    assert plain["loss"] != forced["loss"]
    assert len({token["top"][0]["probability"] for token in forced["tokens"]}) == 1  # nothing leaves the cell
    gates = answer(
        workspace,
        "lstm",
        "--view",
        "gates",
        *text[2:],
        "--quantity",
        "cell",
        "--force",
        "0.cell[2]=0.5",
        "--order",
        "index",
    )
    assert gates["values"][2] == [0.5] * 11


def test_a_timestep_is_shown_as_the_interface_shows_it(workspace: Path) -> None:
    """The picture of the cell with its numbers, forward and backward; JSON has the same numbers in full."""
    text = ("--view", "timestep", "--text", "the cat sat")
    found = answer(workspace, "lstm", *text, "--position", "4", "--first", "2")
    assert (found["type"], found["position"], found["units"]) == ("timestep", 4, [2, 3])
    assert set(found["values"]) == set(found["gradients"])
    assert found["difference"] < 1e-9
    shown = inspect(workspace, "lstm", *text, "--position", "4", "--first", "2")
    assert shown.exit_code == 0, shown.stderr
    for name in ("values", "gradients"):
        for numbers in (found[name]["cell"], found[name]["cell_before"], found[name]["forget_gate"]):
            assert " ".join(map(number, numbers)) in shown.stdout
    assert max(map(cell_len, shown.stdout.splitlines())) <= 80


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--view", "predictions", "--force", "0.forget_gate=1"), ["what if", "untouched", "forced", "perplexity"]),
        (("--view", "gates", "--quantity", "forget_gate", "--order", "property"), ["correlation with quotes", "█"]),
        (("--view", "connectivity"), ["predicted", "squared norm"]),
    ],
)
def test_people_are_shown_text_without_escapes(workspace: Path, arguments: tuple[str, ...], words: list[str]) -> None:
    done = inspect(workspace, "lstm", *arguments, "--text", PROMPT)
    assert done.exit_code == 0, done.stderr
    assert "\x1b" not in done.stdout + done.stderr
    assert "reads <unk>" in done.stderr
    for word in words:
        assert word in done.stdout
    assert "cosine" in inspect(workspace, "lstm", "--view", "clipping").stdout


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("nobody",), "no run 'nobody'"),
        ((), "RUN"),
        (("lstm", "--view", "gates"), "--text"),
        (("lstm", "--view", "gates", "--text", ""), "no text"),
        (("lstm", "rnn", "--view", "clipping"), "one run"),
        (("lstm", "--text", "a"), "--text does not go with --view gradients"),
        (("lstm", "--distance", "-1"), "--distance"),
        (("gru", "--view", "gates", "--text", "a", "--quantity", "forget_gate"), "no forget_gate"),
        (("gru", "--view", "gates", "--text", "a", "--layer", "2"), "0 to 1"),
        (("lstm", "--view", "connectivity", "--text", "cat", "--position", "3"), "3 tokens"),
        (("lstm", "--view", "connectivity", "--text", "cat", "--position", "5"), "0 to 2"),
        (("lstm", "--view", "connectivity", "--text", "cat", "--position", "-6"), "-1 to -3"),
        (("lstm", "--view", "connectivity", "--text", "c", "--position", "1"), "1 token;"),
        (("lstm", "--view", "predictions", "--text", "cat", "--force", "forget_gate=1"), "LAYER.QUANTITY=X"),
        (("rnn", "--view", "predictions", "--text", "cat", "--force", "0.cell=1"), "no cell"),
        (("lstm", "--checkpoint", "77"), "77"),
        (("gru", "--view", "timestep", "--text", "cat"), "cells are GRU"),
        (("lstm", "--view", "timestep", "--text", "c"), "at least two"),
        (("lstm", "--view", "timestep", "--text", "cat", "--position", "2"), "2 tokens with one after them"),
        (("lstm", "--view", "timestep", "--text", "cat", "--first", "999"), "leaves no two units"),
    ],
)
def test_what_cannot_be_is_told_in_a_sentence(workspace: Path, arguments: tuple[str, ...], words: str) -> None:
    done = inspect(workspace, *arguments)
    assert done.exit_code == 2
    assert words in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert not done.stdout


def test_what_is_forced_can_be_written_with_units() -> None:
    assert parse_forced("0.forget_gate=1") == Forced(layer=0, quantity="forget_gate", value=1)
    assert parse_forced(" 1.cell[3,17] = -0.5") == Forced(layer=1, quantity="cell", value=-0.5, units=[3, 17])
    assert parse_forced("0.cell[3, 17]=1,000") == Forced(layer=0, quantity="cell", value=1000, units=[3, 17])
    with pytest.raises(InputError, match=re.escape("'0.cell[3,7]=0,5' is invalid; write 0.cell[3,7]=0.5.")):
        parse_forced("0.cell[3,7]=0,5")
    for bad in (
        "",
        "0.cell=1e999",
        "0.cell[1,000]=1",
        "0.gate=1",
        "0.cell[]=1",
        "0.cell=open",
        "0.cell[a]=1",
        "-1.cell=1",
        "0.cell=1e",
    ):
        with pytest.raises(InputError, match="is invalid"):
            parse_forced(bad)
