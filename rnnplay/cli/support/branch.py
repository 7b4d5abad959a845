"""`rnnplay train --from`: what a new run is branched from."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rnnplay.cli.support.session import Session, find_model
from rnnplay.cli.support.settings import layered, settings_in, with_lasting_corpus
from rnnplay.config import RunConfig, with_values
from rnnplay.engine.messages import BranchFrom
from rnnplay.errors import CheckpointError, InputError

if TYPE_CHECKING:
    from rnnplay.runs.branching import BranchStart
    from rnnplay.workspace import Workspace


def branch_start(session: Session, origin: str, with_optimizer: bool, extend_vocabulary: bool) -> BranchStart:
    """Reads what --from names, and holds that checkpoint; raises InputError."""
    from rnnplay.runs.branching import BranchStart, find_parent

    with naming_from(session, origin.rpartition("@")[0] or origin):
        parent = find_parent(origin, lambda name: find_model(session, name))
    return BranchStart(parent, with_optimizer, extend_vocabulary)


def branch_setup(
    start: BranchStart, config_file: Path | None, values: dict[str, Any], workspace: Workspace
) -> RunConfig:
    """Returns the settings of a branch: its parent's, those in `config_file`, and `values`. Raises InputError."""
    from rnnplay.runs.branching import branch_settings

    changed = layered(settings_in(config_file), values)
    config = with_values(branch_settings(start.parent, workspace), changed)
    return with_lasting_corpus(config, workspace) if "corpus" in changed else config


def branch_message(start: BranchStart) -> BranchFrom:
    """Says to an engine what its run is branched from."""
    return BranchFrom(
        checkpoint=start.parent.name,
        created=start.parent.info.created,
        with_optimizer=start.with_optimizer,
        extend_vocabulary=start.extend_vocabulary,
    )


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
