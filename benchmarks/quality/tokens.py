"""Compares tokens of characters, bytes, byte pairs and words after equal minutes of training, in a Markdown table.

    python -m benchmarks.quality.tokens FILE… [--minutes 2] [--seed 1] [--kinds char,byte,bpe,word] [--characters 2000]
    python -m benchmarks.quality.tokens FILE… --steps-from-rate rates.json [--seconds 10]
    python -m benchmarks.quality.tokens FILE… --rates rates.json [--minutes 2]

The settings are those of the preset `shakespeare-2min` on one thread, without validations on the way; only what a token
is differs. Bits per character are of the whole validation text (5%, at most 100 kB), of which all have the same
characters (docs/architecture.md); keystrokes are those that completion saves who writes its first --characters
(docs/commands.md).

The first line trains by the clock: the trainings on a text take turns of two seconds on one core, so that other work on
the machine falls on all alike. What a model reaches then depends on that work. The other two do not: on a quiet machine
`--steps-from-rate` measures the steps a second of each kind, in turns, for --seconds each, prints them and writes them
to a file; `--rates` trains each kind, whatever else the machine does, for the steps of so many minutes at that rate, a
process for each text.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import Any

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

Rates = dict[str, dict[str, float]]
"""Steps a second by the text's whole path, and by the kind of token."""


@dataclass
class Training:
    """One of the trainings, and the seconds that preparing its text took."""

    config: RunConfig
    corpus: EncodedCorpus
    trainer: Trainer
    encoding_seconds: float
    over: bool = False

    def turn(self, seconds: float) -> None:
        """Trains for that long, or until it has reached its length."""
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


class Comparison:
    """The trainings on one text, each begun when it is asked for, on one thread."""

    def __init__(self, corpus: str, seed: int, place: Path) -> None:
        torch.set_num_threads(1)
        self._corpus, self._workspace = corpus, Workspace(place).create()
        # Of a large text a smaller part is enough, and all of it is read four times.
        part = round(min(5.0, MOST_VALIDATION / Path(corpus).stat().st_size * 100), 2)
        split = f"{100 - 2 * part:g}/{part:g}/{part:g}"
        quietly = {"sample_prompts": "off", "eval_every": 0, "checkpoint_every": 0, "checkpoint_seconds": 0}
        values = {**find_preset("shakespeare-2min").values, **quietly, **SETTINGS}
        self._base = with_values(RunConfig(), {**values, "split": split, "corpus": corpus, "seed": seed, "threads": 1})

    def begin(self, kind: str, **length: float) -> Training:
        """Prepares the text for that kind of token, and begins a training that is paused."""
        config = with_values(self._base, {"tokens": kind, **length})
        began = time.monotonic()
        encoded = encode_corpus(find_corpus(self._corpus, self._workspace), config, self._workspace.cache)
        took = time.monotonic() - began
        trainer = Trainer(config, encoded, RunFolder(self._workspace.checkpoints / kind), lambda _: None)
        trainer.pause()
        return Training(config, encoded, trainer, took)


@contextmanager
def comparison(corpus: str, seed: int) -> Iterator[Comparison]:
    """A comparison whose runs are kept as long as it lasts."""
    with tempfile.TemporaryDirectory() as place:
        yield Comparison(corpus, seed, Path(place))


def by_the_clock(corpus: str, kinds: list[str], minutes: float, seed: int, characters: int) -> Iterator[Row]:
    """Trains one model for each kind of token, in turns, and yields what each reached."""
    with comparison(corpus, seed) as compared:
        trainings = [compared.begin(kind, minutes=minutes) for kind in kinds]
        while not all(one.over for one in trainings):
            for one in trainings:
                if not one.over:
                    one.turn(TURN_SECONDS)
        for one in trainings:
            yield result(one, characters, one.trainer.tokens / one.trainer.seconds)
            one.trainer.close()


def by_rates(
    corpus: str, kinds: list[str], minutes: float, seed: int, characters: int, rates: dict[str, float]
) -> list[Row]:
    """Trains one model for each kind of token for the steps that `minutes` have at its rate in `rates`."""
    rows = []
    with comparison(corpus, seed) as compared:
        for kind in kinds:
            steps = max(1, round(rates[kind] * minutes * 60))
            one = compared.begin(kind, steps=steps)
            while not one.over:
                one.turn(TURN_SECONDS)
            rows.append(result(one, characters, one.trainer.tokens / one.trainer.step * rates[kind]))
            one.trainer.close()
            print(f"{Path(corpus).stem}, {kind}: {steps:,} steps", file=sys.stderr, flush=True)
    return rows


