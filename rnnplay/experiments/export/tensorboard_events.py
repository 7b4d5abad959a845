"""Writes records as event files that TensorBoard reads, of a run that is over or of one in training.

A run is a folder below the one that `tensorboard --logdir` is given. Scalars have the tags of TAGS; the settings are
hyperparameters, and a text as what happened to the run is.
"""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, BinaryIO

import msgspec
from tensorboard.compat.proto.event_pb2 import Event, SessionLog
from tensorboard.compat.proto.summary_pb2 import Summary, SummaryMetadata
from tensorboard.compat.proto.tensor_pb2 import TensorProto
from tensorboard.compat.proto.tensor_shape_pb2 import TensorShapeProto
from tensorboard.compat.proto.types_pb2 import DT_STRING
from tensorboard.plugins.hparams import api_pb2, metadata, plugin_data_pb2, summary_v2
from tensorboard.plugins.text.metadata import PLUGIN_NAME
from tensorboard.summary.writer.record_writer import RecordWriter

from rnnplay.common.terminal_text import sanitize
from rnnplay.config import RunConfig
from rnnplay.experiments.export.destination import check_free, make_folder, writing
from rnnplay.experiments.export.kept_records import kept_records
from rnnplay.knob_texts import corpus_label
from rnnplay.runs.folder import RunFolder
from rnnplay.runs.info import moment
from rnnplay.runs.metrics.event_text import event_text
from rnnplay.runs.metrics.records import Checkpoint, Finished, Record, Rollback, Started, Step, Validation

TAGS = {
    "loss/training": "loss",
    "gradient_norm/before_clipping": "grad_norm",
    "gradient_norm/after_clipping": "grad_norm_clipped",
    "learning_rate": "lr",
    "tokens": "tokens",
    "tokens_per_second": "tokens_per_second",
}
"""The scalars of a step, with the fields of the record that they are."""

VALIDATION_TAGS = {
    "loss/validation": "loss",
    "perplexity/validation": "perplexity",
    "bits_per_character/validation": "bits_per_character",
}
"""Tags of a validation."""

FLUSH_SECONDS = 2.0
STEP_SECONDS = 0.002
"""Steps that follow another within this time are left out of a run in training: an event costs 60 µs."""
_STEP_BYTES = 190
MOST_STEPS = 200_000
"""Steps of an export, about; of a longer run every n-th is written, as TensorBoard draws a thousand points."""


class EventWriter:
    """Writes the events of one run to a file."""

    def __init__(self, file: BinaryIO, started: float) -> None:
        """`started`: seconds since 1970 of the first event."""
        self._records = RecordWriter(file)
        self._started = started
        self._write(Event(wall_time=started, file_version="brain.Event:2"))

    def describe(self, run: str, config: RunConfig) -> None:
        """Writes the settings: as hyperparameters, with the validation loss as their metric, and as a text."""
        values: dict[str, Any] = msgspec.to_builtins(config) | {"corpus": corpus_label(config.corpus, suffix=False)}
        knobs = [summary_v2.HParam(name) for name in values]
        metrics = [summary_v2.Metric("loss/validation")]
        experiment = summary_v2.hparams_config_pb(knobs, metrics)
        session = summary_v2.hparams_pb(values, trial_id=run, start_time_secs=self._started)
        for summary in (experiment, session):
            self._summary(summary, 0, self._started)
        rows = "\n".join(f"| {name} | {value} |" for name, value in values.items())
        self._text("settings", f"| knob | value |\n| --- | --- |\n{rows}", 0, self._started)

    def record(self, record: Record, seconds: float) -> None:
        """Writes one record, at `seconds` since 1970."""
        match record:
            case Step():
                self._scalars(record, TAGS, seconds)
            case Validation():
                self._scalars(record, VALIDATION_TAGS, seconds)
            case Checkpoint():
                pass
            case Started():
                self._restart(record.step, seconds)
            case _:
                self._text("events", event_text(record), record.step, seconds)
                if isinstance(record, Rollback):
                    self._restart(record.to, seconds)
                if isinstance(record, Finished):
                    status = api_pb2.STATUS_FAILURE if record.reason == "diverged" else api_pb2.STATUS_SUCCESS
                    self._end(record.step, status, seconds)

    def flush(self) -> None:
        """Passes everything on to the file. Raises OSError."""
        self._records.flush()

    def _end(self, step: int, status: int, seconds: float) -> None:
        info = plugin_data_pb2.SessionEndInfo(status=status, end_time_secs=seconds)
        plugin = metadata.create_summary_metadata(plugin_data_pb2.HParamsPluginData(session_end_info=info))
        value = Summary.Value(tag=metadata.SESSION_END_INFO_TAG, metadata=plugin, tensor=metadata.NULL_TENSOR)
        self._summary(Summary(value=[value]), step, seconds)

    def _restart(self, step: int, seconds: float) -> None:
        # TensorBoard forgets what an earlier attempt wrote of this step and later ones.
        self._write(Event(wall_time=seconds, step=step + 1, session_log=SessionLog(status=SessionLog.START)))

    def _scalars(self, record: Record, tags: Mapping[str, str], seconds: float) -> None:
        values = [Summary.Value(tag=tag, simple_value=float(getattr(record, field))) for tag, field in tags.items()]
        self._summary(Summary(value=values), record.step, seconds)

    def _text(self, tag: str, text: str, step: int, seconds: float) -> None:
        plugin = SummaryMetadata.PluginData(plugin_name=PLUGIN_NAME)
        tensor = TensorProto(
            dtype=DT_STRING,
            string_val=[sanitize(text).encode()],
            tensor_shape=TensorShapeProto(dim=[TensorShapeProto.Dim(size=1)]),
        )
        value = Summary.Value(tag=tag, metadata=SummaryMetadata(plugin_data=plugin), tensor=tensor)
        self._summary(Summary(value=[value]), step, seconds)

    def _summary(self, summary: Summary, step: int, seconds: float) -> None:
        self._write(Event(wall_time=seconds, step=step, summary=summary))

    def _write(self, event: Event) -> None:
        self._records.write(event.SerializeToString())


