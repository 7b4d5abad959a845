"""Where the weights are averaged, the average is what is judged, saved and used, and learning goes on beside it."""

from __future__ import annotations

from pathlib import Path

import pytest
import safetensors.torch
import torch
from torch import Tensor

from rnnplay.errors import InputError
from rnnplay.inspection.subject import SavedRun
from rnnplay.runs.checkpoint_state import TENSORS_FILE
from rnnplay.runs.records import Validation
from rnnplay.training.checkpoints import load_model
from rnnplay.training.evaluation import evaluate
from tests.training.world import World, run_to_end

AVERAGE = 0.75


def same(one: dict[str, Tensor], other: dict[str, Tensor]) -> bool:
    return one.keys() == other.keys() and all(torch.allclose(one[name], other[name], atol=1e-6) for name in one)


def test_the_model_is_the_average_of_the_weights_that_the_steps_leave(world: World) -> None:
    trainer = world.trainer(world.config(average=AVERAGE, steps=30))
    naive = {name: one.clone() for name, one in trainer.learning.weights().items()}
    for step in range(30):
        trainer.advance()
        kept = min(AVERAGE, (1 + step) / (10 + step))
        for name, one in trainer.learning.weights().items():
            naive[name] = kept * naive[name] + (1 - kept) * one
        assert same(trainer.model.weights(), naive)
    assert not same(trainer.model.weights(), trainer.learning.weights())


def test_the_average_changes_nothing_in_how_the_weights_learn(world: World) -> None:
    one, other = (world.trainer(world.config(average=value), f"run-{value}") for value in (0.0, AVERAGE))
    assert one.model is one.learning
    for _ in range(8):
        one.advance()
        other.advance()
    assert all(torch.equal(a, b) for a, b in zip(one.learning.parameters(), other.learning.parameters(), strict=True))


def test_the_average_is_validated_and_saved(world: World) -> None:
    trainer = world.trainer(world.config(average=AVERAGE, steps=12, eval_every=0))
    run_to_end(trainer)
    model, tokenizer, _ = load_model(world.folder())
    assert all(torch.equal(one, trainer.model.weights()[name]) for name, one in model.weights().items())
    (record,) = (one for one in world.emitted if isinstance(one, Validation))
    assert record.loss == pytest.approx(evaluate(model, trainer.corpus.validation, "stream", tokenizer).loss)
    saved = SavedRun(world.folder(), "latest", world.workspace)
    assert all(torch.equal(one, trainer.learning.weights()[name]) for name, one in saved.learning.weights().items())


def test_without_an_average_the_model_that_learns_is_the_model(world: World) -> None:
    run_to_end(world.trainer(world.config(steps=2)))
    saved = SavedRun(world.folder(), "latest", world.workspace)
    assert saved.learning is saved.model


def test_a_file_without_the_weights_that_learn_is_refused_in_a_sentence(world: World) -> None:
    run_to_end(world.trainer(world.config(average=AVERAGE, steps=6)))
    file: Path = world.folder().checkpoint().path / TENSORS_FILE
    tensors = safetensors.torch.load_file(file)
    del tensors["trained.embedding.weight"]
    file.write_bytes(safetensors.torch.save(tensors))
    state = file.with_name("state.json")
    state.write_text(state.read_text().replace('"sha256":', '"sha256":{},"before":'))  # as if it had always been so
    with pytest.raises(InputError, match="not all weights that were averaged"):
        world.resume(world.config(average=AVERAGE, steps=9))