def result(one: Training, characters: int, tokens_per_second: float) -> Row:
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
        tokens_per_second,
        trainer.tokens / corpus.train.tokens,
        found.loss,
        found.bits_per_character,
        keystrokes_saved(Completer(trainer.model, tokenizer, words=trainer.words), written),
        one.encoding_seconds,
    )


def measure_rates(corpora: list[str], kinds: list[str], seconds: float, seed: int) -> Rates:
    """Measures the steps a second of each kind on each text: all kinds of all texts take turns of two seconds."""
    rates: Rates = {}
    for corpus in corpora:
        with comparison(corpus, seed) as compared:
            trainings = {kind: compared.begin(kind, minutes=1e6) for kind in kinds}
            for one in trainings.values():
                one.trainer.unpause()  # the first step is slower, and is not counted
                one.trainer.advance()
                one.trainer.pause()
            took = dict.fromkeys(kinds, 0.0)
            while min(took.values()) < seconds:
                for kind, one in trainings.items():
                    began = time.perf_counter()
                    one.turn(TURN_SECONDS)
                    took[kind] += time.perf_counter() - began
            rates[str(Path(corpus).resolve())] = {
                kind: (one.trainer.step - 1) / took[kind] for kind, one in trainings.items()
            }
            for one in trainings.values():
                one.trainer.close()
    return rates


def _load() -> str:
    load = os.getloadavg()[0] if hasattr(os, "getloadavg") else 0.0
    return f"load of the machine before: {load:.1f}"


def _print_table(rows: Iterator[Row] | list[Row]) -> None:
    for row in rows:
        print(f"| {' | '.join(row.cells())} |", flush=True)


def _write_rates(given: Any, kinds: list[str]) -> None:
    about = f"steps a second on one thread, {given.seconds:g} seconds each in turns; {_load()}"
    print(about, flush=True)
    rates = measure_rates(given.corpora, kinds, given.seconds, given.seed)
    for corpus, found in rates.items():
        print(f"{corpus}: {', '.join(f'{kind} {rate:.3f}' for kind, rate in found.items())}")
    Path(given.steps_from_rate).write_text(json.dumps({"about": about, "steps_per_second": rates}, indent=2) + "\n")


def _read_rates(given: Any, kinds: list[str]) -> tuple[str, Rates]:
    """What the file says of itself, and its rates; exits with a sentence where it lacks one that is needed."""
    try:
        written = json.loads(Path(given.rates).read_text())
        about, rates = str(written["about"]), written["steps_per_second"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        sys.exit(f"{given.rates} is no file of rates ({error}); make one with --steps-from-rate.")
    for corpus in given.corpora:
        lacking = [kind for kind in kinds if kind not in rates.get(str(Path(corpus).resolve()), {})]
        if lacking:
            sys.exit(f"{given.rates} has no rate of {', '.join(lacking)} for {corpus}; measure with --steps-from-rate.")
    return about, rates


def main() -> None:
    parser = options_of("benchmarks.quality.tokens", __doc__)
    parser.add_argument("corpora", nargs="+", metavar="FILE")
    parser.add_argument("--kinds", default=",".join(KINDS))
    parser.add_argument("--minutes", type=float, default=2.0)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--characters", type=int, default=2000, help="that are written, to count keystrokes")
    parser.add_argument("--seconds", type=float, default=10.0, help="each kind trains, to measure its rate")
    how = parser.add_mutually_exclusive_group()
    how.add_argument("--steps-from-rate", metavar="FILE", help="only measure steps a second, and write them to FILE")
    how.add_argument("--rates", metavar="FILE", help="train for steps, at the rates in FILE")
    given = parser.parse_args()
    kinds = given.kinds.split(",")
    if given.steps_from_rate:
        _write_rates(given, kinds)
        return
    table = f"| {' | '.join(COLUMNS)} |\n|{' --- |' * len(COLUMNS)}"
    settings = (kinds, given.minutes, given.seed, given.characters)
    if given.rates:
        about, rates = _read_rates(given, kinds)
        print(f"The steps of {given.minutes:g} minutes, seed {given.seed}, by {about}\n\n{table}", flush=True)
        wanted = [(corpus, *settings, rates[str(Path(corpus).resolve())]) for corpus in given.corpora]
        if len(wanted) == 1:
            _print_table(by_rates(*wanted[0]))
            return
        with ProcessPoolExecutor(len(wanted), get_context("spawn")) as processes:
            for future in [processes.submit(by_rates, *one) for one in wanted]:
                _print_table(future.result())
        return
    print(f"{given.minutes:g} minutes each on one thread, seed {given.seed}; {_load()}\n\n{table}", flush=True)
    for corpus in given.corpora:
        began = time.monotonic()
        _print_table(by_the_clock(corpus, *settings))
        print(f"{corpus}: {time.monotonic() - began:.0f} s in all", file=sys.stderr)


if __name__ == "__main__":
    main()
