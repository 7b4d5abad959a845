"""The comparison of kinds of tokens measures all of them on the same characters, and prints a table of them."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from benchmarks import tokens

TEXT = "the old mill by the river, and the fox who lived there\n" * 40


def test_every_kind_is_a_row_of_the_table(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("tokenizers")
    monkeypatch.setattr(tokens, "SETTINGS", {"hidden": 8, "batch_size": 2, "bptt": 8, "eval_every": 0})
    monkeypatch.setattr(tokens, "TURN_SECONDS", 0.01)
    text = tmp_path / "mill.txt"
    text.write_text(TEXT)
    monkeypatch.setattr(sys, "argv", ["tokens", str(text), "--minutes", "0.001", "--characters", "12"])
    tokens.main()
    printed = capsys.readouterr().out.splitlines()
    rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in printed if line.startswith("|")]
    header, rule, *found = rows
    assert tuple(header) == tokens.COLUMNS and set(rule) == {"---"}
    assert [row[:2] for row in found] == [["mill", kind] for kind in ("char", "byte", "bpe", "word")]
    assert {len(row) for row in found} == {len(tokens.COLUMNS)}
    steps, bits = (tokens.COLUMNS.index(name) for name in ("steps", "bits per character"))
    assert all(int(row[steps]) > 0 and 0 < float(row[bits]) < 9 for row in found)
