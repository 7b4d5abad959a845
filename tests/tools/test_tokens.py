"""The comparison of kinds of tokens measures all of them on the same characters, and prints a table of them."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from benchmarks.quality import tokens

TEXT = "the old mill by the river, and the fox who lived there\n" * 40
SMALL = {"hidden": 8, "batch_size": 2, "bptt": 8}


@pytest.fixture
def text(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A small text, of which small models learn in short turns."""
    monkeypatch.setattr(tokens, "SETTINGS", SMALL)
    monkeypatch.setattr(tokens, "TURN_SECONDS", 0.01)
    text = tmp_path / "mill.txt"
    text.write_text(TEXT)
    return text


def rows_printed(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], *arguments: str
) -> list[dict[str, str]]:
    """Runs the command, and returns the rows of its table by their columns."""
    monkeypatch.setattr(sys, "argv", ["tokens", *arguments])
    tokens.main()
    printed = capsys.readouterr().out.splitlines()
    rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in printed if line.startswith("|")]
    header, rule, *found = rows
    assert tuple(header) == tokens.COLUMNS and set(rule) == {"---"}
    return [dict(zip(header, row, strict=True)) for row in found]


def test_every_kind_is_a_row_of_the_table(
    text: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("tokenizers")
    found = rows_printed(monkeypatch, capsys, str(text), "--minutes", "0.001", "--characters", "12")
    assert [(row["text"], row["tokens"]) for row in found] == [
        ("mill", kind) for kind in ("char", "byte", "bpe", "word")
    ]
    assert all(int(row["steps"]) > 0 and 0 < float(row["bits per character"]) < 9 for row in found)


def test_rates_are_measured_once_and_then_set_the_number_of_steps(
    text: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """What a model reaches by rates does not depend on how busy the machine is while it trains."""
    file = tmp_path / "rates.json"
    kinds = ("--kinds", "char,word")
    monkeypatch.setattr(sys, "argv", ["tokens", str(text), *kinds, "--steps-from-rate", str(file), "--seconds", "0.02"])
    tokens.main()
    written = json.loads(file.read_text())
    measured = written["steps_per_second"][str(text)]
    assert list(measured) == ["char", "word"] and min(measured.values()) > 0
    written["steps_per_second"][str(text)] = {"char": 5.0, "word": 2.0}
    file.write_text(json.dumps(written))
    capsys.readouterr()
    settings = (*kinds, "--rates", str(file), "--minutes", "0.1", "--characters", "12")
    once, again = (rows_printed(monkeypatch, capsys, str(text), *settings) for _ in range(2))
    assert [(row["steps"], row["tokens/s"]) for row in once] == [("30", "80"), ("12", "32")]  # 16 tokens a step
    assert [row["loss"] for row in once] == [row["loss"] for row in again]


@pytest.mark.parametrize("content", ["", "[]", '{"about": "", "steps_per_second": {}}'], ids=["empty", "list", "other"])
def test_a_file_without_the_rates_is_refused_in_a_sentence(
    content: str, text: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "rates.json"
    file.write_text(content)
    monkeypatch.setattr(sys, "argv", ["tokens", str(text), "--rates", str(file)])
    with pytest.raises(SystemExit, match=r"rates\.json .*--steps-from-rate\."):
        tokens.main()
