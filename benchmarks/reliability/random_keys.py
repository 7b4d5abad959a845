"""Sends random keys, bytes and window sizes for minutes: the interface must not end with an error.

    python -m benchmarks.reliability.random_keys [--minutes 5] [--seed 1] [--keys-a-second 60]

Prints the last input if it does, and its memory over time.
"""

from __future__ import annotations

import random
import tempfile
import time
from collections import deque
from pathlib import Path

from benchmarks import options_of
from benchmarks.measures import resident_mb
from tests.support.terminal import Terminal, rnnplay_command

NAMED = {
    "up": "\x1b[A", "down": "\x1b[B", "right": "\x1b[C", "left": "\x1b[D", "home": "\x1b[H", "end": "\x1b[F",
    "pageup": "\x1b[5~", "pagedown": "\x1b[6~", "delete": "\x1b[3~", "shift+left": "\x1b[1;2D",
    "shift+right": "\x1b[1;2C", "shift+tab": "\x1b[Z", "f1": "\x1bOP", "f5": "\x1b[15~", "f6": "\x1b[17~",
    "f7": "\x1b[18~", "f8": "\x1b[19~", "enter": "\r", "escape": "\x1b", "tab": "\t", "backspace": "\x7f",
    "ctrl+s": "\x13", "ctrl+l": "\x0c", "ctrl+p": "\x10", "ctrl+y": "\x19", "ctrl+j": "\n", "ctrl+u": "\x15",
}  # fmt: skip
LETTERS = "abcdefghijklmnopqrstuvwxyzKN0123456789+-[]?.,= "
SIZES = [
    (1, 1),
    (2, 2),
    (3, 1),
    (4, 30),
    (9, 12),
    (30, 50),
    (40, 10),
    (80, 24),
    (120, 40),
    (200, 60),
    (1, 60),
    (200, 1),
]


LEAVING_SECONDS = 200.0
"""The terminal may hold 2,000 keys that the interface has not read yet."""


class Hand:
    """Sends random input."""

    def __init__(self, seed: int) -> None:
        self._rng = random.Random(seed)
        self.sent: deque[str] = deque(maxlen=40)

    def act(self, terminal: Terminal) -> None:
        """Sends one key, paste, click or odd byte, or resizes the window."""
        drawn = self._rng.random()
        if drawn < 0.03:
            size = self._rng.choice([*SIZES, (self._rng.randint(1, 220), self._rng.randint(1, 70))])
            self.sent.append(f"size {size}")
            terminal.resize(*size)
        elif drawn < 0.06:
            at = self._rng.randint(1, 200), self._rng.randint(1, 60)
            self._send(terminal, b"\x1b[<0;%d;%dM\x1b[<0;%d;%dm" % (*at, *at))
        elif drawn < 0.08:
            noise = self._rng.randbytes(self._rng.randint(1, 12))
            self._send(terminal, noise.translate(None, b"\x03\x11\x1a\x1c"))
        elif drawn < 0.5:
            self._send(terminal, self._rng.choice(list(NAMED.values())).encode())
        else:
            self._send(terminal, self._rng.choice(LETTERS).encode())

    def _send(self, terminal: Terminal, data: bytes) -> None:
        self.sent.append(repr(data))
        terminal.send_bytes(data)


def play(seconds: float, seed: int, pause: float = 1 / 60) -> list[float]:
    """Drives the interface, reopening it whenever it was left; returns its resident memory, MB, every ten seconds.

    Raises AssertionError with its output if it ends with an error, or if it does not leave when asked to.
    """
    hand, end, memory = Hand(seed), time.monotonic() + seconds, []
    while time.monotonic() < end:
        with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
            environment = {"RNNPLAY_CONFIG": str(Path(folder) / "settings.json"), "OMP_NUM_THREADS": "1"}
            command = rnnplay_command("--workspace", folder, "--preset", "tiny")
            with Terminal(command, env=environment) as terminal:
                terminal.wait_for("Train", 60)
                looked = 0.0
                # After it has released the terminal, ctrl+s would stop its last output.
                while terminal.is_raw and time.monotonic() < end:
                    hand.act(terminal)
                    terminal.read(pause, draw=False)
                    if time.monotonic() - looked > 10:
                        looked = time.monotonic()
                        memory.append(resident_mb(terminal.process.pid))
                leave(terminal, f"seed {seed}: it does not answer after {hand.sent}")
                if terminal.process.poll():
                    told = bytes(terminal.transcript[-600:]).decode(errors="replace")
                    raise AssertionError(f"seed {seed}, exit code {terminal.process.returncode}: {told}\n{hand.sent}")
    return memory


def leave(terminal: Terminal, or_else: str) -> None:
    """Ends the interface from any state; input sent before is handled first."""
    patience = time.monotonic() + LEAVING_SECONDS
    while terminal.is_raw:
        assert time.monotonic() < patience, or_else
        for key in ("\x1b", "\x11", "\r"):
            terminal.send(key)
            terminal.read(0.3, draw=False)
    terminal.send("\x11")
    terminal.wait_for_exit()


def main() -> None:
    parser = options_of("benchmarks.reliability.random_keys", __doc__)
    parser.add_argument("--minutes", type=float, default=5)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--keys-a-second", type=float, default=60)
    options = parser.parse_args()
    memory = play(60 * options.minutes, options.seed, 1 / options.keys_a_second)
    print(f"{options.minutes:g} minutes of random keys, bytes and sizes: no error; interface MB every ten seconds:")
    print(", ".join(f"{one:.0f}" for one in memory))


if __name__ == "__main__":
    main()
