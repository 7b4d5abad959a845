"""Exported weights and graphs compute in plain PyTorch and onnxruntime what the run's own model does."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
import torch

from rnnplay.errors import RnnplayError
from rnnplay.experiments.export.export import Exported, export
from rnnplay.experiments.export.onnx import file as onnx_file
from rnnplay.experiments.export.request import Export
from rnnplay.runs.folder import RunFolder
from rnnplay.training.checkpointing.checkpoints import load_model
from rnnplay.workspace import Workspace
from tests.experiments.export.made_runs import add_checkpoint, make_run

CELLS: list[dict[str, Any]] = [
    {"cell": "rnn"},
    {"cell": "rnn", "nonlinearity": "relu"},
    {"cell": "gru"},
    {"cell": "lstm"},
]
OUTPUTS: list[dict[str, Any]] = [
    {},
    {"tie": True, "embedding": 8},
    {"softmax": "adaptive", "tokens": "word", "hidden": 16},
]


def exported(workspace: Workspace, kind: str, out: Path, **knobs: Any) -> tuple[RunFolder, Exported]:
    run = make_run(workspace, **knobs)
    add_checkpoint(run)
    return run, export(Export([run], kind, out))


@pytest.mark.parametrize("output", OUTPUTS, ids=["full", "tied", "adaptive"])
@pytest.mark.parametrize("layers", [1, 2])
@pytest.mark.parametrize("cell", CELLS, ids=["tanh", "relu", "gru", "lstm"])
def test_onnxruntime_computes_the_same_step_by_step_and_as_a_whole(
    workspace: Workspace, tmp_path: Path, cell: dict[str, Any], layers: int, output: dict[str, Any]
) -> None:
    run, done = exported(workspace, "onnx", tmp_path / "run.onnx", **cell, layers=layers, **output)
    model = load_model(run)[0]
    ids = torch.randint(model.vocabulary, (3, 7), generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        expected, last = model(ids)
    session = onnxruntime.InferenceSession(str(done.files[0]), providers=["CPUExecutionProvider"])
    names = ["hidden", "cell"] if cell["cell"] == "lstm" else ["hidden"]
    state = [np.zeros((layers, 3, model.config.hidden), dtype=np.float32) for _ in names]
    whole, *after = session.run(None, {"ids": ids.numpy(), **dict(zip(names, state, strict=True))})
    np.testing.assert_allclose(whole, expected.numpy(), atol=1e-4)
    for found, wanted in zip(after, last if isinstance(last, tuple) else (last,), strict=True):
        np.testing.assert_allclose(found, wanted.numpy(), atol=1e-4)
    for at, column in enumerate(ids.numpy().T):
        logits, *state = session.run(None, {"ids": column[:, None], **dict(zip(names, state, strict=True))})
        np.testing.assert_allclose(logits[:, 0], expected[:, at].numpy(), atol=1e-4)


def test_an_onnx_file_has_the_tokenizer_and_says_how_it_was_checked(workspace: Workspace, tmp_path: Path) -> None:
    run, done = exported(workspace, "onnx", tmp_path / "run.onnx")
    properties = {one.key: one.value for one in onnx.load(done.files[0]).metadata_props}
    assert json.loads(properties["vocabulary.json"])["tokens"] == run.tokenizer().tokens
    assert (properties["run"], properties["step"], properties["tokens"]) == ("run", "3", "char")
    assert "onnxruntime's logits differ by" in done.note


def test_a_graph_that_computes_something_else_is_not_written(
    workspace: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(onnx_file, "_difference", lambda *_: float("nan"))
    with pytest.raises(RnnplayError, match="nothing was written"):
        exported(workspace, "onnx", tmp_path / "run.onnx")
    assert not (tmp_path / "run.onnx").exists()


@pytest.mark.parametrize("knobs", [*CELLS, *OUTPUTS[1:]], ids=["tanh", "relu", "gru", "lstm", "tied", "adaptive"])
def test_the_lines_that_are_printed_load_the_weights(
    workspace: Workspace, tmp_path: Path, knobs: dict[str, Any]
) -> None:
    run, done = exported(workspace, "safetensors", tmp_path / "run.safetensors", layers=2, **knobs)
    assert len(done.code.splitlines()) == 6
    loaded: dict[str, Any] = {}
    exec(done.code, loaded)
    plain, model = loaded["model"], load_model(run)[0]
    ids = torch.randint(model.vocabulary, (2, 9), generator=torch.Generator().manual_seed(2))
    with torch.no_grad():
        hidden, _ = plain["rnn"](plain["embedding"](ids))
        flat = hidden.flatten(0, 1)
        logits = plain["output"].log_prob(flat) if "softmax" in knobs else plain["output"](flat)
        torch.testing.assert_close(logits, model(ids)[0].flatten(0, 1))
    assert json.loads(done.files[1].read_bytes())["tokens"] == run.tokenizer().tokens
    assert done.files[1] == tmp_path / "run.vocabulary.json"


def test_the_checkpoint_that_was_asked_for_is_exported(workspace: Workspace, tmp_path: Path) -> None:
    run = make_run(workspace)
    add_checkpoint(run, 1)
    add_checkpoint(run, 2)
    done = export(Export([run], "safetensors", tmp_path / "run.safetensors", checkpoint="1"))
    assert done.note == "The weights after step 1."
