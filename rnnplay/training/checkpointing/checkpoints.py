"""Reads and writes checkpoints: a folder each, written under another name, synced, then renamed. Never pickle.

weights.safetensors   the model's tensors, named and shaped as torch.nn's
state.safetensors     optimizer.<moment>.<parameter>, carried.hidden and carried.cell (L, B, H), random.<device>;
                      raw.<parameter>, the weights that the steps update, where the model's are an average of them
state.json            everything else (runs/checkpoint_state.py), with the SHA-256 of both
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

import safetensors
import safetensors.torch
import torch
from torch import Tensor

from rnnplay.common.files import read_bounded, remove_tree, sync_folder, write_durably
from rnnplay.config import RunConfig
from rnnplay.errors import CheckpointError, InputError
from rnnplay.model.adaptive_softmax import adaptive_shapes
from rnnplay.model.language_model import LanguageModel
from rnnplay.runs.checkpoint_state import (
    STATE_FILE,
    TENSORS_FILE,
    WEIGHTS_FILE,
    TrainingState,
    encode_state,
    read_state,
)
from rnnplay.runs.divergence import PROVEN_STEPS
from rnnplay.runs.folder import CheckpointInfo, RunFolder, best_of
from rnnplay.runs.lock import unheld
from rnnplay.text.tokenizers.build import Tokenizer
from rnnplay.training.learner import RAW
from rnnplay.training.optim import moment_names

HEADER_LIMIT = 1 << 20
"""Larger than the part of our safetensors files that is not tensor data."""

ANOTHER = "resume from another checkpoint"
"""The advice in errors about a checkpoint's files."""


_FORMER_RAW = "trained."
"""RAW in checkpoints of earlier versions."""

Shapes = dict[str, tuple[int, ...]]


def write_checkpoint(
    folder: RunFolder, state: TrainingState, weights: Mapping[str, Tensor], tensors: Mapping[str, Tensor]
) -> Path:
    """Writes a checkpoint atomically and durably, and fills in `state.sha256`. Raises OSError."""
    path = folder.checkpoint_path(state.step)
    beside, replaced = (path.with_name(f".{path.name}.{what}") for what in ("partial", "replaced"))
    for leftover in (beside, replaced):
        remove_tree(leftover)
    try:
        beside.mkdir()
        for name, content in ((WEIGHTS_FILE, weights), (TENSORS_FILE, tensors)):
            data = safetensors.torch.save({key: _for_file(tensor) for key, tensor in content.items()})
            state.sha256[name] = hashlib.sha256(data).hexdigest()
            write_durably(beside / name, data)
        write_durably(beside / STATE_FILE, encode_state(state))
        sync_folder(beside)
        if path.exists():
            path.rename(replaced)  # only an empty folder can be replaced by renaming
        beside.rename(path)
    except OSError:
        with suppress(OSError):
            remove_tree(beside)
        with suppress(OSError):
            if replaced.exists() and not path.exists():
                replaced.rename(path)
        raise
    sync_folder(folder.path)
    remove_tree(replaced)
    return path


def delete_old_checkpoints(folder: RunFolder, keep: int) -> None:
    """Deletes all checkpoints but the last `keep`, the best, and the one that a rollback would use now.

    One that a process holds, to branch from it, is deleted another time.
    """
    found = folder.checkpoints()
    if not found:
        return
    kept = {checkpoint.step for checkpoint in found[-keep:]}
    kept |= {one.step for one in (best_of(found), *rollback_candidates(found, found[-1].step)[:1]) if one is not None}
    for checkpoint in found:
        if checkpoint.step not in kept:
            with unheld(checkpoint.path / WEIGHTS_FILE) as free:
                if free:
                    folder.remove_checkpoint(checkpoint.path)


def rollback_candidates(checkpoints: list[CheckpointInfo], step: int) -> list[CheckpointInfo]:
    """Checkpoints that a run at `step` may be rolled back to, the preferred one first.

    First the proven ones, newest first: those that were the best so far, or that PROVEN_STEPS steps followed. Then,
    oldest first, the others that were good when they were written.
    """
    good = [one for one in checkpoints if one.good and one.step <= step]
    proven = [one for one in good if one.best or one.step == 0 or one.step <= step - PROVEN_STEPS]
    return proven[::-1] + [one for one in good if one not in proven]


def read_weights(path: Path, config: RunConfig, vocabulary: int, sha256: str) -> dict[str, Tensor]:
    """Reads the tensors in a checkpoint's weights.safetensors; raises InputError unless they are those of `config`."""
    return _read_tensors(path / WEIGHTS_FILE, weight_shapes(config, vocabulary), sha256)


def read_state_tensors(path: Path, config: RunConfig, vocabulary: int, state: TrainingState) -> dict[str, Tensor]:
    """Reads the tensors in a checkpoint's state.safetensors; raises InputError unless they are those of `config`."""
    size = (config.layers, config.batch_size, config.hidden)
    shapes: Shapes = {"carried.hidden": size}
    if config.cell == "lstm":
        shapes["carried.cell"] = size
    moments: Shapes = {}
    for name, shape in weight_shapes(config, vocabulary).items():
        kept = moment_names(config, name)
        moments |= {f"optimizer.{moment}.{name}": () if moment == "step" else shape for moment in kept}
    raw: Shapes = {}
    if config.averages:
        raw = {f"{RAW}{name}": shape for name, shape in weight_shapes(config, vocabulary).items()}
    file = path / TENSORS_FILE
    tensors = _read_tensors(file, shapes | moments | raw, state.sha256.get(TENSORS_FILE, ""), optional=True)
    for group in (moments.keys(), shapes.keys()):
        if 0 < len(group & tensors.keys()) < len(group):
            raise InputError(f"{file} has only some of the tensors it needs; resume from another checkpoint.")
    if moments and state.step > 0 and not moments.keys() <= tensors.keys():
        raise InputError(f"{file} has no state of the optimizer; resume from another checkpoint.")
    if not raw.keys() <= tensors.keys():
        raise InputError(
            f"{file} lacks raw weights, of which the model's are an average; resume from another checkpoint."
        )
    if "random.cpu" not in tensors:
        raise InputError(f"{file} has no state of the random numbers; resume from another checkpoint.")
    return tensors


