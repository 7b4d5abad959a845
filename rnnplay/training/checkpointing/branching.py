"""Reads the tensors that a branched run begins with, and adds rows for tokens that its parent's vocabulary lacks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import torch
from torch import Tensor

from rnnplay.config import RunConfig
from rnnplay.errors import CheckpointError, ConfigError, InputError
from rnnplay.runs.branching import ParentCheckpoint, check_branch, overlap_warning
from rnnplay.runs.checkpoint_state import WEIGHTS_FILE
from rnnplay.runs.info import Parent
from rnnplay.text.encoding.encoded import EncodedCorpus
from rnnplay.text.tokenizers.build import Tokenizer
from rnnplay.training.checkpointing.checkpoints import naming_another, read_state_tensors, read_weights
from rnnplay.training.learner import raw_weights
from rnnplay.training.optim import moment_names

BY_TOKEN = ("embedding.weight", "output.weight", "output.bias")
"""Tensors with a row for each token."""


class Branch(NamedTuple):
    """What a branched run begins with."""

    parent: Parent | None
    """None if the weights are not a run's, but were imported."""
    weights: dict[str, Tensor]
    moments: dict[str, Tensor]
    """The optimizer's state, named as in a checkpoint; empty if it begins anew."""
    notices: list[str]
    """What the user should know."""


def read_branch(
    parent: ParentCheckpoint,
    config: RunConfig,
    corpus: EncodedCorpus,
    with_optimizer: bool = False,
    shrink: float = 1.0,
) -> Branch:
    """Reads the weights at the parent's checkpoint, and with `with_optimizer` the optimizer's state, for `corpus`.

    Where the parent keeps an average of its weights, the branch begins with that, which is what was validated; with the
    optimizer's state it begins with the raw weights, to which that state belongs. All weights are multiplied by
    `shrink`: a model that is sure of another text learns a new one slowly (Ash & Adams 2020, "On warm-starting neural
    network training", there with noise). The checkpoint is held no longer
    afterwards. Raises ConfigError for knobs that differ in what the tensors depend on, InputError if `corpus` has other
    ids or a file cannot be used.
    """
    check_branch(config, parent)
    check_ids(parent.tokenizer, corpus.tokenizer, parent.name)
    if with_optimizer:
        _check_optimizer(config, parent)
        if shrink != 1.0:
            raise InputError(
                "The optimizer's state belongs to the weights as they are; shrink them, or keep its state."
            )
    state, path, size = parent.state, parent.checkpoint.path, parent.tokenizer.size
    with naming_another(parent.folder, state.step):
        weights = read_weights(path, parent.config, size, state.sha256.get(WEIGHTS_FILE, ""))
        moments: dict[str, Tensor] = {}
        if with_optimizer:
            others = read_state_tensors(path, parent.config, size, state)
            weights = raw_weights(others) or weights
            moments = {name: tensor for name, tensor in others.items() if name.startswith("optimizer.")}
    parent.hold.release()
    if not all(bool(tensor.isfinite().all()) for tensor in (*weights.values(), *moments.values())):
        raise CheckpointError(
            f"The weights of {parent.folder.name!r} after step {state.step:,} are not finite; branch from another "
            "checkpoint.",
            parent.folder.another(state.step),
        )
    if shrink != 1.0:
        weights = {name: tensor * shrink for name, tensor in weights.items()}
    added = corpus.tokenizer.size - size
    notices = [warning] if (warning := overlap_warning(parent, config, corpus)) else []
    if added:
        weights = with_new_rows(weights, added, config.tie, config.seed)
        moments = with_new_moments(moments, added)
        notices.append(f"{added:,} tokens were added to the vocabulary of {parent.folder.name}, which has {size:,}.")
    return Branch(parent.parent(with_optimizer, corpus.tokenizer, shrink), weights, moments, notices)


def check_ids(ours: Tokenizer, given: Tokenizer, parent: str) -> None:
    """Raises InputError unless every id of `ours` stands for the same token in `given`, which may have more."""
    same = (
        (given.kind, given.lowercase, given.normal_form) == (ours.kind, ours.lowercase, ours.normal_form)
        and given.tokens[: ours.size] == ours.tokens
        and given.to_bytes() == ours.extended(given.tokens[ours.size :]).to_bytes()  # also where spaces stand
    )
    if not same:
        raise InputError(
            f"The text was encoded with another vocabulary than that of {parent} ({given.size:,} and {ours.size:,} "
            "tokens), in which the ids stand for other tokens; encode it with the parent's tokenizer."
        )


def with_new_rows(weights: Mapping[str, Tensor], added: int, tie: bool, seed: int) -> dict[str, Tensor]:
    """Returns `weights` (V, …) with rows for `added` more tokens, (V + added, …); all others are unchanged.

    output      the mean of the other rows, bias likewise: a new logit is the mean of the others, so that no
                probability falls by more than a factor of 1 + added/V (Hewitt 2021, "Initializing new word embeddings
                for pretrained language models")
    embedding   drawn with the mean and standard deviation of the others, dimension by dimension; tied, where it makes
                the logits too, their mean
    """
    generator = torch.Generator().manual_seed(seed)
    extended = dict(weights)
    for name in BY_TOKEN:
        if (rows := weights.get(name)) is None:
            continue
        new = rows.mean(0, keepdim=True).repeat(added, *[1] * (rows.dim() - 1))
        if name == "embedding.weight" and not tie:
            new = new + rows.std(0, correction=0) * torch.randn(new.shape, generator=generator)
        extended[name] = torch.cat([rows, new])
    return extended


def with_new_moments(moments: Mapping[str, Tensor], added: int) -> dict[str, Tensor]:
    """Returns the optimizer's state with rows for `added` more tokens.

    Means of gradients and momenta begin at zero; means of squared gradients at the mean of the others, or the first
    updates would be many times the learning rate.
    """
    extended = dict(moments)
    for name, rows in moments.items():
        _, moment, parameter = name.split(".", 2)
        if parameter not in BY_TOKEN or moment == "step":
            continue
        squares = moment in ("exp_avg_sq", "square_avg")
        new = rows.mean(0, keepdim=True) if squares else torch.zeros_like(rows[:1])
        extended[name] = torch.cat([rows, new.repeat(added, *[1] * (rows.dim() - 1))])
    return extended


def _check_optimizer(config: RunConfig, parent: ParentCheckpoint) -> None:
    ours = parent.config
    if config.optimizer != ours.optimizer and {config.optimizer, ours.optimizer} != {"adam", "adamw"}:
        raise ConfigError(
            "optimizer",
            f"optimizer is {config.optimizer}, but {parent.name} has the state of {ours.optimizer}; branch without the "
            "optimizer's state, or keep the optimizer.",
        )
    if moment_names(config, "output.bias") != moment_names(ours, "output.bias"):
        raise ConfigError(
            "momentum",
            f"momentum is {config.momentum:g}, but {parent.name} has the state of an optimizer with momentum "
            f"{ours.momentum:g}; branch without the optimizer's state, or keep the momentum.",
        )
