"""`rnnplay train --from`: what a new run is branched from."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rnnplay.cli.support.session import Session, find_model
from rnnplay.config import RunConfig
from rnnplay.errors import CheckpointError, InputError

if TYPE_CHECKING:
    from rnnplay.runs.branching import ParentCheckpoint
    from rnnplay.text.encoding.encoded import EncodedCorpus, Progress
    from rnnplay.training.checkpointing.branching import Branch
    from rnnplay.workspace import Workspace


@dataclass(frozen=True, slots=True)
class BranchStart:
    """The checkpoint that a run is branched from, and what is taken over."""

    session: Session
    parent: ParentCheckpoint
    with_optimizer: bool
    extend_vocabulary: bool

    def settings(self, workspace: Workspace) -> RunConfig:
        """The settings of the branch before the user's changes."""
        from rnnplay.runs.branching import branch_settings

        return branch_settings(self.parent, workspace)

    def encode(self, config: RunConfig, workspace: Workspace, progress: Progress) -> EncodedCorpus:
        """Encodes the text with the parent's tokenizer, extended if the user says so. Raises InputError."""
        from rnnplay.runs.branching import encode_for_branch

        return encode_for_branch(self.parent, config, workspace, self.extend_vocabulary, progress)

    def read(self, config: RunConfig, corpus: EncodedCorpus) -> Branch:
        """Reads the parent's tensors; raises InputError, with a checkpoint to use instead, if they are unusable."""
        from rnnplay.training.checkpointing.branching import read_branch

        with naming_from(self.session, self.parent.folder.name):
            return read_branch(self.parent, config, corpus, self.with_optimizer)


def branch_start(session: Session, origin: str, with_optimizer: bool, extend_vocabulary: bool) -> BranchStart:
    """Reads what --from names; raises InputError."""
    from rnnplay.runs.branching import find_parent

    with naming_from(session, origin.rpartition("@")[0] or origin):
        parent = find_parent(origin, lambda name: find_model(session, name))
    return BranchStart(session, parent, with_optimizer, extend_vocabulary)


@contextmanager
def naming_from(session: Session, run: str) -> Iterator[None]:
    """Makes the error about an unusable checkpoint of `run` name the command with another one."""
    try:
        yield
    except CheckpointError as error:
        if error.instead is None:
            raise
        raise InputError(f"{error} Try: {session.again(**{'from': f'{run}@{error.instead}'})}") from error


def check_origin(
    origin: str | None, resume: bool, preset: str | None, with_optimizer: bool, extend_vocabulary: bool
) -> None:
    """Raises InputError for options that contradict each other."""
    if origin is None:
        for option, given in (("--with-optimizer", with_optimizer), ("--extend-vocabulary", extend_vocabulary)):
            if given:
                raise InputError(f"{option} is for a branch; say with --from what to branch from.")
        return
    if resume:
        raise InputError("--from begins a new run, and --resume continues one; give only one of them.")
    if preset is not None:
        raise InputError("--preset cannot be given with --from: a branch begins with its parent's settings.")
