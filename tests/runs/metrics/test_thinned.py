"""A run's history is read in little memory and time however long it is, with the help of a thinned copy beside it."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterable
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from rnnplay.config import RunConfig
from rnnplay.errors import InputError
from rnnplay.runs.folder import RunFolder
from rnnplay.runs.info import RunInfo
from rnnplay.runs.metrics import step_columns, thinned
from rnnplay.runs.metrics.metrics_log import encode_lines
from rnnplay.runs.metrics.records import Checkpoint, Finished, Notice, Record, Rollback, Step, Tuned, Validation
from rnnplay.runs.metrics.step_columns import ColumnReader, StepColumns
from rnnplay.runs.metrics.thinned import ThinnedLog
from rnnplay.tui.loaded_runs import load_run
from rnnplay.tui.run_state import RunState


def step(number: int, loss: float = 2.0) -> Step:
    return Step(
        step=number,
        loss=loss,
        grad_norm=number % 7 + 0.5,
        grad_norm_clipped=0.5,
        clipped=number % 2 == 0,
        lr=0.002,
        tokens=number * 100,
        tokens_per_second=5000.0,
    )


def story() -> list[Record]:
    """A run with everything in it: values that are not finite, a rollback, changed knobs, several ends."""
    told: list[Record] = []
    for number in range(1, 3001):
        told.append(step(number, math.nan if number == 777 else 3 - number / 2000))
        if number % 250 == 0:
            best = number != 500
            told.append(Validation(step=number, loss=2.5, perplexity=9.0, bits_per_character=1.5, best=best))
    told += [Tuned(step=3000, knob="lr", value=0.5), Checkpoint(step=3000, path="step-000003000")]
    told += [step(number, math.inf) for number in range(3001, 3101)]
    told.append(Rollback(step=3100, to=2900, cause="loss not finite", remedy="lower-rate", changed={"lr": 0.1}))
    told += [step(number, 1.0) for number in range(2901, 3201)]
    told += [Finished(step=3200, reason="length"), *(step(number) for number in range(3201, 3301))]
    told += [Notice(step=3300, message="the disk is full"), Finished(step=3300, reason="length")]
    return told


@pytest.fixture
def run(tmp_path: Path) -> RunFolder:
    folder = RunFolder(tmp_path / "run")
    folder.path.mkdir()
    info = RunInfo(
        run="run",
        config=RunConfig(),
        corpus_sha256="0" * 64,
        rnnplay="1",
        torch="2",
        created="2026-01-01T00:00:00+00:00",
        parameters=1,
        vocabulary=9,
    )
    folder.write_info(info)
    folder.log.path.write_bytes(encode_lines(story()))
    return folder


def told(state: RunState) -> dict[str, object]:
    """All that is shown of a state's run."""
    histories = (state.loss, state.norm, state.norm_clipped, state.validation_loss)
    columns = [history.columns(0, 4000, 50) for history in histories]
    return {
        "curves": [repr([np.round(part, 9).tolist() for part in (one.low, one.high, one.smooth)]) for one in columns],
        "bad": [one.bad.tolist() for one in columns],
        "points": [len(history) for history in histories],
        "recent": list(state.recent),
        **{name: getattr(state, name) for name in ("last", "step", "phase", "config", "validation", "reason")},
        "events": list(state.events),
        "returns": list(state.returns),
        "checkpoint": state.checkpoint_step,
    }


def one_by_one(run: RunFolder) -> RunState:
    state = RunState()
    state.begin(run.name, run.info().config)
    state.load(run.metrics())
    return state


def test_columns_come_to_what_the_records_do(run: RunFolder, tmp_path: Path) -> None:
    assert told(load_run(run, tmp_path / ".cache")) == told(one_by_one(run))


@pytest.fixture
def always_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    """Copies are written of files of a few hundred kilobytes, too."""
    monkeypatch.setattr(thinned, "WORTH_BYTES", 1)
    monkeypatch.setattr(step_columns, "END_BYTES", 60_000)
    monkeypatch.setattr(step_columns, "CHUNK_BYTES", 1 << 14)


def copy_of(run: RunFolder) -> Path:
    return run.path / thinned.FILE


@pytest.mark.usefixtures("always_kept")
def test_what_was_read_once_is_not_read_again(run: RunFolder) -> None:
    first, second = ThinnedLog(run.log), ThinnedLog(run.log)
    whole = list(first.read())
    assert first.read_bytes == first.end.bytes == run.log.path.stat().st_size
    assert steps_of(second.read()) == steps_of(whole) and others_of(second.read()) == others_of(whole)
    assert second.read_bytes < 70_000 < first.read_bytes and second.end == first.end
    with run.log.path.open("ab") as file:
        file.write(encode_lines([step(number) for number in range(3301, 3310)]))
    assert told(load_run(run, run.path)) == told(one_by_one(run))


