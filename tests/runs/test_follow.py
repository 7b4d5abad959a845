"""A run that another process trains is followed by its files: nothing is read twice, lost, or taken for another's."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec
import pytest

from rnnplay.config import RunConfig
from rnnplay.runs import follow
from rnnplay.runs.follow import Follower, Standing
from rnnplay.runs.lock import LOCK_FILE, Holder, RunLock
from rnnplay.runs.metrics.metrics_log import encode_lines
from rnnplay.runs.metrics.records import Finished, Record, Rollback, Step, Tuned
from rnnplay.runs.metrics.step_columns import ColumnReader, StepColumns
from tests.support.writer import CREATED, Writer, step, validation


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def writer(tmp_path: Path) -> Iterator[Writer]:
    writer = Writer(tmp_path / "checkpoints" / "run")
    yield writer
    writer.lock.release()


def follower(writer: Writer, clock: Callable[[], float] | None = None, **options: bool) -> Follower:
    """Begins after what is in the file, as the interface does once it has read it."""
    reader = ColumnReader(writer.folder.log)
    for _ in reader.read():
        pass
    return Follower(writer.folder, CREATED, reader.end, clock=clock or Clock(), **options)


def numbers(records: tuple[Record | StepColumns, ...]) -> list[int]:
    return [record.step for record in records if not isinstance(record, StepColumns)]


def test_only_whole_new_lines_are_read_each_once(writer: Writer) -> None:
    writer.steps(1, 3)
    reads = follower(writer)
    first = reads.look()
    assert first.records == () and first.standing is Standing.TRAINED and first.holder is not None
    writer.steps(4, 6)
    line = encode_lines([step(7)])
    with writer.file.open("ab") as file:
        file.write(line[:20])
    assert numbers(reads.look().records) == [4, 5, 6]
    assert reads.look().silent
    with writer.file.open("ab") as file:
        file.write(line[20:])
    assert numbers(reads.look().records) == [7]


def test_what_was_cut_off_is_taken_back_even_if_the_file_has_grown_past_it_since(writer: Writer) -> None:
    """A run that is resumed from an earlier checkpoint writes other losses at the same steps, in as many bytes."""
    writer.steps(1, 5)
    reads = follower(writer)
    for first in range(6, 200, 2):
        writer.steps(first, first + 1)
        reads.look()
    writer.cut(150)
    writer.steps(151, 300, loss=3.0)
    news = reads.look()
    assert news.cut is not None and news.cut <= 150 and not news.another
    assert numbers(news.records) == list(range(news.cut + 1, 301))
    assert [record.loss for record in news.records if isinstance(record, Step)][-150:] == [3.0] * 150
    assert numbers(reads.look().records) == []


def test_a_finished_run_that_goes_on_is_followed_from_its_last_checkpoint(writer: Writer) -> None:
    """Only the record that it had ended is cut off then."""
    writer.steps(1, 20)
    writer.write(validation(20), Finished(step=20, reason="length"))
    writer.lock.release()
    reads = follower(writer)
    assert reads.look().standing is Standing.ENDED
    writer.lock = RunLock.take(writer.folder.path)
    writer.cut(20)
    news = reads.look()
    assert (news.cut, news.records, news.standing) == (20, (), Standing.TRAINED)
    writer.steps(21, 22)
    assert numbers(reads.look().records) == [21, 22]


def test_a_cut_to_before_all_that_is_remembered_means_reading_anew(writer: Writer) -> None:
    writer.steps(1, 100)
    reads = follower(writer)
    reads.look()
    writer.cut(10)
    assert reads.look().another


def test_another_run_of_that_name_is_not_taken_for_it(writer: Writer) -> None:
    writer.steps(1, 5)
    reads = follower(writer)
    reads.look()
    shutil.rmtree(writer.folder.path)
    assert reads.look().standing is Standing.GONE
    other = Writer(writer.folder.path, created="2026-02-02T00:00:00.000+00:00")
    other.steps(1, 50)
    assert reads.look().another
    other.lock.release()


def test_a_folder_that_its_trainer_makes_again_is_read_anew(writer: Writer) -> None:
    writer.steps(1, 5)
    reads = follower(writer)
    reads.look()
    shutil.rmtree(writer.folder.path)
    reads.look()
    again = Writer(writer.folder.path)
    again.steps(6, 9)
    assert reads.look().another
    again.lock.release()


def test_a_renamed_folder_is_followed_under_its_new_name(writer: Writer) -> None:
    writer.steps(1, 5)
    reads = follower(writer)
    reads.look()
    moved = writer.folder.path.rename(writer.folder.path.with_name("better"))
    news = reads.look()
    assert news.renamed is not None and news.renamed.path == moved
    with (moved / "metrics.jsonl").open("ab") as file:
        file.write(encode_lines([step(6)]))
    assert numbers(reads.look().records) == [6]


def test_how_a_run_stands_is_told_by_its_lock_and_its_last_record(writer: Writer) -> None:
    writer.steps(1, 5)
    reads = follower(writer)
    assert reads.look().standing is Standing.TRAINED
    writer.steps(6, 7)
    writer.lock.release()  # as the death of the process does
    news = reads.look()
    assert news.standing is Standing.LEFT and numbers(news.records) == [6, 7], "the last steps are read all the same"
    writer.write(Finished(step=7, reason="stopped"))
    assert reads.look().standing is Standing.ENDED


def test_of_another_machine_growth_tells_while_the_lock_does_not(writer: Writer) -> None:
    writer.lock.release()
    (writer.folder.path / LOCK_FILE).write_text("77 gpu3\n")
    writer.steps(1, 5)
    clock = Clock()
    reads = follower(writer, clock)
    assert reads.look().standing is Standing.WRITTEN
    clock.now += follow.QUIET_SECONDS - 1
    assert reads.look().standing is Standing.WRITTEN
    clock.now += 2
    assert reads.look().standing is Standing.LEFT
    writer.steps(6, 6)
    news = reads.look()
    assert news.standing is Standing.WRITTEN and news.holder == Holder(77, "gpu3")


def test_its_settings_are_told_when_they_change(writer: Writer) -> None:
    reads = follower(writer)
    assert reads.look().info == writer.info
    assert reads.look().info is None
    changed = msgspec.structs.replace(writer.info, config=RunConfig(steps=2000))
    writer.folder.write_info(changed)
    writer.write(Tuned(step=0, knob="lr", value=0.5))
    news = reads.look()
    assert news.info == changed and len(news.records) == 1


def test_a_rollback_in_the_file_is_a_record_like_any_other(writer: Writer) -> None:
    reads = follower(writer)
    writer.steps(1, 9)
    writer.write(Rollback(step=9, to=4, cause="by hand", remedy="none"))
    reads.look()
    writer.steps(5, 6)
    news = reads.look()
    assert news.cut is None and numbers(news.records) == [5, 6]


def test_a_long_gap_is_read_thinned_or_piece_by_piece(writer: Writer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(follow, "AT_ONCE_BYTES", 4000)
    thinned, every = follower(writer), follower(writer, every_step=True)
    writer.steps(1, 200)
    news = thinned.look()
    assert any(isinstance(record, StepColumns) for record in news.records) and not news.more
    found: list[int] = []
    more = True
    while more:
        news = every.look()
        found += numbers(news.records)
        more = news.more
    assert found == list(range(1, 201))


def test_a_line_that_is_no_record_is_named_once_it_is_whole_and_does_not_end_the_following(writer: Writer) -> None:
    writer.steps(1, 2)
    reads = follower(writer)
    good = writer.file.read_bytes()
    writer.file.write_bytes(good + b"rubbish\n")
    news = reads.look()
    assert news.standing is Standing.UNREADABLE and "line 3" in news.trouble
    assert reads.look().trouble == news.trouble
    writer.file.write_bytes(good + encode_lines([step(3)]))
    assert numbers(reads.look().records) == [3]


def test_memory_is_level_however_long_a_run_is_followed(writer: Writer) -> None:
    reads = follower(writer)
    for number in range(1, 400):
        writer.steps(number, number)
        reads.look()
    places = reads._places
    assert len(places) <= follow.MOST_PLACES
    assert [place.step for place in places[-10:]] == list(range(390, 400)), "the last ones are close together"
    assert places[0].step < 100, "and the first is far back"
