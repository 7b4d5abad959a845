"""An EMA of the weights, where one is kept, is validated, saved and used; the raw weights are trained beside it."""

from __future__ import annotations

from pathlib import Path

import pytest
import safetensors.torch
import torch
from torch import Tensor

from rnnplay.errors import InputError
from rnnplay.inspection.loaded_model import SavedRun
from rnnplay.runs.checkpoint_state import TENSORS_FILE
from rnnplay.runs.metrics.records import Validation
from rnnplay.training.checkpointing.checkpoints import load_model
from rnnplay.training.evaluation import evaluate
from tests.training.world import World, run_to_end

DECAY = 0.75


def same(one: dict[str, Tensor], other: dict[str, Tensor]) -> bool:
    return one.keys() == other.keys() and all(torch.allclose(one[name], other[name], atol=1e-6) for name in one)


def test_the_model_is_the_moving_average_of_the_raw_weights(world: World) -> None:
    trainer = world.trainer(world.config(ema_decay=DECAY, steps=30))
    naive = {name: one.clone() for name, one in trainer.raw_model.weights().items()}
    for step in range(30):
        trainer.advance()
        kept = min(DECAY, (1 + step) / (10 + step))
        for name, one in trainer.raw_model.weights().items():
            naive[name] = kept * naive[name] + (1 - kept) * one
        assert same(trainer.model.weights(), naive)
    assert not same(trainer.model.weights(), trainer.raw_model.weights())


def test_an_ema_changes_nothing_in_how_the_raw_weights_are_trained(world: World) -> None:
    one, other = (world.trainer(world.config(ema_decay=value), f"run-{value}") for value in (0.0, DECAY))
    assert one.model is one.raw_model
    for _ in range(8):
        one.advance()
        other.advance()
    assert all(torch.equal(a, b) for a, b in zip(one.raw_model.parameters(), other.raw_model.parameters(), strict=True))


def test_the_ema_weights_are_validated_and_saved(world: World) -> None:
    trainer = world.trainer(world.config(ema_decay=DECAY, steps=12, eval_every=0))
    run_to_end(trainer)
    model, tokenizer, _ = load_model(world.folder())
    assert all(torch.equal(one, trainer.model.weights()[name]) for name, one in model.weights().items())
    (record,) = (one for one in world.emitted if isinstance(one, Validation))
    assert record.loss == pytest.approx(evaluate(model, trainer.corpus.validation, "stream", tokenizer).loss)
    saved = SavedRun(world.folder(), "latest", world.workspace)
    assert all(torch.equal(one, trainer.raw_model.weights()[name]) for name, one in saved.raw_model.weights().items())


def test_without_an_ema_the_raw_model_is_the_model(world: World) -> None:
    run_to_end(world.trainer(world.config(steps=2)))
    saved = SavedRun(world.folder(), "latest", world.workspace)
    assert saved.raw_model is saved.model


def test_a_file_without_the_raw_weights_is_refused_in_a_sentence(world: World) -> None:
    run_to_end(world.trainer(world.config(ema_decay=DECAY, steps=6)))
    file: Path = world.folder().checkpoint().path / TENSORS_FILE
    tensors = safetensors.torch.load_file(file)
    del tensors["raw.embedding.weight"]
    file.write_bytes(safetensors.torch.save(tensors))
    state = file.with_name("state.json")
    state.write_text(state.read_text().replace('"sha256":', '"sha256":{},"before":'))  # as if it had always been so
    with pytest.raises(InputError, match="lacks raw weights"):
        world.resume(world.config(ema_decay=DECAY, steps=9))
