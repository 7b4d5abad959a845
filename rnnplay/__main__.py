"""The command `rnnplay`, also as `python -m rnnplay`."""

from __future__ import annotations

# Until `main` has begun, an interrupt is answered with Python's traceback: what is imported here is built in.
import _signal  # type: ignore[import-not-found]  # `signal` would import more
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import MutableMapping
    from pathlib import Path


def keep_imports_to_what_is_installed(environment: MutableMapping[str, str], folder: Path) -> None:
    """Makes every Python process that this one starts pass over modules in `folder`, the current one.

    They are started as `python -m rnnplay…`, and Python then looks there first: a torch.py beside a user's texts, or
    another clone of rnnplay, would be run in place of what is installed. A clone that is run without being installed
    can only be found there.
    """
    from contextlib import suppress
    from pathlib import Path

    with suppress(OSError):  # the folder may be gone
        if Path(__file__).parents[1].samefile(folder):
            return
    environment.setdefault("PYTHONSAFEPATH", "1")


def main() -> None:
    """Runs the command line with the arguments of the process and exits with its code; never returns.

    Interrupted, the process ends by the signal itself: a shell reports 130, and ends a script or a loop that the
    command is part of.
    """
    handler = _signal.getsignal(_signal.SIGINT)  # the parent may have it ignored
    at_once = _signal.SIG_DFL if handler is _signal.default_int_handler else handler
    _signal.signal(_signal.SIGINT, at_once)  # while modules are imported; Python's own would show a traceback
    import atexit

    ends_by: list[int] = []
    atexit.register(_end_by, ends_by)  # the first to be registered is the last to be called

    import os
    from pathlib import Path

    keep_imports_to_what_is_installed(os.environ, Path())
    from rnnplay.cli.main import program
    from rnnplay.cli.support.failures import INTERRUPTED

    code: str | int | None = INTERRUPTED
    try:
        _signal.signal(_signal.SIGINT, handler)
        program.main(prog_name="rnnplay")
    except KeyboardInterrupt:
        pass  # just before or after the command, which answers it by itself
    except SystemExit as ended:
        code = ended.code
    _signal.signal(_signal.SIGINT, at_once)
    if code == INTERRUPTED and sys.platform != "win32":
        ends_by.append(_signal.SIGINT)
    sys.exit(code)


def _end_by(signals: list[int]) -> None:
    """Ends the process by the signal in `signals`, if there is one."""
    from contextlib import suppress

    for number in signals:
        with suppress(OSError, ValueError):
            sys.stdout.flush()
        _signal.signal(number, _signal.SIG_DFL)
        _signal.raise_signal(number)


if __name__ == "__main__":
    main()
