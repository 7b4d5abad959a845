"""`rnnplay keys`: the keys in force, and what it says of those that were changed."""

from __future__ import annotations

import errno
import json

import pytest
from click.testing import CliRunner, Result

from rnnplay.cli.main import program
from rnnplay.tui.keys.keymap_file import keymap_path
from rnnplay.tui.keys.names import is_sent_everywhere, parse_key


def keys(*options: str) -> Result:
    return CliRunner().invoke(program, ["keys", *options])


def test_a_file_that_is_written_changes_nothing_and_is_never_written_over() -> None:
    before = keys("--json").stdout
    assert keys("--write").exit_code == 0
    assert keys("--json").stdout == before
    again = keys("--write")
    assert again.exit_code == 2 and "exists; edit it" in again.stderr


def test_a_changed_key_is_marked_and_a_refused_line_said() -> None:
    keymap_path().parent.mkdir(parents=True, exist_ok=True)
    keymap_path().write_text('[playground]\ntrain = "T"\nnew = "x"\n')
    result = keys()
    assert "* playground.train" in result.stdout and "* playground.new" not in result.stdout
    assert "line 3: playground.new: x is already the key of playground.stop" in result.stderr
    (train,) = (one for one in json.loads(keys("--json").stdout) if one["id"] == "playground.train")
    assert (train["keys"], train["default"]) == (["T"], ["t"])


@pytest.mark.parametrize(
    ("keys_given", "said"),
    [('"ctrl+1"', True), ('["ctrl+1", "f13"]', True), ('["ctrl+1", "Y"]', False)],
)
def test_a_key_that_few_terminals_send_is_accepted_and_said(keys_given: str, said: bool) -> None:
    keymap_path().parent.mkdir(parents=True, exist_ok=True)
    keymap_path().write_text(f"[playground]\ntrain = {keys_given}\n")
    assert ("only terminals with the kitty keyboard protocol" in keys().stderr) == said


EVERYWHERE = ("t", "Ü", "space", "f12", "ctrl+k", "alt+1", "shift+left", "ctrl+f5", "ctrl+]", "backspace", "shift+tab")
SOMEWHERE = ("ctrl+1", "ctrl+;", "ctrl+ü", "f13", "super+left", "shift+enter", "ctrl+alt+t", "alt+enter")


@pytest.mark.parametrize("written", EVERYWHERE + SOMEWHERE)
def test_which_keys_every_terminal_sends(written: str) -> None:
    assert is_sent_everywhere(parse_key(written)) == (written in EVERYWHERE)


def test_a_file_for_which_there_is_no_room_is_not_left_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    def full() -> str:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("rnnplay.tui.keys.catalogue.keymap_text", full)
    refused = keys("--write")
    assert refused.exit_code == 2 and "(No space left on device); make room there." in refused.stderr
    monkeypatch.undo()
    assert not keymap_path().exists()