@pytest.mark.usefixtures("always_kept")
@pytest.mark.parametrize("change", ["put back", "another run", "changed in the middle", "broken", "of a later version"])
def test_a_copy_that_does_not_fit_is_made_anew(run: RunFolder, change: str) -> None:
    load_run(run, run.path)
    copy, metrics = copy_of(run), run.log.path
    if change == "put back":
        run.log.cut(2000)
    elif change == "another run":
        metrics.write_bytes(encode_lines([step(number, 0.5) for number in range(1, 9000)]))
    elif change == "changed in the middle":
        data = metrics.read_bytes()
        first, last = len(data) // 3, 2 * len(data) // 3
        changed = data[first:last].replace(b'"loss":2', b'"loss":3').replace(b'"loss":1', b'"loss":3')
        metrics.write_bytes(data[:first] + changed + data[last:])
    elif change == "broken":
        copy.write_bytes(copy.read_bytes()[:1000])
    else:
        data = copy.read_bytes()[32:].replace(b"\xa6format\x01", b"\xa6format\x02")
        copy.write_bytes(hashlib.sha256(data).digest() + data)
    assert told(load_run(run, run.path)) == told(one_by_one(run))


@pytest.mark.usefixtures("always_kept")
def test_where_nothing_may_be_written_beside_the_run_the_copy_is_in_the_cache(run: RunFolder, tmp_path: Path) -> None:
    copy_of(run).mkdir()
    for cache in (tmp_path / ".cache", tmp_path / "a file" / "in its place"):
        (tmp_path / "a file").write_text("")
        assert told(load_run(run, cache)) == told(one_by_one(run))
    again = ThinnedLog(run.log, tmp_path / ".cache")
    list(again.read())
    assert again.read_bytes < 70_000


@pytest.mark.usefixtures("always_kept")
def test_a_copy_that_is_extended_stays_small_and_covers_the_whole_run(
    run: RunFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As a run that is trained for days does, which extends it at its checkpoints."""
    monkeypatch.setattr(thinned, "STEP_BYTES", 1 << 18)
    run.log.path.write_bytes(b"")
    sizes = []
    for first in range(1, 40_001, 2000):
        new: list[Record] = [step(number, number / 1000) for number in range(first, first + 2000)]
        new.append(Notice(step=first + 1999, message="here"))
        with run.log.path.open("ab") as file:
            file.write(encode_lines(new))
        ThinnedLog(run.log).extend_copy()
        sizes.append(copy_of(run).stat().st_size)
    assert max(sizes) < 200_000 < run.log.path.stat().st_size / 20
    found = list(ThinnedLog(run.log).read())
    steps = steps_of(found)
    assert others_of(found) == [Notice(step=number, message="here") for number in range(2000, 40_001, 2000)]
    assert steps == sorted(set(steps)) and steps[0] < 500 and steps[-100:] == list(range(39_901, 40_001))
    assert max(after - before for before, after in pairwise(steps)) < 1000


def steps_of(items: Iterable[StepColumns | Record]) -> list[int]:
    return [number for part in items if isinstance(part, StepColumns) for number in part.step]


def others_of(items: Iterable[StepColumns | Record]) -> list[Record]:
    return [part for part in items if not isinstance(part, StepColumns)]


def test_a_long_file_is_thinned_but_for_what_is_no_step_and_its_end(run: RunFolder) -> None:
    records = [record for number in range(1, 40_001) for record in (step(number, number / 1000),)]
    events: list[Record] = [Notice(step=number, message="here") for number in (7, 11_111, 39_000)]
    merged = sorted([*records, *events], key=lambda one: one.step)
    run.log.path.write_bytes(encode_lines(merged))
    reader = ColumnReader(run.log, all_bytes=1 << 20)
    found = list(reader.read())
    steps = [number for part in found if isinstance(part, StepColumns) for number in part.step]
    assert [part for part in found if not isinstance(part, StepColumns)] == events
    assert len(steps) < 25_000 and steps == sorted(set(steps)) and steps[-5000:] == list(range(35_001, 40_001))
    gaps = [after - before for before, after in pairwise(steps)]
    assert max(gaps) < 400, "evenly over the whole file"
    assert reader.end.bytes == run.log.path.stat().st_size and reader.end.lines == len(merged)


@pytest.mark.parametrize("line", [b'{"type":"step","step":-4}\n', b'{"type":"stench"}\n', b"\xff\xfe\n", b"[[[[\n"])
def test_a_bad_line_is_named(run: RunFolder, tmp_path: Path, line: bytes) -> None:
    with run.log.path.open("ab") as file:
        file.write(line + encode_lines([step(4000)]))
    number = run.log.path.read_bytes().count(b"\n") - 1
    with pytest.raises(InputError, match=f"line {number},"):
        load_run(run, tmp_path / ".cache")
