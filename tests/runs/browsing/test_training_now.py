"""Runs that are being trained are known by their lock, and their pace by their last records."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from rnnplay.runs.browsing.training_now import Training, changed_lately, training_of
from rnnplay.runs.lock import Holder, RunLock
from rnnplay.runs.metrics.metrics_log import encode_lines
from rnnplay.runs.metrics.records import Finished, Record, Step


def steps(*numbers: int, tokens: int = 1000, speed: float = 5000.0) -> list[Record]:
    return [
        Step(
            step=number,
            loss=1.0,
            grad_norm=1.0,
            grad_norm_clipped=1.0,
            clipped=False,
            lr=0.1,
            tokens=number * tokens,
            tokens_per_second=speed,
        )
        for number in numbers
    ]


def written(folder: Path, records: list[Record], age: float = 0.0) -> None:
    (folder / "metrics.jsonl").write_bytes(encode_lines(records))
    os.utime(folder / "metrics.jsonl", (time.time() - age,) * 2)


def test_only_a_locked_run_is_being_trained(tmp_path: Path) -> None:
    written(tmp_path, steps(*range(1, 200)))
    assert training_of(tmp_path) is None
    lock = RunLock.take(tmp_path)
    found = training_of(tmp_path)
    assert found is not None and found.step == 199 and found.steps_per_second == pytest.approx(5.0)
    assert found.who == Holder(os.getpid())
    lock.release()
    assert training_of(tmp_path) is None
    assert training_of(tmp_path / "missing") is None


@pytest.mark.parametrize(
    ("records", "age", "step", "pace"),
    [
        ([], 0, 0, None),
        (steps(1), 0, 1, None),
        (steps(7, 8, 9, 4, 5, 6), 0, 6, 5.0),  # rolled back
        (steps(1, 2, 3, speed=float("nan")), 0, 3, None),
        (steps(1, 2, 3), 60, 3, None),  # paused
        (steps(1, 2, 3, tokens=1_000_000), 60, 3, 0.005),  # a step takes 200 s
    ],
)
def test_the_pace_is_that_of_the_last_steps(
    tmp_path: Path, records: list[Record], age: float, step: int, pace: float | None
) -> None:
    lock = RunLock.take(tmp_path)
    written(tmp_path, records, age)
    found = training_of(tmp_path)
    assert found is not None and found.step == step
    assert found.steps_per_second == (pytest.approx(pace) if pace is not None else None)
    lock.release()


def test_a_run_of_another_machine_is_seen_where_locks_are_not_passed_on(tmp_path: Path) -> None:
    (tmp_path / "run.lock").write_text("17 other-machine\n")
    written(tmp_path, steps(1, 2, 3))
    found = training_of(tmp_path)
    assert found is not None and found.who == Holder(17, "other-machine")
    written(tmp_path, [*steps(1, 2, 3), Finished(step=3, reason="length")])
    assert training_of(tmp_path) is None
    written(tmp_path, steps(1, 2, 3), age=60)
    assert training_of(tmp_path) is None


def test_a_torn_or_strange_end_is_no_harm(tmp_path: Path) -> None:
    lock = RunLock.take(tmp_path)
    data = encode_lines(steps(*range(1, 2000)))
    (tmp_path / "metrics.jsonl").write_bytes(data[:-40] + b"\xff\xfe")
    found = training_of(tmp_path)
    assert found is not None and found.step == 1998
    lock.release()


def test_old_files_need_no_look(tmp_path: Path) -> None:
    now = time.time()
    assert not changed_lately(str(tmp_path), now)
    written(tmp_path, [], age=1000)
    assert not changed_lately(str(tmp_path), now)
    written(tmp_path, [])
    assert changed_lately(str(tmp_path), now)


def test_a_pace_in_words() -> None:
    texts = [Training(Holder(), 1, pace).text for pace in (123.4, 9.94, 0.1, 0.001, None)]
    assert texts == ["123 steps/s", "9.9 steps/s", "0.1 steps/s", "<0.1 steps/s", "training"]
