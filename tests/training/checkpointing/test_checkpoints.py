"""Checkpoints are there whole or not at all, the last and the best are kept, and what does not fit is refused."""

from __future__ import annotations

import json
import math
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import safetensors.torch
import torch

from rnnplay.common import files
from rnnplay.config import RunConfig
from rnnplay.errors import CheckpointError, InputError
from rnnplay.model.language_model import LanguageModel
from rnnplay.runs.checkpoint_state import read_state
from rnnplay.runs.folder import best_of
from rnnplay.runs.metrics.records import Validation
from rnnplay.training.checkpointing import checkpoints
from rnnplay.training.checkpointing.checkpoints import load_model, weight_shapes
from tests.training.world import World, run_to_end


class Crash(BaseException):
    """The process dies here."""


@pytest.fixture
def saved(world: World) -> World:
    """A run of three steps with its checkpoint."""
    trainer = world.trainer(world.config())
    for _ in range(3):
        trainer.advance()
    trainer.finish("stopped")
    return world


@pytest.mark.parametrize(
    "values",
    [
        {"cell": "rnn"},
        {"cell": "gru", "layers": 3},
        {"tie": True, "embedding": 10},
        {"tokens": "word", "softmax": "adaptive", "hidden": 16},
        {},
    ],
)
def test_the_shapes_expected_are_those_of_the_model(values: dict[str, Any], world: World) -> None:
    config = world.config(**values)
    weights = LanguageModel(config, 31).weights()
    assert weight_shapes(config, 31) == {name: tuple(tensor.shape) for name, tensor in weights.items()}


def test_the_last_few_and_the_best_are_kept(world: World) -> None:
    trainer = world.trainer(world.config(steps=60, eval_every=10, keep=2, lr=0.01))
    losses: dict[int, float] = {}
    while trainer.advance() is None:
        if trainer.step == 30:
            trainer.tune("lr", 5.0)  # from here on it only gets worse
        if trainer.step > 30 and trainer.step % 10 == 5:
            trainer.checkpoint()
    losses = {record.step: record.loss for record in world.emitted if isinstance(record, Validation)}
    best = min(losses, key=lambda step: losses[step])
    folder = world.folder()
    assert best == 30 and [one.step for one in folder.checkpoints()] == [30, 55, 60]
    assert folder.checkpoint("best").step == 30 and folder.checkpoint("best").loss == losses[30]
    assert folder.checkpoint("latest").step == 60 and folder.checkpoint("55").loss == losses[50]
    with pytest.raises(InputError, match="there are latest, best, 30, 55, 60"):
        folder.checkpoint("40")


def test_the_best_of_nothing_validated_is_none(saved: World) -> None:
    assert best_of(saved.folder().checkpoints()) is None
    with pytest.raises(InputError, match="no validated checkpoint"):
        saved.folder().checkpoint("best")


STAGES: list[tuple[object, str, int]] = [
    *((checkpoints, "write_durably", call) for call in range(3)),
    *((checkpoints, "sync_folder", call) for call in range(2)),
    *((os, "fsync", call) for call in range(6)),
    *((Path, "rename", call) for call in range(2)),
]


