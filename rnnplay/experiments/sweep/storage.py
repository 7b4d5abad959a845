"""Where a study is kept: Optuna's journal in a folder of the workspace, or a database by its URL."""

from __future__ import annotations

import contextlib
import os
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rnnplay.common.limits import reason, way_out
from rnnplay.common.terminal_text import sanitize_line, sanitize_message
from rnnplay.errors import InputError, RnnplayError
from rnnplay.experiments.sweep.claims import Claims, DatabaseClaims, FileClaims

if TYPE_CHECKING:
    from optuna.storages import BaseStorage

INSTALL = "pip install 'rnnplay[sweep]'"
JOURNAL = "journal.jsonl"
_NO_RIGHTS = "42501"
"""SQLSTATE of insufficient privilege."""


def check_extra(storage: str | None) -> None:
    """Raises RnnplayError, with the command that installs it, if Optuna or the database's driver is missing."""
    from importlib.util import find_spec

    if find_spec("optuna") is None or find_spec("filelock") is None:
        raise RnnplayError(f"Sweeps need Optuna; install it with: {INSTALL}")
    if storage is not None and find_spec("sqlalchemy") is None:
        raise RnnplayError(f"Studies in a database need SQLAlchemy; install it with: {INSTALL}")


def open_storage(study: str, folder: Path, url: str | None) -> tuple[BaseStorage, Claims]:
    """Opens what keeps a study, and the claims on its trials: the journal in `folder`, or the database at `url`.

    Creates what is missing. Raises InputError if it cannot be used, RnnplayError without the extra.
    """
    check_extra(url)
    import optuna

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    warnings.filterwarnings("ignore", category=optuna.exceptions.ExperimentalWarning)
    if url is not None:
        return _open_database(study, url)
    from optuna.storages import JournalStorage
    from optuna.storages.journal import JournalFileBackend

    class Journal(JournalFileBackend):
        """The journal; says which file it is that cannot be written."""

        def append_logs(self, logs: list[dict[str, Any]]) -> None:
            try:
                super().append_logs(logs)
            except OSError as error:
                raise RnnplayError(
                    f"{folder / JOURNAL} cannot be written ({reason(error)}); {way_out(error)}, then "
                    "begin the sweep again: it goes on where it was."
                ) from error

    try:
        folder.mkdir(parents=True, exist_ok=True)
        journal = Journal(str(folder / JOURNAL), lock_obj=_JournalLock(folder))  # type: ignore[arg-type]
        return JournalStorage(journal), FileClaims(folder)
    except OSError as error:
        raise InputError(f"{folder} cannot be written ({reason(error)}); {way_out(error)}.") from error
    except (ValueError, KeyError, TypeError) as error:
        why = sanitize_line(str(error))[:100]
        raise InputError(f"{folder / JOURNAL} is broken ({why}); restore it, or begin another study.") from error


class _JournalLock:
    """The lock of the journal. Optuna's own outlives a process that is killed by half a minute; this one does not."""

    def __init__(self, folder: Path) -> None:
        from filelock import FileLock

        self._journal = folder / JOURNAL
        self._lock = FileLock(folder / "journal.lock", thread_local=False)

    def acquire(self) -> bool:
        self._lock.acquire(poll_interval=0.005)
        _mend(self._journal)
        return True

    def release(self) -> None:
        self._lock.release()


def _mend(journal: Path) -> None:
    """Cuts off a last line that a process which was killed did not write to its end."""
    with contextlib.suppress(FileNotFoundError), journal.open("r+b") as file:
        size = file.seek(0, os.SEEK_END)
        if size == 0:
            return
        file.seek(size - 1)
        if file.read(1) != b"\n":
            file.seek(0)
            file.truncate(file.read().rfind(b"\n") + 1)


def _open_database(study: str, url: str) -> tuple[BaseStorage, Claims]:
    import sqlalchemy
    from optuna.storages import RDBStorage

    try:
        kept = RDBStorage(url, engine_kwargs={"pool_pre_ping": True})
        return kept, DatabaseClaims(kept.engine, study)
    except ImportError as error:
        driver = "psycopg[binary]" if url.startswith("postgresql") else "the driver that it names"
        raise InputError(f"The database's driver is missing ({error}); install {driver}.") from error
    except sqlalchemy.exc.ArgumentError as error:
        raise InputError(
            "--storage is not a database URL; write it as postgresql+psycopg://USER@HOST/DATABASE or sqlite:////PATH/FILE.db."
        ) from error


@contextlib.contextmanager
def database_in_words(url: str | None) -> Iterator[None]:
    """Raises InputError, in the database's words, where the database at `url` cannot be read or written."""
    if url is None:
        yield
        return
    import sqlalchemy
    from optuna.exceptions import StorageInternalError

    try:
        yield
    except (StorageInternalError, sqlalchemy.exc.SQLAlchemyError) as error:
        found = error.__cause__ if isinstance(error, StorageInternalError) and error.__cause__ else error
        told = getattr(found, "orig", None) or found
        what = "the same command goes on where it was as soon as it can be"
        if getattr(told, "sqlstate", "") == _NO_RIGHTS:
            what = "every user of a study needs the same rights on its tables, which docs/sweeps.md shows how to give"
        raise InputError(
            f"The database of --storage cannot be used ({sanitize_message(str(told)).strip()[:200]}); {what}."
        ) from error
