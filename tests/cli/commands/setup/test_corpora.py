"""`rnnplay corpora`: what there is, what is in it, and a text of one's own."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

from click.testing import Result

Invoke = Callable[..., Result]

TEXT = "The cat sat on the mat.\nThe dog sat on the cat.\n"


def test_the_bundled_and_the_own_texts_are_listed(invoke: Invoke, workspace: Path) -> None:
    """Alone, with list, and in JSON it is the same list."""
    (workspace / "corpora" / "mine.txt").write_text(TEXT, encoding="utf-8")
    listed = json.loads(invoke("corpora", "--json").stdout)
    assert listed == json.loads(invoke("corpora", "list", "--json").stdout)
    by_name = {corpus["name"]: corpus for corpus in listed}
    assert by_name["mine"]["bytes"] == len(TEXT)
    assert by_name["python-docs"]["source"] == "python-docs"
    assert {"name", "title", "summary", "feed", "licence", "path"} <= set(by_name["mine"])
    lines = invoke("corpora").stdout.splitlines()
    assert len(lines) == 1 + len(listed)
    assert any(line.startswith("mine\t") for line in lines)


def test_a_broken_card_is_said_and_the_rest_listed(invoke: Invoke, workspace: Path) -> None:
    """One bad file must not hide the others, nor go unseen."""
    (workspace / "corpora" / "bad.toml").write_text("name = 3", encoding="utf-8")
    result = invoke("corpora", "--json")
    assert result.exit_code == 0
    assert "bad.toml" in result.stderr
    assert "python-docs" in {corpus["name"] for corpus in json.loads(result.stdout)}


def test_show_quotes_the_text_without_obeying_it(invoke: Invoke, workspace: Path) -> None:
    """Escape sequences in a text must not reach the terminal."""
    (workspace / "corpora" / "mine.txt").write_text("\x1b[31mred\x07 " + TEXT, encoding="utf-8")
    shown = invoke("corpora", "show", "mine").stdout
    assert "The dog sat" in shown
    assert "\x1b" not in shown
    assert "␛[31mred␇" in shown
    assert json.loads(invoke("corpora", "show", "mine", "--json").stdout)["excerpt"].startswith("\x1b[31mred")


def test_add_copies_once(invoke: Invoke, workspace: Path, tmp_path: Path) -> None:
    """A text can then be called by its name; another is not written over it."""
    file = tmp_path / "poem.txt"
    file.write_text(TEXT, encoding="utf-8")
    added = invoke("corpora", "add", str(file), "--name", "verse")
    assert added.exit_code == 0, added.stderr
    assert "rnnplay train --corpus verse" in added.stdout
    assert (workspace / "corpora" / "verse.txt").read_text(encoding="utf-8") == TEXT
    again = invoke("corpora", "add", str(file), "--name", "verse")
    assert again.exit_code == 2
    assert "already" in again.stderr
    missing = invoke("corpora", "add", str(tmp_path / "none.txt"))
    assert (missing.exit_code, missing.stdout) == (2, "")


def test_an_unknown_text_is_answered_with_the_near_one(invoke: Invoke) -> None:
    """Also where training would begin."""
    for arguments in (("corpora", "show", "python-dcs"), ("train", "--corpus", "python-dcs")):
        result = invoke(*arguments)
        assert result.exit_code == 2
        assert "did you mean python-docs?" in result.stderr
