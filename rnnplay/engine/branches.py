"""Begins a run that is branched from a checkpoint of another one."""

from __future__ import annotations

from rnnplay.config import RunConfig
from rnnplay.engine.messages import BranchFrom
from rnnplay.errors import CheckpointError, InputError
from rnnplay.runs.branching import encode_for_branch, find_parent
from rnnplay.runs.shipped import find_model
from rnnplay.text.encoding.encoded import EncodedCorpus, Progress
from rnnplay.training.checkpointing.branching import Branch, read_branch
from rnnplay.workspace import Workspace


class BranchStart:
    """The checkpoint that a run is branched from, and what is taken over."""

    def __init__(self, wanted: BranchFrom, workspace: Workspace) -> None:
        """Finds the parent; raises InputError."""
        self._wanted, self._workspace = wanted, workspace
        self._parent = find_parent(wanted.checkpoint, lambda name: find_model(name, workspace))

    def encode(self, config: RunConfig, progress: Progress) -> EncodedCorpus:
        """Encodes the text with the parent's tokenizer; raises InputError as `encode_for_branch` does."""
        return encode_for_branch(self._parent, config, self._workspace, self._wanted.extend_vocabulary, progress)

    def read(self, config: RunConfig, corpus: EncodedCorpus) -> Branch:
        """Reads the parent's tensors; raises InputError, which names a checkpoint to use instead if there is one."""
        try:
            return read_branch(self._parent, config, corpus, self._wanted.with_optimizer)
        except CheckpointError as error:
            if error.instead is None:
                raise
            name = f"{self._parent.folder.name}@{error.instead}"
            raise InputError(f"{error} {name} can be used.") from error
