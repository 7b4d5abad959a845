"""What a terminal may send and do: any bytes are read, nothing that is no key is typed, and Textual is as we think."""

from __future__ import annotations

import os
import random

import pytest
from textual import events
from textual.drivers import linux_driver
from textual.drivers.linux_driver import LinuxDriver

from rnnplay.tui.driver import PASTE_SECONDS, Input, TerminalDriver, Writer


def keys(*pieces: bytes) -> list[str]:
    """The keys and pastes that these bytes are."""
    source = Input("utf-8")
    found = [message for piece in pieces for message in source.take(piece)]
    return [
        one.text if isinstance(one, events.Paste) else one.key
        for one in found
        if isinstance(one, events.Paste | events.Key)
    ]


@pytest.mark.parametrize(
    ("pieces", "expected"),
    [
        ([b"a\xffb"], ["a", "�", "b"]),
        ([b"caf\xe9!"], ["c", "a", "f", "�", "exclamation_mark"]),
        (["ж".encode()[:1], "ж".encode()[1:]], ["ж"]),
        ([b"\xe2", b"\x82", b"\xac"], ["€"]),
        ([b"a\x1b[99999999ub"], ["a", "b"]),  # no character has that number
        ([b"a\x1b[97:65;2ub"], ["a", "b"]),
        ([b"\x1b[200~caf\xe9\x1b[201~b"], ["caf�", "b"]),
    ],
)
def test_what_is_no_text_is_left_out_or_marked(pieces: list[bytes], expected: list[str]) -> None:
    names = ["�" if key == "replacement_character" else "€" if key == "euro_sign" else key for key in keys(*pieces)]
    assert names == expected


@pytest.mark.parametrize("cut", range(2, 6))
def test_a_mouse_report_of_x10_is_a_click_and_no_keys(cut: int) -> None:
    """Its coordinates are bytes that need not be UTF-8, and may come in pieces."""
    source = Input("utf-8")
    report = b"\x1b[M" + bytes([32, 32 + 200, 32 + 7])
    pressed = [*source.take(report[:cut]), *source.take(report[cut:])]
    assert [(type(event), event.x, event.y) for event in pressed if isinstance(event, events.MouseEvent)] == [
        (events.MouseDown, 199, 6)
    ]
    assert len(pressed) == 1
    (released,) = source.take(b"\x1b[M" + bytes([32 + 3, 40, 40]))
    assert isinstance(released, events.MouseUp)


def test_any_bytes_at_all_can_be_read() -> None:
    rng = random.Random(1)
    source = Input("utf-8")
    alphabet = [b"\x1b[", b"\x1b", b"<", b";", b"M", b"u", b"t", b"48", b"99999999", b"0", b":", b"~", b"\x1b[200~"]
    for _ in range(5_000):
        source.take(rng.choice([rng.randbytes(rng.randint(1, 9)), b"".join(rng.choices(alphabet, k=6))]))
    assert not source.parser.is_eof


def test_a_paste_that_never_ends_is_over_after_a_while() -> None:
    """Or every key from then on would be swallowed."""
    now = 0.0
    source = Input("utf-8", lambda: now)
    assert not source.take(b"\x1b[200~lost")
    assert not source.tick()
    now = PASTE_SECONDS + 1
    (paste,) = [one for one in [*source.tick(), *source.take(b"x")] if isinstance(one, events.Paste)]
    assert paste.text == "lost"
    assert [one.key for one in source.take(b"x") if isinstance(one, events.Key)] == ["x"]


def test_a_terminal_that_is_gone_holds_nobody_up() -> None:
    """Textual's own thread ends by the error; the next write but thirty would wait for ever."""

    class Gone:
        def write(self, _text: str) -> None:
            raise OSError(5, "Input/output error")

        def flush(self) -> None:
            raise OSError(5, "Input/output error")

    writer = Writer(Gone())  # type: ignore[arg-type]
    writer.start()
    for _ in range(100):
        writer.write("x")
    writer.stop()


def test_textual_has_what_the_driver_relies_on() -> None:
    """A later version that renames one of these would bring the faults back without a word."""
    assert hasattr(linux_driver, "WriterThread")
    for name in (
        "_get_terminal_size", "_sigtstp_application", "_sigcont_application", "_patch_lflag", "_patch_iflag",
        "_enable_mouse_support", "_enable_bracketed_paste", "_disable_line_wrap", "suspend_application_mode",
    ):  # fmt: skip
        assert callable(getattr(LinuxDriver, name)), name
    assert TerminalDriver.run_input_thread is not LinuxDriver.run_input_thread
    assert "run_input_thread" in LinuxDriver._run_input_thread.__code__.co_names
    assert "WriterThread" in LinuxDriver.start_application_mode.__code__.co_names


def test_exported_sizes_do_not_count(monkeypatch: pytest.MonkeyPatch) -> None:
    """COLUMNS and LINES stay as they were exported when the window changes."""
    monkeypatch.setenv("COLUMNS", "33")
    monkeypatch.setenv("LINES", "11")
    driver = object.__new__(TerminalDriver)
    driver.fileno = 0
    for told, laid_out in (((120, 40), (120, 40)), ((1, 1), (32, 10)), ((9, 60), (32, 60)), ((10**6, 1), (5_000, 10))):
        monkeypatch.setattr(os, "get_terminal_size", lambda _, size=told: os.terminal_size(size))
        assert driver._get_terminal_size() == laid_out
