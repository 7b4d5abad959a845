"""Types a text into the scratchpad, key by key in a pseudo-terminal, and reports every stumble.

    python -m benchmarks.interface.writing [--characters 3000] [--sizes 80x24,120x40] [--while training,idle]
        [--own FILE]

Once while a run trains on the default number of threads and once with a trained one idle. The text is prose of the
corpus `tales`, with a mistake that is taken back every hundred characters; with --own it is typed at the end of that
file's text. A stumble is a text that is not as typed, a ghost that changes or goes while what is typed agrees with it,
or an echo of more than 60 ms. Echo: from a key written to the terminal to the screen with its character before the
cursor, with the terminal emulator's time.
"""

from __future__ import annotations

import json
import os
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks import options_of
from benchmarks.interface.driving import leave, settle, start_training
from benchmarks.measures import cpu_seconds, percentile
from rnnplay.tui.writing.draft import FILE, Draft, keep_draft
from rnnplay.workspace import Workspace, bundled_corpora
from tests.support.terminal import Terminal, rnnplay_command

ECHO_SECONDS = 0.060
MISTAKE_EVERY = 100
BACKSPACE = "\x7f"
LOST_SECONDS = 5.0


@dataclass
class Typing:
    """What was measured while a text was typed."""

    echo: list[float] = field(default_factory=list)
    """Seconds for each key."""
    ghosts: int = 0
    """Keys after which a ghost was shown."""
    jumps: list[str] = field(default_factory=list)
    """Ghosts that changed or went although what was typed agreed with them: both, and the text."""
    processor: float = 0.0
    """Seconds of a processor that the interface took for each key, which other work on the machine disturbs least."""
    exact: bool = False
    """Whether the text is as it was typed."""

    @property
    def slow(self) -> int:
        """The number of keys whose echo took too long."""
        return sum(seconds > ECHO_SECONDS for seconds in self.echo)


def shown_around_cursor(terminal: Terminal) -> tuple[str, str] | None:
    """Returns what is before the cursor on its row, and the ghost; None if no cursor is shown."""
    terminal.read(0)  # draws what has come
    buffer, columns = terminal.screen.buffer, terminal.screen.columns
    for y in range(1, terminal.screen.lines - 3):
        line = buffer[y]
        plain = line[0].bg
        for x in range(1, columns - 1):
            if line[x].bg != plain:
                ghost = [line[x].data]
                for at in range(x + 1, columns - 1):
                    if not line[at].italics:
                        break
                    ghost.append(line[at].data)
                return "".join(line[at].data for at in range(1, x)), "".join(ghost).rstrip()
    return None


def type_text(terminal: Terminal, text: str, interval: float, before: str = "") -> Typing:
    """Types `text` after `before`, which is in the scratchpad, with a key every `interval` seconds."""
    found = Typing()
    typed, whole = before, ""
    keys = [*with_mistakes(text)]
    for key in keys:
        began = time.perf_counter()
        typed = typed[:-1] if key == BACKSPACE else typed + ("\n" if key == "\r" else key)
        if key == BACKSPACE or not (typed.startswith(whole) or whole.startswith(typed)):
            whole = ""
        row = typed[typed.rfind("\n") + 1 :][-terminal.screen.columns :]
        terminal.send(key)
        if not row:  # one empty row looks like another
            settle(terminal, interval)
            whole = watch_ghost(terminal, found, typed, "", (shown_around_cursor(terminal) or ("", ""))[1])
            continue
        while (at := shown_around_cursor(terminal)) is None or not row.endswith(at[0]) or not (at[0] or not row):
            if time.perf_counter() - began > LOST_SECONDS:
                raise AssertionError(f"{row[-20:]!r} did not come; the screen is:\n{terminal.text}")
            terminal.read(0.005)
        found.echo.append(time.perf_counter() - began)
        whole = watch_ghost(terminal, found, typed, whole, at[1])
        while (left := began + interval - time.perf_counter()) > 0:
            if terminal.read(left) and (now := shown_around_cursor(terminal)) is not None and row.endswith(now[0]):
                whole = watch_ghost(terminal, found, typed, whole, now[1])
        found.ghosts += len(whole) > len(typed)
    return found


