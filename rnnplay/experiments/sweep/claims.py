"""Who trains which trial: claims that end with the process that holds them.

A study in the workspace uses locks on files, which the system releases when their process ends, however it ends; they
hold on a shared file system, too. A study in a database has a row for each claim, with the time of the database's
clock at which its owner last said that it is there.
"""

from __future__ import annotations

import contextlib
import os
import socket
import threading
import time
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from filelock import BaseFileLock
    from sqlalchemy import Engine

PLAN = -1
"""The claim under which trials are chosen: one process at a time."""
BEAT_SECONDS = 5.0
STALE_SECONDS = 45.0
"""Seconds without a sign after which the owner of a row counts as gone."""
WAIT_SECONDS = 120.0


class Claims(Protocol):
    """Claims on the trials of one study, by their numbers."""

    def take(self, number: int) -> bool:
        """Claims a trial; returns False if it is claimed already, by this or another process."""

    def release(self, number: int) -> None:
        """Gives a claim back."""

    def is_free(self, number: int) -> bool:
        """Whether no process has the claim."""

    def lost(self, number: int) -> bool:
        """Whether another process has taken it over, because this one was silent for too long."""

    def close(self) -> None:
        """Gives all claims back."""


@contextlib.contextmanager
def alone(claims: Claims) -> Iterator[None]:
    """Waits until no other process chooses trials of the study; raises TimeoutError after two minutes."""
    until = time.monotonic() + WAIT_SECONDS
    pause = 0.005
    while not claims.take(PLAN):
        if time.monotonic() > until:
            raise TimeoutError
        time.sleep(pause)
        pause = min(2 * pause, 0.25)
    try:
        yield
    finally:
        claims.release(PLAN)


