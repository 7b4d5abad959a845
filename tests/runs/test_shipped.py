"""The model that comes with rnnplay: it is whole and small, found where there is no run, and never written to."""

from __future__ import annotations

import hashlib
import math
import os
from pathlib import Path

import pytest

import rnnplay
from rnnplay.config import SamplingConfig
from rnnplay.errors import InputError
from rnnplay.model.generation.sampling import generate
from rnnplay.runs.folder import RunFolder, find_run
from rnnplay.runs.shipped import SHIPPED, find_model, last_model, shipped_run
from rnnplay.text.corpora.catalogue import find_corpus
from rnnplay.training.checkpointing.checkpoints import load_model
from rnnplay.workspace import Workspace
from tests.tui.stage import add_checkpoint, make_run


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    return Workspace(tmp_path).create()


def test_it_is_inside_the_package_and_small() -> None:
    """Inside the package, or a wheel comes without it."""
    folder = shipped_run().path
    assert folder.is_relative_to(Path(rnnplay.__file__).parent)
    assert sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()) <= 1_500_000


def test_it_writes_words_of_the_text_that_it_was_trained_on(workspace: Workspace) -> None:
    run = find_model(SHIPPED, workspace)
    model, tokenizer, step = load_model(run)
    assert step > 1000
    greedy = SamplingConfig(length=8, temperature=0)
    assert "".join(generate(model, tokenizer, "Once upon a ti", greedy)).startswith("me ")
    text = find_corpus(run.info().config.corpus, workspace).materialise(workspace.cache)
    assert hashlib.sha256(text.read_bytes()).hexdigest() == run.info().corpus_sha256


def test_it_is_there_to_be_read_only(workspace: Workspace) -> None:
    with pytest.raises(InputError):
        find_run(SHIPPED, workspace)


def test_what_is_in_the_workspace_comes_first(workspace: Workspace) -> None:
    own = RunFolder(workspace.checkpoints / SHIPPED)
    own.path.mkdir()
    (own.path / "run.json").write_text("{}")
    assert find_model(SHIPPED, workspace).path == own.path
    with pytest.raises(InputError, match="no run 'other'"):
        find_model("other", workspace)


def test_the_run_written_to_last_answers_and_without_one_the_shipped_model(workspace: Workspace) -> None:
    """A run without a checkpoint, or with one that has diverged, would leave the first prompt unanswered."""
    assert last_model(workspace) == (SHIPPED, "latest")
    for at, (name, steps, loss) in enumerate(
        [("older", 9, 1.0), ("newer", 7, 1.0), ("begun", 0, None), ("diverged", 5, math.nan)]
    ):
        run = make_run(workspace, name, steps=steps, loss=loss)
        os.utime(run.path, (at, at))
    assert last_model(workspace) == ("newer", "7")
    add_checkpoint(RunFolder(workspace.checkpoints / "older"), 12, math.inf)  # now it was written to last
    assert last_model(workspace) == ("older", "9")
