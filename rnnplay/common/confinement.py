"""Confines a process to one folder: no other file, no network, no other program.

For the interfaces that `rnnplay serve` starts for visitors. Whoever uses one types paths, but runs no code; so a
hook on Python's audit events (PEP 578), through which every file that Python opens, lists, moves or removes must
pass, is one gate for all of them, whatever screen, engine or export asks. It cannot be taken off again. What is read
besides are rnnplay itself, Python's libraries and a few files of the system that these need. A path that a user names
is held to `check_reachable`, which does not even tell whether there is something beyond the folder.

The environment variable is read when rnnplay is imported, and inherited: engines and exports are confined, too.
"""

from __future__ import annotations

import errno
import os
import sys
import sysconfig
from collections.abc import Callable
from pathlib import Path
from typing import Any

from rnnplay.errors import InputError

VARIABLE = "RNNPLAY_CONFINED"
"""The environment variable with the folder."""

_SYSTEM_FILES = (
    *("/dev/null", "/dev/urandom", "/dev/random", "/etc/localtime", "/etc/timezone", "/etc/mime.types"),
    *("/proc/stat", "/proc/cpuinfo", "/proc/meminfo", "/proc/loadavg", "/proc/uptime", "/proc/filesystems"),
)
"""What psutil, torch and the standard library read of the system."""
_SYSTEM_FOLDERS = ("/sys/devices/system", "/sys/fs/cgroup", "/usr/share/zoneinfo", "/usr/share/fonts")
_WRITABLE_FILES = ("/dev/null",)
_OF_A_PROCESS = (
    "stat",
    "status",
    "statm",
    "smaps",
    "smaps_rollup",
    "io",
    "cgroup",
    "limits",
    "task",
    "schedstat",
    "maps",
)
"""What may be read of the processes in /proc: numbers, but no environment, command line or open file."""

_WRITING_FLAGS = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND

_home: str | None = None
"""The folder that this process is confined to, without links; None for a process that is free."""


def confine(folder: Path) -> None:
    """Confines this process and those that it starts to `folder`, which becomes the current one, for good.

    A second call for another folder raises ValueError. Raises OSError if the folder cannot be entered.
    """
    global _home
    home = os.path.realpath(folder)
    if _home is not None:
        if home != _home:
            raise ValueError(f"this process is confined to {_home} already")
        return
    os.chdir(home)
    os.environ[VARIABLE] = home
    gate = _Gate(home)
    sys.addaudithook(gate)
    _home = home


def confined() -> Path | None:
    """The folder that this process is confined to, if it is."""
    return None if _home is None else Path(_home)


def reachable(path: str | Path) -> bool:
    """Whether a path that a user names leads into the folder, links followed; always true in a process that is free."""
    return _home is None or _is_in(path, (_home,))


def check_reachable(path: str | Path) -> None:
    """Raises InputError if a path that a user names leads out of the folder, whether or not there is something."""
    if not reachable(path):
        raise InputError(
            f"{_shown(path)} is outside of your workspace, and here only that can be reached; give a path in it, such "
            "as corpora/mine.txt."
        )


def check_online(what: str) -> None:
    """Raises InputError, in which `what` names what is to be fetched, in a process that may reach no network."""
    if _home is not None:
        raise InputError(f"{what} cannot be downloaded from here; ask whoever serves this playground for the text.")


def _shown(path: str | Path) -> str:
    text = str(path).encode("utf-8", "replace").decode().replace("\0", "␀")
    return text if len(text) <= 160 else f"{text[:80]}…{text[-40:]}"


def _is_in(path: Any, folders: tuple[str, ...]) -> bool:
    try:
        real = os.path.realpath(os.fsdecode(path))
    except (OSError, ValueError, TypeError):  # a zero byte
        return False
    return any(real == folder or real.startswith(folder.rstrip(os.sep) + os.sep) for folder in folders)


def _is_of_a_process(named: str) -> bool:
    parts = Path(named).parts
    return (
        len(parts) >= 4
        and parts[1] == "proc"
        and (parts[2] == "self" or parts[2].isdecimal())
        and all(part in _OF_A_PROCESS or part.isdecimal() for part in parts[3:])
    )