def watch_ghost(terminal: Terminal, found: Typing, typed: str, whole: str, ghost: str) -> str:
    """Compares the ghost after `typed` with the one before, of which `whole` is the text with it; returns the newer."""
    ghost = ghost.split("⏎")[0]
    if len(whole) > len(typed) and whole.startswith(typed):
        expected = whole[len(typed) :]
        room = terminal.screen.columns // 3  # near the edge a ghost is cut
        if not (ghost.startswith(expected[:room].rstrip()) or (expected.startswith(ghost) and len(ghost) >= room)):
            found.jumps.append(f"{expected!r} → {ghost!r} after {typed[-20:]!r}")
    return typed + ghost if ghost.strip() else ""


def with_mistakes(text: str) -> list[str]:
    """The keys that type `text`, with a wrong letter and a backspace now and then."""
    keys: list[str] = []
    for number, character in enumerate(text, start=1):
        if number % MISTAKE_EVERY == 0:
            keys += ["q", BACKSPACE]
        keys.append("\r" if character == "\n" else character)
    return keys


def session(
    workspace: Path, text: str, columns: int, rows: int, interval: float, training: bool, before: str = ""
) -> Typing:
    """Opens rnnplay, goes to the scratchpad and types."""
    keep_draft(Draft(text=before, cursor=(before.count("\n"), len(before) - before.rfind("\n") - 1)), workspace / FILE)
    presets = Workspace(workspace).create().presets
    presets.mkdir(exist_ok=True)
    (presets / "long.toml").write_text("minutes = 60.0\n", "utf-8")
    command = rnnplay_command("--workspace", str(workspace), "--preset", "long")
    with Terminal(command, columns, rows, env={"RNNPLAY_CONFIG": str(workspace / "settings.json")}) as terminal:
        if training:
            start_training(terminal)
        else:
            terminal.wait_for("ready")
            settle(terminal, 2.0)
        terminal.send("W")
        terminal.wait_for("Surprisal")
        terminal.wait_for(" at step ")  # there is a model that answers
        settle(terminal, 1.0)
        used = cpu_seconds(terminal.process.pid)
        found = type_text(terminal, text, interval, before)
        found.processor = (cpu_seconds(terminal.process.pid) - used) / max(1, len(found.echo))
        terminal.send("\x1b")
        terminal.wait_for("Gradient norm")
        settle(terminal, 0.5)
        found.exact = json.loads((workspace / FILE).read_text("utf-8"))["text"] == before + text
        if training:
            leave(terminal)
        else:
            terminal.send("\x11")
            terminal.wait_for_exit()
    return found


def main() -> None:
    parser = options_of("benchmarks.interface.writing", __doc__)
    parser.add_argument("--characters", type=int, default=3000)
    parser.add_argument("--sizes", default="80x24,120x40")
    parser.add_argument("--while", dest="meanwhile", default="training,idle", help="what the model does meanwhile")
    parser.add_argument("--interval", type=float, default=0.08, help="seconds from a key to the next")
    parser.add_argument("--own", type=Path, help="a text file at whose end the text is typed")
    given = parser.parse_args()
    text = (bundled_corpora() / "tales.txt").read_text("utf-8")[-given.characters :]
    before = given.own.read_text("utf-8").replace("\r\n", "\n") if given.own else ""
    failed = False
    for size in given.sizes.split(","):
        columns, rows = map(int, size.split("x"))
        for meanwhile in given.meanwhile.split(","):
            training = meanwhile == "training"
            with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as place:
                found = session(Path(place), text, columns, rows, given.interval, training, before)
            failed = failed or not found.exact or bool(found.jumps)
            print(
                f"{size} {meanwhile:8s} {len(found.echo):,} keys: echo p50 "
                f"{percentile(found.echo, 0.5) * 1e3:.1f} ms, p99 {percentile(found.echo, 0.99) * 1e3:.1f} ms, max "
                f"{max(found.echo) * 1e3:.1f} ms, {found.slow} over {ECHO_SECONDS * 1e3:.0f} ms, "
                f"{found.processor * 1e3:.1f} ms of a processor a key; a ghost after "
                f"{found.ghosts / len(found.echo):.0%} of keys, {len(found.jumps)} changed while it agreed; the text "
                f"is {'exact' if found.exact else 'NOT as typed'}; load {os.getloadavg()[0]:.1f}",
                flush=True,
            )
            for jump in found.jumps[:5]:
                print(f"    {jump}")
    raise SystemExit(failed)


if __name__ == "__main__":
    main()
