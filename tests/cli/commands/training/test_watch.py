"""`rnnplay watch` prints what another process trains, and says how that ended."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from rnnplay.cli.commands.training.watch import MOST_TRIES, PrintedRun
from rnnplay.cli.support.reporters import Silent
from rnnplay.cli.support.session import Session
from rnnplay.errors import InputError, RnnplayError
from rnnplay.runs.metrics.records import Finished, Record
from tests.support.writer import Writer, validation


class Told(Silent):
    """Remembers what it was told."""

    def __init__(self) -> None:
        self.records: list[Record] = []
        self.said: list[str] = []

    def record(self, record: Record, /) -> None:
        self.records.append(record)

    def say(self, message: str, /) -> None:
        self.said.append(message)


@pytest.fixture
def session(tmp_path: Path) -> Session:
    session = Session()
    session.workspace_option = str(tmp_path)
    return session


@pytest.fixture
def writer(tmp_path: Path) -> Iterator[Writer]:
    writer = Writer(tmp_path / "checkpoints" / "run")
    writer.steps(1, 5)
    yield writer
    writer.lock.release()


def test_what_comes_is_printed_until_the_run_ends(session: Session, writer: Writer) -> None:
    told = Told()
    printed = PrintedRun(session, writer.folder, told, from_start=False, wait=False)
    assert printed.look() is None and told.records == []
    assert "trained by process" in told.said[0] and "step 5" in told.said[0]
    writer.steps(6, 8)
    writer.write(validation(8))
    assert printed.look() is None
    assert [record.step for record in told.records] == [6, 7, 8, 8]
    writer.write(Finished(step=8, reason="stopped"))
    writer.lock.release()
    assert (printed.look() or "").startswith("run was stopped at step 8. ")


def test_what_was_before_is_printed_on_request(session: Session, writer: Writer) -> None:
    told = Told()
    PrintedRun(session, writer.folder, told, from_start=True, wait=False).look()
    assert [record.step for record in told.records] == [1, 2, 3, 4, 5]


def test_a_run_that_nobody_trains_is_waited_for_only_on_request(session: Session, writer: Writer) -> None:
    writer.lock.release()
    with pytest.raises(InputError, match=r"Nobody trains run now \(at step 5\). Wait for it with: .* --wait"):
        PrintedRun(session, writer.folder, Told(), from_start=False, wait=False).look()
    waiting = PrintedRun(session, writer.folder, Told(), from_start=False, wait=True)
    assert waiting.look() is None
    lock = type(writer.lock).take(writer.folder.path)
    assert waiting.look() is None
    lock.release()
    with pytest.raises(RnnplayError, match="it was killed"):
        waiting.look()


@pytest.mark.parametrize("reason", ["diverged", "removed"])
def test_a_bad_end_is_an_error(session: Session, writer: Writer, reason: str) -> None:
    printed = PrintedRun(session, writer.folder, Told(), from_start=False, wait=False)
    printed.look()
    if reason == "diverged":
        writer.write(Finished(step=5, reason=reason))
    else:
        shutil.rmtree(writer.folder.path)
    with pytest.raises(RnnplayError, match=reason):
        printed.look()


def test_steps_that_are_undone_are_told(session: Session, writer: Writer) -> None:
    told = Told()
    printed = PrintedRun(session, writer.folder, told, from_start=False, wait=False)
    printed.look()
    writer.steps(6, 9)
    printed.look()
    writer.cut(7)
    assert printed.look() is None and "went back" in told.said[-1]
    writer.file.write_bytes(b"")
    writer.steps(1, 2, loss=9.0)
    assert printed.look() is None and "written anew" in told.said[-1]


@pytest.mark.parametrize(
    ("left", "said"),
    [
        ("nothing", "The folder of run was removed or moved; it was at step 5."),
        ("a file", "The folder of run was removed or moved; it was at step 5."),
        ("no run.json", "run.json is missing; it is looked for again."),
        ("no records", "metrics.jsonl is missing; it is looked for again."),
    ],
)
def test_what_becomes_of_the_folder_is_told_as_it_is(session: Session, writer: Writer, left: str, said: str) -> None:
    """A run whose files come back is followed on; nobody waits forever for one that nobody trains."""
    told = Told()
    printed = PrintedRun(session, writer.folder, told, from_start=False, wait=False)
    assert printed.look() is None
    writer.lock.release()
    away = writer.folder.path.parent / ".away"
    if left in ("nothing", "a file"):
        shutil.rmtree(writer.folder.path)
        if left == "a file":
            writer.folder.path.write_text("")
    else:
        file = writer.folder.path / "run.json" if left == "no run.json" else writer.folder.log.path
        file.rename(away)
        for _ in range(3):
            assert printed.look() is None
        assert [message for message in told.said if said in message] == told.said[1:], "said once"
        away.rename(file)
        with pytest.raises(RnnplayError, match="was killed"):
            printed.look()
        file.unlink()
    with pytest.raises(RnnplayError, match=said):
        for _ in range(MOST_TRIES):
            printed.look()
