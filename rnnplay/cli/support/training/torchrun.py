"""`rnnplay train` in several processes: started by torchrun, of which this hides what is not for the user.

As a program (`python -m rnnplay.cli.support.training.torchrun N train …`) this is torchrun itself, for N processes on
this host.
"""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, NoReturn

from rnnplay.cli.support.console import note
from rnnplay.cli.support.failures import DONE, FAILED, tell
from rnnplay.cli.support.settings import with_lasting_corpus
from rnnplay.common.processors import processors, share_of_cores
from rnnplay.common.signals import StopSignals, signal_name
from rnnplay.config import RunConfig, with_values
from rnnplay.errors import InputError, LostProcessError, RnnplayError
from rnnplay.runs.launch import Launch, check_divisible

if TYPE_CHECKING:
    from rnnplay.cli.support.session import Session
    from rnnplay.runs.folder import RunFolder

LOCAL = "127.0.0.1"
"""Named so that no host's name need be looked up."""


def exec_torchrun(session: Session, processes: int, config: RunConfig) -> NoReturn:
    """Replaces this process by torchrun, which starts the command typed in `processes` processes.

    Raises InputError for more processes than processors, ConfigError for settings that cannot be divided among them.
    """
    most = len(processors())
    if processes > most:
        raise InputError(
            f"--torchrun is {processes}, but this process may use {most} processor{'s' * (most != 1)}, and more "
            f"processes than that are slower; give at most {most}."
        )
    check_divisible(config, processes)
    command, *words = session.words
    given = session.workspace_option  # before the command, or among its words
    place = ["--workspace", given] if given and given not in words else []
    arguments = [sys.executable, "-m", __name__, str(processes), command, *place, *words]
    sys.stdout.flush()
    sys.stderr.flush()
    os.execv(sys.executable, arguments)


def join_in(session: Session, launch: Launch, corpus: str | None) -> int:
    """Joins in training the run of the process with rank 0; returns the exit code.

    `corpus`: where the text is on this host, if the user says. What went wrong, the first process says.
    """
    from rnnplay.training.followers import follow
    from rnnplay.training.processes.joining import join

    def localise(config: RunConfig) -> RunConfig:
        return (
            config
            if corpus is None
            else with_lasting_corpus(with_values(config, {"corpus": corpus}), session.workspace)
        )

    with StopSignals() as stop:
        try:
            group = join(launch)
            follow(group, session.workspace, localise, lambda: stop.asked)
            group.close()
        except LostProcessError:
            return FAILED
    return DONE


def code_of_ended(launch: Launch, folder: RunFolder) -> int | None:
    """Returns the exit code of a restart whose run has ended already, and lets the other processes end.

    None if there is more to train. Raises RnnplayError for a run that diverged, so that it is not begun again.
    """
    from rnnplay.runs.checkpoint_state import read_state

    state = read_state(folder.checkpoint().path)
    if not state.finished:
        return None
    if state.finished == "diverged":
        raise RnnplayError(f"The run {folder.name!r} diverged and has ended; torchrun cannot mend that.")
    from rnnplay.training.processes.joining import join

    note(f"The run {folder.name!r} had come to its end, at step {state.step:,}.")
    group = join(launch)
    group.tell(b"")
    group.close()
    return DONE


def main() -> int:
    """Runs torchrun, quietly: what goes wrong in a process, that process says."""
    import logging
    import uuid

    processes, *words = sys.argv[1:]
    # Otherwise torchrun sets it to 1, and says so at length.
    os.environ.setdefault("OMP_NUM_THREADS", str(share_of_cores(int(processes))))

    os.environ.setdefault("TORCH_CPP_LOG_LEVEL", "ERROR")

    from torch.distributed import run
    from torch.distributed.elastic.multiprocessing.api import SignalException
    from torch.distributed.elastic.multiprocessing.errors import ChildFailedError

    logging.disable(logging.CRITICAL)
    options = [f"--nproc-per-node={processes}", "--rdzv-backend=c10d", f"--rdzv-endpoint={LOCAL}:0"]
    options += [f"--rdzv-id={uuid.uuid4()}", f"--local-addr={LOCAL}", "-m", "rnnplay", "--"]
    try:
        run.main([*options, *words])
    except SignalException:
        pass  # the processes were told, and have ended
    except ChildFailedError as error:
        codes = [failure.exitcode for failure in error.failures.values()]
        killed = [signal_name(-code) for code in codes if code < 0]
        if killed:
            out = "; the system does that when memory runs out" if "SIGKILL" in killed else ""
            tell(f"One of the {processes} processes was ended by {killed[0]}{out}.")
        return max((code for code in codes if code > 0), default=1)
    return 0


if __name__ == "__main__":
    sys.exit(main())