def load_model(run: RunFolder, which: str = "latest") -> tuple[LanguageModel, Tokenizer, int]:
    """Loads a run's model on the CPU in evaluation mode; returns it with its tokenizer and the checkpoint's step.

    `which` is "latest", "best" or a step. Raises InputError in one sentence for files that cannot be used.
    """
    info, tokenizer, checkpoint = run.info(), run.tokenizer(), run.checkpoint(which)
    with naming_another(run, checkpoint.step):
        state = read_state(checkpoint.path)
        weights = read_weights(checkpoint.path, info.config, tokenizer.size, state.sha256.get(WEIGHTS_FILE, ""))
    if not all(bool(tensor.isfinite().all()) for tensor in weights.values()):
        instead = run.another(checkpoint.step)
        onward = "take another checkpoint" if instead is not None else "it has no other checkpoint: train it again"
        raise CheckpointError(
            f"The weights of {run.name!r} after step {state.step:,} are not finite; {onward}.", instead
        )
    model = LanguageModel(info.config, tokenizer.size)
    model.load_weights(weights)
    return model.eval(), tokenizer, state.step


@contextmanager
def naming_another(run: RunFolder, step: int) -> Iterator[None]:
    """Makes the error about an unusable checkpoint of `run` at `step` name another one to use."""
    try:
        yield
    except InputError as error:
        message, instead = str(error), run.another(step)
        if instead is None:
            message = message.replace(ANOTHER, "the run has no other that can be used: train it again")
        raise CheckpointError(message, instead) from error


def weight_shapes(config: RunConfig, vocabulary: int) -> Shapes:
    """The names and shapes of a model's tensors, without creating it."""
    gates = {"rnn": 1, "gru": 3, "lstm": 4}[config.cell] * config.hidden
    shapes: Shapes = {"embedding.weight": (vocabulary, config.embedding)}
    for layer in range(config.layers):
        shapes[f"rnn.weight_ih_l{layer}"] = (gates, config.hidden if layer else config.embedding)
        shapes[f"rnn.weight_hh_l{layer}"] = (gates, config.hidden)
        shapes[f"rnn.bias_ih_l{layer}"] = (gates,)
        shapes[f"rnn.bias_hh_l{layer}"] = (gates,)
    if config.softmax == "adaptive":
        return shapes | adaptive_shapes(config.hidden, vocabulary)
    if not config.tie:
        shapes["output.weight"] = (vocabulary, config.hidden)
    shapes["output.bias"] = (vocabulary,)
    return shapes


def _read_tensors(path: Path, shapes: Shapes, sha256: str, optional: bool = False) -> dict[str, Tensor]:
    # The size is limited to what the config needs before any memory is allocated.
    data = read_bounded(path, HEADER_LIMIT + sum(4 * _count(shape) for shape in shapes.values()))
    if sha256 and hashlib.sha256(data).hexdigest() != sha256:
        raise InputError(
            f"{path} has changed since it was written (its SHA-256 differs); resume from another checkpoint."
        )
    try:
        tensors = safetensors.torch.load(data)
    except (safetensors.SafetensorError, ValueError, LookupError, RuntimeError, TypeError, OverflowError) as error:
        raise InputError(f"{path} is not a complete safetensors file; resume from another checkpoint.") from error
    tensors = {_present_name(name): tensor for name, tensor in tensors.items()}
    for name, tensor in tensors.items():
        if name.startswith("random.") and optional and tensor.dtype == torch.uint8 and tensor.dim() == 1:
            continue
        if name not in shapes:
            raise InputError(f"{path}: unexpected tensor {name[:60]!r}; these weights belong to another model.")
        if not optional and tensor.dtype in (torch.float16, torch.bfloat16):  # the shipped model is half as large
            tensors[name] = tensor = tensor.float()
        if tuple(tensor.shape) != shapes[name] or tensor.dtype != torch.float32:
            found, wanted = ("×".join(map(str, shape)) or "one number" for shape in (tensor.shape, shapes[name]))
            raise InputError(f"{path}: {name} is {found} of {tensor.dtype}, but its run needs {wanted} of float32.")
    missing = [] if optional else sorted(shapes.keys() - tensors.keys())
    if missing:
        raise InputError(f"{path} lacks {missing[0]}; resume from another checkpoint.")
    return tensors


def _present_name(tensor: str) -> str:
    return RAW + tensor.removeprefix(_FORMER_RAW) if tensor.startswith(_FORMER_RAW) else tensor


def _count(shape: tuple[int, ...]) -> int:
    count = 1
    for size in shape:
        count *= size
    return count


def _for_file(tensor: Tensor) -> Tensor:
    return tensor.detach().cpu().contiguous()
