"""Output in an encoding that is not UTF-8: every command answers, whatever its answer has in it."""

from __future__ import annotations

import io
import json
import os
import sys
from pathlib import Path

import pytest

from rnnplay.cli.main import program
from tests.support.terminal import Terminal, rnnplay_command

ENCODINGS = ["ascii", "cp1252", "latin-1", "gbk"]
TRAIN = "train --corpus 水à🙂 --run 跑 --steps 4 --hidden 8 --batch-size 2 --bptt 8 --device cpu --threads 1"


@pytest.fixture
def texts(workspace: Path) -> Path:
    (workspace / "corpora" / "水à🙂.txt").write_text("Das Wasser – 水 – “rauscht” … 🙂\n" * 60, encoding="utf-8")
    return workspace


def said(encoding: str, arguments: str, monkeypatch: pytest.MonkeyPatch) -> tuple[int, str, str]:
    """Exit code, stdout and stderr of `rnnplay`, whose streams have this encoding."""
    out, err = io.TextIOWrapper(io.BytesIO(), encoding), io.TextIOWrapper(io.BytesIO(), encoding)
    with monkeypatch.context() as patch:
        patch.setattr(sys, "stdout", out)
        patch.setattr(sys, "stderr", err)
        with pytest.raises(SystemExit) as ended:
            program.main(arguments.split(), prog_name="rnnplay")
        out.flush()
        err.flush()
    raw_out, raw_err = out.buffer, err.buffer
    assert isinstance(raw_out, io.BytesIO) and isinstance(raw_err, io.BytesIO)
    answer = raw_out.getvalue()
    # Generated text is exact, in UTF-8, where it does not go to a terminal.
    text = answer.decode("utf-8" if arguments.startswith("generate") else encoding, "replace")
    return int(ended.value.code or 0), text, raw_err.getvalue().decode(encoding)


@pytest.mark.parametrize("encoding", ["cp1252", "gbk"])  # more of them show no more
def test_every_command_answers(encoding: str, texts: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for arguments, code in [
        ("--help", 0),
        ("train --help", 0),
        (TRAIN, 0),
        ("lessons", 0),
        ("lessons show 1 --language zh", 0),
        ("complete 跑 水", 0),
        ("generate 跑 --length 20", 0),
        ("eval 跑", 0),
        ("inspect 跑", 0),
        ("runs", 0),
        ("runs show 跑", 0),
        ("corpora", 0),
        ("corpora show 水à🙂", 0),
        ("presets", 0),
        ("doctor", 0),
        ("runs show 没有", 2),
        ("train --corpus 没有", 2),
        ("没有", 2),
    ]:
        found, out, err = said(encoding, arguments, monkeypatch)
        assert found == code, f"{arguments}: {out}{err}"
        assert "Unicode" not in err and "\\u" not in out + err, f"{arguments}: {out}{err}"
    saved = texts / "checkpoints" / "跑" / "run.json"
    assert "水à🙂" in saved.read_text(encoding="utf-8")


def test_a_stream_in_ascii_has_nothing_else(texts: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a user wrote is not put into other letters."""
    for arguments in ("train --help", "lessons show 1", "corpora show 水à🙂", "runs", "--version"):
        found, out, err = said("ascii", arguments, monkeypatch)
        assert found == 0 and (out + err).isascii(), arguments
    assert said("ascii", TRAIN, monkeypatch)[0] == 0
    _, out, err = said("ascii", "complete 跑 à→ß", monkeypatch)
    assert out.startswith("???") and "no token for '?', '?', '?';" in err
    assert "Das Wasser ? ? ? ?rauscht? ? ?" in said("ascii", "corpora show 水à🙂", monkeypatch)[1]
    assert "Das Wasser \x96 ? \x96 \x93rauscht\x94 \x85 ?" in said("cp1252", "corpora show 水à🙂", monkeypatch)[
        1
    ].encode("cp1252").decode("latin-1")


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_json_is_exact(encoding: str, texts: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _, out, _ = said(encoding, "corpora show 水à🙂 --json", monkeypatch)
    assert out.isascii()
    assert json.loads(out)["name"] == "水à🙂"


@pytest.mark.parametrize("words", ["lessons", "lessons show 6"])
@pytest.mark.parametrize("encoding", ["ascii", "cp1252", "big5", "gbk", "utf-8"])
def test_lessons_are_in_english_where_chinese_has_no_letters(
    encoding: str, words: str, texts: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Big5 has some Chinese characters, but not these; GBK has them."""
    monkeypatch.delenv("PYTHONIOENCODING", raising=False)
    found, out, err = said(encoding, f"{words} --language zh", monkeypatch)
    assert found == 0 and "??" not in out
    if encoding in ("gbk", "utf-8"):
        assert "梯度裁剪" in out and not err
    else:
        assert "Gradient clipping" in out
        assert err.startswith(f"Note: The encoding here is {encoding}, which lacks") and err.count("\n") == 1
    assert "梯度裁剪" in json.loads(said(encoding, "lessons show 6 --language zh --json", monkeypatch)[1])["title"]


@pytest.mark.skipif(os.name == "nt", reason="pseudo-terminals")
def test_the_interface_says_so_and_is_drawn_in_ascii(workspace: Path) -> None:
    env = {"PYTHONIOENCODING": "latin-1", "RNNPLAY_WORKSPACE": str(workspace)}
    with Terminal(rnnplay_command(), env=env) as terminal:
        said = terminal.wait_for("press Enter")
        assert "iso8859-1" in said
        assert "PYTHONIOENCODING=utf-8 rnnplay" in " ".join(terminal.wait_for("PYTHONIOENCODING").split())
        terminal.send("\r")
        terminal.wait_for("Quit", 60)
        assert "\\u2" not in terminal.text
        assert b"---" in terminal.transcript
        terminal.send("\x11")
        assert terminal.wait_for_exit() == 0
