"""Compares rnnplay's training of a model of 33,000 words with PyTorch's word_language_model, written plainly.

    python -m benchmarks.speed.words --corpus …/wikitext-2/train.txt [--threads 1] [--turns 5] [--seconds 6]
        [--steps 150]
    python -m benchmarks.speed.words --corpus … --epoch

LSTM 2×200 tied, batch 20, bptt 35, SGD with learning rate 20, clip 0.25, dropout 0.2: that example's recipe. All
read the same batches and begin with the same weights, drawn as in that example: at such a learning rate they make a
difference of 0.2 nats after an epoch. (The adaptive softmax has another kind of output layer, drawn by itself.) Speeds
are medians of alternating turns, and ratios those of neighbouring turns: by the clock, and by processor time, which
other work on the machine disturbs less. Losses are on the same part of the validation text after the same number of
steps: --steps, or with --epoch a whole pass (an hour on two cores).
"""

from __future__ import annotations

import statistics
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from benchmarks import options_of
from rnnplay.config import RunConfig
from rnnplay.model.language_model import LanguageModel
from rnnplay.runs.folder import RunFolder
from rnnplay.runs.metrics.records import Record
from rnnplay.text.corpora.catalogue import find_corpus
from rnnplay.text.encoding.encoded import EncodedCorpus, encode_corpus
from rnnplay.text.feeds import make_feed
from rnnplay.training.evaluation import evaluate
from rnnplay.training.trainer import Trainer
from rnnplay.workspace import Workspace

RECIPE: dict[str, Any] = {
    "tokens": "word", "split": "95/4/1", "feed": "stream", "hidden": 200, "embedding": 200, "layers": 2, "tie": True,
    "dropout": 0.2, "batch_size": 20, "bptt": 35, "optimizer": "sgd", "lr": 20.0, "clip": "norm",
    "clip_threshold": 0.25, "eval_every": 0, "checkpoint_seconds": 0.0, "good_seconds": 0.0, "divergence": "off",
    "device": "cpu",
}  # fmt: skip
ADAPTIVE: dict[str, Any] = {"tie": False, "softmax": "adaptive"}
VALIDATION_TOKENS = 20_000


class Turn(NamedTuple):
    """Tokens per second in one turn, by the clock and by processor time."""

    clock: float
    processor: float


@dataclass(frozen=True)
class Row:
    """The results of one way to train."""

    name: str
    turns: list[Turn]
    ratio: float
    """Median ratio of tokens per second to the plain loop's, by the clock."""
    processor_ratio: float
    steps: int
    loss: float
    """Validation loss, nats per token, after that many steps."""


class Plain:
    """The training loop of word_language_model."""

    def __init__(self, config: RunConfig, corpus: EncodedCorpus) -> None:
        torch.manual_seed(config.seed)
        self._config, self._corpus = config, corpus
        size = config.hidden
        self.embedding = nn.Embedding(corpus.tokenizer.size, size)
        self.rnn = nn.LSTM(size, size, config.layers, dropout=config.dropout)
        self.decoder = nn.Linear(size, corpus.tokenizer.size)
        self.decoder.weight = self.embedding.weight
        nn.init.uniform_(self.embedding.weight, -0.1, 0.1)
        nn.init.zeros_(self.decoder.bias)
        self.drop = nn.Dropout(config.dropout)
        self.parameters = [*self.rnn.parameters(), *self.decoder.parameters()]
        self._feed = make_feed(corpus.train, "stream", config.batch_size, config.bptt, config.seed)
        self._state: tuple[Tensor, Tensor] | None = None

    def step(self) -> None:
        batch = self._feed.next()
        data, targets = torch.from_numpy(batch.inputs.T), torch.from_numpy(batch.targets.T).flatten()
        for parameter in self.parameters:
            parameter.grad = None
        output, state = self.rnn(self.drop(self.embedding(data)), self._state)
        self._state = (state[0].detach(), state[1].detach())
        decoded = self.decoder(self.drop(output)).view(-1, self._corpus.tokenizer.size)
        loss = nn.functional.nll_loss(torch.log_softmax(decoded, dim=1), targets)
        loss.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(self.parameters, self._config.clip_threshold)
        with torch.no_grad():
            for parameter in self.parameters:
                assert parameter.grad is not None
                parameter.add_(parameter.grad, alpha=-self._config.lr)
        loss.item()

    def model(self) -> LanguageModel:
        model = LanguageModel(self._config, self._corpus.tokenizer.size)
        tensors = {f"rnn.{name}": tensor for name, tensor in self.rnn.state_dict().items()}
        tensors |= {"embedding.weight": self.embedding.weight.detach(), "output.bias": self.decoder.bias.detach()}
        model.load_weights(tensors)
        return model


