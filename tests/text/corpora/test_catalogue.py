"""The catalogue finds what is there, leaves out what is broken and says why, and copies without overwriting."""

from __future__ import annotations

import errno
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from rnnplay.errors import InputError
from rnnplay.text.corpora.adding import add_corpus
from rnnplay.text.corpora.catalogue import Corpus, card_problems, find_corpus, list_corpora
from rnnplay.workspace import Workspace, bundled_corpora

BUNDLED = ["agreement", "brackets", "copy", "python-docs", "python-source", "recall", "tales"]
NAMED = ", ".join(BUNDLED) + "."


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    return Workspace(tmp_path / "work").create()


def names(workspace: Workspace) -> list[str]:
    return [corpus.name for corpus in list_corpora(workspace)]


def one_sentence(message: str) -> bool:
    return message.endswith(".") and "\n" not in message and "Traceback" not in message


def test_bundled_cards_are_valid_and_say_what_they_are(workspace: Workspace, tmp_path: Path) -> None:
    assert names(workspace) == BUNDLED
    assert card_problems(workspace) == []
    for corpus in list_corpora(workspace):
        assert corpus.card.title
        assert corpus.card.summary
        assert corpus.card.licence
        assert corpus.materialise(tmp_path / "cache").stat().st_size > 100_000


def test_a_workspace_that_is_not_there_has_the_bundled_ones(tmp_path: Path) -> None:
    assert names(Workspace(tmp_path / "nowhere")) == BUNDLED


def test_the_bundled_folder_as_workspace_has_nothing_twice() -> None:
    workspace = Workspace(bundled_corpora().parent)
    listed = names(workspace)
    assert len(set(listed)) == len(listed)
    assert set(BUNDLED) <= set(listed)


def test_loose_texts_and_cards_of_ones_own(workspace: Workspace) -> None:
    (workspace.corpora / "my_poems.txt").write_text("a rose\n", encoding="utf-8")
    (workspace.corpora / "names.txt").write_text("ann\nbob\n", encoding="utf-8")
    (workspace.corpora / "names.toml").write_text('file = "names.txt"\nfeed = "lines"\n', encoding="utf-8")
    assert names(workspace) == sorted([*BUNDLED, "my_poems", "names"])
    assert card_problems(workspace) == []
    poems, listed = find_corpus("my_poems", workspace), find_corpus("names", workspace)
    assert poems.path == workspace.corpora / "my_poems.txt"
    assert (poems.card.title, poems.card.feed) == ("my poems", "stream")
    assert (listed.card.title, listed.card.feed) == ("names", "lines")


def test_ones_own_hides_the_bundled_one(workspace: Workspace) -> None:
    (workspace.corpora / "tales.txt").write_text("my own tale\n", encoding="utf-8")
    assert names(workspace) == BUNDLED
    assert find_corpus("tales", workspace).path == workspace.corpora / "tales.txt"


@pytest.mark.parametrize(
    ("card", "complaint"),
    [
        ('titel = "x"', "has the unknown field titel; a card's fields are name, title"),
        ('title = 3\nfile = "t.txt"', "has a number in the field title, but it must be text in quotes"),
        ('tokens = ["char"]', "has a list in the field tokens"),
        ('feed = "rows"', "in the field feed, which must be stream or lines"),
        ('source = "perl"', "in the field source, which must be python-docs, python-source, recall,"),
        ('file = "../t.txt"', "has '../t.txt' in the field file, but the text must be in the card's own folder"),
        ('file = "/etc/passwd"', "in the field file, but the text must be in the card's own folder"),
        ('file = "..\\\\t.txt"', "in the field file, but the text must be in the card's own folder"),
        ('file = "C:/t.txt"', "in the field file, but the text must be in the card's own folder"),
        ('file = "a\\u0000b"', "in the field file, but the text must be in the card's own folder"),
        ('file = "link.txt"', "in the field file, but the text must be in the card's own folder"),
        ('file = "gone.txt"', "names the file 'gone.txt', which is not beside it"),
        ('title = "x"', "needs either the field file (a text beside it) or the field source"),
        ('file = "t.txt"\nsource = "python-docs"', "not both"),
        ('name = "a/b"\nfile = "t.txt"', "in the field name"),
        ('name = "tales"\nfile = "t.txt"\nfeed =', "is not valid TOML"),
        ("\xff", "is not UTF-8 text (byte 0); save it as UTF-8"),
        ("#" * 100_000, "is larger than 65,536 bytes"),
        ("file = " + "[" * 30_000, "is not valid TOML"),
        ('file = "t.txt"\n[feed]\nx = 1', "has a table in the field feed"),
    ],
)
def test_a_broken_card_is_left_out_and_says_why(
    card: str, complaint: str, workspace: Workspace, tmp_path: Path
) -> None:
    (tmp_path / "outside.txt").write_text("outside", encoding="utf-8")
    (workspace.corpora / "link.txt").symlink_to(tmp_path / "outside.txt")
    (workspace.corpora / "t.txt").write_text("text", encoding="utf-8")
    (workspace.corpora / "odd.toml").write_text(card, encoding="latin-1")
    assert set(BUNDLED) <= set(names(workspace))
    assert "odd" not in names(workspace)
    (problem,) = card_problems(workspace)
    assert complaint in problem
    assert "odd.toml" in problem
    assert one_sentence(problem)
    with pytest.raises(InputError) as raised:
        find_corpus("odd", workspace)
    assert str(raised.value) == problem