class FileClaims:
    """Claims as locks on files in a folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._held: dict[int, BaseFileLock] = {}

    def take(self, number: int) -> bool:
        from filelock import FileLock, Timeout

        if number in self._held:
            return False
        lock = FileLock(self._path(number), thread_local=False)
        try:
            lock.acquire(blocking=False)
        except Timeout:
            return False
        self._held[number] = lock
        return True

    def release(self, number: int) -> None:
        lock = self._held.pop(number, None)
        if lock is not None:
            lock.release()

    def is_free(self, number: int) -> bool:
        if number in self._held or not self._path(number).exists():
            return number not in self._held
        free = self.take(number)
        if free:
            self.release(number)
        return free

    def lost(self, _number: int) -> bool:
        return False

    def close(self) -> None:
        for number in list(self._held):
            self.release(number)

    def _path(self, number: int) -> Path:
        return self._folder / ("plan.lock" if number == PLAN else f"trial-{number}.lock")


class DatabaseClaims:
    """Claims as rows of the table `rnnplay_claims` in the database of a study.

    A row is taken over by exchanging the name of its owner, which only one process succeeds in. A thread says every
    few seconds that this process is there.
    """

    def __init__(self, engine: Engine, study: str) -> None:
        import sqlalchemy

        self._sql = sqlalchemy
        self._engine = engine
        self._study = study
        self._table = sqlalchemy.Table(
            "rnnplay_claims",
            sqlalchemy.MetaData(),
            sqlalchemy.Column("study", sqlalchemy.String(100), primary_key=True),
            sqlalchemy.Column("number", sqlalchemy.Integer, primary_key=True, autoincrement=False),
            sqlalchemy.Column("owner", sqlalchemy.String(200), nullable=False),
            sqlalchemy.Column("beat", sqlalchemy.DateTime(timezone=True), nullable=False),
        )
        with contextlib.suppress(sqlalchemy.exc.OperationalError, sqlalchemy.exc.ProgrammingError):
            self._table.create(engine, checkfirst=True)  # another process may create it at this moment
        self._held: dict[int, str] = {}
        self._lost: set[int] = set()
        self._lock = threading.Lock()
        self._ended = threading.Event()
        self._thread: threading.Thread | None = None

    def take(self, number: int) -> bool:
        sql, table = self._sql, self._table
        owner = f"{_this_process()} {uuid.uuid4().hex}"
        with self._engine.connect() as connection:
            row, now = self._row(connection, number)
            if row is None:
                made = table.insert().values(study=self._study, number=number, owner=owner, beat=sql.func.now())
                try:
                    connection.execute(made)
                    connection.commit()
                except sql.exc.IntegrityError:
                    return False
            elif self._is_gone(row, now):
                taken = (
                    table.update()
                    .where(table.c.study == self._study, table.c.number == number, table.c.owner == row.owner)
                    .values(owner=owner, beat=sql.func.now())
                )
                if connection.execute(taken).rowcount != 1:
                    return False
                connection.commit()
            else:
                return False
        with self._lock:
            self._held[number] = owner
            self._lost.discard(number)
        if number != PLAN and self._thread is None:
            self._thread = threading.Thread(target=self._beat_on, daemon=True)
            self._thread.start()
        return True

    def release(self, number: int) -> None:
        with self._lock:
            owner = self._held.pop(number, None)
        if owner is None:
            return
        table = self._table
        where = (table.c.study == self._study, table.c.number == number, table.c.owner == owner)
        with contextlib.suppress(self._sql.exc.SQLAlchemyError), self._engine.begin() as connection:
            connection.execute(table.delete().where(*where))

    def is_free(self, number: int) -> bool:
        if number in self._held:
            return False
        with self._engine.connect() as connection:
            row, now = self._row(connection, number)
        return row is None or self._is_gone(row, now)

    def lost(self, number: int) -> bool:
        with self._lock:
            return number in self._lost

    def close(self) -> None:
        self._ended.set()
        for number in list(self._held):
            self.release(number)

    def beat(self) -> None:
        """Says that this process is there, and notices which of its claims were taken over."""
        table = self._table
        with self._lock:
            held = dict(self._held)
        for number, owner in held.items():
            with self._engine.begin() as connection:
                there = (
                    table.update()
                    .where(table.c.study == self._study, table.c.number == number, table.c.owner == owner)
                    .values(beat=self._sql.func.now())
                )
                if connection.execute(there).rowcount != 1:
                    with self._lock:
                        if self._held.get(number) == owner:
                            self._lost.add(number)

    def _beat_on(self) -> None:
        while not self._ended.wait(BEAT_SECONDS):
            with contextlib.suppress(self._sql.exc.SQLAlchemyError):  # a database that is away for a moment
                self.beat()

    def _row(self, connection: Any, number: int) -> tuple[Any, Any]:
        sql, table = self._sql, self._table
        where = (table.c.study == self._study, table.c.number == number)
        row = connection.execute(sql.select(table.c.owner, table.c.beat).where(*where)).first()
        return row, connection.execute(sql.select(sql.func.now())).scalar_one()

    def _is_gone(self, row: Any, now: Any) -> bool:
        beat = row.beat if now.tzinfo and row.beat.tzinfo else row.beat.replace(tzinfo=None)
        silent = ((now if beat.tzinfo else now.replace(tzinfo=None)) - beat).total_seconds()
        return silent > STALE_SECONDS or _has_ended(row.owner)


def _this_machine() -> str:
    """Names the machine, and the part of it that has process ids of its own."""
    parts = [socket.gethostname()]
    with contextlib.suppress(OSError):
        parts.append(Path("/proc/sys/kernel/random/boot_id").read_text().strip())
    with contextlib.suppress(OSError):
        parts.append(str(Path("/proc/self/ns/pid").readlink()))
    return uuid.uuid5(uuid.NAMESPACE_OID, "\n".join(parts)).hex


def _this_process() -> str:
    return f"{_this_machine()} {os.getpid()} {_begun(os.getpid())}"


def _begun(pid: int) -> str:
    import psutil

    return f"{psutil.Process(pid).create_time():.2f}"


def _has_ended(owner: str) -> bool:
    """Whether `owner` is a process of this machine that is no longer there."""
    import psutil

    machine, pid, begun = (*owner.split(), "", "", "")[:3]
    if machine != _this_machine() or not pid.isdigit():
        return False
    try:
        return _begun(int(pid)) != begun or psutil.Process(int(pid)).status() == psutil.STATUS_ZOMBIE
    except psutil.Error:
        return True
