"""Compares tokens of characters, bytes, byte pairs and words after equal minutes of training, in a Markdown table.

    python -m benchmarks.tokens FILE… [--minutes 2] [--seed 1] [--kinds char,byte,bpe,word] [--characters 2000]

The settings are those of the preset `shakespeare-2min` on one thread; only what a token is differs. The trainings on a
text take turns of two seconds, so that other work on the machine falls on all alike. Bits per character are of the
whole validation text (5%, at most 100 kB), of which all have the same characters (docs/architecture.md); keystrokes
are those that completion saves who writes its first --characters (docs/commands.md). Trainings and measurements take
turns on one core, so that two texts and two minutes take some 25 minutes of a quiet machine.
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import torch

from benchmarks import options_of
from rnnplay.config import RunConfig, with_values
from rnnplay.model.generation.completion import Completer
from rnnplay.model.generation.keystrokes import Saved, keystrokes_saved
from rnnplay.presets import find_preset
from rnnplay.runs.folder import RunFolder
from rnnplay.text.corpora.catalogue import find_corpus
from rnnplay.text.encoding.encoded import EncodedCorpus, encode_corpus
from rnnplay.training.evaluation import evaluate
from rnnplay.training.trainer import Trainer
from rnnplay.workspace import Workspace

TURN_SECONDS = 2.0
MOST_VALIDATION = 100_000
"""Bytes of the validation text; 5% of a text that is not large."""
KINDS = ("char", "byte", "bpe", "word")
SETTINGS: dict[str, object] = {}
"""What differs from the preset, for tests."""


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


@dataclass(frozen=True)
class Row:
    """What one of the trainings reached."""

    text: str
    kind: str
    vocabulary: int
    characters_per_token: float
    parameters: int
    steps: int
    tokens_per_second: float
    epochs: float
    loss: float
    """Nats per token of the validation text."""
    bits_per_character: float
    saved: Saved
    seconds: float
    """What preparing the text took."""

    def cells(self) -> list[str]:
        """The cells of the table."""
        return [
            self.text,
            self.kind,
            f"{self.vocabulary:,}",
            f"{self.characters_per_token:.2f}",
            f"{self.parameters / 1e6:.2f} M",
            f"{self.steps:,}",
            f"{self.tokens_per_second:,.0f}",
            f"{self.epochs:.2f}",
            f"{self.loss:.4f}",
            f"{self.bits_per_character:.4f}",
            f"{self.saved.word:.1%}",
            f"{self.saved.phrase:.1%}",
            f"{self.saved.one_of_five:.1%}",
            f"{self.seconds:.1f}",
        ]


COLUMNS = (
    "text", "tokens", "vocabulary", "characters a token", "parameters", "steps", "tokens/s", "epochs", "loss",
    "bits per character", "saved: word", "phrase", "one of five", "text prepared in s",
)  # fmt: skip


def measure(corpus: str, kinds: list[str], minutes: float, seed: int, characters: int) -> Iterator[Row]:
    """Trains one model for each kind of token, and yields what each reached."""
    with tempfile.TemporaryDirectory() as place:
        workspace = Workspace(Path(place)).create()
        values = {**find_preset("shakespeare-2min").values, **SETTINGS}
        # Of a large text a smaller part is enough, and all of it is read four times.
        part = round(min(5.0, MOST_VALIDATION / Path(corpus).stat().st_size * 100), 2)
        values["split"] = f"{100 - 2 * part:g}/{part:g}/{part:g}"
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
            yield result(one, characters)
            one.trainer.close()


def result(one: Training, characters: int) -> Row:
    """Evaluates a model."""
    corpus, trainer, tokenizer = one.corpus, one.trainer, one.corpus.tokenizer
    found = evaluate(trainer.model, corpus.validation, corpus.feed, tokenizer)
    # A token is at least a byte, and a character of UTF-8 at most four of them.
    written = tokenizer.decode(corpus.validation.ids[: 4 * characters].tolist())[:characters]
    parts = (corpus.train, corpus.validation, corpus.test)
    return Row(
        Path(one.config.corpus).stem,
        one.config.tokens,
        tokenizer.size,
        sum(part.characters for part in parts) / sum(part.tokens for part in parts),
        trainer.model.size,
        trainer.step,
        trainer.tokens / trainer.seconds,
        trainer.tokens / corpus.train.tokens,
        found.loss,
        found.bits_per_character,
        keystrokes_saved(Completer(trainer.model, tokenizer, words=trainer.words), written),
        one.encoding_seconds,
    )


def main() -> None:
    parser = options_of("benchmarks.tokens", __doc__)
    parser.add_argument("corpora", nargs="+", metavar="FILE")
    parser.add_argument("--kinds", default=",".join(KINDS))
    parser.add_argument("--minutes", type=float, default=2.0)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--characters", type=int, default=2000, help="that are written, to count keystrokes")
    given = parser.parse_args()
    load = os.getloadavg()[0] if hasattr(os, "getloadavg") else 0.0
    print(f"{given.minutes:g} minutes each on one thread, seed {given.seed}; load of the machine before: {load:.1f}\n")
    print(f"| {' | '.join(COLUMNS)} |\n|{' --- |' * len(COLUMNS)}", flush=True)
    for corpus in given.corpora:
        began = time.monotonic()
        for row in measure(corpus, given.kinds.split(","), given.minutes, given.seed, given.characters):
            print(f"| {' | '.join(row.cells())} |", flush=True)
        print(f"{corpus}: {time.monotonic() - began:.0f} s in all", file=sys.stderr)


if __name__ == "__main__":
    main()
