"""Limits that the system sets a process (`ulimit`): finds which one was hit and says in one sentence what to do."""

from __future__ import annotations

import errno
import sys
from typing import Literal

from rnnplay.errors import InputError

Limit = Literal["", "memory", "files", "processes", "file size"]

LEAST_MEMORY = 800_000_000
"""Bytes of address space below which torch cannot even be loaded."""

SMALL_STACK = 1_000_000
"""Bytes of stack below which libraries may crash."""

_ERRNOS: dict[int, Limit] = {
    errno.ENOMEM: "memory",
    errno.EMFILE: "files",
    errno.ENFILE: "files",
    errno.EAGAIN: "processes",
    errno.EFBIG: "file size",
}
_MARKS: tuple[tuple[str, Limit], ...] = (
    ("allocate memory", "memory"),
    ("failed to map segment", "memory"),
    ("Memory allocation still failed", "memory"),
    ("MemoryError", "memory"),
    ("bad_alloc", "memory"),
    ("Too many open files", "files"),
    ("Thread creation failed", "processes"),
    ("can't start new thread", "processes"),
    ("pthread_create failed", "processes"),
)
"""Messages of libraries that raise no specific error for a limit."""

_ONEDNN = "could not create a primitive"

_FLAGS = {"memory": "v", "files": "n", "processes": "u", "file size": "f"}


def limit_met(error: BaseException) -> Limit:
    """Returns the limit that caused an error; "" if none did."""
    if isinstance(error, MemoryError):
        return "memory"
    if isinstance(error, OSError):
        limit = _ERRNOS.get(error.errno or 0, "")
        return "" if limit == "file size" and _soft(limit) is None else limit  # otherwise the disk's
    return limit_in(str(error)) if isinstance(error, ImportError | RuntimeError) else ""


def limit_in(text: str) -> Limit:
    """Returns the limit that a library's message is about; "" if none."""
    if _ONEDNN in text and _soft("memory") is not None:  # it says the same of other problems
        return "memory"
    return next((limit for mark, limit in _MARKS if mark in text), "")


def limit_sentence(limit: Limit) -> str:
    """Returns the sentence about a limit that was hit, for the user; "" if there is none."""
    size = _soft(limit)
    if limit == "memory":
        most = f", and this process may have no more than {size / 1e6:,.0f} MB" if size is not None else ""
        return f"There is not enough memory{most}; {_advice(limit, size, 'end other programs')}."
    if limit == "files":
        return f"Too many files are open ({_at_most(size)}); {_advice(limit, size, 'end other programs')}."
    if limit == "processes":
        return f"No more processes or threads are allowed ({_at_most(size)}); {_advice(limit, size, 'end some')}."
    if limit == "file size" and size is not None:
        return f"A file may have no more than {size:,} bytes here, and more is written; {_advice(limit, size, '')}."
    return ""


def reason(error: OSError) -> str:
    """Returns the system's message, followed by the limit on a file's size if that caused it."""
    message = error.strerror or str(error) or type(error).__name__
    limit = limit_met(error)
    size = _soft(limit) if limit == "file size" else None
    return message if size is None else f"{message}: the limit is {size:,} bytes, ulimit -f"


def way_out(error: OSError, *, reading: bool = False) -> str:
    """Returns what to do about a file or a folder that could not be written or read, such as "make room there"."""
    if limit := limit_met(error):
        return _advice(limit, _soft(limit), "end other programs")
    match error.errno:
        case errno.ENOSPC | errno.EDQUOT:
            return "make room there"
        case errno.EACCES | errno.EPERM | errno.EROFS:
            return "allow reading it" if reading else "allow writing there"
        case errno.EEXIST | errno.ENOTDIR | errno.EISDIR:
            return "move away what is in its place"
        case errno.ENAMETOOLONG:
            return "choose a shorter name"
        case errno.ENOENT | errno.ESTALE:
            return "put it back" if reading else "put back the folder that is missing"
    return "check that disk"


def check_memory_limit() -> None:
    """Raises InputError if the memory limit is too low to load torch, whose libraries would exit without a message."""
    size = _soft("memory")
    if size is not None and size < LEAST_MEMORY:
        raise InputError(
            f"This process may have no more than {size / 1e6:,.0f} MB of memory, and a model needs "
            f"{LEAST_MEMORY / 1e6:,.0f} MB or more; {_advice('memory', size, '')}."
        )


def small_stack() -> str:
    """Returns "a stack of 128 kB, raise ulimit -s" if the stack is so small that libraries may crash; else ""."""
    size = _limit("RLIMIT_STACK")
    return f"a stack of {size / 1024:,.0f} kB, raise ulimit -s" if size is not None and size < SMALL_STACK else ""


def _soft(limit: Limit) -> int | None:
    names = {"memory": "RLIMIT_AS", "files": "RLIMIT_NOFILE", "processes": "RLIMIT_NPROC", "file size": "RLIMIT_FSIZE"}
    return _limit(names[limit]) if limit else None


def _limit(name: str) -> int | None:
    """Returns the soft limit; None if there is none."""
    if sys.platform == "win32":
        return None
    import resource

    number = getattr(resource, name, None)
    if number is None:
        return None
    soft, _ = resource.getrlimit(number)
    return None if soft == resource.RLIM_INFINITY else int(soft)


def _at_most(size: int | None) -> str:
    return f"the limit is {size:,}" if size is not None else "the system has no more"


def _advice(limit: Limit, size: int | None, otherwise: str) -> str:
    return f"raise that limit (ulimit -{_FLAGS[limit]}) and try again" if size is not None else f"{otherwise} first"
