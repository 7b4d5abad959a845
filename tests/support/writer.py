"""Writes a run's files as the process that trains it does, without training."""

from __future__ import annotations

from pathlib import Path

from rnnplay.config import RunConfig
from rnnplay.runs.folder import RunFolder, RunInfo
from rnnplay.runs.lock import RunLock
from rnnplay.runs.metrics.metrics_log import encode_lines
from rnnplay.runs.metrics.records import Record, Step, Validation

CREATED = "2026-01-01T00:00:00.000+00:00"


class Writer:
    """In place of the process that trains."""

    def __init__(self, path: Path, created: str = CREATED) -> None:
        path.mkdir(parents=True)
        self.folder = RunFolder(path)
        self.info = RunInfo(
            run=path.name,
            config=RunConfig(steps=1000),
            corpus_sha256="",
            rnnplay="0",
            torch="2",
            created=created,
            parameters=9,
            vocabulary=9,
        )
        self.folder.write_info(self.info)
        self.file = path / "metrics.jsonl"
        self.file.touch()
        self.lock = RunLock.take(path)

    def write(self, *records: Record) -> None:
        with self.file.open("ab") as file:
            file.write(encode_lines([*records]))

    def steps(self, first: int, last: int, loss: float = 2.0) -> None:
        self.write(*(step(number, loss) for number in range(first, last + 1)))

    def cut(self, after_step: int) -> None:
        self.folder.log.cut(after_step)


def step(number: int, loss: float = 2.0) -> Step:
    return Step(
        step=number,
        loss=loss,
        grad_norm=1.0,
        grad_norm_clipped=1.0,
        clipped=False,
        lr=0.1,
        tokens=100 * number,
        tokens_per_second=1e4,
    )


def validation(number: int) -> Validation:
    return Validation(step=number, loss=1.0, perplexity=2.7, bits_per_character=1.4)
