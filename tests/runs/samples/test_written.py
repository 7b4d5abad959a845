"""The samples that a user drew are kept with their settings, in a file that does not grow without end."""

from __future__ import annotations

from pathlib import Path

import pytest

from rnnplay.config import SamplingConfig
from rnnplay.errors import InputError
from rnnplay.runs.samples import written as module
from rnnplay.runs.samples.written import FILE, PROMPT_CHARACTERS, Written, WrittenFile


def sample(text: str, prompt: str = "Once") -> Written:
    return Written(step=20, prompt=prompt, text=text, sampling=SamplingConfig(seed=7, temperature=0.5))


def test_the_newest_comes_first_with_its_settings(tmp_path: Path) -> None:
    file = WrittenFile(tmp_path)
    assert file.read() == []
    file.append(sample(" a\n"))
    file.append(sample(" b\x1b[31m"))
    assert file.read() == [sample(" b\x1b[31m"), sample(" a\n")]


def test_a_line_that_is_none_and_one_that_was_cut_off_are_left_out(tmp_path: Path) -> None:
    file = WrittenFile(tmp_path)
    file.append(sample("a"))
    with file.path.open("ab") as raw:
        raw.write(b'{"x": 1}\n\xff\n{"step": 3')
    assert file.read() == [sample("a")]
    file.append(sample("b"))
    assert file.read() == [sample("b"), sample("a")]


def test_it_is_bounded_and_keeps_the_newest(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_BYTES", 2_000)
    file = WrittenFile(tmp_path)
    for number in range(100):
        file.append(sample(str(number)))
        assert file.path.stat().st_size <= 2_000
    texts = [int(one.text) for one in file.read()]
    assert texts == list(range(99, 99 - len(texts), -1))
    assert len(texts) >= 3


def test_of_a_long_prompt_the_end_is_kept(tmp_path: Path) -> None:
    file = WrittenFile(tmp_path)
    file.append(sample("a", prompt="x" * 10_000 + "end"))
    assert file.read()[0].prompt.endswith("xend")
    assert len(file.read()[0].prompt) == PROMPT_CHARACTERS


def test_nothing_is_written_through_a_link(tmp_path: Path) -> None:
    (tmp_path / "other").write_text("kept")
    (tmp_path / FILE).symlink_to(tmp_path / "other")
    with pytest.raises((InputError, OSError)):
        WrittenFile(tmp_path).append(sample("a"))
    assert (tmp_path / "other").read_text() == "kept"
