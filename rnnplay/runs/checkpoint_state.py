"""Reads and writes state.json: a checkpoint's state beside its tensors. Does not load torch."""

from __future__ import annotations

import math
import os
from pathlib import Path
from typing import Literal

import msgspec

from rnnplay.common.files import open_plain, read_bounded
from rnnplay.common.jsonl import UNDECODABLE, decode_line, encode_line
from rnnplay.config import RunConfig, knobs, with_new_names
from rnnplay.errors import ConfigError, InputError
from rnnplay.runs.divergence import Watch

FORMAT = 1
LIMIT = 1 << 20
LATEST_YEAR_9999 = 253_402_300_000.0

Ending = Literal["", "length", "early stop", "diverged"]
"""How a run ended, if it did."""

ENDINGS: dict[str, Ending] = {"length": "length", "early stop": "early stop", "diverged": "diverged"}

FREE_GROUPS = {"divergence", "evaluation", "checkpoints", "machine"}
"""Groups of knobs that may differ when a run is resumed, as live ones may."""

FREE = {"corpus", "steps", "epochs", "minutes"}
"""Knobs that may differ besides those. Also the corpus's name: its text is compared by its SHA-256."""

STATE_FILE = "state.json"
WEIGHTS_FILE = "weights.safetensors"
TENSORS_FILE = "state.safetensors"


class ValidationHistory(msgspec.Struct, frozen=True, kw_only=True):
    """A summary of the validations so far: the best loss, and how long ago it was reached."""

    best_loss: float = math.inf
    best_step: int = -1
    last_loss: float = math.nan
    last_step: int = -1
    """The step after which the last validation was made; -1: none yet."""
    stale: int = 0
    """Validations since the best one."""
    plateau_stale: int = 0
    """Validations without improvement since the best one or the last reduction of the learning rate."""
    plateau_multiplier: float = 1.0
    recent: tuple[float, ...] = ()
    """The last asgd_window losses."""
    best_before: float = math.inf
    """The best loss before those."""
    averaging_since: int = -1
    """The step after which NT-ASGD began to average the weights; -1: not yet."""

    def after(self, config: RunConfig, step: int, loss: float) -> ValidationHistory:
        """Returns the summary with one more validation. A loss that is not finite is no improvement."""
        return self._counted(config, step, loss)._watched(config, step, loss)

    def _watched(self, config: RunConfig, step: int, loss: float) -> ValidationHistory:
        """Begins to average if this loss is above the best of those but the last asgd_window before it."""
        window = config.asgd_window
        if not window or self.averaging_since >= 0:
            return self
        since = step if loss > self.best_before else -1
        recent, best_before = (*self.recent, loss if math.isfinite(loss) else math.inf), self.best_before
        if len(recent) > window:
            best_before = min(best_before, recent[0])
        return msgspec.structs.replace(self, recent=recent[-window:], best_before=best_before, averaging_since=since)

    def _counted(self, config: RunConfig, step: int, loss: float) -> ValidationHistory:
        if math.isfinite(loss) and loss < self.best_loss:
            return msgspec.structs.replace(
                self, best_loss=loss, best_step=step, last_loss=loss, last_step=step, stale=0, plateau_stale=0
            )
        plateau_stale, multiplier = self.plateau_stale + 1, self.plateau_multiplier
        if plateau_stale > config.plateau_patience:
            plateau_stale, multiplier = 0, max(config.lr_floor, multiplier * config.plateau_factor)
        return msgspec.structs.replace(
            self,
            last_loss=loss,
            last_step=step,
            stale=self.stale + 1,
            plateau_stale=plateau_stale,
            plateau_multiplier=multiplier,
        )


class TrainingState(msgspec.Struct, frozen=True, kw_only=True):
    """A run's whole state after `step` steps, except its tensors."""

    format: int
    step: int
    tokens: int
    seconds: float
    """Training time in seconds."""
    epoch: float
    created: float
    """Seconds since 1970."""
    feed: dict[str, int]
    """The position in the data, as returned by the feed."""
    validations: ValidationHistory = msgspec.field(name="gains")
    live: dict[str, float | str]
    """The live knobs' values."""
    finished: Ending = ""
    """How the run ended here, if it did."""
    watch: Watch = Watch()
    good: bool = True
    """Whether weights and moments were finite and the loss near its level: a state to return to."""
    device: str
    precision: str
    threads: int
    processes: int = 1
    """Number of processes that trained together."""
    metrics_bytes: int
    """The size in bytes of metrics.jsonl, which holds all records up to here."""
    sha256: dict[str, str]
    """Checksums of the files beside this one, by name."""


