"""What a run begins with: its text, and the checkpoint of another one that it is branched from."""

from __future__ import annotations

from rnnplay.config import RunConfig
from rnnplay.engine.messages import BranchFrom
from rnnplay.errors import CheckpointError, InputError
from rnnplay.runs.branching import BranchStart, find_parent
from rnnplay.runs.folder import RunFolder
from rnnplay.runs.shipped import find_model
from rnnplay.text.corpora.catalogue import find_corpus
from rnnplay.text.encoding.encoded import EncodedCorpus, encode_again, encode_corpus
from rnnplay.text.encoding.encoding import Progress
from rnnplay.training.checkpointing.branching import Branch, read_branch
from rnnplay.workspace import Workspace


def find_start(wanted: BranchFrom, workspace: Workspace) -> BranchStart:
    """Finds the parent and holds its checkpoint; raises InputError, also if another run has its name by now."""
    parent = find_parent(wanted.checkpoint, lambda name: find_model(name, workspace))
    if wanted.created not in ("", parent.info.created):
        raise InputError(
            f"The run {parent.folder.name!r} is another one than that which was chosen to branch from; choose the "
            "checkpoint again."
        )
    return BranchStart(parent, wanted.with_optimizer, wanted.extend_vocabulary, wanted.shrink)


def read_start(start: BranchStart, config: RunConfig, corpus: EncodedCorpus) -> Branch:
    """Reads the parent's tensors; raises InputError, which names a checkpoint to use instead if there is one."""
    try:
        return read_branch(start.parent, config, corpus, start.with_optimizer, start.shrink)
    except CheckpointError as error:
        if error.instead is None:
            raise
        raise InputError(f"{error} {start.parent.folder.name}@{error.instead} can be used.") from error


def encode(
    config: RunConfig, resuming: RunFolder | None, begin: BranchStart | None, workspace: Workspace, progress: Progress
) -> EncodedCorpus:
    """Encodes the text of a run that is new, resumed or begins with a branch; raises InputError."""
    if resuming is not None:
        info = resuming.info()
        moved = config.corpus != info.config.corpus
        return encode_again(config, info.corpus_sha256, resuming.tokenizer(), workspace, progress, use_copy=not moved)
    if begin is not None:
        return begin.encode(config, workspace, progress)
    return encode_corpus(find_corpus(config.corpus, workspace), config, workspace.cache, progress=progress)
