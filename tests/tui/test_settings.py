"""Settings last from one start to the next, and nothing in their file's place keeps the program from starting."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from rnnplay.generation_config import CompletionConfig
from rnnplay.tui.settings import Settings, load_settings, save_settings


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where they are kept."""
    path = tmp_path / "config" / "settings.json"
    monkeypatch.setenv("RNNPLAY_CONFIG", str(path))
    return path


def test_settings_come_back() -> None:
    """Also into a folder that is not there yet."""
    assert load_settings() == Settings()
    save_settings(Settings(theme="nord", language="zh"))
    assert load_settings() == Settings(theme="nord", language="zh")


def test_a_byte_order_mark_is_no_harm(place: Path) -> None:
    """Notepad writes one at the start of a file that is edited by hand."""
    save_settings(Settings(theme="nord"))
    place.write_bytes(b"\xef\xbb\xbf" + place.read_bytes())
    assert load_settings() == Settings(theme="nord")


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"[]",
        b'{"theme": 3}',
        b'{"completion": {"words": 0}}',
        b"\xff\xfe",
        b" " * (1 << 17),
        b'{"x":' + b"[" * 20_000,
    ],
)
def test_a_broken_file_means_the_defaults(place: Path, content: bytes) -> None:
    """Cut off, of another program, far too long, or nested without end."""
    place.parent.mkdir()
    place.write_bytes(content)
    assert load_settings() == Settings()


def test_what_a_later_version_keeps_is_no_harm_and_stays(place: Path) -> None:
    """Going back to an older version for a day costs nobody their theme, nor the newer one its settings."""
    place.parent.mkdir()
    place.write_text('{"theme": "nord", "sound": [1], "completion": {"words": 3, "colour": "red"}, "language": 7}')
    loaded = load_settings()
    assert loaded == Settings(theme="nord", completion=CompletionConfig(words=3))
    save_settings(Settings(theme="dracula", completion=loaded.completion))
    kept = json.loads(place.read_text())
    assert (kept["theme"], kept["sound"], kept["language"]) == ("dracula", [1], "")
    assert (kept["completion"]["words"], kept["completion"]["colour"]) == (3, "red")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes with names here")
def test_a_pipe_in_its_place_holds_nobody_up(place: Path) -> None:
    """Opening one that nobody writes to would wait forever."""
    place.parent.mkdir()
    os.mkfifo(place)
    assert load_settings() == Settings()


def test_a_folder_that_cannot_be_written_is_no_error(place: Path) -> None:
    """Then they last until the end of this start."""
    place.parent.write_text("")
    save_settings(Settings(theme="nord"))
    assert load_settings() == Settings()
