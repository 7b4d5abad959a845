"""`rnnplay train --from`: what a new run is branched from."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from rnnplay.cli.support.session import Session, find_model
from rnnplay.errors import CheckpointError, InputError

if TYPE_CHECKING:
    from rnnplay.runs.branching import BranchStart


def branch_start(session: Session, origin: str, with_optimizer: bool, extend_vocabulary: bool) -> BranchStart:
    """Reads what --from names, and holds that checkpoint; raises InputError."""
    from rnnplay.runs.branching import BranchStart, find_parent

    with naming_from(session, origin.rpartition("@")[0] or origin):
        parent = find_parent(origin, lambda name: find_model(session, name))
    return BranchStart(parent, with_optimizer, extend_vocabulary)


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