def live_knobs() -> list[str]:
    """Names of the knobs that may change between two steps."""
    return [name for name, spec in knobs().items() if spec.knob.live]


def check_kept(run: str, before: RunConfig, after: RunConfig) -> None:
    """Raises ConfigError if `after`, with which `run` is to be resumed, differs in a knob that a run keeps."""
    for name, spec in knobs().items():
        ours, given = getattr(before, name), getattr(after, name)
        if ours != given and not (spec.knob.live or spec.knob.group in FREE_GROUPS or name in FREE):
            raise ConfigError(
                name, f"{name} is {given}, but the run {run!r} has {ours} and keeps it; start a new run for that."
            )


def as_tuned(config: RunConfig, state: TrainingState) -> RunConfig:
    """Returns `config` with the values of live knobs at the checkpoint of `state`; raises ConfigError."""
    live = with_new_names(state.live)
    kept = {name: knobs()[name].check(value) for name, value in live.items() if name in live_knobs()}
    return msgspec.structs.replace(config, **kept)


def encode_state(state: TrainingState) -> bytes:
    """Encodes the contents of state.json."""
    return encode_line(state)


def read_state(folder: Path) -> TrainingState:
    """Reads the state.json in a checkpoint's folder; raises InputError in one sentence if it cannot be used."""
    path = folder / STATE_FILE
    data = read_bounded(path, LIMIT)
    try:
        check_format(data, FORMAT, path)
        state: TrainingState = decode_line(data, TrainingState)
    except UNDECODABLE as error:
        raise InputError(f"{path} is broken ({str(error)[:200]}); resume from another checkpoint.") from error
    if not _possible(state):
        raise InputError(f"{path} is broken (it contains an invalid number); resume from another checkpoint.")
    return state


def _possible(state: TrainingState) -> bool:
    seen = state.validations
    counts = (state.step, state.tokens, state.metrics_bytes, seen.stale, seen.plateau_stale, *state.feed.values())
    times = (state.seconds, state.epoch, state.created)
    return (
        min(counts) >= 0
        and 1 <= state.threads <= knobs()["threads"].knob.high
        and state.processes >= 1
        and all(math.isfinite(time) and time >= 0 for time in times)
        and state.created < LATEST_YEAR_9999
        and -1 <= seen.best_step <= seen.last_step <= state.step
        and not math.isnan(seen.best_loss)
        and 0 < seen.plateau_multiplier <= 1
        and not any(math.isnan(loss) for loss in (*seen.recent, seen.best_before))
        and -1 <= seen.averaging_since <= state.step
        and state.watch.valid
    )


def check_format(data: bytes, newest: int, path: Path) -> None:
    """Raises InputError if `data`, a JSON object, has a format later than `newest`; DecodeError if it has none."""
    found = msgspec.json.decode(data, type=_Format).format
    if found > newest:
        raise InputError(f"{path} was written by a later rnnplay (format {found}, here {newest}); update rnnplay.")
    if found < 1:
        raise InputError(f"{path} is broken (format {found}); restore it or choose another run.")


class _Format(msgspec.Struct):
    format: int


def is_intact(checkpoint: Path) -> bool:
    """Whether its files are as written. Reads them all; used after another checkpoint turned out to be damaged."""
    import hashlib  # imported here, so that the interface starts without it

    try:
        sha256 = read_state(checkpoint).sha256
        for name in (WEIGHTS_FILE, TENSORS_FILE):
            with os.fdopen(open_plain(checkpoint / name, os.O_RDONLY), "rb") as file:
                if name in sha256 and hashlib.file_digest(file, "sha256").hexdigest() != sha256[name]:
                    return False
    except (InputError, OSError):
        return False
    return True
