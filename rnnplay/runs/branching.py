"""Prepares a branch: a new run that begins with the weights of another one's checkpoint. Does not load torch.

A branch has the parent's tokenizer, so that every id stands for the same token as before, and its own length, records
and seed; its steps are counted from 0. What it takes over is copied: the parent may be deleted afterwards. Until then
its checkpoint is held, so that a run that trains on does not delete it as an old one.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import msgspec

from rnnplay.common.formatting import unknown_text
from rnnplay.config import RunConfig, knobs
from rnnplay.errors import ConfigError, InputError
from rnnplay.knob_texts import leads_elsewhere
from rnnplay.runs.checkpoint_state import WEIGHTS_FILE, TrainingState, as_tuned, read_state
from rnnplay.runs.folder import CheckpointInfo, RunFolder
from rnnplay.runs.info import Parent, RunInfo
from rnnplay.runs.lock import Hold
from rnnplay.text.corpora.catalogue import find_corpus
from rnnplay.text.corpora.content_hash import content_hash
from rnnplay.text.encoding.encoded import EncodedCorpus, encode_corpus
from rnnplay.text.encoding.encoding import Progress
from rnnplay.text.encoding.lacking import fitting_tokenizer
from rnnplay.text.tokenizers.build import Tokenizer
from rnnplay.workspace import Workspace

MOST_UNKNOWN = 0.5
"""Fraction of `<unk>` above which a text is refused: its loss would mostly be that of `<unk>`."""

_TRIES = 5
"""To hold a checkpoint of a run that may delete it at this moment."""


class ParentCheckpoint(NamedTuple):
    """The checkpoint that a run is branched from."""

    folder: RunFolder
    info: RunInfo
    checkpoint: CheckpointInfo
    state: TrainingState
    tokenizer: Tokenizer
    config: RunConfig
    """The settings in run.json, with live knobs as they were at the checkpoint."""
    hold: Hold
    """Held until it is released, or this is forgotten."""

    @property
    def name(self) -> str:
        """As `--from` takes it: "first@1200"."""
        return f"{self.folder.name}@{self.checkpoint.step}"

    def parent(self, optimizer: bool, tokenizer: Tokenizer, shrink: float) -> Parent:
        """What a branch that reads its text with `tokenizer` keeps about it in run.json."""
        return Parent(
            run=self.folder.name,
            step=self.checkpoint.step,
            created=self.info.created,
            optimizer=optimizer,
            added_tokens=tokenizer.size - self.tokenizer.size,
            shrink=shrink,
        )


def find_parent(name: str, find_run: Callable[[str], RunFolder]) -> ParentCheckpoint:
    """Reads what "RUN", "RUN@STEP", "RUN@best" or "RUN@latest" names, and holds it; `find_run` finds the run.

    Raises InputError.
    """
    run, at, which = name.rpartition("@")
    if not at:
        run, which = name, "latest"
    if not run or not which.strip():
        raise InputError(
            f"{name[:100]!r} names no checkpoint to branch from; give RUN, RUN@STEP, RUN@best or RUN@latest."
        )
    folder = find_run(run)
    info, tokenizer = folder.info(), folder.tokenizer()
    for _ in range(_TRIES):
        checkpoint = folder.checkpoint(which.strip())
        hold = Hold.take(checkpoint.path / WEIGHTS_FILE)
        if hold.in_place:
            break  # else it was deleted between the two
    state = read_state(checkpoint.path)
    return ParentCheckpoint(folder, info, checkpoint, state, tokenizer, as_tuned(info.config, state), hold)


class BranchStart(NamedTuple):
    """The checkpoint that a run is branched from, and what is taken over besides its weights."""

    parent: ParentCheckpoint
    with_optimizer: bool = False
    extend_vocabulary: bool = False
    shrink: float = 1.0
    """What all weights are multiplied by."""

    def encode(self, config: RunConfig, workspace: Workspace, progress: Progress | None = None) -> EncodedCorpus:
        """Encodes the text of the branch; raises InputError as `encode_for_branch` does."""
        return encode_for_branch(self.parent, config, workspace, self.extend_vocabulary, progress)


def branch_settings(parent: ParentCheckpoint, workspace: Workspace) -> RunConfig:
    """The settings of a branch where nothing is changed: the parent's.

    Its feed is "auto" if that is what it came from, so that another text is read as its own card says.
    """
    config = parent.config
    try:
        own = find_corpus(config.corpus, workspace).card.feed
    except InputError:
        return config
    return msgspec.structs.replace(config, feed="auto") if own == config.feed else config


def check_branch(config: RunConfig, parent: ParentCheckpoint) -> None:
    """Raises ConfigError for a knob of `config` with which the parent's weights or ids cannot be used."""
    for name, spec in knobs().items():
        ours, given = getattr(parent.config, name), getattr(config, name)
        if not spec.knob.may_branch(ours, given):
            raise ConfigError(
                name,
                f"{name} is {_shown(given)}, but the weights of {parent.name} have {_shown(ours)}, and a branch keeps "
                "it; set it back, or train a new run.",
            )
    limit = config.max_vocabulary
    if 0 < limit < parent.tokenizer.size and limit != parent.config.max_vocabulary:
        raise ConfigError(
            "max_vocabulary",
            f"max_vocabulary is {limit:,}, but the vocabulary of {parent.name} has {parent.tokenizer.size:,} tokens, "
            "and a branch keeps them; give a larger one, or 0 for no limit.",
        )


