"""The loss over windows that are read from an empty context is that of a plain loop in PyTorch."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from rnnplay.errors import InputError
from rnnplay.text.encoding.encoded import EncodedSplit
from rnnplay.training import evaluation
from rnnplay.training.evaluation import evaluate_windows
from tests.training.test_evaluation import plain_model
from tests.training.world import World, run_to_end


@pytest.mark.parametrize(("size", "count", "seed"), [(9, 300, 1), (9, 300, 2), (40, 70, 1), (1, 50, 1), (31, 0, 1)])
def test_windows_are_what_a_plain_loop_finds(
    world: World, size: int, count: int, seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """nanoGPT's estimate: i = randint(len(data) - size); x = data[i : i + size]; y = data[i + 1 : i + 1 + size]."""
    monkeypatch.setattr(evaluation, "TIMESTEPS", 16)  # a long window is read in parts
    config = world.config(steps=30, lr=0.02, split="60/20/20", layers=2)
    trainer = world.trainer(config)
    run_to_end(trainer)
    encoded = world.encode(config)
    embedding, lstm, output = plain_model(world.folder().checkpoint().path, config.hidden, layers=2)
    data = torch.from_numpy(np.array(encoded.validation.ids).astype(np.int64))
    places = len(data) - size
    starts = np.random.default_rng(seed).integers(0, places, count) if count else range(places)
    losses = []
    with torch.no_grad():
        for i in starts:
            x, y = data[i : i + size], data[i + 1 : i + 1 + size]
            states, _ = lstm(embedding(x[None]))
            losses.append(float(torch.nn.functional.cross_entropy(output(states)[0], y)))
    found, read = evaluate_windows(trainer.model, encoded.validation, encoded.tokenizer, size, count, seed)
    assert read == len(losses) == (count or places)
    assert found.tokens == found.characters == size * read
    assert found.loss == pytest.approx(sum(losses) / len(losses), rel=1e-5)
    assert found.perplexity == math.exp(found.loss)
    assert found.bits_per_character == pytest.approx(found.loss / math.log(2))


def test_the_same_seed_is_the_same_number(world: World) -> None:
    trainer = world.trainer(world.config())
    split, tokenizer = world.encode(world.config()).train, trainer.tokenizer
    one, again, other = (evaluate_windows(trainer.model, split, tokenizer, 8, 40, seed) for seed in (1, 1, 2))
    assert one == again != other


def test_a_text_too_short_for_a_window_is_told(world: World) -> None:
    trainer = world.trainer(world.config())
    short = EncodedSplit(np.ones(5, np.uint8), 5, None)
    assert evaluate_windows(trainer.model, short, trainer.tokenizer, 4, 0, 1)[1] == 1
    for size in (5, 100):
        with pytest.raises(InputError, match="has 5 tokens, and a window of"):
            evaluate_windows(trainer.model, short, trainer.tokenizer, size, 10, 1)