class _Gate:
    """The audit hook: raises PermissionError for what leads out of `home`."""

    def __init__(self, home: str) -> None:
        package = Path(__file__).resolve().parent.parent
        python = [sysconfig.get_path(name) for name in ("stdlib", "platstdlib", "purelib", "platlib")]
        found = {os.path.realpath(place) for place in (*python, *sys.path) if place}
        # A checkout is in sys.path whole, and the workspaces of all visitors may be in it.
        libraries = {place for place in found if not home.startswith(place.rstrip(os.sep) + os.sep)}
        self._written = (home,)
        self._read = (home, str(package), str(package.parent / "corpora"), *sorted(libraries), *_SYSTEM_FOLDERS)
        self._checks: dict[str, Callable[[tuple[Any, ...]], None]] = {
            "open": self._open,
            **dict.fromkeys(("os.listdir", "os.scandir"), self._list),
            **dict.fromkeys(("os.rename", "os.link", "os.symlink"), self._two),
            **dict.fromkeys(_CHANGES, self._one),
            **dict.fromkeys(_NETWORK, self._refuse_network),
            **dict.fromkeys(_PROGRAMS, self._refuse_program),
            # From Python 3.13 on, subprocess may start a process by the latter.
            **dict.fromkeys(("subprocess.Popen", "os.posix_spawn"), self._start),
        }

    def __call__(self, event: str, given: tuple[Any, ...]) -> None:
        check = self._checks.get(event)
        if check is not None:
            check(given)

    def _open(self, given: tuple[Any, ...]) -> None:
        path, mode, flags = given
        if isinstance(path, int):
            return
        if flags & _WRITING_FLAGS or (isinstance(mode, str) and not set(mode).isdisjoint("wax+")):
            self._allow(path, self._written, lambda named: named in _WRITABLE_FILES)
        else:
            self._allow(path, self._read, lambda named: named in _SYSTEM_FILES or _is_of_a_process(named))

    def _list(self, given: tuple[Any, ...]) -> None:
        path = given[0] if given else None
        if path is not None and not isinstance(path, int):
            self._allow(path, self._read, lambda named: named == "/proc" or _is_of_a_process(named))

    def _one(self, given: tuple[Any, ...]) -> None:
        if not isinstance(given[0], int):
            self._allow(given[0], self._written)

    def _two(self, given: tuple[Any, ...]) -> None:
        for path in given[:2]:
            self._allow(path, self._written)

    def _allow(self, path: Any, folders: tuple[str, ...], besides: Callable[[str], bool] = lambda _: False) -> None:
        if not _is_in(path, folders) and not besides(os.path.normpath(os.fsdecode(path))):
            raise PermissionError(errno.EACCES, "It is outside of your workspace", _shown(os.fsdecode(path)))

    @staticmethod
    def _refuse_network(_given: tuple[Any, ...]) -> None:
        raise PermissionError(errno.EACCES, "No network can be reached from here")

    @staticmethod
    def _refuse_program(_given: tuple[Any, ...]) -> None:
        raise PermissionError(errno.EACCES, "No other program can be started from here")

    @staticmethod
    def _start(given: tuple[Any, ...]) -> None:
        """Allows rnnplay's own processes: engines, exports, tests of learning rates."""
        program = os.fsdecode(given[0])
        arguments = [os.fsdecode(one) for one in given[1]] if isinstance(given[1], list | tuple) else [str(given[1])]
        own = program == sys.executable and arguments[:2] == [sys.executable, "-m"]
        if not own or arguments[2].partition(".")[0] != "rnnplay":
            raise PermissionError(errno.EACCES, "No other program can be started from here", _shown(program))


_CHANGES = (
    *("os.mkdir", "os.remove", "os.rmdir", "os.truncate", "os.chmod", "os.chown", "os.utime", "os.chdir"),
    *("os.setxattr", "os.removexattr", "os.chflags", "os.lockf", "sqlite3.connect"),
)
_NETWORK = (
    *("socket.connect", "socket.bind", "socket.sendto", "socket.sendmsg"),
    *("socket.getaddrinfo", "socket.gethostbyname", "socket.gethostbyaddr", "socket.getnameinfo"),
)
_PROGRAMS = ("os.exec", "os.spawn", "os.system", "os.startfile", "os.forkpty", "pty.spawn")
