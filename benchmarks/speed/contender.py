"""Runs one side of a duel in its own process: trains for as many seconds as each line of standard input says.

    python -m benchmarks.speed.contender bare '{"cell": "lstm", "layers": 1, "hidden": 256}' --threads 1

Its first line of output is "ready"; then each line of input, a number of seconds, is answered with a line of JSON:
tokens, seconds of the clock, seconds of the processor. So each side has its own allocator and its own threads, and
sleeps while the other runs.
"""

from __future__ import annotations

import json
import random
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

from benchmarks import options_of
from benchmarks.speed.baselines import Shape, Step, bare_loop, layers_alone, products_alone
from rnnplay.config import RunConfig
from rnnplay.runs.folder import RunFolder
from rnnplay.text.corpora.catalogue import find_corpus
from rnnplay.text.encoding.encoded import EncodedCorpus, encode_corpus
from rnnplay.training.trainer import Trainer
from rnnplay.workspace import Workspace

WARM_UP = 3


def random_text(vocabulary: int) -> str:
    """Generates a text with that many different characters or, from 10,000 on, words."""
    rng = random.Random(1)
    if vocabulary < 10_000:
        letters = [chr(code) for code in range(0x20, 0x20 + vocabulary - 1)]  # one less, for <unk>
        return "".join(rng.choices(letters, k=400_000))
    words = ["".join(chr(97 + number // 26**place % 26) for place in range(4)) for number in range(vocabulary)]
    often = rng.choices(words, [1 / (rank + 1) for rank in range(vocabulary)], k=300_000)
    return " ".join(words + often)


def as_config(shape: Shape, path: Path, precision: str, threads: int) -> RunConfig:
    """Returns rnnplay's settings for the same training."""
    values: dict[str, Any] = {
        "corpus": str(path), "tokens": "word" if shape.vocabulary > 10_000 else "char", "min_count": 1,
        "max_vocabulary": shape.vocabulary, "cell": shape.cell, "layers": shape.layers, "hidden": shape.hidden,
        "embedding": shape.embedding or shape.hidden, "batch_size": shape.batch, "bptt": shape.bptt,
        "dropout": shape.dropout, "optimizer": shape.optimizer, "momentum": 0.0, "lr": shape.lr,
        "clip_threshold": shape.clip, "schedule": "constant", "divergence": "off", "eval_every": 0,
        "device": "cpu", "precision": precision, "threads": threads,
    }  # fmt: skip
    return RunConfig(**values)


def prepared(shape: Shape, home: Path, precision: str, threads: int) -> tuple[RunConfig, EncodedCorpus, Workspace]:
    workspace = Workspace(home).create()
    path = home / "text.txt"
    path.write_text(random_text(shape.vocabulary), encoding="utf-8")
    config = as_config(shape, path, precision, threads)
    return config, encode_corpus(find_corpus(config.corpus, workspace), config, workspace.cache), workspace


def whole_trainer(shape: Shape, home: Path, precision: str, threads: int) -> Step:
    """Returns the step of `rnnplay train`, with all that it does."""
    config, corpus, workspace = prepared(shape, home, precision, threads)
    trainer = Trainer(config, corpus, RunFolder(workspace.checkpoints / "run"), lambda _: None)

    def step() -> int:
        trainer.advance()
        return shape.batch * shape.bptt

    return step


CONTENDERS: dict[str, Callable[[Shape, Path, str, int], Step]] = {
    "bare": lambda shape, *_: bare_loop(shape),
    "rnnplay": whole_trainer,
    "layers": lambda shape, *_: layers_alone(shape),
    "products": lambda shape, *_: products_alone(shape),
}


def main() -> None:
    parser = options_of("benchmarks.speed.contender", __doc__)
    parser.add_argument("contender", choices=CONTENDERS)
    parser.add_argument("shape")
    parser.add_argument("--precision", default="float32")
    parser.add_argument("--threads", type=int, default=1)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as home:
        shape = Shape(**json.loads(options.shape))
        step = CONTENDERS[options.contender](shape, Path(home), options.precision, options.threads)
        for _ in range(WARM_UP):
            step()
        print("ready", flush=True)
        for line in sys.stdin:
            tokens, began, used = 0, time.perf_counter(), time.process_time()
            while time.perf_counter() - began < float(line):
                tokens += step()
            print(json.dumps([tokens, time.perf_counter() - began, time.process_time() - used]), flush=True)


if __name__ == "__main__":
    main()
