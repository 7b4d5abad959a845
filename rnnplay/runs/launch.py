"""How torchrun has started the processes that train a run together. Does not load torch."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, NamedTuple

from rnnplay.config import RunConfig
from rnnplay.errors import ConfigError, InputError

if TYPE_CHECKING:
    from rnnplay.runs.folder import RunFolder
    from rnnplay.workspace import Workspace


class Launch(NamedTuple):
    """The place of this process among those that torchrun has started."""

    rank: int
    size: int
    """Number of processes, on all hosts."""
    local_rank: int
    local_size: int
    """Number of processes on this host."""
    restarts: int
    """How often torchrun has started all of them anew."""
    most_restarts: int
    job: str
    """torchrun's --rdzv-id; "" if none was given. The same for all processes, and after a restart."""

    def begun(self, workspace: Workspace, name: str | None) -> RunFolder | None:
        """The run of that name, if these processes, or those that they replace, have begun it; None otherwise.

        torchrun does not count a restart because of hosts that have joined, but keeps the job's name, as a batch system
        does that starts a job again.
        """
        if name is None or not (self.restarts or self.job):
            return None
        from rnnplay.runs.checkpoint_state import read_state
        from rnnplay.runs.folder import RunFolder, check_run_name

        folder = RunFolder(workspace.checkpoints / check_run_name(name))
        if not folder.holds_run() or not folder.checkpoints():
            return None
        if self.restarts:
            return folder
        ours = folder.info().job == self.job and not read_state(folder.checkpoint().path).finished
        return folder if ours else None

    def check_name(self, name: str | None) -> None:
        """Raises InputError if the run, after a restart, could not be found again by its name."""
        if self.most_restarts and name is None:
            raise InputError(
                "A run that torchrun may restart must have a name, to be found again; give it one with --run."
            )

    @property
    def one_host(self) -> bool:
        """Whether all processes are on this host."""
        return self.local_size == self.size


BY_ITSELF = Launch(rank=0, size=1, local_rank=0, local_size=1, restarts=0, most_restarts=0, job="")


def launched(environment: Mapping[str, str] = os.environ) -> Launch | None:
    """Returns how torchrun has started this process; None if it has not."""
    if "TORCHELASTIC_RUN_ID" not in environment:
        return None

    def number(name: str, otherwise: int) -> int:
        text = environment.get(name, "")
        return int(text) if text.isdecimal() else otherwise

    size, job = max(1, number("WORLD_SIZE", 1)), environment["TORCHELASTIC_RUN_ID"]
    return Launch(
        rank=number("RANK", 0),
        size=size,
        local_rank=number("LOCAL_RANK", 0),
        local_size=max(1, number("LOCAL_WORLD_SIZE", size)),
        restarts=number("TORCHELASTIC_RESTART_COUNT", 0),
        most_restarts=number("TORCHELASTIC_MAX_RESTARTS", 0),
        job="" if job == "none" else job,
    )


def check_divisible(config: RunConfig, processes: int) -> None:
    """Raises ConfigError for settings that cannot be divided among `processes`."""
    if config.batch_size % processes:
        smaller = config.batch_size // processes * processes
        near = [str(size) for size in (smaller, smaller + processes) if size]
        raise ConfigError(
            "batch_size",
            f"batch_size is {config.batch_size}, whose rows cannot be divided equally among {processes} processes; "
            f"use --batch-size {' or '.join(near)}, or another number of processes.",
        )
    if config.device == "mps" and processes > 1:
        raise ConfigError("device", "device is mps, on which only one process can train; use --device cpu.")
