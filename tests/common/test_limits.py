"""What the system refuses is said as what it is, whoever's words it came in."""

from __future__ import annotations

import errno
import sys

import pytest

from rnnplay.common import limits
from rnnplay.common.limits import (
    Limit,
    check_memory_limit,
    limit_in,
    limit_met,
    limit_sentence,
    reason,
    small_stack,
    way_out,
)
from rnnplay.errors import InputError


@pytest.mark.parametrize(
    ("error", "limit"),
    [
        (MemoryError(), "memory"),
        (OSError(errno.EMFILE, "Too many open files"), "files"),
        (OSError(errno.ENOMEM, "Cannot allocate memory"), "memory"),
        (BlockingIOError(errno.EAGAIN, "Resource temporarily unavailable"), "processes"),
        (RuntimeError("can't start new thread"), "processes"),
        (ImportError("libtorch_cpu.so: failed to map segment from shared object"), "memory"),
        (RuntimeError("[enforce fail at alloc_cpu.cpp:1] DefaultCPUAllocator: can't allocate memory"), "memory"),
        (RuntimeError("the size of tensor a must match"), ""),
        (OSError(errno.ENOSPC, "No space left on device"), ""),
        (ValueError("Too many open files"), ""),
    ],
)
def test_errors(error: Exception, limit: Limit) -> None:
    assert limit_met(error) == limit


def test_sentences_name_the_limit_where_there_is_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "_limit", lambda name: 8 if name == "RLIMIT_NOFILE" else None)
    assert (
        limit_sentence("files")
        == "Too many files are open (the limit is 8); raise that limit (ulimit -n) and try again."
    )
    assert limit_sentence("memory") == "There is not enough memory; end other programs first."
    assert limit_sentence("") == ""
    assert limit_in("could not create a primitive") == ""
    monkeypatch.setattr(limits, "_limit", lambda _: 900_000_000)
    assert limit_in("could not create a primitive") == "memory"
    assert "no more than 900 MB; raise that limit (ulimit -v)" in limit_sentence("memory")


def test_a_limit_of_the_size_of_files(monkeypatch: pytest.MonkeyPatch) -> None:
    """A file system has one too, which is no limit of the process."""
    error = OSError(errno.EFBIG, "File too large")
    monkeypatch.setattr(limits, "_limit", lambda _: None)
    assert limit_met(error) == "" and reason(error) == "File too large"
    monkeypatch.setattr(limits, "_limit", lambda _: 10_240)
    assert limit_met(error) == "file size" and reason(error) == "File too large: the limit is 10,240 bytes, ulimit -f"
    assert "no more than 10,240 bytes here, and more is written; raise that limit (ulimit -f)" in limit_sentence(
        "file size"
    )
    assert reason(OSError(errno.ENOSPC, "No space left on device")) == "No space left on device"


def test_too_little_memory_for_any_model(monkeypatch: pytest.MonkeyPatch) -> None:
    for size in (None, 10**9):
        monkeypatch.setattr(limits, "_limit", lambda _, size=size: size)
        check_memory_limit()
    monkeypatch.setattr(limits, "_limit", lambda _: 10**8)
    with pytest.raises(InputError, match=r"no more than 100 MB of memory, and a model needs 800 MB .*\(ulimit -v\)"):
        check_memory_limit()


@pytest.mark.skipif(sys.platform == "win32", reason="no such limits")
def test_a_small_stack(monkeypatch: pytest.MonkeyPatch) -> None:
    assert small_stack() == ""
    monkeypatch.setattr(limits, "_limit", lambda _: 131_072)
    assert small_stack() == "a stack of 128 kB, raise ulimit -s"


@pytest.mark.parametrize(
    ("number", "mend"),
    [
        (errno.ENOSPC, "make room there"),
        (errno.EACCES, "allow writing there"),
        (errno.EROFS, "allow writing there"),
        (errno.ENOENT, "put back the folder that is missing"),
        (errno.ENOTDIR, "move away what is in its place"),
        (errno.ENAMETOOLONG, "choose a shorter name"),
        (errno.EIO, "check that disk"),
    ],
)
def test_what_to_do_is_of_the_cause(number: int, mend: str) -> None:
    assert way_out(OSError(number, "")) == mend


def test_what_to_do_about_reading_and_about_a_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    assert way_out(OSError(errno.EACCES, ""), reading=True) == "allow reading it"
    monkeypatch.setattr(limits, "_limit", lambda _: 8)
    assert way_out(OSError(errno.EMFILE, "")) == "raise that limit (ulimit -n) and try again"
    assert way_out(OSError(errno.EFBIG, "")) == "raise that limit (ulimit -f) and try again"
