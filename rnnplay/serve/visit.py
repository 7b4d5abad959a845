"""`python -m rnnplay.serve.visit`: the interface of one visitor, started by rnnplay.serve.session.

The environment says where it is confined, and which driver draws (visitors.py).
"""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

from rnnplay.common.confinement import confined
from rnnplay.engine.client import MOST_VARIABLE


def main(arguments: list[str] | None = None) -> int:
    """Runs the interface until the visitor quits or the connection ends; returns the exit code."""
    parser = argparse.ArgumentParser(prog="rnnplay.serve.visit")
    parser.add_argument("--processors", default="", help="the numbers of those to run on, with commas")
    parser.add_argument("--memory", type=int, default=0, help="MB that each process may allocate; 0: any number")
    parser.add_argument("--models", type=int, default=0, help="how many may be open at once; 0: any number")
    given = parser.parse_args(arguments)
    processors = [int(number) for number in given.processors.split(",") if number]
    root = confined()
    if root is None:
        raise SystemExit("A visit is started by the server; it is not confined to a workspace.")
    os.umask(0o077)
    if processors and hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, processors)
    if given.memory and sys.platform != "win32":
        import resource

        # Not the address space, of which torch reserves far more than it uses. Engines inherit it.
        resource.setrlimit(resource.RLIMIT_DATA, (given.memory * 1_000_000,) * 2)
    if given.models:
        os.environ[MOST_VARIABLE] = str(given.models)
    log = os.open(root / ".cache" / "interface.log", os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    os.dup2(log, 2)
    os.close(log)
    from rnnplay.tui.app import run_app
    from rnnplay.workspace import Workspace

    return run_app(Workspace(Path(root)))


if __name__ == "__main__":
    sys.exit(main())
