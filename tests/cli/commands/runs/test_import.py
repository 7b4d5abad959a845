"""`rnnplay import` makes a run that the other commands take, or says in one sentence why not."""

from __future__ import annotations

import json
from pathlib import Path

import torch
from torch import nn

from tests.cli.conftest import Invoke
from tests.experiments.export.made_runs import TEXT

CHARACTERS = sorted(set(TEXT))


def save(folder: Path) -> tuple[str, str]:
    """Writes a model and its vocabulary."""
    (folder / "corpora").mkdir(exist_ok=True)
    (folder / "corpora" / "small.txt").write_text(TEXT * 20, encoding="utf-8")
    size = len(CHARACTERS)
    parts = {"embedding": nn.Embedding(size, 4), "rnn": nn.GRU(4, 6), "output": nn.Linear(6, size)}
    torch.save(nn.ModuleDict(parts).state_dict(), folder / "model.pt")
    (folder / "tokens.json").write_text(json.dumps(CHARACTERS), encoding="utf-8")
    return str(folder / "model.pt"), str(folder / "tokens.json")


def test_an_imported_model_is_prompted_and_listed_like_any_other(workspace: Path, invoke: Invoke) -> None:
    model, tokens = save(workspace)
    done = invoke("import", model, "--vocabulary", tokens, "--corpus", "small", "--run", "mine")
    assert done.exit_code == 0, done.stderr
    assert "GRU 1×6" in done.stdout and "rnnplay generate mine" in done.stdout
    again = invoke("import", model, "--vocabulary", tokens, "--corpus", "small", "--run", "mine")
    assert again.exit_code == 2 and "There is a run 'mine' already" in again.stderr
    found = json.loads(invoke("complete", "mine", "the c", "--json").stdout)
    assert len(found["next"]) > 3
    assert json.loads(invoke("runs", "--json").stdout)[0]["run"] == "mine"


def test_json_says_what_was_made(workspace: Path, invoke: Invoke) -> None:
    model, tokens = save(workspace)
    done = invoke("import", model, "--vocabulary", tokens, "--corpus", "small", "--json")
    found = json.loads(done.stdout)
    assert (found["run"], found["model"], found["vocabulary"]) == ("small-gru-6-01", "GRU 1×6", len(CHARACTERS) + 1)
    assert found["validation"]["loss"] > 0 and found["left_out"] == [] and found["notes"] == []


def test_wrong_input_is_said_and_leaves_nothing(workspace: Path, invoke: Invoke) -> None:
    model, tokens = save(workspace)
    for arguments, sentence in (
        ((tokens, "--vocabulary", tokens), "neither a safetensors file nor"),
        ((model, "--vocabulary", model), "not a JSON file"),
        ((model, "--vocabulary", tokens, "--tensor", "rnn=x"), "--tensor is PART=NAME"),
        ((model, "--vocabulary", tokens, "--corpus", "nope"), "nope"),
        ((model, "--vocabulary", tokens, "--run", "../x"), "cannot be called"),
    ):
        done = invoke("import", *arguments)
        assert done.exit_code == 2 and sentence in done.stderr, done.stderr
    assert not list((workspace / "checkpoints").iterdir())