def encode_for_branch(
    parent: ParentCheckpoint,
    config: RunConfig,
    workspace: Workspace,
    extend: bool = False,
    progress: Progress | None = None,
) -> EncodedCorpus:
    """Encodes the text of a branch with its parent's tokenizer, extended by the tokens that it lacks if `extend`.

    The text that the parent was trained on is read as it read it. Raises ConfigError as `check_branch` does,
    LackingTokensError for tokens that the vocabulary lacks, InputError for a text that cannot be used.
    """
    check_branch(config, parent)
    if config.corpus == parent.info.config.corpus and leads_elsewhere(config.corpus):
        raise InputError(
            f"run.json of {parent.folder.name!r} gives {config.corpus[:200]!r} as its text, a relative path, which is "
            "not followed; name the text of the branch."
        )
    corpus = find_corpus(config.corpus, workspace)
    path = corpus.materialise(workspace.cache)
    size = path.stat().st_size

    def reading(done: int) -> None:
        if progress is not None:
            progress("reading", done, size)

    tokenizer = parent.tokenizer
    known = content_hash(path, workspace.cache, reading) == parent.info.corpus_sha256
    same = all(getattr(config, knob) == getattr(parent.config, knob) for knob in ("min_count", "max_vocabulary"))
    if not (known and same):

        def counting(done: int) -> None:
            if progress is not None:
                progress("counting", done, size)

        tokenizer = fitting_tokenizer(path, corpus.name, tokenizer, parent.folder.name, config, extend, counting)
    encoded = encode_corpus(corpus, config, workspace.cache, progress, tokenizer)
    if not known and encoded.train.unknown_fraction > MOST_UNKNOWN:
        raise InputError(
            f"{corpus.name} is {unknown_text(encoded.train.unknown_fraction)} in the vocabulary of "
            f"{parent.folder.name}; extend the vocabulary, or give a lower min_count or a larger max_vocabulary."
        )
    return encoded


def overlap_warning(parent: ParentCheckpoint, config: RunConfig, corpus: EncodedCorpus) -> str:
    """A warning if the branch is validated on text that its parent was trained on; "" if it is not."""
    split = corpus.split or config.split
    if corpus.sha256 != parent.info.corpus_sha256 or split == parent.config.split:
        return ""
    return (
        f"The text is that of {parent.folder.name} with another split ({split}, there {parent.config.split}): "
        "weights may have been trained on what is now validation text, so that its loss looks better than it is."
    )


def _shown(value: object) -> str:
    return ("on" if value else "off") if isinstance(value, bool) else str(value)
