"""samples.jsonl is read whole or refused in a sentence, whoever wrote it."""

from __future__ import annotations

from pathlib import Path

import pytest

from rnnplay.errors import InputError
from rnnplay.runs.samples.logged import LoggedSample, SampleFile, prompts_of


def sample(step: int, prompt: str = "Once", text: str = " upon\na time") -> LoggedSample:
    return LoggedSample(step=step, prompt=prompt, text=text, loss=1.5)


@pytest.fixture
def file(tmp_path: Path) -> SampleFile:
    found = SampleFile(tmp_path)
    found.append([sample(0), sample(0, "Then"), sample(10), sample(10, "Then"), sample(20)])
    return found


def test_what_is_appended_is_read_and_cut_by_step(file: SampleFile) -> None:
    assert [one.step for one in file.read()] == [0, 0, 10, 10, 20]
    assert file.read()[0] == sample(0) and prompts_of(file.read()) == ["Once", "Then"]
    before = file.stamp()
    file.cut(20)
    assert file.stamp() == before
    file.cut(19)
    assert [one.step for one in file.read()] == [0, 0, 10, 10] and file.stamp() != before
    file.append([sample(15)])
    assert [one.step for one in file.read()] == [0, 0, 10, 10, 15]
    file.cut(-1)
    assert file.read() == []


def test_without_a_file_there_are_none(tmp_path: Path) -> None:
    file = SampleFile(tmp_path)
    file.cut(5)
    assert file.read() == [] and file.stamp() is None and not file.path.exists()


def test_a_line_that_was_not_finished_is_left_out_and_mended(file: SampleFile) -> None:
    whole = file.path.read_bytes()
    file.path.write_bytes(whole + b'{"step":30,"prompt":"On')
    assert [one.step for one in file.read()] == [0, 0, 10, 10, 20]
    file.append([sample(40)])
    assert [one.step for one in file.read()] == [0, 0, 10, 10, 20, 40]


@pytest.mark.parametrize(
    "line",
    [b"{", b"[1]", b'{"step":-1,"prompt":"","text":""}', b"\xff\xfe", b'{"step":1,"prompt":1,"text":""}', b"[" * 9999],
)
def test_a_line_that_is_no_sample_is_named_and_cut_away(line: bytes, file: SampleFile) -> None:
    file.path.write_bytes(file.path.read_bytes() + line + b"\n")
    with pytest.raises(InputError, match=r"samples\.jsonl, line 6, is not a sample"):
        file.read()
    file.cut(100)
    assert len(file.read()) == 5


def test_a_link_is_neither_read_nor_cut(file: SampleFile, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    file.path.rename(elsewhere)
    file.path.symlink_to(elsewhere)
    before = elsewhere.read_bytes()
    for use in (file.read, lambda: file.cut(0)):
        with pytest.raises(InputError):
            use()
    with pytest.raises(OSError):
        file.append([sample(1)])
    assert elsewhere.read_bytes() == before


def test_of_a_huge_file_the_end_is_read(file: SampleFile, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rnnplay.runs.samples.logged.MOST_BYTES", 150)
    assert [one.step for one in file.read()] == [10, 20]
