"""The command `rnnplay`, also as `python -m rnnplay`."""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from pathlib import Path

import rnnplay


def keep_imports_to_what_is_installed(environment: dict[str, str] | os._Environ[str], folder: Path) -> None:
    """Makes every Python process that this one starts pass over modules in `folder`, the current one.

    They are started as `python -m rnnplay…`, and Python then looks there first: a torch.py beside a user's texts, or
    another clone of rnnplay, would be run in place of what is installed. A clone that is run without being installed
    can only be found there.
    """
    with suppress(OSError):  # the folder may be gone
        if Path(rnnplay.__file__).parents[1].samefile(folder):
            return
    environment.setdefault("PYTHONSAFEPATH", "1")


def main() -> None:
    """Runs the command line with the arguments of the process and exits with its code."""
    keep_imports_to_what_is_installed(os.environ, Path())
    try:
        from rnnplay.cli.main import program
    except KeyboardInterrupt:  # as it is answered once the command runs
        sys.exit("\nInterrupted.")

    program.main(prog_name="rnnplay")


if __name__ == "__main__":
    main()