def test_a_text_whose_card_is_broken_does_not_become_a_loose_text(workspace: Workspace) -> None:
    (workspace.corpora / "names.txt").write_text("ann\n", encoding="utf-8")
    (workspace.corpora / "names.toml").write_text('file = "names.txt"\nfeed = "line"', encoding="utf-8")
    assert names(workspace) == BUNDLED


def test_two_cards_of_one_name(workspace: Workspace) -> None:
    (workspace.corpora / "t.txt").write_text("text", encoding="utf-8")
    for stem in ("one", "two"):
        (workspace.corpora / f"{stem}.toml").write_text('name = "same"\nfile = "t.txt"', encoding="utf-8")
    assert names(workspace).count("same") == 1
    (problem,) = card_problems(workspace)
    assert "two.toml has the name 'same', as another card does" in problem


def test_escape_sequences_cannot_reach_the_screen(workspace: Workspace) -> None:
    (workspace.corpora / "e\x1b[31mvil.txt").write_text("text", encoding="utf-8")
    card = 'title = "a\\u001b]0;x\\u0007\\nb"\nsummary = "\\u202edesrever"\nfile = "e\\u001b[31mvil.txt"'
    (workspace.corpora / "card.toml").write_text(card, encoding="utf-8")
    (workspace.corpora / "\x07loose.txt").write_text("text", encoding="utf-8")
    (workspace.corpora / "bro\x1bken.toml").write_text('"\\u001b" = 1', encoding="utf-8")
    shown = [part for c in list_corpora(workspace) for part in (c.name, c.card.title, c.card.summary, c.card.licence)]
    shown += card_problems(workspace)
    assert "\N{REPLACEMENT CHARACTER}loose" in shown
    assert all(part.isprintable() for part in shown)
    with pytest.raises(InputError) as raised:
        find_corpus("\x1b[2J", workspace)
    assert str(raised.value).isprintable()


