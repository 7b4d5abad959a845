"""`rnnplay train --from`: what a new run is branched from."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from rnnplay.cli.support.options import ParamType
from rnnplay.cli.support.session import Session, find_model
from rnnplay.cli.support.settings import layered, settings_in, with_lasting_corpus
from rnnplay.common.numbers import real_number
from rnnplay.config import RunConfig, with_values
from rnnplay.errors import CheckpointError, InputError

F = TypeVar("F", bound=Callable[..., Any])

if TYPE_CHECKING:
    from rnnplay.engine.messages import BranchFrom
    from rnnplay.runs.branching import BranchStart
    from rnnplay.workspace import Workspace


class Factor(ParamType):
    """Parses a number above 0, at most 1, with the grammar of the knobs."""

    name = "number"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        number = real_number(value) if isinstance(value, str) else float(value)
        if number is None or not 0 < number <= 1:
            self.fail(f"{str(value)[:60]!r} is not a number above 0 and at most 1.", param, ctx)
        return number


def branch_options(function: F) -> F:
    """Adds the options of a branch: --from, --with-optimizer, --extend-vocabulary, --shrink."""
    for option in (
        click.option(
            "--shrink",
            metavar="X",
            type=Factor(),
            default=1.0,
            help="With --from: multiply all weights by X. Half helps where the text is of another kind.  [default: 1]",
        ),
        click.option(
            "--extend-vocabulary",
            is_flag=True,
            help="With --from: add the tokens of the text that the vocabulary lacks, instead of refusing it.",
        ),
        click.option("--with-optimizer", is_flag=True, help="With --from: begin with the optimizer's state, too."),
    ):
        function = option(function)
    return function


def branch_start(
    session: Session, origin: str, with_optimizer: bool, extend_vocabulary: bool, shrink: float
) -> BranchStart:
    """Reads what --from names, and holds that checkpoint; raises InputError."""
    from rnnplay.runs.branching import BranchStart, find_parent

    with naming_from(session, origin.rpartition("@")[0] or origin):
        parent = find_parent(origin, lambda name: find_model(session, name))
    return BranchStart(parent, with_optimizer, extend_vocabulary, shrink)


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
    from rnnplay.engine.messages import BranchFrom

    return BranchFrom(
        checkpoint=start.parent.name,
        created=start.parent.info.created,
        with_optimizer=start.with_optimizer,
        extend_vocabulary=start.extend_vocabulary,
        shrink=start.shrink,
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
    origin: str | None,
    resume: bool,
    preset: str | None,
    with_optimizer: bool,
    extend_vocabulary: bool,
    shrink: float,
) -> None:
    """Raises InputError for options that contradict each other."""
    if origin is None:
        options = {
            "--with-optimizer": with_optimizer,
            "--extend-vocabulary": extend_vocabulary,
            "--shrink": shrink != 1.0,
        }
        for option, given in options.items():
            if given:
                raise InputError(f"{option} is for a branch; say with --from what to branch from.")
        return
    if resume:
        raise InputError("--from begins a new run, and --resume continues one; give only one of them.")
    if with_optimizer and shrink != 1.0:
        raise InputError("--shrink changes the weights that the optimizer's state belongs to; leave out one of them.")
    if preset is not None:
        raise InputError("--preset cannot be given with --from: a branch begins with its parent's settings.")
