"""Loss, perplexity and bits per character are those of plain PyTorch on the saved weights, over windows too."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Literal

import numpy as np
import pytest
import safetensors.torch
import torch
from numpy.typing import NDArray

from rnnplay.errors import InputError
from rnnplay.runs.metrics.records import Step, Validation
from rnnplay.text.encoding.encoded import EncodedSplit
from rnnplay.text.feeds import evaluation_batches
from rnnplay.training import evaluation
from rnnplay.training.evaluation import evaluate, evaluate_windows
from tests.training.world import World, run_to_end


def plain_model(
    checkpoint: Path, hidden: int, layers: int = 1
) -> tuple[torch.nn.Embedding, torch.nn.LSTM, torch.nn.Linear]:
    """What anybody would write who knows nothing of rnnplay."""
    weights = safetensors.torch.load_file(checkpoint / "weights.safetensors")
    embedding = torch.nn.Embedding(*weights["embedding.weight"].shape)
    lstm = torch.nn.LSTM(embedding.embedding_dim, hidden, layers, batch_first=True)
    output = torch.nn.Linear(hidden, embedding.num_embeddings)
    for name, module in (("embedding", embedding), ("rnn", lstm), ("output", output)):
        module.load_state_dict({key.removeprefix(name + "."): weights[key] for key in weights if key.startswith(name)})
    return embedding, lstm, output


def plain_nats(checkpoint: Path, hidden: int, ids: NDArray[np.int64], layers: int = 1) -> float:
    """Sum over all tokens but the first, read as one sequence."""
    embedding, lstm, output = plain_model(checkpoint, hidden, layers)
    with torch.no_grad():
        states, _ = lstm(embedding(torch.from_numpy(ids[None, :-1])))
        scores = torch.log_softmax(output(states)[0].double(), dim=-1)
    return -float(scores[torch.arange(len(ids) - 1), torch.from_numpy(ids[1:])].sum())


def ids_of(text: str, folder: Path) -> NDArray[np.int64]:
    """By the run's vocabulary.json, read without rnnplay."""
    number = {
        token: index for index, token in enumerate(json.loads((folder / "vocabulary.json").read_text())["tokens"])
    }
    return np.array([number[character] for character in text])


def validation_text(world: World) -> str:
    """The 20 percent after the first 60, moved to the next line's start, found without rnnplay."""
    text = world.text.read_text(encoding="utf-8")
    begin, end = (text.index("\n", int(len(text) * share)) + 1 for share in (0.6, 0.8))
    return text[begin:end]


def test_validation_is_what_plain_pytorch_finds(world: World) -> None:
    config = world.config(steps=60, lr=0.02, split="60/20/20", layers=2, dropout=0.1)
    trainer = world.trainer(config)
    run_to_end(trainer)
    record = next(record for record in world.emitted if isinstance(record, Validation))
    text = validation_text(world)
    split = world.encode(config).validation
    assert trainer.tokenizer.decode(split.ids) == text and split.characters == len(text)

    folder = world.folder()
    ids = ids_of(text, folder.path)
    nats = plain_nats(folder.checkpoint().path, config.hidden, ids, layers=2)
    assert record.loss == pytest.approx(nats / (len(ids) - 1), rel=1e-5)
    assert record.perplexity == pytest.approx(math.exp(nats / (len(ids) - 1)), rel=1e-5)
    assert record.bits_per_character == pytest.approx(nats / math.log(2) / len(text), rel=1e-5)
    assert 1.0 < record.loss < 2.5, "it has learned something, but not all"


def test_bits_per_character_of_words_are_by_the_characters_of_the_text(world: World) -> None:
    config = world.config(steps=40, tokens="word", split="60/20/20")
    run_to_end(world.trainer(config))
    record = next(record for record in world.emitted if isinstance(record, Validation))
    characters, tokens = len(validation_text(world)), world.encode(config).validation.tokens
    assert tokens < characters / 3
    assert record.bits_per_character == pytest.approx(record.loss * (tokens - 1) / math.log(2) / characters, rel=1e-6)


def test_the_step_loss_is_what_plain_pytorch_finds(world: World) -> None:
    """The first step's, from the weights as they stood before it: the checkpoint at step 0."""
    config = world.config()
    trainer = world.trainer(config)
    trainer.advance()
    record = next(record for record in world.emitted if isinstance(record, Step))
    ids = np.asarray(world.encode(config).train.ids).astype(np.int64)
    height = (len(ids) - 1) // config.batch_size
    more = (len(ids) - 1) % config.batch_size
    starts = [row * height + min(row, more) for row in range(config.batch_size)]
    path = world.folder().checkpoint("0").path
    nats = [plain_nats(path, config.hidden, ids[start : start + config.bptt + 1]) for start in starts]
    assert record.loss == pytest.approx(sum(nats) / (config.batch_size * config.bptt), rel=1e-5)


def test_lines_count_each_token_once_and_padding_never(world: World) -> None:
    config = world.config(steps=30, feed="lines", split="60/20/20")
    trainer = world.trainer(config)
    run_to_end(trainer)
    record = next(record for record in world.emitted if isinstance(record, Validation))
    path, lines = world.folder().checkpoint().path, validation_text(world).splitlines(keepends=True)
    nats = sum(plain_nats(path, config.hidden, ids_of("\n" + line, world.folder().path)) for line in lines)
    assert record.loss == pytest.approx(nats / sum(map(len, lines)), rel=1e-5)


def test_rows_side_by_side_are_nearly_exact(world: World) -> None:
    config = world.config(steps=80, lr=0.02, split="20/75/5")
    trainer = world.trainer(config)
    run_to_end(trainer)
    split = world.encode(config).validation
    one = evaluate(trainer.model, split, "stream", trainer.tokenizer, rows=1)
    some = evaluate(trainer.model, split, "stream", trainer.tokenizer, rows=4)
    assert one.tokens == some.tokens == split.tokens - 1
    assert one.loss != some.loss and some.loss == pytest.approx(one.loss, rel=0.01)


@pytest.mark.parametrize("feed", ["stream", "lines"])
def test_limited_to_so_many_tokens(feed: Literal["stream", "lines"], world: World) -> None:
    trainer = world.trainer(world.config(feed=feed))
    split = world.encode(world.config(feed=feed)).train
    polls: list[int] = []
    found = evaluate(trainer.model, split, feed, trainer.tokenizer, limit=500, poll=lambda: polls.append(1))
    assert 500 <= found.tokens < 530 and polls
    assert found.characters == pytest.approx(found.tokens, rel=0.01)
    batches = evaluation_batches(split, feed, 2, 10, trainer.tokenizer.newline, 500)
    assert sum(batch.tokens for batch in batches) == found.tokens


def test_the_mode_is_put_back_and_dropout_is_off(world: World) -> None:
    config = world.config(dropout=0.5)
    trainer = world.trainer(config)
    split = world.encode(config).validation

    def meddle() -> None:
        trainer.model.train()

    for training in (True, False):
        trainer.model.train(training)
        losses = {evaluate(trainer.model, split, "stream", trainer.tokenizer, poll=meddle).loss for _ in range(2)}
        assert len(losses) == 1 and trainer.model.training == training


def test_an_empty_split_is_told(world: World) -> None:
    trainer = world.trainer(world.config())
    empty = EncodedSplit(np.zeros(0, np.uint8), 0, None)
    with pytest.raises(InputError, match="empty"):
        evaluate(trainer.model, empty, "stream", trainer.tokenizer)


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