def test_a_path_wins(workspace: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = tmp_path / "tales.txt"
    text.write_text("mine", encoding="utf-8")
    assert find_corpus(str(text), workspace).path == text
    monkeypatch.chdir(tmp_path)
    assert find_corpus("./tales.txt", workspace).path == text
    assert find_corpus("tales.txt", workspace).path == text
    assert find_corpus("tales", workspace).path == bundled_corpora() / "tales.txt"
    monkeypatch.setenv("HOME", str(tmp_path))
    assert find_corpus("~/tales.txt", workspace).path == text


def test_the_path_of_a_text_with_a_card_keeps_the_card(workspace: Workspace) -> None:
    (workspace.corpora / "names.txt").write_text("ann\n", encoding="utf-8")
    (workspace.corpora / "names.toml").write_text('file = "names.txt"\nfeed = "lines"', encoding="utf-8")
    assert find_corpus(str(workspace.corpora / "names.txt"), workspace).card.feed == "lines"
    assert find_corpus(str(workspace.corpora / "names.toml"), workspace).card.feed == "lines"


@pytest.mark.parametrize(
    ("wanted", "message"),
    [
        (
            "talse",
            f"There is no corpus 'talse'; did you mean tales? there are: {NAMED}",
        ),
        (
            "zzz",
            f"There is no corpus 'zzz'; there are: {NAMED}",
        ),
        ("  ", "The corpus's name is empty; give a corpus's name or the path of a text."),
        (
            "./nope",
            f"There is no file ./nope; give the path of a text, or one of: {NAMED}",
        ),
        ("~nobody_of_that_name/x", "The home folder in ~nobody_of_that_name/x is not known; give the whole path."),
    ],
)
def test_what_is_not_there(wanted: str, message: str, workspace: Workspace) -> None:
    with pytest.raises(InputError) as raised:
        find_corpus(wanted, workspace)
    assert str(raised.value) == message


def test_a_folder_or_a_device_is_not_a_text(workspace: Workspace) -> None:
    with pytest.raises(InputError, match=r"has no file in it that ends in \.txt"):
        find_corpus(str(workspace.corpora), workspace)
    with pytest.raises(InputError, match="is always empty"):
        find_corpus("/dev/null", workspace)


def test_a_file_here_without_a_suffix_is_hinted_at(
    workspace: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "poems").write_text("a rose", encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InputError, match=r"for the file poems in this folder write \./poems"):
        find_corpus("poems", workspace)


def test_a_text_that_has_gone_is_an_error_and_not_a_traceback(workspace: Workspace, tmp_path: Path) -> None:
    (workspace.corpora / "a.txt").write_text("text", encoding="utf-8")
    corpus = find_corpus("a", workspace)
    (workspace.corpora / "a.txt").unlink()
    with pytest.raises(InputError, match="is no longer there"):
        corpus.materialise(tmp_path)


def test_add_copies_whole_and_refuses_to_overwrite(workspace: Workspace, tmp_path: Path) -> None:
    source = tmp_path / "My poems.txt"
    source.write_bytes("a rosé\r\n".encode("utf-16"))
    added = add_corpus(source, workspace)
    assert isinstance(added, Corpus)
    assert added.path == workspace.corpora / "My poems.txt"
    assert added.path.read_bytes() == source.read_bytes()
    assert find_corpus("My poems", workspace) == added
    assert sorted(path.name for path in workspace.corpora.iterdir()) == ["My poems.txt"]
    for name in ("My poems", "my POEMS", "tales", "tales.txt"):
        with pytest.raises(InputError, match="There is already a corpus"):
            add_corpus(source, workspace, name)
    assert add_corpus(source, workspace, "again").name == "again"


def test_add_where_nothing_may_be_written(
    workspace: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On a read-only file system even removing a file that is not there is refused."""
    source = tmp_path / "a.txt"
    source.write_text("text", encoding="utf-8")

    def refuse(*_: object, **__: object) -> None:
        raise OSError(errno.EROFS, os.strerror(errno.EROFS))

    with monkeypatch.context() as patch:
        patch.setattr(shutil, "copyfile", refuse)
        patch.setattr(Path, "unlink", refuse)
        with pytest.raises(
            InputError, match=r"cannot be copied to .*a\.txt \(Read-only file system\); allow writing there, or name"
        ):
            add_corpus(source, workspace)


@pytest.mark.parametrize("name", ["", "a/b", "..", ".hidden", "-x", "a\x1bb", "a\\b", "x" * 81, "a:b", "~a"])
def test_add_refuses_names_that_are_no_file_names(name: str, workspace: Workspace, tmp_path: Path) -> None:
    source = tmp_path / "a.txt"
    source.write_text("text", encoding="utf-8")
    with pytest.raises(InputError, match="cannot be a corpus's name") as raised:
        add_corpus(source, workspace, name)
    assert str(raised.value).isprintable()
    assert not list(workspace.corpora.iterdir())


@pytest.mark.parametrize("content", [b"", b" \n\n ", b"abc\xff\xfe\xfd"])
def test_add_refuses_what_is_not_text(content: bytes, workspace: Workspace, tmp_path: Path) -> None:
    source = tmp_path / "a.txt"
    source.write_bytes(content)
    with pytest.raises(InputError) as raised:
        add_corpus(source, workspace)
    assert one_sentence(str(raised.value))
    assert not list(workspace.corpora.iterdir())


def test_add_of_a_file_that_is_not_there(workspace: Workspace, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="There is no file"):
        add_corpus(tmp_path / "gone.txt", workspace)


def test_import_is_cheap(tmp_path: Path) -> None:
    """The catalogue is read by the terminal interface before its first paint."""
    loaded = "[m for m in ('numpy', 'torch', 'textual') if m in sys.modules]"
    code = f"import rnnplay.text.corpora.catalogue, sys; print({loaded})"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.strip() == "[]"


def test_the_bundled_texts_can_be_copied_to_a_workspace(workspace: Workspace) -> None:
    shutil.copytree(bundled_corpora(), workspace.corpora, dirs_exist_ok=True)
    assert names(workspace) == BUNDLED
    assert card_problems(workspace) == []
    assert find_corpus("tales", workspace).path == workspace.corpora / "tales.txt"


def test_a_text_in_a_folder_that_may_not_be_entered_is_not_said_to_be_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    look = Path.stat

    def refuse(path: Path, **how: Any) -> os.stat_result:
        if path.parent.name == "closed":
            raise PermissionError(errno.EACCES, "Permission denied")
        return look(path, **how)

    workspace = Workspace(tmp_path).create()
    monkeypatch.setattr(Path, "stat", refuse)
    with pytest.raises(InputError, match=r"closed/a\.txt may not be read \(permission denied\)"):
        find_corpus("/closed/a.txt", workspace)
