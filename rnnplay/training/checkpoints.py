"""Checkpoints: a folder each, written beside, seen onto the disk, then renamed into place. Never pickle.

weights.safetensors   the model's tensors, named and shaped as torch.nn's
state.safetensors     optimizer.<moment>.<parameter>, carried.hidden and carried.cell (L, B, H), random.<device>;
                      raw.<parameter> where the model's tensors are an EMA of these, which the steps update
state.json            all else (state.py), with the sha256 of both
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
from rnnplay.text.tokenizers.build import Tokenizer
from rnnplay.training.optim import moment_names

HEADER_LIMIT = 1 << 20
"""More than a safetensors file of ours needs beside the tensors' own bytes."""

ANOTHER = "go on from another checkpoint"
"""What the errors about a checkpoint's files advise."""

RAW = "raw."
"""Before a parameter's name: its raw weights, where the model's are an EMA of them."""

_FORMER_RAW = "trained."
"""The same in checkpoints of versions that called them so."""

Shapes = dict[str, tuple[int, ...]]


def write_checkpoint(
    folder: RunFolder, state: TrainingState, weights: Mapping[str, Tensor], tensors: Mapping[str, Tensor]
) -> Path:
    """Writes one; its folder appears when all is on disk. `state.sha256` is filled in here. Raises OSError."""
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
            path.rename(replaced)  # a folder that is not empty cannot be renamed over
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


def thin_out(folder: RunFolder, keep: int) -> None:
    """Deletes all checkpoints but the last `keep`, the best, and the one to which a rollback would go back now."""
    found = folder.checkpoints()
    if not found:
        return
    kept = {checkpoint.step for checkpoint in found[-keep:]}
    kept |= {one.step for one in (best_of(found), *good_ones(found, found[-1].step)[:1]) if one is not None}
    for checkpoint in found:
        if checkpoint.step not in kept:
            folder.remove_checkpoint(checkpoint.path)


def good_ones(checkpoints: list[CheckpointInfo], step: int) -> list[CheckpointInfo]:
    """Those that a run at `step` may go back to, the preferred one first.

    First the newest of those that have proved themselves: by being the best of all so far, or by PROVEN_STEPS steps
    after them. Then, oldest first, those that were good when they were written.
    """
    good = [one for one in checkpoints if one.good and one.step <= step]
    proven = [one for one in good if one.best or one.step == 0 or one.step <= step - PROVEN_STEPS]
    return proven[::-1] + [one for one in good if one not in proven]


def read_weights(path: Path, config: RunConfig, vocabulary: int, sha256: str = "") -> dict[str, Tensor]:
    """The tensors in a checkpoint's weights.safetensors; raises InputError unless they are those of `config`."""
    return _read_tensors(path / WEIGHTS_FILE, weight_shapes(config, vocabulary), sha256)


def read_state_tensors(path: Path, config: RunConfig, vocabulary: int, state: TrainingState) -> dict[str, Tensor]:
    """The tensors in a checkpoint's state.safetensors; raises InputError unless they are those of `config`."""
    size = (config.layers, config.batch_size, config.hidden)
    shapes: Shapes = {"carried.hidden": size}
    if config.cell == "lstm":
        shapes["carried.cell"] = size
    moments: Shapes = {}
    for name, shape in weight_shapes(config, vocabulary).items():
        moments |= {f"optimizer.{moment}.{name}": () if moment == "step" else shape for moment in moment_names(config)}
    raw: Shapes = {}
    if config.ema_decay:
        raw = {f"{RAW}{name}": shape for name, shape in weight_shapes(config, vocabulary).items()}
    file = path / TENSORS_FILE
    tensors = _read_tensors(file, shapes | moments | raw, state.sha256.get(TENSORS_FILE, ""), optional=True)
    for group in (moments.keys(), shapes.keys()):
        if 0 < len(group & tensors.keys()) < len(group):
            raise InputError(f"{file} has only a part of the tensors it needs; go on from another checkpoint.")
    if moments and state.step > 0 and not moments.keys() <= tensors.keys():
        raise InputError(f"{file} has no state of the optimizer; go on from another checkpoint.")
    if not raw.keys() <= tensors.keys():
        raise InputError(f"{file} lacks raw weights, of which the model's are an EMA; go on from another checkpoint.")
    if "random.cpu" not in tensors:
        raise InputError(f"{file} has no state of the random numbers; go on from another checkpoint.")
    return tensors


def load_model(run: RunFolder, which: str = "latest") -> tuple[LanguageModel, Tokenizer, int]:
    """A run's model on the CPU in evaluation mode, its tokenizer, and the checkpoint's step.

    `which` is "latest", "best" or a step. Raises InputError in one sentence for files that cannot be used.
    """
    info, tokenizer, checkpoint = run.info(), run.tokenizer(), run.checkpoint(which)
    with naming_another(run, checkpoint.step):
        state = read_state(checkpoint.path)
        weights = read_weights(checkpoint.path, info.config, tokenizer.size, state.sha256.get(WEIGHTS_FILE, ""))
    if not all(bool(tensor.isfinite().all()) for tensor in weights.values()):
        instead = run.another(checkpoint.step)
        onward = "take another checkpoint" if instead is not None else "it has no other checkpoint: train it anew"
        raise CheckpointError(
            f"The weights of {run.name!r} after step {state.step:,} are not finite; {onward}.", instead
        )
    model = LanguageModel(info.config, tokenizer.size)
    model.load_weights(weights)
    return model.eval(), tokenizer, state.step


@contextmanager
def naming_another(run: RunFolder, step: int) -> Iterator[None]:
    """Where the checkpoint of `run` at `step` turns out to be unusable, the error knows another."""
    try:
        yield
    except InputError as error:
        message, instead = str(error), run.another(step)
        if instead is None:
            message = message.replace(ANOTHER, "the run has no other that can be used: train it anew")
        raise CheckpointError(message, instead) from error


def weight_shapes(config: RunConfig, vocabulary: int) -> Shapes:
    """The names and shapes of a model's tensors, without making it."""
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
    # The size is bounded by what the config needs before any memory is taken.
    data = read_bounded(path, HEADER_LIMIT + sum(4 * _count(shape) for shape in shapes.values()))
    if sha256 and hashlib.sha256(data).hexdigest() != sha256:
        raise InputError(f"{path} is not as it was written (its sha256 differs); go on from another checkpoint.")
    try:
        tensors = safetensors.torch.load(data)
    except (safetensors.SafetensorError, ValueError, LookupError, RuntimeError, TypeError, OverflowError) as error:
        raise InputError(f"{path} is not a whole safetensors file; go on from another checkpoint.") from error
    tensors = {_present_name(name): tensor for name, tensor in tensors.items()}
    for name, tensor in tensors.items():
        if name.startswith("random.") and optional and tensor.dtype == torch.uint8 and tensor.dim() == 1:
            continue
        if name not in shapes:
            raise InputError(f"{path} has a tensor {name[:60]!r} that its run cannot have; it is of another.")
        if tuple(tensor.shape) != shapes[name] or tensor.dtype != torch.float32:
            found, wanted = ("×".join(map(str, shape)) or "one number" for shape in (tensor.shape, shapes[name]))
            raise InputError(f"{path}: {name} is {found} of {tensor.dtype}, but its run needs {wanted} of float32.")
    missing = [] if optional else sorted(shapes.keys() - tensors.keys())
    if missing:
        raise InputError(f"{path} lacks {missing[0]}; go on from another checkpoint.")
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
