"""Reads a run's metrics.jsonl into a RunState, and caches the result for long runs.

A summary in the workspace's cache holds the RunState after the first n bytes, so that only what was appended since is
read. A summary that no longer matches its file, because the run went back or another took its name, is rewritten.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
from pathlib import Path

import msgspec

from rnnplay.common.files import open_plain, read_small, replacing
from rnnplay.config import RunConfig, with_values
from rnnplay.errors import ConfigError
from rnnplay.runs import records
from rnnplay.runs.folder import RunFolder
from rnnplay.runs.step_columns import ColumnReader, Position
from rnnplay.tui.chart.history import History, HistoryState
from rnnplay.tui.run_state import LogLine, Phase, RunState

FORMAT = 1
WORTH_BYTES = 1 << 22
"""Bytes of metrics.jsonl that must be read to justify writing a summary; fewer are read as quickly."""
MOST_SUMMARIES = 200
_LARGEST = 1 << 24
_ENDS = 1 << 12
_HISTORIES = ("loss", "norm", "norm_clipped", "validation_loss")


class _Summary(msgspec.Struct, kw_only=True):
    format: int = FORMAT
    position: Position
    check: bytes
    """Hash of the beginning of the file and of the bytes before `position`."""
    histories: dict[str, HistoryState]
    tuned: dict[str, float | str]
    recent: list[records.Step]
    events: list[tuple[int, str, str]]
    returns: list[int]
    validation: records.Validation | None
    checkpoint_step: int | None
    reason: str
    step: int
    finished: bool


def load_run(folder: RunFolder, cache: Path) -> RunState:
    """Returns the state of a run that is not being trained. Raises RnnplayError or OSError."""
    config = folder.info().config
    place = cache / "histories" / f"{hashlib.sha256(os.fspath(folder.path.absolute()).encode()).hexdigest()[:32]}.bin"
    state = RunState()
    state.begin(folder.name, config)
    start = Position()
    if (summary := _read(place, folder.log.path)) is not None:
        start = _restore(state, summary, config)
    reader = ColumnReader(folder.log, start)
    state.load(reader.read(), finished=summary is not None and summary.finished)
    if reader.end.bytes - start.bytes >= WORTH_BYTES:
        with contextlib.suppress(OSError, ValueError):
            _write(place, _summarised(state, config, reader.end, folder.log.path))
    return state


def _read(place: Path, metrics: Path) -> _Summary | None:
    try:
        summary = msgspec.msgpack.decode(read_small(place, _LARGEST), type=_Summary)
        fits = summary.format == FORMAT and summary.check == _check(metrics, summary.position.bytes)
        return summary if fits else None
    except (OSError, ValueError, RecursionError):  # msgspec's errors are ValueErrors
        return None


def _check(metrics: Path, size: int) -> bytes:
    with os.fdopen(open_plain(metrics, os.O_RDONLY), "rb") as file:
        start = file.read(min(_ENDS, size))
        file.seek(max(0, size - _ENDS))
        end = file.read(min(_ENDS, size))
    if len(end) < min(_ENDS, size):
        raise ValueError("shorter than it was")
    return hashlib.sha256(start + end).digest()


def _summarised(state: RunState, config: RunConfig, position: Position, metrics: Path) -> _Summary:
    now = state.config
    names = [name for name in RunConfig.__struct_fields__ if getattr(now, name) != getattr(config, name)]
    return _Summary(
        position=position,
        check=_check(metrics, position.bytes),
        histories={name: getattr(state, name).state() for name in _HISTORIES},
        tuned={name: getattr(now, name) for name in names},
        recent=list(state.recent),
        events=[(line.step, line.text, line.severity) for line in state.events],
        returns=list(state.returns),
        validation=state.validation,
        checkpoint_step=state.checkpoint_step,
        reason=state.reason,
        step=state.step,
        finished=state.phase is Phase.FINISHED,
    )


def _restore(state: RunState, summary: _Summary, config: RunConfig) -> Position:
    try:
        for name in _HISTORIES:
            history: History = getattr(state, name)
            history.restore(summary.histories[name])
        if summary.tuned:
            state.config = with_values(config, summary.tuned)
        state.events.extend(LogLine(*line) for line in summary.events)  # type: ignore[arg-type]
    except (KeyError, ValueError, ConfigError):
        state.begin(state.run, config)
        return Position()
    state.recent.extend(summary.recent)
    state.last = summary.recent[-1] if summary.recent else None
    state.returns.extend(summary.returns)
    state.validation, state.checkpoint_step = summary.validation, summary.checkpoint_step
    state.reason, state.step = summary.reason, summary.step
    return summary.position


def _write(place: Path, summary: _Summary) -> None:
    place.parent.mkdir(parents=True, exist_ok=True)
    others = sorted(place.parent.glob("*.bin"), key=lambda path: path.stat().st_mtime)
    for old in others[: len(others) - MOST_SUMMARIES + 1]:
        old.unlink(missing_ok=True)
    with replacing(place) as file:
        file.write(msgspec.msgpack.encode(summary))
