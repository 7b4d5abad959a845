"""`rnnplay train --from`: what is refused, and that what is suggested instead works as it stands."""

from __future__ import annotations

import json
import shlex
from pathlib import Path

import pytest

from rnnplay.runs.folder import RunFolder
from tests.cli.conftest import Invoke

TINY = (
    "--hidden",
    "8",
    "--embedding",
    "6",
    "--batch-size",
    "4",
    "--bptt",
    "8",
    "--threads",
    "1",
    "--precision",
    "float32",
)
SHORT = ("--preset", "quick", "--steps", "4", "--eval-every", "2", "--checkpoint-every", "2", "--device", "cpu")


@pytest.fixture
def first(workspace: Path, invoke: Invoke) -> RunFolder:
    """A run with checkpoints at 0, 2 and 4."""
    (workspace / "corpora" / "one.txt").write_text("the cat sat on the mat\n" * 60)
    (workspace / "corpora" / "two.txt").write_text("the cat sat on the wax!\n" * 60)
    done = invoke("train", "--corpus", "one", "--run", "first", *TINY, *SHORT)
    assert done.exit_code == 0, done.stderr
    return RunFolder(workspace / "checkpoints" / "first")


def test_settings_are_the_parents_but_for_those_given(first: RunFolder, workspace: Path, invoke: Invoke) -> None:
    (workspace / "more.toml").write_text("clip_threshold = 0.5\nlr = 0.5\n")
    done = invoke(
        "train", "--from", "first@2", "--run", "b", "--lr", "0.01", "--config", str(workspace / "more.toml"), "--json"
    )
    assert done.exit_code == 0, done.stderr
    records = [json.loads(line) for line in done.stdout.splitlines()]
    assert [one["type"] for one in records[:2]] == ["started", "validation"] and records[1]["step"] == 0
    shown = json.loads(invoke("runs", "show", "b", "--json").stdout)
    assert shown["parent"] == {
        "run": "first",
        "step": 2,
        "created": first.info().created,
        "optimizer": False,
        "added_tokens": 0,
        "shrink": 1.0,
        "now": "first",
    }
    config = shown["config"]
    assert (config["lr"], config["clip_threshold"], config["hidden"], config["steps"]) == (0.01, 0.5, 8, 4)
    assert json.loads(invoke("runs", "show", "first", "--json").stdout)["parent"] is None
    by_path = invoke("train", "--from", f"{first.path}@best", "--with-optimizer")
    assert by_path.exit_code == 0, by_path.stderr
    text = invoke("runs", "show", "one-lstm-8-01").stdout
    assert "branched from" in text and "with the optimizer's state" in text


def test_the_command_suggested_for_a_text_with_other_tokens_works(first: RunFolder, invoke: Invoke) -> None:
    refused = invoke("train", "--from", "first", "--corpus", "two", "--run", "b")
    assert refused.exit_code == 2 and "3 characters" in refused.stderr and "'!', 'w', 'x'" in refused.stderr
    assert "min_count of 61" in refused.stderr
    suggested = shlex.split(refused.stderr[refused.stderr.index("rnnplay train") :])
    done = invoke(*suggested[1:])
    assert done.exit_code == 0 and "3 tokens were added" in done.stderr, done.stderr
    assert "3 tokens added" in invoke("runs", "show", "b").stdout
    resumed = invoke("train", "--resume", "--run", "b", "--steps", "6")
    assert resumed.exit_code == 0, resumed.stderr
    assert invoke("train", "--from", "b", "--corpus", "one", "--run", "back").exit_code == 0


def test_the_command_suggested_for_a_damaged_checkpoint_works(first: RunFolder, invoke: Invoke) -> None:
    (first.checkpoint_path(4) / "weights.safetensors").write_bytes(b"broken")
    refused = invoke("train", "--from", "first", "--run", "b")
    assert refused.exit_code == 2
    suggested = shlex.split(refused.stderr[refused.stderr.index("rnnplay train") :])
    assert "first@2" in suggested and invoke(*suggested[1:]).exit_code == 0


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (("--from", "first", "--resume"), "only one of them"),
        (("--from", "first", "--preset", "quick"), "parent's settings"),
        (("--from", "first", "--checkpoint", "2"), "--resume"),
        (("--from", "first@3"), "there are latest, best, 0, 2, 4"),
        (("--from", "first@"), "names no checkpoint"),
        (("--from", "nobody"), "There is no run 'nobody'"),
        (("--from", "first", "--hidden", "16"), "hidden is 16, but the weights of first@4 have 8"),
        (("--from", "first", "--corpus", "nowhere"), "nowhere"),
        (("--with-optimizer",), "--from"),
        (("--extend-vocabulary",), "--from"),
    ],
)
def test_what_cannot_be_branched_is_refused_in_a_sentence(
    options: tuple[str, ...], says: str, first: RunFolder, invoke: Invoke
) -> None:
    refused = invoke("train", *options)
    assert refused.exit_code == 2 and says in refused.stderr, refused.stderr
    assert not [path for path in first.path.parent.iterdir() if path != first.path]  # nothing is left behind


def test_shrunk_weights_are_told_of_and_not_mixed_with_the_optimizers_state(first: RunFolder, invoke: Invoke) -> None:
    assert invoke("train", "--from", "first@2", "--shrink", "0.5", "--run", "b", "--steps", "1").exit_code == 0
    assert "first@2, weights × 0.5" in invoke("runs", "show", "b").stdout
    for wrong in (
        ("--shrink", "0.5"),
        ("--from", "first", "--shrink", "2"),
        ("--from", "first", "--shrink", "0"),
        ("--from", "first", "--shrink", "nan"),
    ):
        assert invoke("train", *wrong).exit_code == 2
    mixed = invoke("train", "--from", "first", "--shrink", "0.5", "--with-optimizer")
    assert mixed.exit_code == 2 and "--shrink changes the weights" in mixed.stderr


def test_a_renamed_or_removed_parent_is_said_to_be_that(first: RunFolder, invoke: Invoke) -> None:
    assert invoke("train", "--from", "first@2", "--run", "b", "--steps", "1").exit_code == 0
    assert invoke("runs", "rename", "first", "base").exit_code == 0
    assert (
        invoke("train", "--preset", "quick", *TINY, "--steps", "1", "--corpus", "one", "--run", "first").exit_code == 0
    )
    assert "base@2 (then called first)" in invoke("runs", "show", "b").stdout

    def found(name: str) -> list[str]:
        return [one["run"] for one in json.loads(invoke("runs", "--filter", f"parent={name}", "--json").stdout)]

    assert (found("base"), found("base@2"), found("first")) == (["b"], ["b"], [])
    assert invoke("runs", "rm", "base").exit_code == 0
    assert "first@2 (in the trash; another run has its name)" in invoke("runs", "show", "b").stdout
    assert json.loads(invoke("runs", "show", "b", "--json").stdout)["parent"]["now"] is None
    assert found("first") == []
