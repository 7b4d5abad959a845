"""A sample log that another process writes is read on from where the last look ended, whatever happens to it."""

from __future__ import annotations

from pathlib import Path

import pytest

from rnnplay.runs.samples.logged import LoggedSample, SampleFile, SampleFollower
from tests.runs.samples.test_logged import sample


@pytest.fixture
def file(tmp_path: Path) -> SampleFile:
    return SampleFile(tmp_path)


def steps(follower: SampleFollower) -> list[int]:
    return [one.step for one in follower.samples]


def test_what_is_new_is_added_and_the_rest_not_read_again(file: SampleFile, monkeypatch: pytest.MonkeyPatch) -> None:
    follower = SampleFollower(file)
    assert not follower.look() and steps(follower) == []
    file.append([sample(0)])
    assert follower.look() and steps(follower) == [0] and not follower.look()
    starts: list[int] = []
    read = SampleFile.read_from

    def noted(self: SampleFile, start: int) -> tuple[list[LoggedSample], int, bytes]:
        starts.append(start)
        return read(self, start)

    monkeypatch.setattr(SampleFile, "read_from", noted)
    size = file.path.stat().st_size
    file.append([sample(10), sample(20)])
    assert follower.look() and steps(follower) == [0, 10, 20] and starts == [size]


def test_a_rollback_is_followed_also_if_more_was_written_since(file: SampleFile) -> None:
    follower = SampleFollower(file)
    file.append([sample(step) for step in (0, 10, 20)])
    follower.look()
    file.cut(10)
    assert follower.look() and steps(follower) == [0, 10]
    file.append([sample(20)])
    follower.look()
    file.cut(0)
    file.append([sample(step, text="other " * 9) for step in (15, 25, 35)])
    assert follower.look() and steps(follower) == [0, 15, 25, 35]


def test_a_file_that_goes_and_comes_back_is_read_anew(file: SampleFile) -> None:
    follower = SampleFollower(file)
    file.append([sample(0), sample(10)])
    follower.look()
    file.path.unlink()
    assert follower.look() and steps(follower) == []
    file.append([sample(5)])
    assert follower.look() and steps(follower) == [5]


def test_half_a_line_waits_for_its_end(file: SampleFile) -> None:
    follower = SampleFollower(file)
    file.append([sample(0), sample(10)])
    whole = file.path.read_bytes()
    file.path.write_bytes(whole[:-5])
    follower.look()
    assert steps(follower) == [0]
    file.path.write_bytes(whole)
    follower.look()
    assert steps(follower) == [0, 10]