def write_events(runs: Sequence[RunFolder], paths: Sequence[Path]) -> None:
    """Writes each run's records to its path. Raises InputError, also if there are event files beside it."""
    for path in paths:
        # TensorBoard would mix the files of a folder.
        others = sorted(path.parent.glob("*tfevents*")) if path.parent.is_dir() else []
        check_free([other for other in others if other != path], force=False)
    make_folder(paths[0].parent.parent)
    for run, path in zip(runs, paths, strict=True):
        make_folder(path.parent)
        info = run.info()
        with writing(path) as file:
            events = EventWriter(file, max(0.0, moment(info.created)))
            events.describe(run.name, info.config)
            every = 1 + run.log.path.stat().st_size // (MOST_STEPS * _STEP_BYTES)
            for record, seconds in _timed(run, max(0.0, moment(info.created))):
                if not isinstance(record, Step) or record.step % every == 0:
                    events.record(record, seconds)


def _timed(run: RunFolder, started: float) -> Iterator[tuple[Record, float]]:
    """The records that no rollback undid, each with the time that it was made at, from the speed of the steps."""
    seconds, tokens = started, 0
    for record, undone in kept_records(run.log):
        if isinstance(record, Step):
            if record.tokens_per_second > 0 and record.tokens > tokens:
                seconds += (record.tokens - tokens) / record.tokens_per_second
            tokens = record.tokens
        if not undone and not isinstance(record, Rollback):
            yield record, seconds


class LiveEvents:
    """The events of a run in training, in a file of their own; those of a run that goes on are in another one.

    A file that cannot be written ends it, and not the training: `problem` says why.
    """

    def __init__(self, folder: Path, run: str, config: RunConfig) -> None:
        """Raises OSError if the file cannot be created in the folder `run` of `folder`."""
        now = time.time()
        (folder / run).mkdir(parents=True, exist_ok=True)
        path = folder / run / f"events.out.tfevents.{now:.0f}.{socket.gethostname()}.{os.getpid()}"
        self._file = path.open("xb")
        self._events = EventWriter(self._file, now)
        self._events.describe(run, config)
        self._flushed = self._last_step = now
        self.problem: OSError | None = None
        """Why nothing more is written."""

    def record(self, record: Record) -> None:
        """Writes one record; it reaches the disk within seconds, if others follow. Never raises."""
        if self.problem is not None:
            return
        try:
            now = time.time()
            if isinstance(record, Step):
                if abs(now - self._last_step) < STEP_SECONDS:
                    return
                self._last_step = now
            self._events.record(record, now)
            if now - self._flushed >= FLUSH_SECONDS:
                self._flushed = now
                self._events.flush()
        except OSError as error:
            self.problem = error
            with suppress(OSError):
                self._file.close()

    def close(self) -> None:
        """Writes what is left. Never raises."""
        try:
            self._file.close()
        except OSError as error:
            self.problem = self.problem or error
