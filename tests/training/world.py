"""A small world to train in: a text of simple sentences, its workspace, and trainers of tiny models on it."""

from __future__ import annotations

import math
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

from rnnplay.common.working_time import WorkingTime
from rnnplay.config import RunConfig
from rnnplay.runs.folder import RunFolder
from rnnplay.runs.metrics.records import Finished, Record, Step
from rnnplay.text.corpora.catalogue import find_corpus
from rnnplay.text.encoding.encoded import EncodedCorpus, encode_corpus
from rnnplay.training.trainer import Trainer
from rnnplay.workspace import Workspace

TINY: dict[str, Any] = {
    "embedding": 6,
    "hidden": 10,
    "batch_size": 4,
    "bptt": 12,
    "steps": 20,
    "eval_every": 0,
    "checkpoint_seconds": 0.0,
    "threads": 1,
    "device": "cpu",
    "precision": "float32",
    "sample_prompts": "off",
}


class World:
    """A workspace with one text, and what was emitted by its trainers."""

    def __init__(self, root: Path) -> None:
        self.workspace = Workspace(root).create()
        draw = random.Random(0)
        names, verbs = ["Ann", "Bob", "Cleo"], ["sees", "likes", "finds"]
        lines = [f"{draw.choice(names)} {draw.choice(verbs)} {draw.choice(names)}." for _ in range(300)]
        self.text = self.workspace.corpora / "tiny.txt"
        self.text.write_text("\n".join(lines) + "\n", encoding="utf-8")
        self.emitted: list[Record] = []
        self._alive: list[Trainer] = []

    def config(self, **values: Any) -> RunConfig:
        return RunConfig(**{"corpus": str(self.text), **TINY, **values})

    def encode(self, config: RunConfig) -> EncodedCorpus:
        return encode_corpus(find_corpus(config.corpus, self.workspace), config, self.workspace.cache)

    def folder(self, name: str = "run") -> RunFolder:
        return RunFolder(self.workspace.checkpoints / name)

    def trainer(self, config: RunConfig, name: str = "run") -> Trainer:
        return self._living(Trainer(config, self.encode(config), self.folder(name), self.emitted.append))

    def resume(self, config: RunConfig | None = None, name: str = "run", checkpoint: str = "latest") -> Trainer:
        """Those that trained it so far die here, with what they had not yet written."""
        self.kill()
        folder = self.folder(name)
        config = config or folder.info().config
        encoded = self.encode(config)
        return self._living(Trainer.resume(config, encoded, folder, self.emitted.append, checkpoint=checkpoint))

    def kill(self) -> None:
        """As the end of their process would, the trainers lose their locks and no more."""
        for trainer in self._alive:
            trainer._saver.lock.release()
        self._alive.clear()

    def _living(self, trainer: Trainer) -> Trainer:
        self._alive.append(trainer)
        return trainer

    def steps(self, name: str = "run") -> list[tuple[Any, ...]]:
        """The step records on disk, but for how fast they went."""
        return [
            (record.step, record.loss, record.grad_norm, record.grad_norm_clipped, record.lr, record.tokens)
            for record in self.folder(name).metrics()
            if isinstance(record, Step)
        ]


def run_to_end(trainer: Trainer, at_most: int = 10_000) -> Finished:
    """Until it says Finished."""
    for _ in range(at_most):
        finished = trainer.advance()
        if finished is not None:
            return finished
    raise AssertionError(f"not finished after {at_most} steps")


def busy_clock(wall: Callable[[], float]) -> WorkingTime:
    """The clock of a process that works all the time; `wall` tells it, and no jump of that is waited out."""
    clock = WorkingTime(wall, lambda _: {0: wall()})
    clock._gap = math.inf
    return clock
