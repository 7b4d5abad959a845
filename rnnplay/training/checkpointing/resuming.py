"""Opens a run to resume it, and checks what may have changed and what must not."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import msgspec

from rnnplay.common.files import check_own
from rnnplay.config import RunConfig, knobs
from rnnplay.errors import ConfigError, FinishedError, InputError
from rnnplay.runs.checkpoint_state import WEIGHTS_FILE, TrainingState, as_tuned, check_kept, live_knobs, read_state
from rnnplay.runs.folder import RunFolder
from rnnplay.runs.info import RunInfo
from rnnplay.runs.lock import RunLock
from rnnplay.text.encoding.encoded import EncodedCorpus
from rnnplay.training.checkpointing.checkpoints import naming_another, read_state_tensors, read_weights
from rnnplay.training.learner import Tensors
from rnnplay.training.length import LENGTHS, ends_at_once, in_words


class Resumed(NamedTuple):
    """A run as read from one of its checkpoints."""

    path: Path
    info: RunInfo
    config: RunConfig
    """The config given, with the values of live knobs at the checkpoint."""
    state: TrainingState
    tensors: Tensors
    changed: dict[str, float | str]
    """Live knobs that the user has set to new values."""
    tuned: dict[str, float | str]
    """Live knobs whose values at the checkpoint differ from the config given, and which the user has not set."""
    threads: int
    lock: RunLock


def live_value(knob: str, value: float | str) -> float | str:
    """Checks and returns `value` for the live knob `knob`; raises ConfigError for other knobs and invalid values."""
    spec = knobs().get(knob)
    if spec is None or not spec.knob.live:
        raise ConfigError(knob, f"{knob} cannot change while training; only {', '.join(live_knobs())} can.")
    return spec.parse(value) if isinstance(value, str) else spec.check(value)


def resolved(config: RunConfig, corpus: EncodedCorpus) -> RunConfig:
    """Returns `config` with the corpus's own feed in place of auto, and its own split where its files make one."""
    feed = corpus.feed if config.feed == "auto" else config.feed
    return msgspec.structs.replace(config, feed=feed, split=corpus.split or config.split)


def check_resumable(folder: RunFolder, info: RunInfo, config: RunConfig, corpus: EncodedCorpus) -> None:
    """Raises ConfigError if a knob that a run keeps has changed, InputError for another text or vocabulary."""
    check_kept(folder.name, info.config, config)
    if corpus.sha256 != info.corpus_sha256:
        raise InputError(
            f"The text of {config.corpus} is not the one that the run {folder.name!r} was trained on; "
            "put that one back, or start a new run."
        )
    if corpus.tokenizer.to_bytes() != folder.vocabulary_bytes():
        raise InputError(f"The vocabulary of the run {folder.name!r} no longer matches its text; start a new run.")


def check_unfinished(folder: RunFolder, info: RunInfo, config: RunConfig, state: TrainingState) -> None:
    """Raises FinishedError if the run has reached the length in `config`, or would stop early at once."""
    ended = ends_at_once(info.config, config, state)
    if ended == "length":
        lengths = {name: (getattr(config, name), getattr(info.config, name)) for name in LENGTHS}
        done = {"steps": state.step, "epochs": state.epoch, "minutes": state.seconds / 60}
        limits = {name: new for name, (new, _) in lengths.items() if new > 0}
        reached = {name: limit for name, limit in limits.items() if done[name] >= limit - 1e-9} or limits
        passed = any(1.05 * limit < done[name] and limit < lengths[name][1] for name, limit in reached.items())
        stands = f"is at step {state.step:,} already, past" if passed else "has reached"
        raise FinishedError(
            f"The run {folder.name!r} {stands} its length of {in_words(config)}; to go on, give it more "
            f"{' and '.join(reached)}.",
            {name: _doubled(name, max(limit, done[name])) for name, limit in reached.items()},
        )
    if ended == "early stop":
        raise FinishedError(
            f"The run {folder.name!r} stopped early, after {state.validations.stale} validations without improvement; "
            "to go on, give it a larger early_stop, or 0.",
            {"early_stop": 0},
        )


def _doubled(name: str, done: float) -> float:
    """Doubles `done`, rounded to two digits: 4 minutes, not 4.01."""
    twice = float(f"{2 * done:.2g}")
    return int(twice) if name == "steps" else max(0.01, twice)


def open_run(config: RunConfig, corpus: EncodedCorpus, folder: RunFolder, checkpoint: str) -> Resumed:
    """Locks the run, then reads and checks everything needed to resume it; changes nothing but removes leftovers.

    Raises as `Trainer.resume` does; the lock is then released.
    """
    config = resolved(config, corpus)
    try:
        lock = RunLock.take(folder.path)
    except (FileNotFoundError, NotADirectoryError) as error:
        raise InputError(f"{folder.path} has just been removed or moved; put it back, or start a new run.") from error
    try:
        info = folder.info()  # now that nobody changes it
        check_resumable(folder, info, config, corpus)
        return _read(config, corpus, folder, info, checkpoint, lock)
    except BaseException:
        lock.release()
        raise


def _read(
    config: RunConfig, corpus: EncodedCorpus, folder: RunFolder, info: RunInfo, checkpoint: str, lock: RunLock
) -> Resumed:
    check_own(folder.log.path)  # before anything is removed
    folder.sweep()
    chosen = folder.checkpoint(checkpoint)
    path = chosen.path
    with naming_another(folder, chosen.step):
        state = read_state(path)
        weights = read_weights(path, config, corpus.tokenizer.size, state.sha256.get(WEIGHTS_FILE, ""))
        others = read_state_tensors(path, config, corpus.tokenizer.size, state)
    check_unfinished(folder, info, config, state)
    given = {name: getattr(config, name) for name in live_knobs()}
    changed = {name: value for name, value in given.items() if value != getattr(info.config, name)}
    config = as_tuned(config, state)
    kept = {name: getattr(config, name) for name in given if name not in changed}
    tuned = {name: value for name, value in kept.items() if value != given[name]}
    threads = config.threads or state.threads
    return Resumed(path, info, config, state, (weights, others), changed, tuned, threads, lock)