@pytest.mark.parametrize(("owner", "name", "calls"), STAGES)
@pytest.mark.parametrize("again", [False, True])
def test_a_half_written_one_is_never_seen(
    owner: Any, name: str, calls: int, again: bool, saved: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The process dies within the write, of a new checkpoint or of one that takes the place of another."""
    trainer = saved.resume()
    if again:
        trainer.tune("lr", 0.5)
    else:
        trainer.advance()
    original: Callable[..., Any] = getattr(owner, name)
    count = 0

    def crash(*arguments: Any) -> Any:
        nonlocal count
        count += 1
        if count > calls:
            raise Crash
        return original(*arguments)

    with monkeypatch.context() as patch:
        patch.setattr(owner, name, crash)
        try:
            trainer.checkpoint()
        except Crash:
            died = True
        else:
            died = False
    folder = saved.folder()
    if died:
        folder.sweep()
    found = folder.checkpoints()
    assert found and all((one.path / file).is_file() for one in found for file in ("weights.safetensors", "state.json"))
    assert not any(path.name.startswith(".") for path in folder.path.iterdir())
    run_to_end(saved.resume())
    assert [step for step, *_ in saved.steps()] == list(range(1, 21))


def test_a_disk_without_room_leaves_the_last_one_whole(saved: World, monkeypatch: pytest.MonkeyPatch) -> None:
    trainer = saved.resume()
    trainer.advance()

    def full(path: Path, data: bytes) -> None:
        files.write_durably(path, data[: len(data) // 2])
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(checkpoints, "write_durably", full)
        with pytest.raises(OSError):
            trainer.checkpoint()
    names = sorted(path.name for path in saved.folder().path.iterdir() if path.is_dir())
    assert names == ["step-000000000", "step-000000003"]
    assert trainer.checkpoint().step == 4 and saved.folder().checkpoint().step == 4


def test_nothing_is_written_twice(saved: World) -> None:
    trainer = saved.resume()
    before = saved.folder().checkpoint().created
    trainer.checkpoint()
    trainer.finish("stopped")
    assert saved.folder().checkpoint().created == before


def test_a_loaded_model_is_the_trained_one(saved: World) -> None:
    trainer = saved.resume()
    model, tokenizer, step = load_model(saved.folder())
    assert step == 3 and not model.training and tokenizer.to_bytes() == trainer.tokenizer.to_bytes()
    ours, theirs = model.state_dict(), trainer.model.state_dict()
    assert all(torch.equal(ours[name], theirs[name]) for name in theirs)


def change(path: Path, edit: Callable[[dict[str, torch.Tensor]], object]) -> None:
    """Rewrites tensors, and state.json's sha256 away, as a user with bad intent could."""
    tensors = safetensors.torch.load_file(path)
    edit(tensors)
    safetensors.torch.save_file(tensors, path)
    state = path.with_name("state.json")
    state.write_text(json.dumps(json.loads(state.read_text()) | {"sha256": {}}))


EDITS: dict[str, Callable[[dict[str, torch.Tensor]], object]] = {
    "shape": lambda tensors: tensors.update({"output.bias": torch.zeros(3)}),
    "type": lambda tensors: tensors.update({"output.bias": tensors["output.bias"].double()}),
    "lacks": lambda tensors: tensors.pop("rnn.weight_hh_l0"),
    "other": lambda tensors: tensors.update({"evil": torch.zeros(1)}),
}


@pytest.mark.parametrize("edit", EDITS)
def test_tensors_that_are_not_the_runs_are_refused(edit: str, saved: World) -> None:
    change(saved.folder().checkpoint().path / "weights.safetensors", EDITS[edit])
    with pytest.raises(InputError, match=r"weights\.safetensors"):
        load_model(saved.folder())


STATE_EDITS: dict[str, Callable[[dict[str, torch.Tensor]], object]] = {
    "carried": lambda tensors: tensors.update({"carried.hidden": torch.zeros(1, 5, 10)}),
    "half": lambda tensors: tensors.pop("carried.cell"),
    "moment": lambda tensors: tensors.pop("optimizer.exp_avg.output.bias"),
    "random": lambda tensors: tensors.pop("random.cpu"),
    "short random": lambda tensors: tensors.update({"random.cpu": torch.zeros(8, dtype=torch.uint8)}),
}


@pytest.mark.parametrize("edit", STATE_EDITS)
def test_state_that_is_not_the_runs_is_refused(edit: str, saved: World) -> None:
    change(saved.folder().checkpoint().path / "state.safetensors", STATE_EDITS[edit])
    with pytest.raises(InputError):
        saved.resume()


def test_a_pickle_is_not_opened(saved: World) -> None:
    path = saved.folder().checkpoint().path
    torch.save({"output.bias": torch.zeros(1)}, path / "weights.safetensors")
    state = json.loads((path / "state.json").read_text())
    (path / "state.json").write_text(json.dumps(state | {"sha256": {}}))
    with pytest.raises(InputError, match="not a complete safetensors file"):
        load_model(saved.folder())


def test_a_file_of_absurd_size_is_not_read(saved: World) -> None:
    with (saved.folder().checkpoint().path / "weights.safetensors").open("ab") as file:
        file.truncate(1 << 40)
    with pytest.raises(InputError, match="larger than"):
        load_model(saved.folder())


@pytest.mark.parametrize(
    "values",
    [{"step": -1}, {"tokens": "x"}, {"seconds": "nan"}, {"feed": {"place": -5}}, {"threads": 0}, {"format": 9}],
)
def test_a_state_json_that_cannot_be_is_refused(values: dict[str, Any], saved: World) -> None:
    path = saved.folder().checkpoint().path
    state = json.loads((path / "state.json").read_text())
    (path / "state.json").write_text(json.dumps(state | values))
    with pytest.raises(InputError, match=r"state\.json"):
        read_state(path)
    assert [one.step for one in saved.folder().checkpoints()] == [0], "it is passed over"


def test_a_folder_under_a_wrong_name_is_passed_over(saved: World) -> None:
    path = saved.folder().checkpoint().path
    shutil.copytree(path, path.with_name("step-000000099"))
    assert [one.step for one in saved.folder().checkpoints()] == [0, 3]


def test_no_validation_is_no_loss(saved: World) -> None:
    state = read_state(saved.folder().checkpoint().path)
    assert saved.folder().checkpoint().loss is None and math.isnan(state.validations.last_loss)
    assert math.isinf(state.validations.best_loss), "spelt out in JSON and read again"


def test_the_config_is_one_that_can_be_read_again(saved: World) -> None:
    assert isinstance(saved.folder().info().config, RunConfig)


def test_damaged_checkpoints_do_not_point_to_each_other(world: World) -> None:
    """The advice is the newest that can be used; where there is none, no other is named."""
    run_to_end(world.trainer(world.config(checkpoint_every=5, keep=4)))
    folder = world.folder()
    steps = [one.step for one in folder.checkpoints()]
    assert steps == [5, 10, 15, 20]
    for step, instead in ((20, 15), (15, 10), (5, 10)):
        file = folder.checkpoint_path(step) / "weights.safetensors"
        file.write_bytes(file.read_bytes()[:-4] + b"\0\1\2\3")
        with pytest.raises(CheckpointError, match="resume from another checkpoint") as refused:
            load_model(folder, str(step))
        assert refused.value.instead == instead
    file = folder.checkpoint_path(10) / "state.safetensors"
    file.write_bytes(b"")
    with pytest.raises(CheckpointError, match="has no other that can be used: train it again") as refused:
        load_model(folder, "20")
    assert refused.value.instead is None
