"""Records the demo: half a minute of rnnplay in a terminal, as a cast for asciinema and as an animated SVG.

    python -m benchmarks.pictures.demo [--cast build/demo.cast] [--svg docs/pictures/demo.svg] [--from-cast]

The program is the real one, in a pseudo-terminal; keys are sent when the screen shows what they wait for. Starting and
learning are played faster than they were. With --from-cast nothing is recorded, and only the SVG is made of an
earlier cast.
"""

from __future__ import annotations

import codecs
import json
import re
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks import options_of
from benchmarks.pictures.animated_svg import animated, frames
from tests.support.terminal import Terminal, rnnplay_command

COLUMNS, ROWS = 100, 30
KEY_SECONDS = 0.14

Event = tuple[float, str]


class Recorder(Terminal):
    """A terminal that keeps what the program writes, and when, in seconds of the recording."""

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self.events: list[Event] = []
        self._zero = time.monotonic()
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")

    @property
    def now(self) -> float:
        return time.monotonic() - self._zero

    def read(self, timeout: float, draw: bool = True) -> bytes:
        data = super().read(timeout, draw)
        if text := self._decoder.decode(data):
            self.events.append((self.now, text))
        return data

    def watch(self, seconds: float) -> None:
        """Looks on for so long."""
        until = self.now + seconds
        while (left := until - self.now) > 0:
            self.read(left)

    def press(self, *keys: str) -> None:
        """Presses keys at a user's pace."""
        for key in keys:
            self.send(key)
            self.watch(KEY_SECONDS)

    def until(self, condition: str | Callable[[str], bool], at_most: float) -> None:
        """Looks on until the screen shows it; where that takes longer than `at_most`, the recording is faster."""
        began, first = self.now, len(self.events)
        self.wait_for(condition, 300)
        took = self.now - began
        if took > at_most:
            self.events[first:] = [(began + (at - began) * at_most / took, text) for at, text in self.events[first:]]
            self._zero += took - at_most


def loss_below(level: float) -> Callable[[str], bool]:
    """Whether the first line of the charts shows a loss below `level`."""

    def shown(text: str) -> bool:
        found = re.search(r" loss [▁-█ ]+(\d+\.\d+)", text)
        return found is not None and float(found[1]) < level

    return shown


def ghost_after(typed: str) -> Callable[[str], bool]:
    """Whether ghost text goes on with what was typed."""
    return lambda text: re.search(rf"› .*{typed}\w+", text) is not None


UP, ENTER, TAB, ESCAPE, RIGHT, LEFT, WORD = "\x1b[A", "\r", "\t", "\x1b", "\x1b[C", "\x1b[D", "\x1b[1;5C"


def record(workspace: Path) -> list[Event]:
    """Plays the demo once; returns what was written, and when."""
    command = rnnplay_command("--workspace", str(workspace))
    with Recorder(command, COLUMNS, ROWS, {"RNNPLAY_CONFIG": str(workspace / "settings.json")}) as terminal:
        terminal.until("shipped model", 1.5)
        terminal.watch(1.0)
        for _ in range(12):
            terminal.press(UP)
        terminal.until(lambda text: re.search(r"corpus +tales +◂", text) is not None, 1.0)
        for key in (RIGHT, LEFT, ESCAPE):
            terminal.watch(0.6)
            terminal.press(key)
        terminal.press("t")
        terminal.until(loss_below(1.6), 9)
        for _ in range(3):
            terminal.press("-")
            terminal.watch(0.4)
        terminal.until(loss_below(1.0), 5)
        terminal.press("g", *"Once upon a ti")
        terminal.until(ghost_after("Once upon a ti"), 1.5)
        terminal.watch(1.0)
        terminal.press(WORD, *" there was a lit")
        terminal.until(ghost_after("there was a lit"), 1.5)
        terminal.watch(1.0)
        terminal.press(TAB)
        terminal.watch(0.5)
        terminal.press(ENTER)
        terminal.watch(5.0)
        return [(round(at, 3), text) for at, text in terminal.events]


def write_cast(events: list[Event], path: Path) -> None:
    """Writes asciicast v2: a line of JSON about the terminal, then one an event."""
    head = {"version": 2, "width": COLUMNS, "height": ROWS, "title": "rnnplay", "env": {"TERM": "xterm-256color"}}
    lines = [head, *([at, "o", text] for at, text in events)]
    path.write_text("".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines), encoding="utf-8")


def read_cast(path: Path) -> list[Event]:
    """Reads the events of a cast."""
    lines = path.read_text(encoding="utf-8").splitlines()[1:]
    return [(at, text) for at, kind, text in map(json.loads, lines) if kind == "o"]


def main() -> None:
    parser = options_of("benchmarks.pictures.demo", __doc__)
    parser.add_argument("--cast", type=Path, default=Path("build/demo.cast"))
    parser.add_argument("--svg", type=Path, default=Path("docs/pictures/demo.svg"))
    parser.add_argument("--from-cast", action="store_true", help="record nothing, draw the cast that is there")
    options = parser.parse_args()
    if not options.from_cast:
        options.cast.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
            write_cast(record(Path(folder)), options.cast)
    events = read_cast(options.cast)
    picture = animated(frames(events, COLUMNS, ROWS), COLUMNS, ROWS, "rnnplay")
    options.svg.write_text(picture, encoding="utf-8", newline="\n")
    for path in (options.cast, options.svg):
        print(f"{path}: {path.stat().st_size / 1000:.0f} kB, {events[-1][0]:.0f} s")


if __name__ == "__main__":
    main()
