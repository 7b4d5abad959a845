"""The two corpora that come from the running Python are the same each time, clean, and written whole."""

from __future__ import annotations

import sys
import sysconfig
from pathlib import Path

import pytest

from rnnplay.errors import InputError
from rnnplay.text.corpora import python_corpora
from rnnplay.text.corpora.cached_texts import materialise
from rnnplay.text.corpora.python_corpora import docs_text, library_files


@pytest.mark.parametrize(("source", "least"), [("python-docs", 200_000), ("python-source", 2_000_000)])
def test_written_once_and_the_same_each_time(source: str, least: int, tmp_path: Path) -> None:
    one = materialise(source, tmp_path / "one")
    two = materialise(source, tmp_path / "two")
    text = one.read_text(encoding="utf-8")
    assert one.read_bytes() == two.read_bytes()
    assert least < len(text) <= 20_000_000
    assert "\r" not in text
    assert ".".join(map(str, sys.version_info[:3])) in one.name  # another Python has another text
    names = sorted(path.name for path in (tmp_path / "one").iterdir())
    assert names == [one.name, f"{one.name}.sha256"]  # nothing half written is left
    changed = one.stat().st_mtime_ns
    assert materialise(source, tmp_path / "one").stat().st_mtime_ns == changed


def test_docs_are_prose_without_repetition() -> None:
    text = "".join(docs_text())
    assert "evaluat" in text
    assert "***\n" not in text
    long = [paragraph for paragraph in text.split("\n\n") if len(" ".join(paragraph.split())) > 200]
    assert len(long) > 300
    assert len({" ".join(paragraph.split()) for paragraph in long}) == len(long)


def test_source_files_are_ordered_and_without_tests(tmp_path: Path) -> None:
    for name in ("b.py", "a/z.py", "a/test/test_z.py", "site-packages/x.py", "a.txt", ".hidden/y.py", "tests/t.py"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("x = 1\n", encoding="utf-8")
    assert library_files(tmp_path) == ["a/z.py", "b.py"]


def test_a_source_file_that_is_not_text_is_left_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "good.py").write_text("good = 'é'\n", encoding="utf-8")
    (tmp_path / "latin.py").write_bytes("# coding: latin-1\nname = 'é'\n".encode("latin-1"))
    (tmp_path / "bad.py").write_bytes(b"name = '\xff'\n")
    monkeypatch.setattr(sysconfig, "get_path", lambda _name: str(tmp_path))
    text = materialise("python-source", tmp_path / "cache").read_text(encoding="utf-8")
    assert text.count("'é'") == 2
    assert "# File: good.py\n" in text
    assert "bad.py" not in text


def test_whole_files_up_to_the_limit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in "abc":
        (tmp_path / f"{name}.py").write_text(f"{name} = {'1' * 100}\n", encoding="utf-8")
    monkeypatch.setattr(sysconfig, "get_path", lambda _name: str(tmp_path))
    monkeypatch.setattr(python_corpora, "LARGEST_SOURCE", 260)
    text = materialise("python-source", tmp_path / "cache").read_text(encoding="utf-8")
    assert "b = 1" in text
    assert "c = 1" not in text


def test_a_python_without_the_docs_is_told_in_one_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pydoc_data.topics", None)
    with pytest.raises(InputError, match="without pydoc_data, so there is no corpus python-docs"):
        materialise("python-docs", tmp_path)
    assert not list(tmp_path.iterdir())


def test_a_python_without_sources_is_told_in_one_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sysconfig, "get_path", lambda _name: str(tmp_path))
    with pytest.raises(InputError, match="no source files in"):
        materialise("python-source", tmp_path)


def test_a_failure_half_way_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def stops() -> object:
        yield "some text"
        raise RuntimeError

    monkeypatch.setattr(python_corpora, "docs_text", stops)
    with pytest.raises(RuntimeError):
        materialise("python-docs", tmp_path)
    assert not list(tmp_path.iterdir())
