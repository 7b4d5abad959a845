"""Compares tokens of characters, bytes, byte pairs and words after equal minutes of training.

    python -m benchmarks.tokens --corpus …/tinyshakespeare.txt [--minutes 2] [--seed 1] [--kinds char,byte,bpe,word]

The settings are those of the preset `shakespeare-2min` on one thread; only what a token is differs. The trainings take
turns of two seconds, so that other work on the machine falls on all alike. Bits per character are of the whole
validation text, of which all have the same characters: see docs/architecture.md.
"""

from __future__ import annotations

import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import torch

from benchmarks import options_of
from rnnplay.config import RunConfig, with_values
from rnnplay.presets import find_preset
from rnnplay.runs.folder import RunFolder
from rnnplay.text.corpora.catalogue import find_corpus
from rnnplay.text.encoding.encoded import EncodedCorpus, encode_corpus
from rnnplay.training.evaluation import evaluate
from rnnplay.training.trainer import Trainer
from rnnplay.workspace import Workspace

TURN_SECONDS = 2.0
KINDS = ("char", "byte", "bpe", "word")


@dataclass
class Training:
    """One of the trainings, and the seconds that preparing its text took."""

    config: RunConfig
    corpus: EncodedCorpus
    trainer: Trainer
    encoding_seconds: float
    over: bool = False

    def turn(self, seconds: float) -> None:
        """Trains for that long, or until it has had its minutes."""
        self.trainer.unpause()
        end = time.monotonic() + seconds
        while not self.over and time.monotonic() < end:
            self.over = self.trainer.advance() is not None
        if not self.over:
            self.trainer.pause()


def train(corpus: str, kinds: list[str], minutes: float, seed: int) -> list[Training]:
    """Trains one model for each kind of token."""
    with tempfile.TemporaryDirectory() as place:
        workspace = Workspace(Path(place)).create()
        values = find_preset("shakespeare-2min").values
        base = with_values(RunConfig(), {**values, "corpus": corpus, "minutes": minutes, "seed": seed, "threads": 1})
        torch.set_num_threads(1)
        trainings = []
        for kind in kinds:
            config = with_values(base, {"tokens": kind, "sample_prompts": "off"})
            began = time.monotonic()
            encoded = encode_corpus(find_corpus(corpus, workspace), config, workspace.cache)
            took = time.monotonic() - began
            trainer = Trainer(config, encoded, RunFolder(workspace.checkpoints / kind), lambda _: None)
            trainer.pause()
            trainings.append(Training(config, encoded, trainer, took))
        while not all(one.over for one in trainings):
            for one in trainings:
                if not one.over:
                    one.turn(TURN_SECONDS)
        for one in trainings:
            report(one)
            one.trainer.close()
    return trainings


def report(one: Training) -> None:
    """Prints a line of what was reached."""
    found = evaluate(one.trainer.model, one.corpus.validation, one.corpus.feed, one.corpus.tokenizer)
    total = one.corpus.train.tokens + one.corpus.validation.tokens + one.corpus.test.tokens
    characters = one.corpus.train.characters + one.corpus.validation.characters + one.corpus.test.characters
    print(
        f"{one.config.tokens:5s} V {one.corpus.tokenizer.size:6,}   {characters / total:5.2f} characters a token   "
        f"{one.trainer.model.size / 1e6:5.2f} M parameters   {one.trainer.step:6,} steps   "
        f"{one.trainer.tokens / one.trainer.seconds:8,.0f} tokens/s   "
        f"{one.trainer.tokens / one.corpus.train.tokens:6.2f} epochs   loss {found.loss:.4f}   "
        f"bits per character {found.bits_per_character:.4f}   text prepared in {one.encoding_seconds:.1f} s",
        flush=True,
    )


def main() -> None:
    parser = options_of("benchmarks.tokens", __doc__)
    parser.add_argument("--corpus", required=True)
    parser.add_argument("--kinds", default=",".join(KINDS))
    parser.add_argument("--minutes", type=float, default=2.0)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    train(given.corpus, given.kinds.split(","), given.minutes, given.seed)


if __name__ == "__main__":
    main()