class Ours:
    """rnnplay's whole trainer, with its records on disk, starting from the weights of `other`."""

    def __init__(self, config: RunConfig, corpus: EncodedCorpus, folder: Path, other: Plain) -> None:
        self.records: list[Record] = []
        self._trainer = Trainer(config, corpus, RunFolder(folder), self.records.append)
        own, begins = self._trainer.raw_model.weights(), other.model().weights()
        self._trainer.raw_model.load_weights({name: begins.get(name, tensor) for name, tensor in own.items()})

    def step(self) -> None:
        self._trainer.advance()

    def model(self) -> LanguageModel:
        return self._trainer.model


class Contender:
    """One way to train, with its turns so far and its loss at the final step."""

    def __init__(self, way: Plain | Ours, corpus: EncodedCorpus, config: RunConfig, at: int) -> None:
        self._way, self._corpus, self._at = way, corpus, at
        self._tokens = config.batch_size * config.bptt
        self._steps = 0
        self.turns: list[Turn] = []
        self.loss = float("nan")

    def step(self) -> tuple[float, float]:
        """Trains one step; returns its seconds, by the clock and of the processor, without measuring the loss."""
        clock, processor = time.perf_counter(), time.process_time()
        self._way.step()
        took = time.perf_counter() - clock, time.process_time() - processor
        self._steps += 1
        if self._steps == self._at:
            model, corpus = self._way.model(), self._corpus
            self.loss = evaluate(model, corpus.validation, "stream", corpus.tokenizer, limit=VALIDATION_TOKENS).loss
        return took

    def turn(self, seconds: float) -> None:
        """Trains for that long."""
        took = [self.step()]
        while sum(clock for clock, _ in took) < seconds:
            took.append(self.step())
        tokens = self._tokens * len(took)
        self.turns.append(Turn(*(tokens / sum(kind) for kind in zip(*took, strict=True))))

    def finish(self) -> None:
        """Trains up to the step whose loss is compared."""
        while self._steps < self._at:
            self.step()


def measure(
    corpus_path: str, threads: int = 1, turns: int = 5, seconds: float = 6.0, steps: int = 150, epoch: bool = False
) -> list[Row]:
    """Measures the plain loop, the full softmax and the adaptive one."""
    with tempfile.TemporaryDirectory() as place:
        workspace = Workspace(Path(place)).create()
        config = RunConfig(corpus=corpus_path, threads=threads, **RECIPE)
        adaptive = RunConfig(corpus=corpus_path, threads=threads, **{**RECIPE, **ADAPTIVE})
        corpus = encode_corpus(find_corpus(corpus_path, workspace), config, workspace.cache)
        torch.set_num_threads(threads)
        torch.set_flush_denormal(True)
        at = corpus.train.tokens // config.batch_size // config.bptt if epoch else steps
        plain = Plain(config, corpus)
        ways: dict[str, Plain | Ours] = {
            "word_language_model, plain": plain,
            "rnnplay, full softmax": Ours(config, corpus, workspace.checkpoints / "full", plain),
            "rnnplay, adaptive softmax": Ours(adaptive, corpus, workspace.checkpoints / "adaptive", plain),
        }
        contenders = {name: Contender(way, corpus, config, at) for name, way in ways.items()}
        for contender in contenders.values():  # warm-up: memory is allocated, threads start
            contender.step()
        for _ in range(turns):
            for contender in contenders.values():
                contender.turn(seconds)
        for contender in contenders.values():
            contender.finish()
    base = next(iter(contenders.values())).turns
    return [
        Row(
            name,
            own.turns,
            statistics.median(one.clock / other.clock for one, other in zip(own.turns, base, strict=True)),
            statistics.median(one.processor / other.processor for one, other in zip(own.turns, base, strict=True)),
            at,
            own.loss,
        )
        for name, own in contenders.items()
    ]


def main() -> None:
    parser = options_of("benchmarks.speed.words", __doc__)
    parser.add_argument("--corpus", required=True, help="a text of words, such as WikiText-2's train.txt")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--turns", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=6.0, help="of one turn")
    parser.add_argument("--steps", type=int, default=150, help="after which losses are compared")
    parser.add_argument("--epoch", action="store_true", help="compare losses after a whole pass instead")
    given = parser.parse_args()
    for row in measure(given.corpus, given.threads, given.turns, given.seconds, given.steps, given.epoch):
        speed = statistics.median(turn.clock for turn in row.turns)
        print(
            f"{row.name:28s} {speed:8,.0f} tokens/s   {row.ratio:5.2f}× by the clock   {row.processor_ratio:5.2f}× by "
            f"processor time   validation {row.loss:.3f} nats after {row.steps:,} steps",
            flush=True,
        )


if __name__ == "__main__":
    main()
